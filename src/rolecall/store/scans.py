"""Scans: queries that may read through a whole user store. They have a small pool of their own, so that lookups of
keys, policies and sessions do not wait for them; and no owner has all of that pool.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import TypeVar
from weakref import WeakValueDictionary

from psycopg.abc import QueryNoTemplate as Query
from psycopg.rows import kwargs_row, scalar_row

from rolecall.domain.messages import Page
from rolecall.domain.reasons import Reason, Refused
from rolecall.store.connection import Connection, Pool
from rolecall.store.errors import reasons

T = TypeVar("T")

SCAN_CONNECTIONS = 3
"""Of a process."""

_EACH = 2
"""Scans of one owner at once."""

_QUEUE = 32
"""Scans of one owner that may wait for its others; more are refused at once."""

_PATIENCE = 10.0
"""Seconds that they wait."""


_FACTS = {"count": _EACH + 1, "limit": _EACH}


class _Turns:
    """Of one owner."""

    def __init__(self) -> None:
        self.free = asyncio.Semaphore(_EACH)
        self.waiting = 0


class Scans:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._turns: WeakValueDictionary[int, _Turns] = WeakValueDictionary()

    @asynccontextmanager
    async def connection(self, owner_id: int) -> AsyncIterator[Connection]:
        """RATE_EXCEEDED: too many of the owner's are under way."""
        turns = self._turns.setdefault(owner_id, _Turns())
        await self._take(turns)
        try:
            async with self._pool.connection() as connection:
                yield connection
        finally:
            turns.free.release()

    async def page(
        self, owner_id: int, made: Callable[..., T], total: Query, page: Query, values: Mapping[str, object]
    ) -> Page[T] | None:
        """Some of the rows, and how many there are; None if `total` has no row. RATE_EXCEEDED, and as `reasons`."""
        with reasons():
            async with self.connection(owner_id) as connection, connection.pipeline():
                totals = await connection.cursor(row_factory=scalar_row).execute(total, values)
                rows = await connection.cursor(row_factory=kwargs_row(made)).execute(page, values)
                counted, found = await totals.fetchone(), await rows.fetchall()
        return None if counted is None else Page(tuple(found), counted)

    async def _take(self, turns: _Turns) -> None:
        if turns.waiting >= _QUEUE:
            raise Refused(Reason.RATE_EXCEEDED, facts=_FACTS, note="too many scans of one owner wait")
        turns.waiting += 1
        try:
            async with asyncio.timeout(_PATIENCE):
                await turns.free.acquire()
        except TimeoutError:
            raise Refused(
                Reason.RATE_EXCEEDED, facts=_FACTS, note="the owner's other scans take long"
            ) from None
        finally:
            turns.waiting -= 1
