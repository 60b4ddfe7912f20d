"""User stores: an owner's directories."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from rolecall import ambient
from rolecall.domain.directories import commands
from rolecall.domain.directories.access import StoreAccess, dry_run
from rolecall.domain.directories.model import UserStore
from rolecall.domain.directories.ports import DirectoryRepository
from rolecall.domain.messages import Handlers
from rolecall.domain.operations.model import Change
from rolecall.domain.operations.records import Record
from rolecall.domain.reasons import Reason, Refused
from rolecall.values import Origin


class UserStores:
    """`quota` is how many stores an owner may have, 0 any number."""

    def __init__(self, repository: DirectoryRepository, access: StoreAccess, quota: int) -> None:
        self._repository = repository
        self._access = access
        self._quota = quota
        self.handlers: Handlers = (
            commands.CreateUserStore.handled_by(self.create),
            commands.ListUserStores.handled_by(self.all),
            commands.ChangeUserStore.handled_by(self.change),
            commands.DeleteUserStore.handled_by(self.delete),
        )

    async def create(self, command: commands.CreateUserStore, origin: Origin) -> UserStore:
        """The first store of an owner is its default. DIRECTORIES_INACTIVE, STORE_TAKEN, STORE_QUOTA."""
        await self._access.require_active(origin)
        owner_id = origin.caller.owner_id
        there = await self._repository.stores(owner_id)
        _require_free(there, command.name)
        if self._quota and len(there) >= self._quota:
            raise Refused(Reason.STORE_QUOTA, facts={"limit": self._quota})
        if command.dry:
            dry_run()
        store = new_store(owner_id, command.name, command.description, command.logo, is_default=not there)
        record = Record(Change.STORE_CREATE, store.id.hex, origin, {"name": store.name})
        return await self._repository.add_store(store, record)

    async def all(self, _command: commands.ListUserStores, origin: Origin) -> Sequence[UserStore]:
        """DIRECTORIES_INACTIVE."""
        await self._access.require_active(origin)
        return await self._repository.stores(origin.caller.owner_id)

    async def change(self, command: commands.ChangeUserStore, origin: Origin) -> None:
        """STORE_MISSING, STORE_TAKEN."""
        if command.dry:
            await self._access.require_access(origin, command.store)
            if command.name is not None:
                _require_free(
                    await self._repository.stores(origin.caller.owner_id), command.name, command.store
                )
            dry_run()
        record = Record(Change.STORE_UPDATE, command.store.hex, origin)
        done = await self._repository.change_store(
            origin.caller.owner_id, command.store, command.name, command.description, command.logo, record
        )
        if not done:
            await self._access.require_access(origin, command.store)

    async def delete(self, command: commands.DeleteUserStore, origin: Origin) -> None:
        """STORE_MISSING."""
        if command.dry:
            await self._access.require_access(origin, command.store)
            dry_run()
        record = Record(Change.STORE_DELETE, command.store.hex, origin)
        if not await self._repository.delete_store(origin.caller.owner_id, command.store, record):
            await self._access.require_access(origin, command.store)


def new_store(
    owner_id: int, name: str, description: str = "", logo: str = "", *, is_default: bool
) -> UserStore:
    now = ambient.now()
    return UserStore(ambient.new_id(), owner_id, name, description, logo, is_default, now, now)


def _require_free(there: Sequence[UserStore], name: str, of: UUID | None = None) -> None:
    """STORE_TAKEN."""
    if any(store.name == name and store.id != of for store in there):
        raise Refused(Reason.STORE_TAKEN, facts={"value": name})
