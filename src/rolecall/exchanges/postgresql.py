"""PostgreSQL connections on which every wait has an end, and a pool of them.

There is no pool library here on purpose: `psycopg_pool` connects behind the caller's back, answers a stopped server
with a time-out and no cause, and tries again ever more rarely; what is needed is a refusal at once, with its reason,
and a new attempt with the next call.
"""

from __future__ import annotations

import asyncio
import contextlib
import select
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Container
from contextlib import AbstractAsyncContextManager
from typing import Any, Self, TypeVar

import psycopg
from psycopg import AsyncConnection, waiting
from psycopg.abc import Params, PQGen
from psycopg.abc import QueryNoTemplate as Query
from psycopg.pq import TransactionStatus
from psycopg.rows import BaseRowFactory, scalar_row

from rolecall.exchanges import Deadlines, Inquiry, exchange

IDLE_SECONDS = 300.0
"""How long a connection may lie idle and be used again."""

_CHECK = 0.1
"""Seconds between two looks of the driver at what else there is to do."""

_AT_WORK = (
    "SELECT pid FROM pg_catalog.pg_stat_activity WHERE usename = current_user"
    " AND wait_event IS DISTINCT FROM 'ClientRead'"
)
_END = (
    "SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity"
    " WHERE pid = ANY(%s) AND usename = current_user AND application_name = current_setting('application_name')"
)

T = TypeVar("T")
RV = TypeVar("RV")
Row = tuple[Any, ...]


class NotConnected(psycopg.OperationalError):
    """No connection could be had. `answered`: the server itself refused it."""

    def __init__(self, note: str, *, answered: bool = False) -> None:
        super().__init__(note)
        self.answered = answered


class Connection(AsyncConnection[Row]):
    """A connection that is closed when an answer does not come in time, or is waited for no more.

    The driver would ask the server to cancel what it does, and wait for its answer.
    """

    deadlines = Deadlines()
    pool: Pool | None = None
    """Where to ask whether the server is at work; without, only the deadline counts."""
    session = 0
    """The number of the server's process; the driver's own may be a pooler's."""

    async def rows(self, made: BaseRowFactory[T], query: Query, values: Params | None = None) -> list[T]:
        """Every row of one statement, as `made` makes them."""
        cursor = self.cursor(row_factory=made)
        await cursor.execute(query, values)
        return await cursor.fetchall()

    async def row(self, made: BaseRowFactory[T], query: Query, values: Params | None = None) -> T | None:
        """The first row, if there is any."""
        cursor = self.cursor(row_factory=made)
        await cursor.execute(query, values)
        return await cursor.fetchone()

    async def only(self, made: BaseRowFactory[T], query: Query, values: Params | None = None) -> T:
        """The row of a statement that always has one, as an aggregate. LookupError."""
        if (row := await self.row(made, query, values)) is None:
            raise LookupError("the statement has no row")
        return row

    async def value(self, query: Query, values: Params | None = None) -> Any:
        """The first column of the first row; None without one."""
        return await self.row(scalar_row, query, values)

    async def wait(self, gen: PQGen[RV], interval: float = _CHECK, timeout: float | None = None) -> RV:  # noqa: ASYNC109 - the driver's own signature
        try:
            async with exchange(self.deadlines, None if self.pool is None else self._is_at_work):
                return await waiting.wait_async(gen, self.pgconn.socket, interval=interval, timeout=timeout)
        except TimeoutError:
            self._abandon()
            raise psycopg.OperationalError("the server did not answer in time") from None
        except asyncio.CancelledError:
            if self.pgconn.transaction_status == TransactionStatus.ACTIVE:
                self._abandon()
            raise

    async def _is_at_work(self, since: float) -> bool:
        if self.pool is None or self.pgconn.transaction_status != TransactionStatus.ACTIVE:
            return True  # nothing was asked, as where notifications are waited for
        return await self.pool.inquiry.is_at_work(self.session, since)

    def _abandon(self) -> None:
        self.pgconn.finish()
        if self.pool is not None:
            self.pool.abandoned.add(self.session)


async def dial(deadlines: Deadlines, open_: Callable[[], Awaitable[Connection]]) -> Connection:
    """A connection, within its deadline. NotConnected."""
    try:
        async with asyncio.timeout(deadlines.connect):
            connection = await open_()
    except TimeoutError:
        raise NotConnected(f"no connection within {deadlines.connect:g} seconds") from None
    except (psycopg.Error, OSError) as error:
        text = str(error) or type(error).__name__
        raise NotConnected(text, answered="FATAL" in text) from None
    connection.deadlines = deadlines
    connection.session = connection.session or connection.info.backend_pid
    return connection


