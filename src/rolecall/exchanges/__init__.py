"""Exchanges with a server: every wait for an answer is bounded.

TCP does not distinguish a busy server from a network that drops packets: the peer may acknowledge and send nothing. So
a server that has not answered for a while is asked, on another connection, which of its sessions are active. If it does
not answer there either, or the session is idle, the answer is lost, and so is the connection.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Container
from contextlib import asynccontextmanager
from dataclasses import dataclass


class Away(Exception):
    """A server cannot be reached, which is not a bug."""


_GRACE = 0.25
"""Seconds to wait for an answer that was sent just before the server was asked."""


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Seconds. `connect`: until a connection is usable. `silence`: until the server is asked whether the session is
    active, and between two such questions. `statement`: for one answer, active or not.
    """

    connect: float = 3.0
    silence: float = 2.0
    statement: float = 30.0


DEFAULTS = Deadlines()

AtWork = Callable[[float], Awaitable[bool]]
"""Whether the server works on what was sent at that time of the loop's clock. Raises nothing."""


class Watch:
    """Ends the exchanges of one connection, of which there is one at a time, once no answer can come.

    One timer serves many exchanges: it is not cancelled when one ends, but looks at what is under way when it fires.
    """

    def __init__(self, deadlines: Deadlines, at_work: AtWork | None = None) -> None:
        """Without `at_work` only the deadline of the statement counts."""
        self.deadlines = deadlines
        self._at_work = at_work
        self._since = 0.0
        self._expire: Callable[[], None] | None = None
        self.is_over = False
        """Whether no answer can come to the exchange that was begun last."""
        self._timer: asyncio.TimerHandle | None = None
        self._due = math.inf
        self._asking: asyncio.Task[None] | None = None

    def begin(self, loop: asyncio.AbstractEventLoop, expire: Callable[[], None]) -> None:
        """A statement is sent. `expire` is called, at most once before `end`, when no answer can come."""
        self._since = now = loop.time()
        self._expire = expire
        self.is_over = False
        if (due := now + self._patience) < self._due:
            self._arm(loop, due)

    def end(self) -> None:
        self._expire = None
        if self._asking is not None:
            self._asking.cancel()
            self._asking = None

    def close(self) -> None:
        """The connection has no more exchanges."""
        self.end()
        if self._timer is not None:
            self._timer.cancel()
            self._timer, self._due = None, math.inf

    @asynccontextmanager
    async def exchange(self) -> AsyncIterator[None]:
        """One statement and its answer, which others wait for. TimeoutError once no answer can come."""
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(None) as limit:
            self.begin(loop, lambda: limit.reschedule(loop.time()))
            try:
                yield
            finally:
                self.end()

    @property
    def _patience(self) -> float:
        """Seconds from the beginning of an exchange until it has to be looked at."""
        if self._at_work is None or self._asking is not None:
            return self.deadlines.statement
        return min(self.deadlines.silence, self.deadlines.statement)

    def _arm(self, loop: asyncio.AbstractEventLoop, due: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._due = loop.call_at(due, self._look, loop), due

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer, self._due = None, math.inf
        if self._expire is None:
            return
        waited = loop.time() - self._since
        if waited >= self.deadlines.statement:
            self._give_up()
            return
        if waited >= self.deadlines.silence and self._at_work is not None and self._asking is None:
            self._asking = loop.create_task(self._ask(self._at_work))
        self._arm(loop, self._since + self._patience)

    async def _ask(self, at_work: AtWork) -> None:
        while await at_work(self._since):  # noqa: ASYNC110 - only the server knows, when it is asked
            await asyncio.sleep(self.deadlines.silence)
        await asyncio.sleep(_GRACE)
        self._give_up()

    def _give_up(self) -> None:
        expire, self._expire = self._expire, None
        if expire is not None:
            self.is_over = True
            expire()


class Inquiry:
    """Asks a server which of its sessions are active. Concurrent callers share one question.

    `ask` returns those sessions: none if the server is out of reach, None if it answers without them. It raises
    nothing.
    """

    def __init__(self, ask: Callable[[], Awaitable[Container[object] | None]]) -> None:
        self._ask = ask
        self._asked_at = 0.0
        self._asking: asyncio.Task[Container[object] | None] | None = None

    async def is_at_work(self, session: object, since: float) -> bool:
        """Whether the session works on what was sent to it at `since`, by the loop's clock."""
        if self._asking is not None and self._asked_at < since:
            await asyncio.wait([self._asking])  # its answer may be older than the statement
        if self._asking is None or self._asking.done():
            self._asked_at = asyncio.get_running_loop().time()
            self._asking = asyncio.ensure_future(self._ask())
        found = await asyncio.shield(self._asking)
        return found is None or session in found

    async def close(self) -> None:
        if self._asking is not None and not self._asking.done():
            self._asking.cancel()
            await asyncio.wait([self._asking])
