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
from rolecall.values import Caller

T = TypeVar("T")

SCAN_CONNECTIONS = 3
"""Of a process."""

_OF_OWNER = 2
"""Scans of one owner at once."""

_OF_CALLER = 1
"""Scans of one principal at once: a sub-user cannot have all of its owner's."""

_QUEUE = 32
"""Scans of one owner, or of one principal, that may wait for its others; more are refused at once."""

_PATIENCE = 10.0
"""Seconds that they wait."""


class _Turns:
    """Of an owner, or of a principal."""

    def __init__(self, at_once: int) -> None:
        self.at_once = at_once
        self.free = asyncio.Semaphore(at_once)
        self.waiting = 0

    @asynccontextmanager
    async def take(self) -> AsyncIterator[None]:
        """RATE_EXCEEDED."""
        if self.waiting >= _QUEUE:
            raise self._refused("too many scans wait for others of the same caller")
        self.waiting += 1
        try:
            async with asyncio.timeout(_PATIENCE):
                await self.free.acquire()
        except TimeoutError:
            raise self._refused("other scans of the same caller take long") from None
        finally:
            self.waiting -= 1
        try:
            yield
        finally:
            self.free.release()

    def _refused(self, note: str) -> Refused:
        facts = {"count": self.at_once + 1, "limit": self.at_once}
        return Refused(Reason.RATE_EXCEEDED, facts=facts, note=note)


class Scans:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._turns: WeakValueDictionary[tuple[int, ...], _Turns] = WeakValueDictionary()

    @asynccontextmanager
    async def connection(self, caller: Caller) -> AsyncIterator[Connection]:
        """RATE_EXCEEDED: too many of the caller's, or of its owner's, are under way."""
        own = self._turns.setdefault((caller.owner_id, caller.principal), _Turns(_OF_CALLER))
        all_of_owner = self._turns.setdefault((caller.owner_id,), _Turns(_OF_OWNER))
        async with own.take(), all_of_owner.take(), self._pool.connection() as connection:
            yield connection

    async def page(
        self, caller: Caller, made: Callable[..., T], total: Query, page: Query, values: Mapping[str, object]
    ) -> Page[T] | None:
        """Some of the rows, and how many there are; None if `total` has no row. RATE_EXCEEDED, and as `reasons`."""
        with reasons():
            async with self.connection(caller) as connection, connection.pipeline():
                totals = await connection.cursor(row_factory=scalar_row).execute(total, values)
                rows = await connection.cursor(row_factory=kwargs_row(made)).execute(page, values)
                counted, found = await totals.fetchone(), await rows.fetchall()
        return None if counted is None else Page(tuple(found), counted)
