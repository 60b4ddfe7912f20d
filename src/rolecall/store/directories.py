"""User stores, groups and events; and users as sign-in sees them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from uuid import UUID

from psycopg import errors
from psycopg.rows import class_row, dict_row, kwargs_row
from psycopg.sql import SQL

from rolecall.domain.directories.commands import ListDirectoryEvents, ListUserGroups
from rolecall.domain.directories.model import User, UserGroup, UserStore
from rolecall.domain.directories.views import DirectoryEvent, Standing
from rolecall.domain.messages import Page
from rolecall.domain.operations.records import Record
from rolecall.domain.reasons import Reason, Refused
from rolecall.store.batches import Batches
from rolecall.store.connection import Pool
from rolecall.store.errors import Refusing, reasons
from rolecall.store.queries import load
from rolecall.store.records import record_values
from rolecall.store.scans import Scans
from rolecall.store.user_rows import user_of
from rolecall.store.users import PgUserRepository
from rolecall.values import Caller

_SQL = load("directories")
_USERS = load("users")


class PgDirectoryRepository:
    """`users` holds the users in them."""

    def __init__(self, durable: Pool, scans: Scans, users: PgUserRepository) -> None:
        self._pool = Refusing(durable)
        self._scans = scans
        self._users = users
        self._sign_ins = Batches(durable)

    async def standing(self, owner_id: int, store_id: UUID | None) -> Standing:
        return await self._users.standing(owner_id, store_id)

    async def activate(self, owner_id: int, *, active: bool) -> None:
        """Whether the owner has directories at all. What is in them stays."""
        await self._pool.execute("update owners set directories = %s where id = %s", (active, owner_id))

    async def store(self, store_id: UUID) -> UserStore | None:
        return await self._pool.row(class_row(UserStore), _SQL["active_store"], (store_id,))

    async def set_colour(self, store_id: UUID, colour: str | None) -> bool:
        """Of its sign-in pages; None: the pages' own. False if there is no such store."""
        query = "update user_stores set colour = %s, changed_at = now() where id = %s"
        return await self._pool.execute(query, (colour, store_id)) == 1

    async def stores(self, owner_id: int) -> Sequence[UserStore]:
        return await self._pool.rows(class_row(UserStore), _SQL["stores"], (owner_id,))

    async def add_store(self, store: UserStore, record: Record | None) -> UserStore:
        """`record` None: made while setting up, not by a call."""
        query, values = _SQL["add_store"], asdict(store)
        if record is not None:
            query, values = _SQL["add_recorded_store"], {**values, **record_values(record)}
        try:
            return replace(store, **await self._pool.only(dict_row, query, values))
        except errors.UniqueViolation:
            raise Refused(Reason.STORE_TAKEN, facts={"value": store.name}) from None

    async def change_store(
        self,
        owner_id: int,
        store_id: UUID,
        name: str | None,
        description: str | None,
        logo: str | None,
        record: Record,
    ) -> bool:
        values = {
            "owner": owner_id, "store": store_id, "name": name, "description": description, "logo": logo,
        }  # fmt: skip
        return bool(await self._change(_SQL["change_store"], values, record, Reason.STORE_TAKEN, name))

    async def delete_store(self, owner_id: int, store_id: UUID, record: Record) -> bool:
        values = {"owner": owner_id, "store": store_id}
        return bool(await self._change(_SQL["delete_store"], values, record, Reason.STORE_TAKEN, None))

    async def groups(self, caller: Caller, wanted: ListUserGroups) -> Page[UserGroup] | None:
        values = {
            "owner": caller.owner_id,
            "store": wanted.store,
            "negated": wanted.negated,
            "ids": None if wanted.ids is None else list(wanted.ids),
            "texts": list(wanted.texts),
            "limit": wanted.limit,
            "offset": wanted.offset,
        }
        return await self._scans.page(caller, UserGroup, _SQL["count_groups"], _SQL["groups"], values)

    async def group_count(self, store_id: UUID) -> int:
        query = "select count(*) from user_groups where store_id = %s"
        return int(await self._pool.value(query, (store_id,)))

    async def groups_of(self, user_id: UUID) -> Sequence[UserGroup]:
        return await self._pool.rows(class_row(UserGroup), _SQL["groups_of"], (user_id,))

    async def add_group(
        self, owner_id: int, group: UserGroup, quota: int, record: Record
    ) -> UserGroup | None:
        values = {
            "owner": owner_id, "store": group.store_id, "id": group.id, "name": group.name,
            "description": group.description, "quota": quota,
        }  # fmt: skip
        try:
            added = await self._change(_SQL["add_group"], values, record, Reason.USER_GROUP_TAKEN, group.name)
        except errors.ForeignKeyViolation:  # the store was deleted at the same time
            return None
        return group if added else None

    async def change_group(
        self,
        owner_id: int,
        store_id: UUID,
        group_id: UUID,
        name: str,
        description: str | None,
        record: Record,
    ) -> bool:
        values = {
            "owner": owner_id, "store": store_id, "group": group_id, "name": name, "description": description,
        }  # fmt: skip
        return bool(await self._change(_SQL["change_group"], values, record, Reason.USER_GROUP_TAKEN, name))

    async def delete_groups(
        self, owner_id: int, store_id: UUID, groups: Sequence[UUID], record: Record
    ) -> int:
        values = {"owner": owner_id, "store": store_id, "groups": list(groups)}
        return await self._change(_SQL["delete_groups"], values, record, Reason.USER_GROUP_TAKEN, None)

    async def events(self, caller: Caller, wanted: ListDirectoryEvents) -> Page[DirectoryEvent] | None:
        values = {
            "owner": caller.owner_id, "store": wanted.store, "since": wanted.since, "kinds": list(wanted.kinds),
            "limit": wanted.limit, "offset": wanted.offset,
        }  # fmt: skip
        return await self._scans.page(caller, DirectoryEvent, _SQL["count_events"], _SQL["events"], values)

    # for sign-in

    async def user(self, store_id: UUID, user_id: UUID) -> User | None:
        values = {"store": store_id, "user": user_id}
        return await self._pool.row(kwargs_row(user_of), _USERS["by_id"], values)

    async def user_by_login(self, store_id: UUID, login: str) -> User | None:
        if "\0" in login:
            return None
        values = {"store": store_id, "login": login}
        return await self._pool.row(kwargs_row(user_of), _USERS["by_login"], values)

    async def signed_in(
        self, user_id: UUID, at: datetime, proven_hash: str | None, renewed_hash: str | None, client: str
    ) -> bool:
        values = {
            "user": user_id, "at": at, "proven": proven_hash, "renewed": renewed_hash, "client": client,
        }  # fmt: skip
        with reasons():
            return bool(await self._sign_ins.value(_USERS["signed_in"], values))

    async def sign_in_failed(self, user_id: UUID, at: datetime, most: int, seconds: int) -> None:
        values = {"user": user_id, "at": at, "most": most, "seconds": seconds}
        with reasons():
            await self._sign_ins.execute(_USERS["sign_in_failed"], values)

    async def set_password(self, user_id: UUID, proven_hash: str, password_hash: str, record: Record) -> bool:
        values = {**record_values(record), "user": user_id, "proven": proven_hash, "hash": password_hash}
        with reasons():
            return bool(await self._sign_ins.value(_USERS["set_own_password"], values))

    async def _change(
        self, query: SQL, values: Mapping[str, object], record: Record, taken: Reason, name: str | None
    ) -> int:
        """How many rows were changed; the record is written if any was. `taken`: another row has the name."""
        try:
            return int(await self._pool.value(query, {**values, **record_values(record)}))
        except errors.UniqueViolation:
            raise Refused(taken, facts={"value": name}) from None
