"""The access keys of one principal, the owner itself or a sub-user, and when each was used last."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from psycopg.rows import tuple_row

from rolecall.domain.access.keys import AccessKey, MintedKey
from rolecall.domain.operations.records import Record
from rolecall.domain.reasons import Reason
from rolecall.store.changes import OwnerChanges
from rolecall.store.connection import Pool
from rolecall.store.keys import PgKeyRepository
from rolecall.store.queries import load
from rolecall.store.records import record_values

_SQL = load("keys")


class PgPrincipalKeyRepository:
    def __init__(self, durable: Pool, quick: Pool, keys: PgKeyRepository, changes: OwnerChanges) -> None:
        self._pool = durable
        self._quick = quick
        self._keys = keys
        self._changes = changes

    async def is_principal(self, owner_id: int, principal: int) -> bool:
        values = {"owner": owner_id, "principal": principal}
        return bool(await self._pool.value(_SQL["is_principal"], values))

    async def principal_keys(self, owner_id: int, principal: int) -> Sequence[AccessKey]:
        return await self._keys.keys_of(owner_id, principal)

    async def add_principal_key(
        self, owner_id: int, principal: int, key: MintedKey, description: str, most: int, record: Record
    ) -> datetime:
        values = {
            **record_values(record),
            "owner": owner_id,
            "principal": principal,
            "key": key.id,
            "sealed": key.sealed,
            "description": description,
            "most": most,
        }
        about = {Reason.SUB_USER_MISSING: principal, Reason.KEY_QUOTA: most}
        made = await self._changes.make(owner_id, _SQL["add_for_principal"], values, about=about)
        created_at: datetime = made["created_at"]
        return created_at

    async def change_principal_key(
        self, owner_id: int, principal: int, key_id: str, record: Record, *, active: bool | None
    ) -> None:
        values = {
            **record_values(record), "owner": owner_id, "principal": principal, "key": key_id, "active": active,
        }  # fmt: skip
        about = {
            Reason.SUB_USER_MISSING: principal, Reason.KEY_MISSING: key_id, Reason.KEY_FOREIGN: key_id,
        }  # fmt: skip
        await self._changes.make(owner_id, _SQL["change"], values, "access_keys", about=about)

    async def key_uses(self, owner_id: int, key_ids: Sequence[str]) -> Mapping[str, datetime | None]:
        return dict(await self._pool.rows(tuple_row, _SQL["uses"], (owner_id, list(key_ids))))

    async def save_uses(self, uses: Mapping[str, float]) -> None:
        """Without waiting for the disk: a crash of the store's server may lose the last of them."""
        await self._quick.execute(_SQL["note_uses"], (list(uses), list(uses.values())))
