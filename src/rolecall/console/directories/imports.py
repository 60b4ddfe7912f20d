"""Imports by `rolecall user import` into a user store, for the owner: how far each has come and what it refused."""

from __future__ import annotations

import re
from uuid import UUID

from rolecall.console import pages
from rolecall.console.directories.addresses import SECTION, STORE
from rolecall.console.directories.pages import explained, in_store
from rolecall.console.directories.reading import DirectoryReader
from rolecall.console.visits import Page, Visit
from rolecall.domain.directories.importing import ImportRecords
from rolecall.values import Reply

_IMPORTS = 50
_LINES = 100
_ID = re.compile(r"[0-9a-f]{32}")


class ImportPages:
    def __init__(self, reader: DirectoryReader, imports: ImportRecords) -> None:
        self._reader = reader
        self._imports = imports
        self.pages = (Page(f"{STORE}/import", explained(self._show)),)

    async def _show(self, visit: Visit) -> Reply:
        if not visit.visitor.caller.is_owner:
            message = visit.text("only_the_owner")
            return pages.page(visit, "error.html", section=SECTION, status=403, message=message)
        store = await self._reader.store(visit)
        if store is None:
            return pages.error(visit.request, 404, "not_found")
        wanted = visit.query["import"]
        chosen = UUID(wanted) if _ID.fullmatch(wanted) else None
        return in_store(
            visit,
            store,
            "import",
            "directory_import.html",
            imports=await self._imports.all(store.id, _IMPORTS),
            chosen=chosen,
            lines=await self._imports.refusals(store.id, chosen, _LINES) if chosen else (),
            most=_LINES,
        )
