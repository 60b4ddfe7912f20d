"""Imports of users into a user store, for the owner: a file is sent, looked at, confirmed, and imported meanwhile."""

from __future__ import annotations

import csv
import io
import re
from typing import Protocol
from uuid import UUID, uuid4

from rolecall.console import pages
from rolecall.console.actions import FRONT
from rolecall.console.changes import Input
from rolecall.console.directories.addresses import SECTION, STORE, store_page
from rolecall.console.directories.pages import Answering, explained, in_store
from rolecall.console.directories.reading import DirectoryReader
from rolecall.console.owners import Changed, OwnersChange, OwnersChangeRefused, OwnersChanges, for_owners
from rolecall.console.visits import Page, Visit
from rolecall.domain.directories import uploads
from rolecall.domain.directories.files import FileRefused
from rolecall.domain.directories.formats import FileFormat, format_of
from rolecall.domain.directories.importing import ImportRecords
from rolecall.domain.directories.model import UserStore
from rolecall.domain.directories.uploads import Preview, Upload
from rolecall.domain.operations.audit import Audit
from rolecall.values import Origin, Reply

_IMPORTS = 50
_LINES = 100
_REPORTED = 100_000
"""Refused lines of one report."""

_LONGEST_NAME = 100
_ID = re.compile(r"[0-9a-f]{32}")
_COMMAND = "user import"

_FORMATS = tuple((each.value, f"dir_format_{each.value}") for each in FileFormat)
_INPUTS = (
    Input("file", "dir_file", "file", hint="dir_file_hint"),
    Input("text", "dir_pasted", "code", hint="dir_pasted_hint"),
    Input("format", "dir_format", "select", options=(("", "dir_format_by_name"), *_FORMATS)),
    Input("again", "dir_again", "box", hint="dir_again_hint"),
)


class Uploads(Protocol):
    """`rolecall.domain.directories.uploads.UserUploads`."""

    async def keep(
        self, store_id: UUID, name: str, kind: FileFormat, content: bytes, *, again: bool
    ) -> Upload: ...
    async def find(self, store_id: UUID, upload_id: UUID) -> Upload | None: ...
    async def preview(self, upload: Upload) -> Preview: ...
    async def confirm(self, upload: Upload, origin: Origin) -> UUID | None: ...


