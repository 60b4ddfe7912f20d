"""Revoked tokens, until they would have expired."""

from __future__ import annotations

from rolecall.store.connection import Pool
from rolecall.store.presence import Memory, Presence


class RevocationTable:
    def __init__(self, durable: Pool, presence: Presence) -> None:
        self._pool = durable
        self._known: Memory[bytes, bool] = presence.memory()

    async def is_revoked(self, token_id: bytes) -> bool:
        if (known := self._known.get(token_id)) is not None:
            return known
        generation = self._known.generation
        async with self._pool.connection() as connection:
            query = "select exists (select from revoked_tokens where id = %s)"
            row = await (await connection.execute(query, (token_id,))).fetchone()
        is_revoked = bool(row and row[0])
        self._known.keep(token_id, is_revoked, generation)
        return is_revoked

    async def revoke(self, token_id: bytes, expires_at: int) -> None:
        """Also forgets those that have expired by the store's clock, an hour ago: clocks may differ."""
        async with self._pool.connection() as connection, connection.transaction():
            await connection.execute(
                "insert into revoked_tokens (id, expires_at) values (%s, to_timestamp(%s)) on conflict do nothing",
                (token_id, expires_at),
            )
            await connection.execute(
                "delete from revoked_tokens where expires_at < now() - interval '1 hour'"
            )
        self._known.clear()
