"""Statements of several callers in one round trip and one commit: what piles up while one batch is on its way is the
next batch. One caller alone waits no longer than without; many share the disk's and the network's time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import psycopg

from rolecall.store.connection import Pool, Row

Values = Sequence[object] | Mapping[str, object]
_Waiting = tuple[bytes, Values, "asyncio.Future[Row | None]"]

_MOST = 64
"""Statements in one batch."""


class Batches:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._waiting: list[_Waiting] = []
        self._sender: asyncio.Task[None] | None = None

    async def execute(self, statement: str, values: Values) -> None:
        """Return when the statement is committed. Raises what it alone would have raised."""
        await self.fetch(statement, values)

    async def fetch(self, statement: str, values: Values) -> Row | None:
        """The same, with the first row that the statement returns."""
        done: asyncio.Future[Row | None] = asyncio.get_running_loop().create_future()
        self._waiting.append((statement.encode(), values, done))
        if self._sender is None:
            self._sender = asyncio.create_task(self._send_all())
        return await done

    async def _send_all(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:_MOST], self._waiting[_MOST:]
            try:
                await self._send(batch)
            except Exception as error:  # noqa: BLE001 - it belongs to those who wait
                _fail(batch, error)
        self._sender = None

    async def _send(self, batch: Sequence[_Waiting]) -> None:
        try:
            async with self._pool.connection() as connection:
                if len(batch) == 1:
                    cursors = [await connection.execute(*batch[0][:2])]
                else:
                    async with connection.pipeline():  # to its end one transaction, without words for that
                        cursors = [await connection.execute(*one[:2]) for one in batch]
        except psycopg.Error as error:
            if len(batch) == 1 or _concerns_all(error):
                _fail(batch, error)
                return
            for one in batch:  # one of them spoiled it for all: each for itself, then
                await self._send([one])
            return
        for (_, _, done), cursor in zip(batch, cursors, strict=True):
            row = await cursor.fetchone() if cursor.description else None
            if not done.done():
                done.set_result(row)


def _concerns_all(error: psycopg.Error) -> bool:
    """Whether each alone would fare as all did: whoever holds the lock makes each wait as long, and a connection that
    was lost, or could not be had, says nothing of any one statement."""
    is_lost = isinstance(error, psycopg.OperationalError) and error.sqlstate is None
    return is_lost or isinstance(error, psycopg.errors.LockNotAvailable)


def _fail(batch: Sequence[_Waiting], error: Exception) -> None:
    for _, _, done in batch:
        if not done.done():
            done.set_exception(error)