class ImportPages:
    def __init__(self, reader: DirectoryReader, imports: ImportRecords, files: Uploads, audit: Audit) -> None:
        self._reader = reader
        self._imports = imports
        self._files = files
        change = OwnersChange(
            f"{STORE}/import/{{upload}}",
            SECTION,
            "dir_import_confirm",
            _COMMAND,
            self._confirm,
            self._facts,
            lambda visit: f"{store_page(visit)}/import",
            detail=lambda visit: {"store": visit.path["store"]},
            effects=lambda visit: (visit.text("dir_effect_refused"), visit.text("dir_effect_background")),
            confirmation="import_confirm.html",
            shows=self._preview,
        )
        largest = uploads.LARGEST + 64 * 1024
        self.pages = (
            Page(f"{STORE}/import", _for_owners(self._list), _for_owners(self._receive), largest),
            Page(f"{STORE}/imports/{{import}}", _for_owners(self._show)),
            Page(f"{STORE}/imports/{{import}}/refused", _for_owners(self._report)),
            *OwnersChanges(audit, (change,)).pages,
        )

    async def _list(self, visit: Visit, fault: str = "") -> Reply:
        store = await self._reader.store(visit)
        if store is None:
            return pages.error(visit.request, 404, "not_found")
        return in_store(
            visit,
            store,
            "import",
            "directory_import.html",
            status=422 if fault else 200,
            message=fault,
            inputs=_INPUTS,
            values={each.name: visit.posted[each.name] for each in _INPUTS},
            imports=await self._imports.all(store.id, _IMPORTS),
        )

    async def _receive(self, visit: Visit) -> Reply:
        """Keep a file that was sent or pasted, and go on to its preview."""
        store = await self._reader.store(visit)
        if store is None:
            return pages.error(visit.request, 404, "not_found")
        try:
            upload = await self._kept(visit, store)
        except OwnersChangeRefused as refused:
            return await self._list(visit, str(refused))
        return pages.redirect(f"{store_page(visit)}/import/{upload.id.hex}")

    async def _kept(self, visit: Visit, store: UserStore) -> Upload:
        file, pasted, chosen = visit.files.get("file"), visit.posted["text"], visit.posted["format"]
        if file is None and not pasted.strip():
            raise OwnersChangeRefused(visit.text("dir_no_file"))
        name = visit.text("dir_pasted_text") if file is None else file.name
        content = pasted.encode() if file is None else file.content
        if len(content) > uploads.LARGEST:
            raise OwnersChangeRefused(visit.text("dir_file_too_large"))
        known = chosen in tuple(FileFormat)
        kind = FileFormat(chosen) if known else FileFormat.CSV if file is None else format_of(file.name)
        if kind is None:
            raise OwnersChangeRefused(visit.text("dir_format_unknown"))
        again = bool(visit.posted["again"])
        past = None if again else await self._imports.of_file(store.id, uploads.digest_of(content))
        if past is not None and (past.finished_at or past.is_queued):
            raise OwnersChangeRefused(visit.text("dir_imported_before"))
        try:
            return await self._files.keep(store.id, name[:_LONGEST_NAME], kind, content, again=again)
        except FileRefused as refused:
            raise OwnersChangeRefused(visit.text("dir_file_refused", why=str(refused))) from None

    async def _facts(self, visit: Visit) -> dict[str, str] | None:
        store = await self._reader.store(visit)
        upload = None if store is None else await self._found(visit, store)
        if store is None or upload is None:
            return None
        return {"store": store.name, "file": upload.name, "size": f"{upload.size:,}"}

    async def _found(self, visit: Visit, store: UserStore) -> Upload | None:
        upload = visit.path["upload"]
        return await self._files.find(store.id, UUID(upload)) if _ID.fullmatch(upload) else None

    async def _known(self, visit: Visit) -> Upload:
        store = await self._reader.store(visit)
        upload = None if store is None else await self._found(visit, store)
        if upload is None:
            raise OwnersChangeRefused(visit.text("not_found"))
        return upload

    async def _preview(self, visit: Visit) -> dict[str, object]:
        try:
            return {"preview": await self._files.preview(await self._known(visit))}
        except FileRefused:  # another file took its place meanwhile
            raise OwnersChangeRefused(visit.text("not_found")) from None

    async def _confirm(self, visit: Visit) -> Changed:
        caller, request = visit.visitor.caller, visit.request
        origin = Origin(caller, FRONT, _COMMAND, str(uuid4()), client=request.client, secure=request.secure)
        import_id = await self._files.confirm(await self._known(visit), origin)
        if import_id is None:
            raise OwnersChangeRefused(visit.text("not_found"))
        return Changed(visit.path["store"], at=f"{store_page(visit)}/imports/{import_id.hex}")

    async def _show(self, visit: Visit) -> Reply:
        store = await self._reader.store(visit)
        import_id = _import_id(visit)
        past = None if store is None or import_id is None else await self._imports.one(store.id, import_id)
        if store is None or past is None:
            return pages.error(visit.request, 404, "not_found")
        return in_store(
            visit,
            store,
            "import",
            "import.html",
            past=past,
            lines=await self._imports.refusals(store.id, past.id, _LINES) if past.refused else (),
            most=_LINES,
        )

    async def _report(self, visit: Visit) -> Reply:
        """The numbers and the reasons of refused lines, as the command line reports them."""
        store = await self._reader.store(visit)
        import_id = _import_id(visit)
        if store is None or import_id is None:
            return pages.error(visit.request, 404, "not_found")
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerow(("line", "reason"))
        found = await self._imports.refusals(store.id, import_id, _REPORTED)
        writer.writerows((refusal.line, refusal.reason) for refusal in found)
        headers = (
            ("content-type", "text/csv; charset=utf-8"),
            ("content-disposition", 'attachment; filename="refused.csv"'),
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
        )
        return Reply(200, headers, text.getvalue().encode())


def _import_id(visit: Visit) -> UUID | None:
    text = visit.path["import"]
    return UUID(text) if _ID.fullmatch(text) else None


def _for_owners(answer: Answering) -> Answering:
    return for_owners(SECTION, explained(answer))
