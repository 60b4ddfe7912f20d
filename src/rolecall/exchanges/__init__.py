"""Exchanges with a server: every wait for an answer is bounded.

TCP does not distinguish a busy server from a network that drops packets: the peer may acknowledge and send nothing. So
a server that has not answered for a while is asked, on another connection, which of its sessions are active. If it does
not answer there either, or the session is idle, the answer is lost, and so is the connection.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Container
from contextlib import asynccontextmanager
from dataclasses import dataclass

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


@asynccontextmanager
async def exchange(deadlines: Deadlines, at_work: AtWork | None = None) -> AsyncIterator[None]:
    """One statement and its answer. TimeoutError once no answer can come."""
    loop = asyncio.get_running_loop()
    since = loop.time()
    asking: asyncio.Task[None] | None = None

    def ask(wanted: AtWork, limit: asyncio.Timeout) -> None:
        nonlocal asking
        asking = loop.create_task(_watch(deadlines, wanted, since, limit))

    async with asyncio.timeout_at(since + deadlines.statement) as limit:
        timer = None if at_work is None else loop.call_later(deadlines.silence, ask, at_work, limit)
        try:
            yield
        finally:
            if timer is not None:
                timer.cancel()
            if asking is not None:
                asking.cancel()


async def _watch(deadlines: Deadlines, at_work: AtWork, since: float, limit: asyncio.Timeout) -> None:
    while await at_work(since):  # noqa: ASYNC110 - only the server knows, when it is asked
        await asyncio.sleep(deadlines.silence)
    await asyncio.sleep(_GRACE)
    limit.reschedule(asyncio.get_running_loop().time())


class Inquiry:
    """Asks a server which of its sessions are active. Concurrent callers share one question.

    `ask` returns the numbers of those sessions: none if the server is out of reach, None if it answers without them.
    It raises nothing.
    """

    def __init__(self, ask: Callable[[], Awaitable[Container[int] | None]]) -> None:
        self._ask = ask
        self._asked_at = 0.0
        self._asking: asyncio.Task[Container[int] | None] | None = None

    async def is_at_work(self, session: int, since: float) -> bool:
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
