"""Revoked tokens, until they would have expired."""

from __future__ import annotations

from rolecall.store.connection import Pool
from rolecall.store.replica import NotifiedCache, Replica


class PgRevocationRepository:
    def __init__(self, durable: Pool, replica: Replica) -> None:
        self._pool = durable
        self._cache: NotifiedCache[bytes, bool] = replica.cache("revoked_tokens")

    async def is_revoked(self, token_id: bytes) -> bool:
        query = "select exists (select from revoked_tokens where id = %s)"
        return bool(await self._cache.get_or_read(token_id, lambda: self._pool.value(query, (token_id,))))

    async def revoke(self, token_id: bytes, expires_at: int) -> None:
        """Also deletes those that expired by the store's clock an hour ago: clocks may differ."""
        async with self._pool.connection() as connection, connection.transaction():
            await connection.execute(
                "insert into revoked_tokens (id, expires_at) values (%s, to_timestamp(%s)) on conflict do nothing",
                (token_id, expires_at),
            )
            await connection.execute(
                "delete from revoked_tokens where expires_at < now() - interval '1 hour'"
            )
        self._cache.clear()
