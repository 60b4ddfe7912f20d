"""Lanes: a bounded queue per instance, so that an unreachable server delays no other.

A lane has a width (concurrent changes, and as many concurrent looks), a depth (how many may wait) and a circuit
breaker: after some refused or lost connections in a row it refuses at once, until a probe succeeds after a pause
(exponential, full jitter). Looks do not wait for changes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from contextvars import ContextVar, Token
from dataclasses import dataclass

from rolecall import ambient
from rolecall.domain.reasons import OutcomeUnknown, Reason, Refused

_SICK = frozenset({Reason.ENGINE_UNREACHABLE})

_HELD: ContextVar[frozenset[Lane]] = ContextVar("lanes in which the task has a place", default=frozenset())


@dataclass(frozen=True, slots=True)
class LaneLimits:
    """`width` and `depth` are counts, `failures` the count that opens the breaker,
    `pause` and `longest_pause` seconds."""

    width: int = 4
    depth: int = 256
    failures: int = 3
    pause: float = 0.2
    longest_pause: float = 1.0


class Lane:
    def __init__(self, limits: LaneLimits, clock: Callable[[], float] = ambient.monotonic) -> None:
        self._limits = limits
        self._clock = clock
        self._changes = _Queue(limits)
        self._looks = _Queue(limits)
        self._failures = 0
        self._retry_at = 0.0

    @property
    def depth(self) -> int:
        """Changes that wait or are under way."""
        return self._changes.depth

    @property
    def looks(self) -> int:
        """Looks that wait or are under way."""
        return self._looks.depth

    @property
    def width(self) -> int:
        return self._limits.width

    @property
    def refused(self) -> int:
        """Changes and looks that were refused because too many waited."""
        return self._changes.refused + self._looks.refused

    @property
    def healthy(self) -> bool:
        """False from when the breaker opens until the server is reached again."""
        return self._failures < self._limits.failures

    def turn(self) -> AbstractAsyncContextManager[None]:
        """Hold one place in the lane. ENGINE_BUSY when too many wait, ENGINE_UNREACHABLE while the breaker is open.

        Nested use in a task takes one place.
        """
        return _Place(self, self._changes)

    def look(self) -> AbstractAsyncContextManager[None]:
        """The same for reads."""
        return _Place(self, self._looks)

    def require_reachable(self) -> None:
        """ENGINE_UNREACHABLE while the breaker is open and no probe is due."""
        if not self.healthy and self._clock() < self._retry_at:
            raise Refused(Reason.ENGINE_UNREACHABLE, note="the server was out of reach a moment ago")

    def pass_breaker(self) -> None:
        """The breaker may have opened meanwhile. The first call after the pause is the probe."""
        self.require_reachable()
        if not self.healthy:
            self._retry_at = self._clock() + self._pause()

    def note(self, *, sick: bool) -> None:
        if not sick:
            self._failures = 0
            return
        self._failures += 1
        self._retry_at = self._clock() + self._pause()

    def _pause(self) -> float:
        exponent = min(max(self._failures - self._limits.failures, 0), 16)
        # Processes that share an unreachable server must not probe it at the same moment.
        ceiling = min(self._limits.pause * 2**exponent, self._limits.longest_pause)
        return ambient.draws().uniform(ceiling / 2, ceiling)


class _Queue:
    """Places for changes, or for looks."""

    def __init__(self, limits: LaneLimits) -> None:
        self._most = limits.width + limits.depth
        self._slots = asyncio.Semaphore(limits.width)
        self.depth = 0
        self.refused = 0

    async def enter(self) -> None:
        if self.depth >= self._most:
            self.refused += 1
            raise Refused(Reason.ENGINE_BUSY, note="the lane is full")
        self.depth += 1
        try:
            await self._slots.acquire()
        except BaseException:
            self.depth -= 1
            raise

    def leave(self) -> None:
        self._slots.release()
        self.depth -= 1


class _Place:
    """One place in a lane, for as long as it is entered. A class: a generator costs twice as much, at every call."""

    __slots__ = ("_held", "_lane", "_queue")

    def __init__(self, lane: Lane, queue: _Queue) -> None:
        self._lane = lane
        self._queue = queue
        self._held: Token[frozenset[Lane]] | None = None

    async def __aenter__(self) -> None:
        held = _HELD.get()
        if self._lane in held:
            return
        # Before the queue, so that an unreachable server's callers do not fill it.
        self._lane.require_reachable()
        await self._queue.enter()
        try:
            self._lane.pass_breaker()
        except BaseException:
            self._queue.leave()
            raise
        self._held = _HELD.set(held | {self._lane})

    async def __aexit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if self._held is None:
            return
        # Any other exception, a cancellation for example, says nothing about the server.
        if error is None:
            self._lane.note(sick=False)
        elif isinstance(error, Refused):  # a server that refuses is alive
            self._lane.note(sick=error.reason in _SICK)
        elif isinstance(error, OutcomeUnknown):
            self._lane.note(sick=True)
        _HELD.reset(self._held)
        self._queue.leave()
