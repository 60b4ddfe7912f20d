"""The log of events of a user store."""

from __future__ import annotations

from rolecall.domain.directories import commands
from rolecall.domain.directories.access import StoreAccess
from rolecall.domain.directories.ports import DirectoryRepository
from rolecall.domain.directories.views import DirectoryEvent
from rolecall.domain.messages import Handlers, Page
from rolecall.values import Origin


class DirectoryEvents:
    def __init__(self, repository: DirectoryRepository, access: StoreAccess) -> None:
        self._repository = repository
        self._access = access
        self.handlers: Handlers = (commands.ListDirectoryEvents.handled_by(self.page),)

    async def page(self, command: commands.ListDirectoryEvents, origin: Origin) -> Page[DirectoryEvent]:
        found = await self._repository.events(origin.caller, command)
        if found is None:
            await self._access.require_access(origin, command.store)
            return Page((), 0)
        return found
