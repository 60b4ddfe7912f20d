"""How many calls were answered in each minute, by dialect, of all replicas together; kept for a day."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from rolecall import ambient

_log = structlog.get_logger(__name__)

_WRITTEN_EVERY = 5.0
"""Seconds."""

KEPT = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class CallMinute:
    """`errors` are the calls among them that were answered with an error code."""

    minute: datetime
    dialect: str
    calls: int
    errors: int


Counts = Mapping[str, tuple[int, int]]
"""By dialect: calls, and those among them that were answered with an error code."""


class CallMinuteRepository(Protocol):
    async def add_calls(self, minute: datetime, counts: Counts) -> None: ...
    async def calls_since(self, moment: datetime) -> Sequence[CallMinute]: ...
    async def purge_calls(self, before: datetime) -> None: ...


class CallHistory:
    """`take` gives what was counted in this process since it was called last."""

    def __init__(self, repository: CallMinuteRepository, take: Callable[[], Counts]) -> None:
        self._repository = repository
        self._take = take

    async def since(self, moment: datetime) -> Sequence[CallMinute]:
        """With what this process has counted until now."""
        await self.write()
        return await self._repository.calls_since(moment)

    async def write(self) -> None:
        """Add what was counted to the present minute. What cannot be written is lost: it is a figure, not a record."""
        if counts := self._take():
            await self._repository.add_calls(ambient.now().replace(second=0, microsecond=0), counts)

    async def run(self) -> None:
        """Write periodically, until cancelled."""
        while True:
            await asyncio.sleep(_WRITTEN_EVERY)
            try:
                await self.write()
                await self._repository.purge_calls(ambient.now() - KEPT)
            except Exception as error:  # noqa: BLE001 - the next round may succeed
                _log.warning("the counts of calls could not be written", error=type(error).__name__)