class Statements(ABC):
    """Statements that need no transaction: each on a connection that it takes for itself, as `Connection`'s."""

    @abstractmethod
    def connection(self) -> AbstractAsyncContextManager[Connection]: ...

    async def rows(self, made: BaseRowFactory[T], query: Query, values: Params | None = None) -> list[T]:
        async with self.connection() as connection:
            return await connection.rows(made, query, values)

    async def row(self, made: BaseRowFactory[T], query: Query, values: Params | None = None) -> T | None:
        async with self.connection() as connection:
            return await connection.row(made, query, values)

    async def only(self, made: BaseRowFactory[T], query: Query, values: Params | None = None) -> T:
        async with self.connection() as connection:
            return await connection.only(made, query, values)

    async def value(self, query: Query, values: Params | None = None) -> Any:
        async with self.connection() as connection:
            return await connection.value(query, values)

    async def execute(self, query: Query, values: Params | None = None) -> int:
        """How many rows were changed."""
        async with self.connection() as connection:
            return (await connection.execute(query, values)).rowcount


class Pool(Statements):
    """At most `size` connections that `open_` makes, in autocommit, kept while idle. Nothing is opened beforehand.

    `patience`: seconds to wait for one that is in use; None waits as long as it takes.
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
        self._slots = asyncio.Semaphore(size)
        self._idle: list[tuple[float, Connection]] = []
        self._closed = False
        self._lost_at = 0.0
        self._lost_why = ""
        self.inquiry = Inquiry(self._ask)
        self.abandoned: set[int] = set()
        """Sessions that the server perhaps still has: it is told to end them, for they may hold locks."""

    async def open(self) -> Self:
        """NotConnected if there is no server now."""
        async with self.connection():
            return self

    @contextlib.asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """NotConnected, also to those who waited while the server was found to be out of reach."""
        since = time.monotonic()
        try:
            async with asyncio.timeout(self._patience):
                await self._slots.acquire()
        except TimeoutError:
            raise NotConnected("all connections are in use") from None
        try:
            if self._lost_at > since:
                raise NotConnected(self._lost_why)
            connection = await self._take()
            try:
                yield connection
            finally:
                await self._give_back(connection)
        finally:
            self._slots.release()

    async def connect(self, open_: Callable[[], Awaitable[Connection]]) -> Connection:
        """A connection beside those that are kept, to the same server. NotConnected."""
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
            if time.monotonic() - since < IDLE_SECONDS and _is_quiet(connection):
                return connection
            await connection.close()
        return await self.connect(self._open)

    async def _give_back(self, connection: Connection) -> None:
        if self._closed or connection.info.transaction_status != TransactionStatus.IDLE:
            await connection.close()
        else:
            self._idle.append((time.monotonic(), connection))

    async def _ask(self) -> Container[int] | None:
        try:
            connection = await dial(self._deadlines, self._open)
        except NotConnected as error:
            if error.answered:
                return None
            await self._lose(str(error))
            return ()
        try:
            async with asyncio.timeout(self._deadlines.connect):
                return set(await connection.rows(scalar_row, _AT_WORK))
        except (psycopg.Error, OSError, TimeoutError):
            await self._lose("the server does not answer")
            return ()
        finally:
            await connection.close()

    async def _lose(self, why: str) -> None:
        """The server is out of reach: idle connections are of no more use, and those who wait are told."""
        self._lost_at, self._lost_why = time.monotonic(), why
        await self._drop_idle()

    async def _drop_idle(self) -> None:
        while self._idle:
            await self._idle.pop()[1].close()

    async def _end_abandoned(self, connection: Connection) -> None:
        sessions = list(self.abandoned)
        with contextlib.suppress(psycopg.Error):  # whoever uses the connection next is told of a loss
            await connection.execute(_END, (sessions,))
            self.abandoned.difference_update(sessions)


def _is_quiet(connection: Connection) -> bool:
    """True if the server has said nothing since: an idle connection only ever says that it is closed.

    Looking at the socket costs microseconds, a round trip would cost as much as the work itself.
    """
    if connection.closed:
        return False
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN | select.POLLHUP)
    return not poll.poll(0)
