"""Exchanges with a server: every wait for an answer has an end.

TCP cannot tell a server that works from a network that swallows what is sent: either may acknowledge and say nothing.
So a server that has not answered for a while is asked, on another connection, which of its sessions are at work. If
it does not answer there, or the session waits for us, the answer is lost, and so is the connection.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Container
from contextlib import asynccontextmanager
from dataclasses import dataclass

_GRACE = 0.25
"""Seconds for an answer that was sent just before the server was asked."""


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Seconds. `connect`: until a connection can be used. `silence`: until the server is asked whether it is still at
    work, and between two such questions. `statement`: for one answer, whatever the server says of it.
    """

    connect: float = 3.0
    silence: float = 2.0
    statement: float = 30.0


DEFAULTS = Deadlines()

AtWork = Callable[[float], Awaitable[bool]]
"""Whether the server is at work on what was sent at that time of the loop's clock. Raises nothing."""


@asynccontextmanager
async def exchange(deadlines: Deadlines, at_work: AtWork | None = None) -> AsyncIterator[None]:
    """One statement and its answer. TimeoutError once there is no answer to wait for."""
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
    while await at_work(since):  # noqa: ASYNC110 - nothing tells but the server, when it is asked
        await asyncio.sleep(deadlines.silence)
    await asyncio.sleep(_GRACE)
    limit.reschedule(asyncio.get_running_loop().time())


class Inquiry:
    """Asks a server which of its sessions are at work. Several that wonder at the same time share one question.

    `ask` gives the numbers of those sessions: none if the server cannot be reached, None if it answers but does not
    tell. It raises nothing.
    """

    def __init__(self, ask: Callable[[], Awaitable[Container[int] | None]]) -> None:
        self._ask = ask
        self._asked_at = 0.0
        self._asking: asyncio.Task[Container[int] | None] | None = None

    async def is_at_work(self, session: int, since: float) -> bool:
        """Whether the session is at work on what was sent to it at `since`, by the loop's clock."""
        if self._asking is not None and self._asked_at < since:
            await asyncio.wait([self._asking])  # what it tells may be older than the statement
        if self._asking is None or self._asking.done():
            self._asked_at = asyncio.get_running_loop().time()
            self._asking = asyncio.ensure_future(self._ask())
        found = await asyncio.shield(self._asking)
        return found is None or session in found

    async def close(self) -> None:
        if self._asking is not None and not self._asking.done():
            self._asking.cancel()
            await asyncio.wait([self._asking])
