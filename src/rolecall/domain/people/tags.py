"""Tags: keys and values that an owner puts on resources of any service."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from rolecall.domain.commands import Handlers
from rolecall.domain.operations import Change
from rolecall.domain.people import commands
from rolecall.domain.people.commands import TagPlace
from rolecall.domain.people.views import Tag
from rolecall.domain.records import Record
from rolecall.domain.views import Page
from rolecall.values import Origin

MOST_TAGS = 50
"""On one resource."""


class TagBook(Protocol):
    """Where tags are kept."""

    async def tags(
        self, owner_id: int, service: str, prefix: str, resources: Sequence[str], offset: int, limit: int
    ) -> Page[Tag]: ...

    async def change_tags(
        self,
        owner_id: int,
        place: TagPlace,
        replace: Sequence[tuple[str, str]],
        delete: Sequence[str],
        most: int,
        record: Record,
    ) -> None:
        """TAG_QUOTA."""


class Tags:
    def __init__(self, book: TagBook) -> None:
        self._book = book
        self.handlers: Handlers = {commands.PageTags: self.page, commands.ChangeTags: self.change}

    async def page(self, command: commands.PageTags, origin: Origin) -> Page[Tag]:
        return await self._book.tags(
            origin.caller.owner_id,
            command.service,
            command.prefix,
            command.resources,
            command.offset,
            command.limit,
        )

    async def change(self, command: commands.ChangeTags, origin: Origin) -> None:
        place = command.place
        target = f"{place.service}:{place.prefix}/{place.resource}"
        detail = {"replaced": [key for key, _ in command.replace], "deleted": list(command.delete)}
        await self._book.change_tags(
            origin.caller.owner_id,
            place,
            command.replace,
            command.delete,
            MOST_TAGS,
            Record(Change.TAGS, target, origin, detail),
        )
