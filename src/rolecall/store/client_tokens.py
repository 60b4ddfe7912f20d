"""Client tokens and what was asked with them."""

from __future__ import annotations

from rolecall.store.connection import Pool


class TokenTable:
    def __init__(self, durable: Pool) -> None:
        self._pool = durable

    async def claim_token(self, owner_id: int, text: str, digest: str) -> str | None:
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "insert into client_tokens (owner_id, token, digest) values (%s, %s, %s) on conflict do nothing",
                (owner_id, text, digest),
            )
            if cursor.rowcount == 1:
                return None
            query = "select digest from client_tokens where owner_id = %s and token = %s"
            row = await (await connection.execute(query, (owner_id, text))).fetchone()
        return None if row is None else str(row[0])

    async def release_token(self, owner_id: int, text: str) -> None:
        async with self._pool.connection() as connection:
            await connection.execute(
                "delete from client_tokens where owner_id = %s and token = %s", (owner_id, text)
            )
