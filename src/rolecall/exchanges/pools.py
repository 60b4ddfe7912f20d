"""A pool of connections to PostgreSQL.

Why not `psycopg_pool`: it connects in the background, reports a stopped server as a timeout without a cause, and backs
off between attempts. Here a call fails at once, with the cause, and the next call tries again.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Container
from contextlib import AbstractAsyncContextManager
from typing import Self

import psycopg
from psycopg.pq import TransactionStatus
from psycopg.rows import scalar_row

from rolecall.exchanges import Deadlines, Inquiry
from rolecall.exchanges.postgresql import Connection, NotConnected, Statements, dial
from rolecall.exchanges.sessions import Session

IDLE_SECONDS = 300.0
"""How long an idle connection stays usable."""

_AT_WORK = (
    "SELECT pid FROM pg_catalog.pg_stat_activity WHERE usename = current_user"
    " AND wait_event IS DISTINCT FROM 'ClientRead'"
)
_END = (
    "SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity"
    " WHERE pid = ANY(%s) AND usename = current_user AND application_name = current_setting('application_name')"
)


class Pool(Statements):
    """At most `size` connections that `open_` makes, in autocommit, kept while idle. None is opened in advance.

    `patience`: seconds to wait for a connection that is in use; None waits without limit.
    """

    def __init__(
        self,
        open_: Callable[[], Awaitable[Connection]],
        *,
        size: int,
        deadlines: Deadlines,
        patience: float | None = None,
    ) -> None:
        self._open = open_
        self._deadlines = deadlines
        self._patience = patience
        self.size = size
        self.in_use = 0
        self.waiting = 0
        """Callers that wait for a connection now."""
        self.waits = 0
        self.waited = 0.0
        """Seconds that callers have waited, all in all; those that did not wait add nothing."""
        self.timeouts = 0
        self._slots = asyncio.Semaphore(size)
        self._idle: list[tuple[float, Connection]] = []
        self._closed = False
        self._lost_at = 0.0
        self._lost_why = ""
        self.inquiry = Inquiry(self._ask)
        self.abandoned: set[Session] = set()
        """Sessions that the server may still have. The next connection terminates them: they may hold locks."""

    async def open(self) -> Self:
        """NotConnected if there is no server now."""
        async with self.connection():
            return self

    def connection(self) -> AbstractAsyncContextManager[Connection]:
        """NotConnected, also for callers that wait when the server is found to be out of reach. In use it is `Lost`."""
        return _Lease(self)

    async def lease(self) -> Connection:
        since = time.monotonic()
        if self._slots.locked():
            await self._wait(since)
        else:
            await self._slots.acquire()
        self.in_use += 1
        try:
            if self._lost_at > since:
                raise NotConnected(self._lost_why)
            return await self._take()
        except BaseException:
            self._release()
            raise

    async def _wait(self, since: float) -> None:
        """NotConnected if no connection is given back in time."""
        self.waiting += 1
        self.waits += 1
        try:
            async with asyncio.timeout(self._patience):
                await self._slots.acquire()
        except TimeoutError:
            self.timeouts += 1
            raise NotConnected("all connections are in use") from None
        finally:
            self.waiting -= 1
            self.waited += time.monotonic() - since

    def _release(self) -> None:
        self.in_use -= 1
        self._slots.release()

    async def give_back(self, connection: Connection) -> None:
        try:
            if connection.is_refused:  # so will the others
                await self._drop_idle()
            is_idle = connection.pgconn.transaction_status == TransactionStatus.IDLE
            if self._closed or connection.is_refused or not is_idle:
                await connection.close()
            else:
                self._idle.append((time.monotonic(), connection))
        finally:
            self._release()

    async def connect(self, open_: Callable[[], Awaitable[Connection]]) -> Connection:
        """A connection beside the pooled ones, to the same server. NotConnected."""
        try:
            connection = await dial(self._deadlines, open_)
        except NotConnected as error:
            if not error.answered:
                await self._lose(str(error))
            raise
        connection.pool = self
        if self.abandoned:
            await self._end_abandoned(connection)
        return connection

    async def close(self) -> None:
        self._closed = True
        await self.inquiry.close()
        await self._drop_idle()

    async def _take(self) -> Connection:
        while self._idle:
            since, connection = self._idle.pop()
            if time.monotonic() - since < IDLE_SECONDS and connection.is_current and connection.is_quiet:
                return connection
            await connection.close()
        return await self.connect(self._open)

    async def _ask(self) -> Container[Session] | None:
        try:
            connection = await dial(self._deadlines, self._open)
        except NotConnected as error:
            if error.answered:
                return None
            await self._lose(str(error))
            return ()
        try:
            async with asyncio.timeout(self._deadlines.connect):
                numbers = await connection.rows(scalar_row, _AT_WORK)
                return {(connection.place, number) for number in numbers}
        except (psycopg.Error, OSError, TimeoutError):
            await self._lose("the server does not answer")
            return ()
        finally:
            await connection.close()

    async def _lose(self, why: str) -> None:
        """The server is out of reach: drop idle connections, and fail the callers that wait."""
        self._lost_at, self._lost_why = time.monotonic(), why
        await self._drop_idle()

    async def _drop_idle(self) -> None:
        while self._idle:
            await self._idle.pop()[1].close()

    async def _end_abandoned(self, connection: Connection) -> None:
        """Those of a former primary end with its demotion."""
        sessions = list(self.abandoned)
        numbers = [number for place, number in sessions if place == connection.place]
        with contextlib.suppress(psycopg.Error):  # the connection's next user gets the error
            await connection.execute(_END, (numbers,))
            self.abandoned.difference_update(sessions)


class _Lease:
    """A connection of a pool, for as long as it is entered."""

    __slots__ = ("_connection", "_pool")

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def __aenter__(self) -> Connection:
        self._connection = await self._pool.lease()
        return self._connection

    async def __aexit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        away = None if error is None else self._connection.away(error)
        await self._pool.give_back(self._connection)
        if away is not None:
            raise away from error
