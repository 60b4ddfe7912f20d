"""Roles of owners."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from psycopg import errors
from psycopg.abc import QueryNoTemplate
from psycopg.rows import kwargs_row

from rolecall.domain.access.keys import Owner
from rolecall.domain.iam.model import Role
from rolecall.domain.iam.role_commands import RoleRef
from rolecall.domain.iam.roles import RoleDraft
from rolecall.domain.iam.tags import TagQuotas, role_tags
from rolecall.domain.operations.records import Record
from rolecall.domain.reasons import Reason, Refused
from rolecall.store.connection import Pool
from rolecall.store.people import lock_owner
from rolecall.store.queries import load
from rolecall.store.records import write_record
from rolecall.store.replica import NotifiedCache, Replica
from rolecall.store.tags import put_tags

_SQL = load("roles")


class PgRoleRepository:
    def __init__(self, durable: Pool, replica: Replica) -> None:
        self._pool = durable
        self._replica = replica
        self._cache: NotifiedCache[tuple[int, int], Role] = replica.cache("roles")

    async def role_by_id(self, owner_id: int, role_id: int) -> Role | None:
        async def read() -> Role | None:
            found = await self._pool.row(kwargs_row(_role), _SQL["by_id"], (owner_id, role_id))
            return found and found[1]

        return await self._cache.get_or_read((owner_id, role_id), read)

    async def role(self, owner_number: int, ref: RoleRef) -> tuple[Owner, Role] | None:
        if ref.id is None:
            return await self._pool.row(kwargs_row(_role), _SQL["named"], (owner_number, ref.name))
        return await self._pool.row(kwargs_row(_role), _SQL["numbered"], (owner_number, ref.id))

    async def roles(self, owner_id: int) -> Sequence[Role]:
        return [role for _, role in await self._pool.rows(kwargs_row(_role), _SQL["all"], (owner_id,))]

    async def add_role(self, owner_id: int, draft: RoleDraft, quota: int, record: Record) -> int:
        async with self._replica.changing(self._pool) as connection:
            await lock_owner(connection, owner_id)
            count = "select count(*) from roles where owner_id = %s"
            if await connection.value(count, (owner_id,)) >= quota:
                raise Refused(Reason.ROLE_QUOTA, facts={"value": quota})
            values = (
                owner_id, draft.name, draft.trust, draft.description, draft.console_login, draft.session_seconds,
            )  # fmt: skip
            try:
                role_id: int = await connection.value(_SQL["add"], values)
            except errors.UniqueViolation:
                raise Refused(Reason.ROLE_TAKEN, facts={"value": draft.name}) from None
            creator = record.origin.caller.principal
            await put_tags(connection, owner_id, creator, role_tags(role_id), draft.tags, TagQuotas())
            await write_record(connection, record)
        return role_id

    async def change_role(self, role_id: int, draft: RoleDraft, record: Record) -> None:
        values = (draft.trust, draft.description, draft.console_login, draft.session_seconds, role_id)
        await self._change(_SQL["change"], values, role_id, record)

    async def delete_role(self, role_id: int, record: Record) -> None:
        await self._change("delete from roles where id = %s", (role_id,), role_id, record)

    async def note(self, record: Record) -> None:
        async with self._pool.connection() as connection:
            await write_record(connection, record)

    async def _change(
        self, query: QueryNoTemplate, values: tuple[object, ...], role_id: int, record: Record
    ) -> None:
        async with self._replica.changing(self._pool) as connection:
            if (await connection.execute(query, values)).rowcount != 1:
                raise Refused(Reason.ROLE_MISSING, facts={"value": role_id})
            await write_record(connection, record)


def _role(
    *, owner_number: int, app_id: int, owner_id: int, tags: Sequence[Sequence[str]], **rest: Any
) -> tuple[Owner, Role]:
    role = Role(owner_id=owner_id, tags=tuple((key, value) for key, value in tags), **rest)
    return Owner(owner_id, owner_number, app_id), role
