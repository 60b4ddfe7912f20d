"""Owners, access keys and the house's single facts."""

from __future__ import annotations

from collections.abc import Sequence

from rolecall.domain.access.keys import AccessKey, Owner
from rolecall.store.connection import Pool, Row
from rolecall.store.replica import NotifiedCache, Replica

_KEY = (
    "select k.id, o.id, o.number, o.app_id, k.principal, k.sealed_secret, k.active, k.created_at, k.description"
    " from access_keys k join owners o on o.id = k.owner_id"
)


class PgKeyRepository:
    def __init__(self, durable: Pool, replica: Replica) -> None:
        self._pool = durable
        self._cache: NotifiedCache[str, AccessKey] = replica.cache()

    async def key(self, key_id: str) -> AccessKey | None:
        return await self._cache.get_or_read(key_id, lambda: self._read(key_id))

    async def _read(self, key_id: str) -> AccessKey | None:
        async with self._pool.connection() as connection:
            row = await (await connection.execute(f"{_KEY} where k.id = %s", (key_id,))).fetchone()
        return None if row is None else _key(row)

    async def keys(self) -> Sequence[AccessKey]:
        async with self._pool.connection() as connection:
            rows = await (await connection.execute(f"{_KEY} order by k.created_at, k.id")).fetchall()
        return [_key(row) for row in rows]

    async def keys_of(self, owner_id: int, principal: int) -> Sequence[AccessKey]:
        async with self._pool.connection() as connection:
            query = f"{_KEY} where k.owner_id = %s and k.principal = %s order by k.created_at, k.id"
            rows = await (await connection.execute(query, (owner_id, principal))).fetchall()
        return [_key(row) for row in rows]

    def forget(self) -> None:
        """A key was changed by this replica: it need not wait to be told of it."""
        self._cache.clear()

    async def add_key(self, key_id: str, owner: Owner, principal: int, sealed: bytes) -> None:
        async with self._pool.connection() as connection:
            await connection.execute(
                "insert into access_keys (id, owner_id, principal, sealed_secret) values (%s, %s, %s, %s)",
                (key_id, owner.id, principal, sealed),
            )

    async def set_key_active(self, key_id: str, *, active: bool) -> bool:
        """False if there is no such key."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "update access_keys set active = %s where id = %s", (active, key_id)
            )
        self._cache.clear()
        return cursor.rowcount == 1

    async def owners(self) -> Sequence[Owner]:
        async with self._pool.connection() as connection:
            rows = await (
                await connection.execute("select id, number, app_id from owners order by id")
            ).fetchall()
        return [Owner(*row) for row in rows]

    async def add_owner(self, number: int, app_id: int) -> Owner:
        async with self._pool.connection() as connection:
            row = await (
                await connection.execute(
                    "insert into owners (number, app_id) values (%s, %s) returning id, number, app_id",
                    (number, app_id),
                )
            ).fetchone()
        assert row is not None  # noqa: S101 - an insert returns its row
        return Owner(*row)

    async def fact(self, name: str) -> bytes | None:
        async with self._pool.connection() as connection:
            row = await (
                await connection.execute("select value from facts where name = %s", (name,))
            ).fetchone()
        return None if row is None else bytes(row[0])

    async def settle_fact(self, name: str, value: bytes) -> bytes:
        """Write a fact unless it is known already; returns what is known after."""
        async with self._pool.connection() as connection:
            await connection.execute(
                "insert into facts (name, value) values (%s, %s) on conflict do nothing", (name, value)
            )
        known = await self.fact(name)
        assert known is not None  # noqa: S101 - facts are never deleted
        return known


def _key(row: Row) -> AccessKey:
    key_id, owner_id, number, app_id, principal, sealed, active, created_at, description = row
    owner = Owner(owner_id, number, app_id)
    return AccessKey(key_id, owner, principal, bytes(sealed), active, created_at, description)
