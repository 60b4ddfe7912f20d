"""Groups of sub-users, and who is in them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import LiteralString

from psycopg import AsyncConnection

from rolecall.domain.iam.commands import SubUserRef
from rolecall.domain.iam.groups import GroupQuotas
from rolecall.domain.iam.model import SubUser
from rolecall.domain.iam.views import Group
from rolecall.domain.messages import Page
from rolecall.domain.operations.records import Record
from rolecall.domain.reasons import Reason, Refused
from rolecall.store.connection import Pool, Row
from rolecall.store.people import SUB_USER_COLUMNS, lock_owner
from rolecall.store.records import write_record
from rolecall.store.replica import Replica

_GROUP: LiteralString = "g.id, g.name, g.remark, g.created_at"
_NAMED_ANOTHER = "select 1 from principal_groups where owner_id = %s and name = %s and id <> %s"


class PgGroupRepository:
    def __init__(self, durable: Pool, replica: Replica) -> None:
        self._pool = durable
        self._replica = replica

    async def group(self, owner_id: int, group_id: int) -> Group | None:
        async with self._pool.connection() as connection:
            query = f"select {_GROUP} from principal_groups g where g.owner_id = %s and g.id = %s"
            row = await (await connection.execute(query, (owner_id, group_id))).fetchone()
        return None if row is None else Group(*row)

    async def groups(self, owner_id: int, contains: str, offset: int, limit: int) -> Page[Group]:
        where: LiteralString = (
            "from principal_groups g where g.owner_id = %s and position(lower(%s) in lower(g.name)) > 0"
        )
        return await self._page(where, (owner_id, contains), "g.id desc", offset, limit)

    async def groups_of(self, number: int, offset: int, limit: int) -> Page[Group]:
        where: LiteralString = (
            "from principal_groups g join group_members m on m.group_id = g.id where m.sub_user = %s"
        )
        return await self._page(where, (number,), "g.id desc", offset, limit)

    async def _page(
        self, where: LiteralString, values: tuple[object, ...], order: LiteralString, offset: int, limit: int
    ) -> Page[Group]:
        async with self._pool.connection() as connection:
            total = await (await connection.execute(f"select count(*) {where}", values)).fetchone()
            query = f"select {_GROUP} {where} order by {order} offset %s limit %s"
            rows = await (await connection.execute(query, (*values, offset, limit))).fetchall()
        return Page(tuple(Group(*row) for row in rows), 0 if total is None else total[0])

    async def members(self, group_id: int, offset: int, limit: int) -> Page[SubUser]:
        async with self._pool.connection() as connection:
            count = "select count(*) from group_members where group_id = %s"
            total = await (await connection.execute(count, (group_id,))).fetchone()
            query = (
                f"select {SUB_USER_COLUMNS} from group_members m join sub_users u on u.number = m.sub_user"
                " where m.group_id = %s order by m.added_at, u.number offset %s limit %s"
            )
            rows = await (await connection.execute(query, (group_id, offset, limit))).fetchall()
        return Page(tuple(SubUser(*row) for row in rows), 0 if total is None else total[0])

    async def found(self, owner_id: int, ref: SubUserRef) -> SubUser | None:
        query = (
            f"select {SUB_USER_COLUMNS} from sub_users u where u.owner_id = %(owner)s"
            " and u.number = coalesce(%(number)s, u.number) and u.id = coalesce(%(id)s, u.id) limit 1"
        )
        async with self._pool.connection() as connection:
            values = {"owner": owner_id, "number": ref.number, "id": ref.id}
            row = await (await connection.execute(query, values)).fetchone()
        return None if row is None else SubUser(*row)

    async def add_group(self, owner_id: int, name: str, remark: str, most: int, record: Record) -> int:
        async with self._replica.changing(self._pool) as connection:
            await lock_owner(connection, owner_id)
            await _require_free(connection, owner_id, name, 0)
            count = "select count(*) >= %s from principal_groups where owner_id = %s"
            row = await (await connection.execute(count, (most, owner_id))).fetchone()
            if row is not None and row[0]:
                raise Refused(Reason.GROUP_QUOTA, facts={"value": most})
            made = "insert into principal_groups (owner_id, name, remark) values (%s, %s, %s) returning id"
            row = await (await connection.execute(made, (owner_id, name, remark))).fetchone()
            assert row is not None  # noqa: S101 - an insert returns its row
            await write_record(connection, record)
        return int(row[0])

    async def change_group(
        self, owner_id: int, group_id: int, name: str | None, remark: str | None, record: Record
    ) -> None:
        async with self._replica.changing(self._pool) as connection:
            await lock_owner(connection, owner_id)
            await _require_present(connection, owner_id, group_id)
            if name is not None:
                await _require_free(connection, owner_id, name, group_id)
            await connection.execute(
                "update principal_groups set name = coalesce(%s, name), remark = coalesce(%s, remark) where id = %s",
                (name, remark, group_id),
            )
            await write_record(connection, record)

    async def delete_group(self, owner_id: int, group_id: int, record: Record) -> None:
        async with self._replica.changing(self._pool) as connection:
            await lock_owner(connection, owner_id)
            await _require_present(connection, owner_id, group_id)
            await connection.execute("delete from principal_groups where id = %s", (group_id,))
            await write_record(connection, record)

    async def join(
        self, owner_id: int, pairs: Sequence[tuple[int, int]], quotas: GroupQuotas, records: Sequence[Record]
    ) -> None:
        async with self._replica.changing(self._pool) as connection:
            await lock_owner(connection, owner_id)
            for (group_id, number), record in zip(pairs, records, strict=True):
                await _require_present(connection, owner_id, group_id)
                await _join(connection, group_id, number, quotas)
                await write_record(connection, record)

    async def leave(self, owner_id: int, pairs: Sequence[tuple[int, int]], records: Sequence[Record]) -> None:
        async with self._replica.changing(self._pool) as connection:
            await lock_owner(connection, owner_id)
            for (group_id, number), record in zip(pairs, records, strict=True):
                await _require_present(connection, owner_id, group_id)
                await connection.execute(
                    "delete from group_members where group_id = %s and sub_user = %s", (group_id, number)
                )
                await write_record(connection, record)


async def _join(connection: AsyncConnection[Row], group_id: int, number: int, quotas: GroupQuotas) -> None:
    """GROUP_FULL, MEMBERSHIP_QUOTA; SUB_USER_MISSING if it went meanwhile."""
    query = (
        "select exists (select from group_members where group_id = %(group)s and sub_user = %(number)s),"
        " (select count(*) from group_members where group_id = %(group)s),"
        " (select count(*) from group_members where sub_user = %(number)s),"
        " exists (select from sub_users where number = %(number)s)"
    )
    values = {"group": group_id, "number": number}
    row = await (await connection.execute(query, values)).fetchone()
    assert row is not None  # noqa: S101 - a select without from has one row
    is_member, members, memberships, is_there = row
    if is_member:
        return
    if not is_there:
        raise Refused(Reason.SUB_USER_MISSING, facts={"value": number})
    if members >= quotas.members:
        raise Refused(Reason.GROUP_FULL, facts={"value": quotas.members})
    if memberships >= quotas.memberships:
        raise Refused(Reason.MEMBERSHIP_QUOTA, facts={"value": quotas.memberships})
    await connection.execute(
        "insert into group_members (group_id, sub_user) values (%s, %s)", (group_id, number)
    )


async def _require_present(connection: AsyncConnection[Row], owner_id: int, group_id: int) -> None:
    """GROUP_MISSING."""
    query = "select 1 from principal_groups where owner_id = %s and id = %s"
    if await (await connection.execute(query, (owner_id, group_id))).fetchone() is None:
        raise Refused(Reason.GROUP_MISSING, facts={"value": group_id})


async def _require_free(connection: AsyncConnection[Row], owner_id: int, name: str, but_for: int) -> None:
    """GROUP_TAKEN."""
    if await (await connection.execute(_NAMED_ANOTHER, (owner_id, name, but_for))).fetchone() is not None:
        raise Refused(Reason.GROUP_TAKEN, facts={"value": name})
