"""Groups of sub-users, and their members."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from psycopg.rows import class_row, kwargs_row
from psycopg.sql import SQL

from rolecall.domain.iam.commands import SubUserRef
from rolecall.domain.iam.groups import GroupQuotas
from rolecall.domain.iam.model import SubUser
from rolecall.domain.iam.views import Group
from rolecall.domain.messages import Page
from rolecall.domain.operations.records import Record
from rolecall.domain.reasons import Reason
from rolecall.store.changes import OwnerChanges
from rolecall.store.connection import Pool
from rolecall.store.queries import load
from rolecall.store.records import record_values, records_values

_SQL = load("sub_users")

T = TypeVar("T")


class PgGroupRepository:
    def __init__(self, durable: Pool, changes: OwnerChanges) -> None:
        self._pool = durable
        self._changes = changes

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

    async def found(self, owner_id: int, refs: Sequence[SubUserRef]) -> Sequence[SubUser | None]:
        values = {
            "owner": owner_id,
            "numbers": [ref.number for ref in refs],
            "ids": [ref.id for ref in refs],
        }
        return await self._pool.rows(kwargs_row(_found), _SQL["found"], values)

    async def add_group(self, owner_id: int, name: str, remark: str, most: int, record: Record) -> int:
        values = {
            **record_values(record), "owner": owner_id, "name": name, "remark": remark, "most": most,
        }  # fmt: skip
        about = {Reason.GROUP_TAKEN: name, Reason.GROUP_QUOTA: most}
        group_id: int = (await self._changes.make(owner_id, _SQL["add_group"], values, about=about))["id"]
        return group_id

    async def change_group(
        self, owner_id: int, group_id: int, name: str | None, remark: str | None, record: Record
    ) -> None:
        values = {
            **record_values(record), "owner": owner_id, "group": group_id, "name": name, "remark": remark,
        }  # fmt: skip
        about = {Reason.GROUP_MISSING: group_id, Reason.GROUP_TAKEN: name}
        await self._changes.make(owner_id, _SQL["change_group"], values, about=about)

    async def delete_group(self, owner_id: int, group_id: int, record: Record) -> None:
        values = {**record_values(record), "owner": owner_id, "group": group_id}
        await self._changes.make(
            owner_id, _SQL["delete_group"], values, "principal_groups", about={Reason.GROUP_MISSING: group_id}
        )

    async def join(
        self, owner_id: int, pairs: Sequence[tuple[int, int]], quotas: GroupQuotas, records: Sequence[Record]
    ) -> None:
        values = {
            **_membership_values(owner_id, pairs, records),
            "most_members": quotas.members,
            "most_memberships": quotas.memberships,
        }
        about = {Reason.GROUP_FULL: quotas.members, Reason.MEMBERSHIP_QUOTA: quotas.memberships}
        await self._changes.make(owner_id, _SQL["join"], values, "group_members", about=about)

    async def leave(self, owner_id: int, pairs: Sequence[tuple[int, int]], records: Sequence[Record]) -> None:
        values = _membership_values(owner_id, pairs, records)
        await self._changes.make(owner_id, _SQL["leave"], values, "group_members")


def _membership_values(
    owner_id: int, pairs: Sequence[tuple[int, int]], records: Sequence[Record]
) -> dict[str, object]:
    return {
        **records_values(records),
        "owner": owner_id,
        "groups": [group_id for group_id, _ in pairs],
        "numbers": [number for _, number in pairs],
    }


def _found(*, number: int | None, **rest: Any) -> SubUser | None:
    return None if number is None else SubUser(number=number, **rest)
