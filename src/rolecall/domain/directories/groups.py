"""Groups of users in a store."""

from __future__ import annotations

from uuid import UUID

from rolecall import ambient
from rolecall.domain.directories import commands
from rolecall.domain.directories.access import StoreAccess, dry_run
from rolecall.domain.directories.model import UserGroup
from rolecall.domain.directories.ports import DirectoryRepository
from rolecall.domain.messages import Handlers, Page
from rolecall.domain.operations.model import Change
from rolecall.domain.operations.records import Record
from rolecall.domain.reasons import Reason, Refused
from rolecall.values import Origin


class UserGroups:
    """`quota` is how many groups a store may have, 0 any number."""

    def __init__(self, repository: DirectoryRepository, access: StoreAccess, quota: int) -> None:
        self._repository = repository
        self._access = access
        self._quota = quota
        self.handlers: Handlers = (
            commands.CreateUserGroup.handled_by(self.create),
            commands.ListUserGroups.handled_by(self.page),
            commands.ChangeUserGroup.handled_by(self.change),
            commands.DeleteUserGroups.handled_by(self.delete),
        )

    async def create(self, command: commands.CreateUserGroup, origin: Origin) -> UserGroup:
        """USER_GROUP_TAKEN, USER_QUOTA."""
        if command.dry:
            await self._require_room(command.store, origin)
            await self._require_free(command.store, command.name, None, origin)
            dry_run()
        now = ambient.now()
        group = UserGroup(ambient.new_id(), command.store, command.name, command.description, now, now)
        record = _record(Change.USER_GROUP_CREATE, group.store_id, group.id, origin, group.name)
        made = await self._repository.add_group(origin.caller.owner_id, group, self._quota, record)
        if made is None:
            await self._require_room(command.store, origin)
            raise Refused(Reason.STORE_MISSING, facts={"value": command.store.hex})
        return made

    async def page(self, command: commands.ListUserGroups, origin: Origin) -> Page[UserGroup]:
        found = await self._repository.groups(origin.caller, command)
        if found is None:
            await self._access.require_access(origin, command.store)
            return Page((), 0)
        return found

    async def change(self, command: commands.ChangeUserGroup, origin: Origin) -> None:
        """USER_GROUP_MISSING, USER_GROUP_TAKEN."""
        if command.dry:
            await self._access.require_access(origin, command.store)
            await self._require_present(command.store, command.group, origin)
            await self._require_free(command.store, command.name, command.group, origin)
            dry_run()
        record = _record(Change.USER_GROUP_UPDATE, command.store, command.group, origin, command.name)
        done = await self._repository.change_group(
            origin.caller.owner_id, command.store, command.group, command.name, command.description, record
        )
        if not done:
            await self._access.require_access(origin, command.store)
            raise Refused(Reason.USER_GROUP_MISSING, facts={"value": command.group.hex})

    async def delete(self, command: commands.DeleteUserGroups, origin: Origin) -> None:
        if command.dry or not command.groups:
            await self._access.require_access(origin, command.store)
            if command.dry:
                dry_run()
            return
        detail = {"store": command.store.hex, "groups": [group.hex for group in command.groups]}
        record = Record(Change.USER_GROUP_DELETE, command.groups[0].hex, origin, detail)
        if not await self._repository.delete_groups(
            origin.caller.owner_id, command.store, command.groups, record
        ):
            await self._access.require_access(origin, command.store)

    async def _require_room(self, store: UUID, origin: Origin) -> None:
        """USER_QUOTA, or why the store is not the caller's."""
        await self._access.require_access(origin, store)
        if self._quota and await self._repository.group_count(store) >= self._quota:
            raise Refused(Reason.USER_QUOTA, facts={"limit": self._quota})

    async def _require_free(self, store: UUID, name: str, of: UUID | None, origin: Origin) -> None:
        """USER_GROUP_TAKEN."""
        page = await self._repository.groups(
            origin.caller, commands.ListUserGroups(store, (name,), None, 0, 1000)
        )
        if any(group.name == name and group.id != of for group in (page.items if page else ())):
            raise Refused(Reason.USER_GROUP_TAKEN, facts={"value": name})

    async def _require_present(self, store: UUID, group: UUID, origin: Origin) -> None:
        """USER_GROUP_MISSING."""
        page = await self._repository.groups(
            origin.caller, commands.ListUserGroups(store, (), (group,), 0, 1)
        )
        if not page or not page.items:
            raise Refused(Reason.USER_GROUP_MISSING, facts={"value": group.hex})


def _record(change: Change, store: UUID, group: UUID, origin: Origin, name: str) -> Record:
    return Record(change, group.hex, origin, {"store": store.hex, "name": name})
