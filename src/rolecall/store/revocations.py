"""Revoked tokens, until they would have expired."""

from __future__ import annotations

from rolecall.store.connection import Pool
from rolecall.store.queries import load
from rolecall.store.replica import NotifiedCache, Replica

_SQL = load("sessions")


class PgRevocationRepository:
    def __init__(self, durable: Pool, replica: Replica) -> None:
        self._pool = durable
        self._cache: NotifiedCache[bytes, bool] = replica.cache("revoked_tokens")

    async def is_revoked(self, token_id: bytes) -> bool:
        query = "select exists (select from revoked_tokens where id = %s)"
        return bool(await self._cache.get_or_read(token_id, lambda: self._pool.value(query, (token_id,))))

    async def revoke(self, token_id: bytes, expires_at: int) -> None:
        """Also deletes those that expired by the store's clock an hour ago: clocks may differ."""
        await self._pool.execute(_SQL["revoke"], (token_id, expires_at))
        self._cache.clear()
