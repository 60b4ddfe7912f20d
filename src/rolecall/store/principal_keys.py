"""The access keys of one principal, the owner itself or a sub-user, and when each was used last."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from psycopg import AsyncConnection

from rolecall.domain.access.keys import AccessKey, MintedKey
from rolecall.domain.operations.records import Record
from rolecall.domain.reasons import Reason, Refused
from rolecall.store.connection import Pool, Row
from rolecall.store.keys import PgKeyRepository
from rolecall.store.people import lock_owner
from rolecall.store.records import write_record

_IS_PRINCIPAL = (
    "select 1 from owners where id = %(owner)s and number = %(principal)s union all"
    " select 1 from sub_users where owner_id = %(owner)s and number = %(principal)s"
)
_KEEP_USES = (
    "insert into access_key_uses (key_id, used_at)"
    " select k.id, to_timestamp(n.at) from unnest(%s::text[], %s::float8[]) n (id, at)"
    " join access_keys k on k.id = n.id"
    " on conflict (key_id) do update set used_at = greatest(access_key_uses.used_at, excluded.used_at)"
)
_USES = (
    "select k.id, u.used_at from access_keys k left join access_key_uses u on u.key_id = k.id"
    " where k.owner_id = %s and k.id = any(%s)"
)


class PgPrincipalKeyRepository:
    def __init__(self, durable: Pool, quick: Pool, keys: PgKeyRepository) -> None:
        self._pool = durable
        self._quick = quick
        self._keys = keys

    async def is_principal(self, owner_id: int, principal: int) -> bool:
        async with self._pool.connection() as connection:
            return await _is_principal(connection, owner_id, principal)

    async def principal_keys(self, owner_id: int, principal: int) -> Sequence[AccessKey]:
        return await self._keys.keys_of(owner_id, principal)

    async def add_principal_key(
        self, owner_id: int, principal: int, key: MintedKey, description: str, most: int, record: Record
    ) -> datetime:
        async with self._pool.connection() as connection, connection.transaction():
            await lock_owner(connection, owner_id)
            if not await _is_principal(connection, owner_id, principal):
                raise Refused(Reason.SUB_USER_MISSING, facts={"value": principal})
            count = "select count(*) >= %s from access_keys where principal = %s"
            row = await (await connection.execute(count, (most, principal))).fetchone()
            if row is not None and row[0]:
                raise Refused(Reason.KEY_QUOTA, facts={"value": most})
            made = (
                "insert into access_keys (id, owner_id, principal, sealed_secret, description)"
                " values (%s, %s, %s, %s, %s) returning created_at"
            )
            values = (key.id, owner_id, principal, key.sealed, description)
            row = await (await connection.execute(made, values)).fetchone()
            assert row is not None  # noqa: S101 - an insert returns its row
            await write_record(connection, record)
        created_at: datetime = row[0]
        return created_at

    async def change_principal_key(
        self, owner_id: int, principal: int, key_id: str, record: Record, *, active: bool | None
    ) -> None:
        async with self._pool.connection() as connection, connection.transaction():
            query = "select principal from access_keys where owner_id = %s and id = %s for update"
            row = await (await connection.execute(query, (owner_id, key_id))).fetchone()
            if row is None:
                raise Refused(Reason.KEY_MISSING, facts={"value": key_id})
            if row[0] != principal:
                raise Refused(Reason.KEY_FOREIGN, facts={"value": key_id})
            if active is None:
                await connection.execute("delete from access_keys where id = %s", (key_id,))
            else:
                await connection.execute("update access_keys set active = %s where id = %s", (active, key_id))
            await write_record(connection, record)
        self._keys.forget()

    async def key_uses(self, owner_id: int, key_ids: Sequence[str]) -> Mapping[str, datetime | None]:
        async with self._pool.connection() as connection:
            rows = await (await connection.execute(_USES, (owner_id, list(key_ids)))).fetchall()
        return dict(rows)

    async def save_uses(self, uses: Mapping[str, float]) -> None:
        """Without waiting for the disk: a crash of the store's server may lose the last of them."""
        async with self._quick.connection() as connection:
            await connection.execute(_KEEP_USES, (list(uses), list(uses.values())))


async def _is_principal(connection: AsyncConnection[Row], owner_id: int, principal: int) -> bool:
    values = {"owner": owner_id, "principal": principal}
    return await (await connection.execute(_IS_PRINCIPAL, values)).fetchone() is not None
