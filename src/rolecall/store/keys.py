"""Owners, access keys and the installation's single facts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from psycopg.rows import class_row, kwargs_row

from rolecall.domain.access.keys import AccessKey, Owner
from rolecall.store.connection import Pool
from rolecall.store.queries import load
from rolecall.store.replica import NotifiedCache, Replica

_SQL = load("keys")


class PgKeyRepository:
    def __init__(self, durable: Pool, replica: Replica) -> None:
        self._pool = durable
        self._cache: NotifiedCache[str, AccessKey] = replica.cache("access_keys", "owners")

    async def key(self, key_id: str) -> AccessKey | None:
        return await self._cache.get_or_read(
            key_id, lambda: self._pool.row(kwargs_row(_key), _SQL["one"], (key_id,))
        )

    async def keys(self) -> Sequence[AccessKey]:
        return await self._pool.rows(kwargs_row(_key), _SQL["all"])

    async def keys_of(self, owner_id: int, principal: int) -> Sequence[AccessKey]:
        return await self._pool.rows(kwargs_row(_key), _SQL["of_principal"], (owner_id, principal))

    async def add_key(self, key_id: str, owner: Owner, principal: int, sealed: bytes) -> None:
        await self._pool.execute(_SQL["add"], (key_id, owner.id, principal, sealed, ""))

    async def set_key_active(self, key_id: str, *, active: bool) -> bool:
        """False if there is no such key."""
        changed = await self._pool.execute(
            "update access_keys set active = %s where id = %s", (active, key_id)
        )
        self._cache.clear()
        return changed == 1

    async def owners(self) -> Sequence[Owner]:
        return await self._pool.rows(class_row(Owner), "select id, number, app_id from owners order by id")

    async def add_owner(self, number: int, app_id: int) -> Owner:
        query = "insert into owners (number, app_id) values (%s, %s) returning id, number, app_id"
        return await self._pool.only(class_row(Owner), query, (number, app_id))

    async def fact(self, name: str) -> bytes | None:
        value: bytes | None = await self._pool.value("select value from facts where name = %s", (name,))
        return value

    async def settle_fact(self, name: str, value: bytes) -> bytes:
        """Write a fact unless there is one already; returns the value that is there then."""
        await self._pool.execute(
            "insert into facts (name, value) values (%s, %s) on conflict do nothing", (name, value)
        )
        known = await self.fact(name)
        assert known is not None  # noqa: S101 - facts are never deleted
        return known


def _key(*, owner_id: int, number: int, app_id: int, **rest: Any) -> AccessKey:
    return AccessKey(owner=Owner(owner_id, number, app_id), **rest)
