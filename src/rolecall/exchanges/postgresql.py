"""PostgreSQL connections on which every wait is bounded."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from functools import cached_property
from typing import Any, TypeVar

import psycopg
from psycopg import AsyncConnection, waiting
from psycopg.abc import Params, PQGen
from psycopg.abc import QueryNoTemplate as Query
from psycopg.pq import TransactionStatus
from psycopg.pq.abc import PGresult
from psycopg.rows import BaseRowFactory, scalar_row, tuple_row

from rolecall.exchanges import DEFAULTS, Away, Deadlines, Watch
from rolecall.exchanges.prepared import Prepared
from rolecall.exchanges.sessions import UNREPLICATED, Keeper, Place, Places
from rolecall.exchanges.wire import Wire

_CHECK = 0.1
"""Seconds between two wake-ups of the driver while it waits."""

T = TypeVar("T")
RV = TypeVar("RV")
Row = tuple[Any, ...]


class NotConnected(psycopg.OperationalError, Away):
    """There is no connection. `answered`: the server itself refused it."""

    def __init__(self, note: str, *, answered: bool = False) -> None:
        super().__init__(note)
        self.answered = answered


class Lost(psycopg.OperationalError, Away):
    """The connection ended before the answer came: what was sent is done whole, or not at all."""


_ENDED = frozenset({"57P01", "57P02", "57P03"})
"""SQLSTATEs with which a server that stops ends its sessions: `admin_shutdown`, `crash_shutdown`,
`cannot_connect_now`."""


class Connection(AsyncConnection[Row]):
    """A connection that is closed when an answer does not come in time, or its caller is cancelled.

    To be opened without a `prepare_threshold`: the driver deallocates all statements after some rollbacks, once it has
    prepared any, and so those of `prepared`.

    The driver itself would ask the server to cancel the statement, and wait for the answer. It would also register the
    socket with the loop, and a timer, for each wait: here the socket stays registered.
    """

    pool: Keeper | None = None
    """Where to ask whether the session is active; without it, only the deadline counts."""
    session = 0
    """The number of the server's process; the driver's own may be a pooler's."""
    place: Place = (0, 0)
    """Where the session is."""
    places: Places | None = None
    """Where sessions should be; None: anywhere."""
    is_refused = False
    """The server takes no writes: it is, or has become, a standby."""
    _wire: Wire | None = None
    """None before the first wait, and once the connection is closed."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.watch = Watch(DEFAULTS, self._is_at_work)
        self._is_unreplicated = False
        self.add_notice_handler(self._note)

    @property
    def is_current(self) -> bool:
        """Whether no later server than this one is known: a former primary may still answer, from stale data."""
        return self.places is None or self.places.newest == self.place

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
            if self._is_unreplicated:
                self._abandon()
                raise psycopg.OperationalError("a commit did not wait for its standby") from None
            result: RV = ended.value
            return result
        except psycopg.Error as error:
            self.is_refused |= isinstance(error, psycopg.errors.ReadOnlySqlTransaction)
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

    def away(self, error: BaseException | None) -> NotConnected | Lost | None:
        """What to raise instead of an error that says that there is no server to write to any more, if it is such.

        Not every OperationalError is: the driver raises it without a SQLSTATE for its own refusals, too.
        """
        if isinstance(error, psycopg.errors.ReadOnlySqlTransaction):
            return NotConnected("the server takes no writes", answered=True)
        if not isinstance(error, psycopg.OperationalError) or isinstance(error, Away):
            return None
        if error.sqlstate in _ENDED or (error.sqlstate is None and self.closed):
            return Lost(str(error).partition("\n")[0] or type(error).__name__)
        return None

    async def close(self) -> None:
        self._let_go()
        await super().close()

    def _note(self, notice: psycopg.errors.Diagnostic) -> None:
        """A commit whose wait for its standby was cancelled is reported as done, with a warning."""
        self._is_unreplicated |= notice.source_function == UNREPLICATED

    async def _is_at_work(self, since: float) -> bool:
        if self.pool is None or self.pgconn.transaction_status != TransactionStatus.ACTIVE:
            return True  # no statement is under way: it waits for notifications
        return await self.pool.inquiry.is_at_work((self.place, self.session), since)

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
            self.pool.abandoned.add((self.place, self.session))


async def dial(deadlines: Deadlines, open_: Callable[[], Awaitable[Connection]]) -> Connection:
    """A connection, within its deadline. NotConnected."""
    try:
        async with asyncio.timeout(deadlines.connect):
            connection = await open_()
    except TimeoutError:
        raise NotConnected(f"no connection within {deadlines.connect:g} seconds") from None
    except NotConnected:
        raise
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
