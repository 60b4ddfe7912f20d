"""The colour of a user store's sign-in pages, for the owner, as `rolecall store set` sets it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from rolecall.console.changes import Input
from rolecall.console.directories.addresses import SECTION, STORE, store_page
from rolecall.console.directories.reading import DirectoryReader
from rolecall.console.owners import (
    Changed,
    OwnersChange,
    OwnersChangeRefused,
    OwnersChanges,
    always,
)
from rolecall.console.visits import Visit
from rolecall.domain.directories.colours import DEFAULT, contrast, is_colour, text_on
from rolecall.domain.instances.examination import Finding
from rolecall.domain.operations.audit import Audit


class ColourRepository(Protocol):
    """The store's directories."""

    async def set_colour(self, store_id: UUID, colour: str | None) -> bool: ...


class ColourPages:
    def __init__(self, reader: DirectoryReader, colours: ColourRepository, audit: Audit) -> None:
        self._reader = reader
        self._colours = colours
        change = OwnersChange(
            f"{STORE}/colour",
            SECTION,
            "dir_colour_set",
            "store set",
            self._paint,
            self._facts,
            lambda visit: f"{store_page(visit)}/applications",
            always(Input("colour", "dir_colour", hint="dir_colour_hint")),
            _check,
            lambda visit: {"store": visit.path["store"], "colour": _typed(visit) or None},
        )
        self.pages = OwnersChanges(audit, (change,)).pages

    async def _facts(self, visit: Visit) -> dict[str, str] | None:
        store = await self._reader.store(visit)
        if store is None:
            return None
        colour = _typed(visit) or DEFAULT
        ratio = f"{contrast(colour, text_on(colour)):.1f}" if is_colour(colour) else ""
        return {"store": store.name, "colour": colour, "ratio": ratio}

    async def _paint(self, visit: Visit) -> Changed:
        await self._colours.set_colour(UUID(visit.path["store"]), _typed(visit) or None)
        return Changed(visit.path["store"])


def _typed(visit: Visit) -> str:
    return visit.posted["colour"].strip().lower()


async def _check(visit: Visit) -> Sequence[Finding]:
    if _typed(visit) and not is_colour(_typed(visit)):
        raise OwnersChangeRefused(visit.text("dir_colour_wrong"))
    return ()
