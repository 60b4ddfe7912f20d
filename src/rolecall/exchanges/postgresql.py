"""PostgreSQL connections on which every wait is bounded, and a pool of them.

Why not `psycopg_pool`: it connects in the background, reports a stopped server as a timeout without a cause, and backs
off between attempts. Here a call fails at once, with the cause, and the next call tries again.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Container
from contextlib import AbstractAsyncContextManager
from functools import cached_property
from typing import Any, Self, TypeVar

import psycopg
from psycopg import AsyncConnection, waiting
from psycopg.abc import Params, PQGen
from psycopg.abc import QueryNoTemplate as Query
from psycopg.pq import TransactionStatus
from psycopg.pq.abc import PGresult
from psycopg.rows import BaseRowFactory, scalar_row, tuple_row

from rolecall.exchanges import DEFAULTS, Deadlines, Inquiry, Watch
from rolecall.exchanges.prepared import Prepared
from rolecall.exchanges.wire import Wire

IDLE_SECONDS = 300.0
"""How long an idle connection stays usable."""

_CHECK = 0.1
"""Seconds between two wake-ups of the driver while it waits."""

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
    """There is no connection. `answered`: the server itself refused it."""

    def __init__(self, note: str, *, answered: bool = False) -> None:
        super().__init__(note)
        self.answered = answered


class Connection(AsyncConnection[Row]):
    """A connection that is closed when an answer does not come in time, or its caller is cancelled.

    To be opened without a `prepare_threshold`: the driver deallocates all statements after some rollbacks, once it has
    prepared any, and so those of `prepared`.

    The driver itself would ask the server to cancel the statement, and wait for the answer. It would also register the
    socket with the loop, and a timer, for each wait: here the socket stays registered.
    """

    pool: Pool | None = None
    """Where to ask whether the session is active; without it, only the deadline counts."""
    session = 0
    """The number of the server's process; the driver's own may be a pooler's."""
    _wire: Wire | None = None
    """None before the first wait, and once the connection is closed."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.watch = Watch(DEFAULTS, self._is_at_work)

    @property
    def is_quiet(self) -> bool:
        """Whether the server has sent nothing since: what it sends on an idle connection is that it closes it.

        Polling the socket takes microseconds; a round trip would take as long as the statement itself.
        """
        return not self.closed and self._wire is not None and not self._wire.is_readable

    async def rows(self, made: BaseRowFactory[T], query: Query, values: Params | None = None) -> list[T]:
        """Every row of one statement, as `made` makes them. With values it is prepared."""
        if values is None:
            cursor = self.cursor(row_factory=made)
            await cursor.execute(query)
            return await cursor.fetchall()
        (result,) = await self.results((query, values))
        return self.prepared.rows(result, made)

    async def row(self, made: BaseRowFactory[T], query: Query, values: Params | None = None) -> T | None:
        """The first row, if there is any."""
        if values is None:
            cursor = self.cursor(row_factory=made)
            await cursor.execute(query)
            return await cursor.fetchone()
        (result,) = await self.results((query, values))
        return self.prepared.row(result, made)

    async def only(self, made: BaseRowFactory[T], query: Query, values: Params | None = None) -> T:
        """The row of a statement that always has one, as an aggregate. LookupError."""
        if (row := await self.row(made, query, values)) is None:
            raise LookupError("the statement has no row")
        return row

    async def value(self, query: Query, values: Params | None = None) -> Any:
        """The first column of the first row; None without one."""
        return await self.row(scalar_row, query, values)

    async def results(self, *statements: tuple[Query, Params]) -> list[PGresult]:
        """The results of statements that are sent together (`Prepared.exchange`)."""
        try:
            return await self.wait(self.prepared.exchange(statements))
        except psycopg.errors.InvalidSqlStatementName:  # deallocated behind our back: nothing was done
            self.prepared.forget()
            if self.pgconn.transaction_status != TransactionStatus.IDLE:
                raise
        return await self.wait(self.prepared.exchange(statements))

    async def last_row(self, script: bytes) -> Row | None:
        """The first row of the last of several statements in one message: in autocommit one transaction."""
        result = await self.wait(self.prepared.run(script))
        return self.prepared.row(result, tuple_row)

    @cached_property
    def prepared(self) -> Prepared:
        return Prepared(self)

    async def wait(self, gen: PQGen[RV], interval: float = _CHECK, timeout: float | None = None) -> RV:  # noqa: ASYNC109 - the driver's own signature
        """Drive one of the driver's generators to its end. Without a timeout the interval is not needed."""
        if timeout is not None:  # of a connection that listens
            return await waiting.wait_async(gen, self.pgconn.socket, interval=interval, timeout=timeout)
        try:
            wanted = next(gen)
            wire, loop = self._wire, asyncio.get_running_loop()
            if wire is None:
                wire = self._wire = Wire(self.pgconn.socket, loop)
            self.watch.begin(loop, wire.wake)
            while True:
                ready = await wire.ready(wanted)
                if self.watch.is_over:
                    self._abandon()
                    raise psycopg.OperationalError("the server did not answer in time")
                wanted = gen.send(ready)
        except StopIteration as ended:
            result: RV = ended.value
            return result
        except psycopg.Error:
            if self.closed:
                self._let_go()
            raise
        except OSError as error:
            raise psycopg.OperationalError("the connection has no socket") from error
        except asyncio.CancelledError:
            if self.pgconn.transaction_status == TransactionStatus.ACTIVE:
                self._abandon()
            raise
        finally:
            self.watch.end()

    async def close(self) -> None:
        self._let_go()
        await super().close()

    async def _is_at_work(self, since: float) -> bool:
        if self.pool is None or self.pgconn.transaction_status != TransactionStatus.ACTIVE:
            return True  # no statement is under way: it waits for notifications
        return await self.pool.inquiry.is_at_work(self.session, since)

    def _let_go(self) -> None:
        """Before the driver closes the socket."""
        self.watch.close()
        if self._wire is not None:
            self._wire.close()
            self._wire = None

    def _abandon(self) -> None:
        self._let_go()
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
    connection.watch.deadlines = deadlines
    connection.session = connection.session or connection.info.backend_pid
    return connection


