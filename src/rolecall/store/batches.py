"""Statements of several callers in one round trip and one commit: what piles up while one batch is on its way is the
next batch. One caller alone waits no longer than without; many share the disk's and the network's time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import psycopg

from rolecall.store.connection import Pool

Values = Sequence[object] | Mapping[str, object]
_Waiting = tuple[bytes, Values, "asyncio.Future[None]"]

_MOST = 64
"""Statements in one batch."""


class Batches:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._waiting: list[_Waiting] = []
        self._sender: asyncio.Task[None] | None = None

    async def execute(self, statement: str, values: Values) -> None:
        """Return when the statement is committed. Raises what it alone would have raised."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((statement.encode(), values, done))
        if self._sender is None:
            self._sender = asyncio.create_task(self._send_all())
        await done

    async def _send_all(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:_MOST], self._waiting[_MOST:]
            try:
                await self._send(batch)
            except Exception as trouble:  # noqa: BLE001 - it belongs to those who wait
                _fail(batch, trouble)
        self._sender = None

    async def _send(self, batch: Sequence[_Waiting]) -> None:
        try:
            async with self._pool.connection() as connection:
                if len(batch) == 1:
                    await connection.execute(*batch[0][:2])
                else:
                    async with connection.pipeline(), connection.transaction():
                        for statement, values, _ in batch:
                            await connection.execute(statement, values)
        except psycopg.Error as trouble:
            if len(batch) == 1:
                _fail(batch, trouble)
                return
            for one in batch:  # one of them spoiled it for all: each for itself, then
                await self._send([one])
            return
        for _, _, done in batch:
            if not done.done():
                done.set_result(None)


def _fail(batch: Sequence[_Waiting], trouble: Exception) -> None:
    for _, _, done in batch:
        if not done.done():
            done.set_exception(trouble)
