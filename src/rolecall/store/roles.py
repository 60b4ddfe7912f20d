"""Roles of owners."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from psycopg.rows import kwargs_row
from psycopg.sql import SQL

from rolecall.domain.access.keys import Owner
from rolecall.domain.iam.model import Role
from rolecall.domain.iam.role_commands import RoleRef
from rolecall.domain.iam.roles import RoleDraft
from rolecall.domain.iam.tags import TagQuotas
from rolecall.domain.operations.records import Record
from rolecall.domain.reasons import Reason
from rolecall.store.batches import Batches
from rolecall.store.changes import OwnerChanges
from rolecall.store.connection import Pool
from rolecall.store.queries import load
from rolecall.store.records import record_values
from rolecall.store.replica import NotifiedCache, Replica
from rolecall.store.tags import tag_quotas, tag_values

_SQL = load("roles")
_RECORDS = load("records")


class PgRoleRepository:
    def __init__(self, durable: Pool, replica: Replica, changes: OwnerChanges) -> None:
        self._pool = durable
        self._changes = changes
        self._notes = Batches(durable)
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
        quotas = TagQuotas()
        values = {
            **record_values(record),
            **tag_values(draft.tags, quotas),
            **_draft_values(draft),
            "owner": owner_id,
            "name": draft.name,
            "quota": quota,
        }
        about = {Reason.ROLE_QUOTA: quota, Reason.ROLE_TAKEN: draft.name, **tag_quotas(quotas)}
        role_id: int = (await self._changes.make(owner_id, _SQL["add"], values, "roles", about=about))["id"]
        return role_id

    async def change_role(self, role_id: int, draft: RoleDraft, record: Record) -> None:
        await self._change(_SQL["change"], role_id, _draft_values(draft), record)

    async def delete_role(self, role_id: int, record: Record) -> None:
        await self._change(_SQL["delete"], role_id, {}, record)

    async def _change(self, query: SQL, role_id: int, values: Mapping[str, object], record: Record) -> None:
        values = {**record_values(record), **values, "role": role_id}
        owner_id = record.origin.caller.owner_id
        about = {Reason.ROLE_MISSING: role_id}
        await self._changes.make(owner_id, query, values, "roles", "policy_attachments", about=about)

    async def note(self, record: Record) -> None:
        await self._notes.execute(_RECORDS["write"], record_values(record))


def _draft_values(draft: RoleDraft) -> dict[str, object]:
    return {
        "trust": draft.trust,
        "description": draft.description,
        "console_login": draft.console_login,
        "session_seconds": draft.session_seconds,
    }


def _role(
    *, owner_number: int, app_id: int, owner_id: int, tags: Sequence[Sequence[str]], **rest: Any
) -> tuple[Owner, Role]:
    role = Role(owner_id=owner_id, tags=tuple((key, value) for key, value in tags), **rest)
    return Owner(owner_id, owner_number, app_id), role
