"""The access keys of one principal, the owner itself or a sub-user, and when each was used last."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from psycopg.rows import tuple_row

from rolecall.domain.access.keys import AccessKey, MintedKey
from rolecall.domain.operations.records import Record
from rolecall.domain.reasons import Reason, Refused
from rolecall.store.connection import Connection, Pool, Statements
from rolecall.store.keys import PgKeyRepository
from rolecall.store.people import lock_owner
from rolecall.store.queries import load
from rolecall.store.records import write_record

_SQL = load("keys")


class PgPrincipalKeyRepository:
    def __init__(self, durable: Pool, quick: Pool, keys: PgKeyRepository) -> None:
        self._pool = durable
        self._quick = quick
        self._keys = keys

    async def is_principal(self, owner_id: int, principal: int) -> bool:
        return await _is_principal(self._pool, owner_id, principal)

    async def principal_keys(self, owner_id: int, principal: int) -> Sequence[AccessKey]:
        return await self._keys.keys_of(owner_id, principal)

    async def add_principal_key(
        self, owner_id: int, principal: int, key: MintedKey, description: str, most: int, record: Record
    ) -> datetime:
        async with self._pool.connection() as connection, connection.transaction():
            await lock_owner(connection, owner_id)
            if not await _is_principal(connection, owner_id, principal):
                raise Refused(Reason.SUB_USER_MISSING, facts={"value": principal})
            count = "select count(*) from access_keys where principal = %s"
            if await connection.value(count, (principal,)) >= most:
                raise Refused(Reason.KEY_QUOTA, facts={"value": most})
            values = (key.id, owner_id, principal, key.sealed, description)
            created_at: datetime = await connection.value(_SQL["add"], values)
            await write_record(connection, record)
        return created_at

    async def change_principal_key(
        self, owner_id: int, principal: int, key_id: str, record: Record, *, active: bool | None
    ) -> None:
        async with self._pool.connection() as connection, connection.transaction():
            query = "select principal from access_keys where owner_id = %s and id = %s for update"
            holder = await connection.value(query, (owner_id, key_id))
            if holder is None:
                raise Refused(Reason.KEY_MISSING, facts={"value": key_id})
            if holder != principal:
                raise Refused(Reason.KEY_FOREIGN, facts={"value": key_id})
            if active is None:
                await connection.execute("delete from access_keys where id = %s", (key_id,))
            else:
                await connection.execute("update access_keys set active = %s where id = %s", (active, key_id))
            await write_record(connection, record)
        self._keys.forget()

    async def key_uses(self, owner_id: int, key_ids: Sequence[str]) -> Mapping[str, datetime | None]:
        return dict(await self._pool.rows(tuple_row, _SQL["uses"], (owner_id, list(key_ids))))

    async def save_uses(self, uses: Mapping[str, float]) -> None:
        """Without waiting for the disk: a crash of the store's server may lose the last of them."""
        await self._quick.execute(_SQL["note_uses"], (list(uses), list(uses.values())))


async def _is_principal(source: Connection | Statements, owner_id: int, principal: int) -> bool:
    return bool(await source.value(_SQL["is_principal"], {"owner": owner_id, "principal": principal}))
