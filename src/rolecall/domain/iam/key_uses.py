"""When each access key was last used: collected in memory and written periodically, never while a call waits."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Protocol

import structlog

_log = structlog.get_logger(__name__)

_PERIOD = 10.0
"""Seconds between two writes: as much as a crash may lose."""


class KeyUseRepository(Protocol):
    """Uses by key id, as unix time in seconds. The latest is kept; ids of deleted keys are ignored."""

    async def save_uses(self, uses: Mapping[str, float]) -> None: ...


class KeyUses:
    def __init__(self, repository: KeyUseRepository) -> None:
        self._repository = repository
        self._noted: dict[str, float] = {}

    def note(self, key_id: str, now: float) -> None:
        self._noted[key_id] = now

    async def flush(self) -> None:
        """Write the collected uses. Those that cannot be written stay collected, and the error is raised."""
        noted, self._noted = self._noted, {}
        if not noted:
            return
        try:
            await self._repository.save_uses(noted)
        except BaseException:
            self._noted = noted | self._noted
            raise

    async def run(self) -> None:
        """Flush periodically, until cancelled."""
        while True:
            await asyncio.sleep(_PERIOD)
            await self.settle()

    async def settle(self) -> None:
        """Flush; an error is logged, and the next flush retries."""
        try:
            await self.flush()
        except Exception as error:  # noqa: BLE001 - the uses stay collected
            _log.warning("uses of keys could not be written", error=type(error).__name__)
