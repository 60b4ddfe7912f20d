"""Groups of sub-users, and their members."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

from psycopg.rows import class_row, dict_row
from psycopg.sql import SQL

from rolecall.domain.iam.commands import SubUserRef
from rolecall.domain.iam.groups import GroupQuotas
from rolecall.domain.iam.model import SubUser
from rolecall.domain.iam.views import Group
from rolecall.domain.messages import Page
from rolecall.domain.operations.records import Record
from rolecall.domain.reasons import Reason, Refused
from rolecall.store.connection import Connection, Pool
from rolecall.store.people import lock_owner
from rolecall.store.queries import load
from rolecall.store.records import write_record
from rolecall.store.replica import Replica

_SQL = load("sub_users")

T = TypeVar("T")


class PgGroupRepository:
    def __init__(self, durable: Pool, replica: Replica) -> None:
        self._pool = durable
        self._replica = replica

    async def group(self, owner_id: int, group_id: int) -> Group | None:
        return await self._pool.row(class_row(Group), _SQL["group_by_id"], (owner_id, group_id))

    async def groups(self, owner_id: int, contains: str, offset: int, limit: int) -> Page[Group]:
        values = {"owner": owner_id, "contains": contains, "offset": offset, "limit": limit}
        return await self._page(Group, _SQL["count_groups"], _SQL["groups"], values)

    async def groups_of(self, number: int, offset: int, limit: int) -> Page[Group]:
        values = {"number": number, "offset": offset, "limit": limit}
        return await self._page(Group, _SQL["count_groups_of"], _SQL["groups_of"], values)

    async def members(self, group_id: int, offset: int, limit: int) -> Page[SubUser]:
        values = {"group": group_id, "offset": offset, "limit": limit}
        return await self._page(SubUser, _SQL["count_members"], _SQL["members"], values)

    async def _page(self, made: type[T], count: SQL, page: SQL, values: Mapping[str, object]) -> Page[T]:
        async with self._pool.connection() as connection:
            total = await connection.value(count, values)
            return Page(tuple(await connection.rows(class_row(made), page, values)), total)

    async def found(self, owner_id: int, ref: SubUserRef) -> SubUser | None:
        values = {"owner": owner_id, "number": ref.number, "id": ref.id}
        return await self._pool.row(class_row(SubUser), _SQL["found"], values)

    async def add_group(self, owner_id: int, name: str, remark: str, most: int, record: Record) -> int:
        async with self._replica.changing(self._pool) as connection:
            await lock_owner(connection, owner_id)
            await _require_free(connection, owner_id, name, 0)
            count = "select count(*) from principal_groups where owner_id = %s"
            if await connection.value(count, (owner_id,)) >= most:
                raise Refused(Reason.GROUP_QUOTA, facts={"value": most})
            added = "insert into principal_groups (owner_id, name, remark) values (%s, %s, %s) returning id"
            group_id: int = await connection.value(added, (owner_id, name, remark))
            await write_record(connection, record)
        return group_id

    async def change_group(
        self, owner_id: int, group_id: int, name: str | None, remark: str | None, record: Record
    ) -> None:
        async with self._replica.changing(self._pool) as connection:
            await lock_owner(connection, owner_id)
            await _require_group(connection, owner_id, group_id)
            if name is not None:
                await _require_free(connection, owner_id, name, group_id)
            await connection.execute(_SQL["change_group"], (name, remark, group_id))
            await write_record(connection, record)

    async def delete_group(self, owner_id: int, group_id: int, record: Record) -> None:
        async with self._replica.changing(self._pool) as connection:
            await lock_owner(connection, owner_id)
            await _require_group(connection, owner_id, group_id)
            await connection.execute("delete from principal_groups where id = %s", (group_id,))
            await write_record(connection, record)

    async def join(
        self, owner_id: int, pairs: Sequence[tuple[int, int]], quotas: GroupQuotas, records: Sequence[Record]
    ) -> None:
        async with self._replica.changing(self._pool) as connection:
            await lock_owner(connection, owner_id)
            for (group_id, number), record in zip(pairs, records, strict=True):
                await _require_group(connection, owner_id, group_id)
                await _join(connection, group_id, number, quotas)
                await write_record(connection, record)

    async def leave(self, owner_id: int, pairs: Sequence[tuple[int, int]], records: Sequence[Record]) -> None:
        async with self._replica.changing(self._pool) as connection:
            await lock_owner(connection, owner_id)
            for (group_id, number), record in zip(pairs, records, strict=True):
                await _require_group(connection, owner_id, group_id)
                await connection.execute(
                    "delete from group_members where group_id = %s and sub_user = %s", (group_id, number)
                )
                await write_record(connection, record)


async def _join(connection: Connection, group_id: int, number: int, quotas: GroupQuotas) -> None:
    """GROUP_FULL, MEMBERSHIP_QUOTA; SUB_USER_MISSING if another transaction has just deleted it."""
    found = await connection.only(dict_row, _SQL["membership"], {"group": group_id, "number": number})
    if found["is_member"]:
        return
    if not found["is_there"]:
        raise Refused(Reason.SUB_USER_MISSING, facts={"value": number})
    if found["members"] >= quotas.members:
        raise Refused(Reason.GROUP_FULL, facts={"value": quotas.members})
    if found["memberships"] >= quotas.memberships:
        raise Refused(Reason.MEMBERSHIP_QUOTA, facts={"value": quotas.memberships})
    await connection.execute(
        "insert into group_members (group_id, sub_user) values (%s, %s)", (group_id, number)
    )


async def _require_group(connection: Connection, owner_id: int, group_id: int) -> None:
    """GROUP_MISSING."""
    query = "select 1 from principal_groups where owner_id = %s and id = %s"
    if not await connection.value(query, (owner_id, group_id)):
        raise Refused(Reason.GROUP_MISSING, facts={"value": group_id})


async def _require_free(connection: Connection, owner_id: int, name: str, but_for: int) -> None:
    """GROUP_TAKEN."""
    query = "select 1 from principal_groups where owner_id = %s and name = %s and id <> %s"
    if await connection.value(query, (owner_id, name, but_for)):
        raise Refused(Reason.GROUP_TAKEN, facts={"value": name})
