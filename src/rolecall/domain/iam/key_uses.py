"""When each access key was used last: noted in memory, written down now and then, never on a call's way."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Protocol

import structlog

_log = structlog.get_logger(__name__)

_PERIOD = 10.0
"""Seconds between two writings, and how much a crash may lose."""


class KeyUseRepository(Protocol):
    """Where uses are kept, by the key's id, as unix time in seconds. The latest stays; gone keys are skipped."""

    async def save_uses(self, uses: Mapping[str, float]) -> None: ...


class KeyUses:
    def __init__(self, repository: KeyUseRepository) -> None:
        self._repository = repository
        self._noted: dict[str, float] = {}

    def note(self, key_id: str, now: float) -> None:
        self._noted[key_id] = now

    async def flush(self) -> None:
        """Write down what was noted. What cannot be written now stays noted, and the trouble is raised."""
        noted, self._noted = self._noted, {}
        if not noted:
            return
        try:
            await self._repository.save_uses(noted)
        except BaseException:
            self._noted = noted | self._noted
            raise

    async def run(self) -> None:
        """Settle again and again, until cancelled."""
        while True:
            await asyncio.sleep(_PERIOD)
            await self.settle()

    async def settle(self) -> None:
        """Flush, or try another time: nothing is raised."""
        try:
            await self.flush()
        except Exception as error:  # noqa: BLE001 - what was noted stays noted
            _log.warning("uses of keys could not be written", error=type(error).__name__)
