"""Roles of owners."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, LiteralString

from psycopg import errors

from rolecall.domain.access.keys import Owner
from rolecall.domain.iam.model import Role
from rolecall.domain.iam.role_commands import RoleRef
from rolecall.domain.iam.roles import RoleDraft
from rolecall.domain.iam.tags import TagQuotas, role_tags
from rolecall.domain.operations.records import Record
from rolecall.domain.reasons import Reason, Refused
from rolecall.store.connection import Pool, Row
from rolecall.store.records import write_record
from rolecall.store.replica import NotifiedCache, Replica
from rolecall.store.tags import put_tags

_ROLE: LiteralString = (
    "select o.id, o.number, o.app_id, r.id, r.name, r.description, r.trust, r.console_login, r.session_seconds,"
    " r.created_at, r.updated_at, (select coalesce(json_agg(json_build_array(t.key, t.value) order by t.key), '[]')"
    " from tags t where t.owner_id = r.owner_id and t.service = 'cam' and t.prefix = 'role'"
    " and t.resource = r.id::text) from roles r join owners o on o.id = r.owner_id"
)


class PgRoleRepository:
    def __init__(self, durable: Pool, replica: Replica) -> None:
        self._pool = durable
        self._replica = replica
        self._cache: NotifiedCache[tuple[int, int], Role] = replica.cache()

    async def role_by_id(self, owner_id: int, role_id: int) -> Role | None:
        async def read() -> Role | None:
            rows = await self._rows(" where o.id = %s and r.id = %s", owner_id, role_id)
            return rows[0][1] if rows else None

        return await self._cache.get_or_read((owner_id, role_id), read)

    async def role(self, owner_number: int, ref: RoleRef) -> tuple[Owner, Role] | None:
        condition: LiteralString = "r.name = %s" if ref.id is None else "r.id = %s"
        value = ref.name if ref.id is None else ref.id
        rows = await self._rows(f" where o.number = %s and {condition}", owner_number, value)
        return rows[0] if rows else None

    async def roles(self, owner_id: int) -> Sequence[Role]:
        return [role for _, role in await self._rows(" where o.id = %s order by r.id desc", owner_id)]

    async def add_role(self, owner_id: int, draft: RoleDraft, quota: int, record: Record) -> int:
        async with self._replica.changing(self._pool) as connection:
            await connection.execute("select from owners where id = %s for no key update", (owner_id,))
            counted = await connection.execute("select count(*) from roles where owner_id = %s", (owner_id,))
            count = await counted.fetchone()
            if count is not None and count[0] >= quota:
                raise Refused(Reason.ROLE_QUOTA, facts={"value": quota})
            try:
                row = await (
                    await connection.execute(
                        "insert into roles (owner_id, name, trust, description, console_login, session_seconds)"
                        " values (%s, %s, %s, %s, %s, %s) returning id",
                        (
                            owner_id, draft.name, draft.trust, draft.description, draft.console_login,
                            draft.session_seconds,
                        ),
                    )
                ).fetchone()  # fmt: skip
            except errors.UniqueViolation:
                raise Refused(Reason.ROLE_TAKEN, facts={"value": draft.name}) from None
            assert row is not None  # noqa: S101 - an insert returns its row
            place = role_tags(row[0])
            creator = record.origin.caller.principal
            await put_tags(connection, owner_id, creator, place, draft.tags, TagQuotas())
            await write_record(connection, record)
        return int(row[0])

    async def change_role(self, role_id: int, draft: RoleDraft, record: Record) -> None:
        await self._change(
            "update roles set trust = coalesce(%s, trust), description = coalesce(%s, description),"
            " console_login = coalesce(%s, console_login), session_seconds = coalesce(%s, session_seconds),"
            " updated_at = now() where id = %s",
            (draft.trust, draft.description, draft.console_login, draft.session_seconds, role_id),
            role_id,
            record,
        )

    async def delete_role(self, role_id: int, record: Record) -> None:
        await self._change("delete from roles where id = %s", (role_id,), role_id, record)

    async def note(self, record: Record) -> None:
        async with self._pool.connection() as connection:
            await write_record(connection, record)

    async def _change(
        self, query: LiteralString, values: tuple[object, ...], role_id: int, record: Record
    ) -> None:
        async with self._replica.changing(self._pool) as connection:
            if (await connection.execute(query, values)).rowcount != 1:
                raise Refused(Reason.ROLE_MISSING, facts={"value": role_id})
            await write_record(connection, record)

    async def _rows(self, condition: LiteralString, *values: object) -> list[tuple[Owner, Role]]:
        async with self._pool.connection() as connection:
            rows = await (await connection.execute(_ROLE + condition, values)).fetchall()
        return [_role(row) for row in rows]


def _role(row: Row) -> tuple[Owner, Role]:
    owner_id, number, app_id, role_id, name, description, trust, console_login, seconds, *rest = row
    created_at, updated_at, tags = rest
    role = Role(
        role_id,
        owner_id,
        name,
        description,
        trust,
        console_login,
        seconds,
        created_at,
        updated_at,
        _tags(tags),
    )
    return Owner(owner_id, number, app_id), role


def _tags(tags: Any) -> tuple[tuple[str, str], ...]:
    return tuple((key, value) for key, value in tags)
