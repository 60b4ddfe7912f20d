"""Scans: queries that may read through a whole user store. They have a small pool of their own, so that nobody who
looks up a key, a policy or a session waits for them; and of that pool no owner has all.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary

from rolecall.domain.reasons import Reason, Refused
from rolecall.store.connection import Connection, Pool

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
