"""Concurrency of the engines in memory: locks of names, and steps between which other changes may come."""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncIterator
from dataclasses import replace
from uuid import UUID

from rolecall.domain.engine import AccountFacts
from rolecall.domain.engine.identity import ChangedMeanwhile, Expected, require_identity, require_order


class Steps:
    """Tests override `passed` and `end_sessions`: here nothing comes between steps, and there are no sessions."""

    def __init__(self) -> None:
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def passed(self, step: str) -> None:
        """Called between two steps of a change, after the first is committed. Its caller may have ended."""

    def end_sessions(self, name: str, identity: str) -> None:
        """End the sessions of one account."""

    def end_sessions_named(self, name: str) -> None:
        """End those that logged in with a name, whichever account had it then."""

    @contextlib.asynccontextmanager
    async def locked(self, *names: str) -> AsyncIterator[None]:
        """Hold the locks of some names, taken in sorted order."""
        async with contextlib.AsyncExitStack() as held:
            for name in sorted(set(names)):
                await held.enter_async_context(self._locks[name])
            await self.passed("locked")
            yield


def may_remove(found: AccountFacts | None, retired: AccountFacts) -> bool:
    """Whether what a deletion has retired is there to be dropped. `ChangedMeanwhile` if another change came between."""
    if (
        found is None or found.identity != retired.identity
    ):  # the same deletion, carried out by another process
        return False
    if found.marker != retired.marker:
        raise ChangedMeanwhile(found.name)
    return True


def retired_by(found: AccountFacts, operation: UUID, expected: Expected | None) -> AccountFacts:
    """The account, locked before it is dropped. `Superseded`, `ChangedMeanwhile`."""
    require_identity(expected, found.name, found.identity)
    require_order(expected, found.name, found.order)
    return replace(found.changed_by(operation), may_log_in=False)
