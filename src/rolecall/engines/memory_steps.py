"""What the engines in memory have of a server's time: locks of names, and the steps between which others may come."""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncIterator


class Steps:
    """`passed` and `end_sessions` are for tests to override: here nothing comes between, and there are no sessions."""

    def __init__(self) -> None:
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def passed(self, step: str) -> None:
        """Between two steps of a change: what the one before has done is committed. Its caller may be gone by now."""

    def end_sessions(self, name: str) -> None:
        """Of one account."""

    @contextlib.asynccontextmanager
    async def locked(self, *names: str) -> AsyncIterator[None]:
        """Hold the locks of some names, taken in one order."""
        async with contextlib.AsyncExitStack() as held:
            for name in sorted(set(names)):
                await held.enter_async_context(self._locks[name])
            await self.passed("locked")
            yield