class Statements(ABC):
    """The statements of `Connection`, each on a connection of its own: for what needs no transaction."""

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
            if values is None:
                return (await connection.execute(query)).rowcount
            (result,) = await connection.results((query, values))
            return result.command_tuples or 0


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
        self.abandoned: set[int] = set()
        """Sessions that the server may still have. The next connection terminates them: they may hold locks."""

    async def open(self) -> Self:
        """NotConnected if there is no server now."""
        async with self.connection():
            return self

    def connection(self) -> AbstractAsyncContextManager[Connection]:
        """NotConnected, also for callers that wait when the server is found to be out of reach."""
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
            if self._closed or connection.pgconn.transaction_status != TransactionStatus.IDLE:
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
            if time.monotonic() - since < IDLE_SECONDS and connection.is_quiet:
                return connection
            await connection.close()
        return await self.connect(self._open)

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
        """The server is out of reach: drop idle connections, and fail the callers that wait."""
        self._lost_at, self._lost_why = time.monotonic(), why
        await self._drop_idle()

    async def _drop_idle(self) -> None:
        while self._idle:
            await self._idle.pop()[1].close()

    async def _end_abandoned(self, connection: Connection) -> None:
        sessions = list(self.abandoned)
        with contextlib.suppress(psycopg.Error):  # the connection's next user gets the error
            await connection.execute(_END, (sessions,))
            self.abandoned.difference_update(sessions)


class _Lease:
    """A connection of a pool, for as long as it is entered."""

    __slots__ = ("_connection", "_pool")

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def __aenter__(self) -> Connection:
        self._connection = await self._pool.lease()
        return self._connection

    async def __aexit__(self, _kind: object, _error: object, _trace: object) -> None:
        await self._pool.give_back(self._connection)
