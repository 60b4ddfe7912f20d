"""Lanes: changes of one instance queue in their own, bounded lane, so that a sick server starves no other.

A lane has a width (changes under way at once), a depth (changes that may wait) and a breaker: after some refused
connections in a row it refuses at once, until a probe after a pause (exponential, full jitter) gets through.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from rolecall.domain import ambient
from rolecall.domain.reasons import Reason, Refused

_SICK = frozenset({Reason.ENGINE_UNREACHABLE})


@dataclass(frozen=True, slots=True)
class LaneLimits:
    """`width` and `depth` are counts, `failures` the count that opens the breaker,
    `pause` and `longest_pause` seconds."""

    width: int = 4
    depth: int = 256
    failures: int = 3
    pause: float = 0.2
    longest_pause: float = 2.0


class Lane:
    def __init__(self, limits: LaneLimits, clock: Callable[[], float] = ambient.monotonic) -> None:
        self._limits = limits
        self._clock = clock
        self._slots = asyncio.Semaphore(limits.width)
        self._failures = 0
        self._retry_at = 0.0
        self.depth = 0
        """Changes waiting or under way."""

    @property
    def healthy(self) -> bool:
        """False once the breaker has opened, until a change gets through again."""
        return self._failures < self._limits.failures

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Hold one place in the lane. ENGINE_BUSY when too many wait, ENGINE_UNREACHABLE while the breaker is open."""
        self._admit()
        self.depth += 1
        try:
            async with self._slots:
                yield
        except Refused as refusal:
            self._note(sick=refusal.reason in _SICK)
            raise
        else:
            self._note(sick=False)
        finally:
            self.depth -= 1

    def _admit(self) -> None:
        if self.depth >= self._limits.width + self._limits.depth:
            raise Refused(Reason.ENGINE_BUSY, note="the lane is full")
        if not self.healthy:
            now = self._clock()
            if now < self._retry_at:
                raise Refused(Reason.ENGINE_UNREACHABLE, note="the server was out of reach a moment ago")
            self._retry_at = now + self._pause()  # this caller is the probe, the others keep being refused

    def _note(self, *, sick: bool) -> None:
        if not sick:
            self._failures = 0
            return
        self._failures += 1
        self._retry_at = self._clock() + self._pause()

    def _pause(self) -> float:
        exponent = min(max(self._failures - self._limits.failures, 0), 16)
        ceiling = min(self._limits.pause * 2**exponent, self._limits.longest_pause)
        return ambient.draws().uniform(ceiling / 2, ceiling)
