"""The store's primary: the one of its hosts that takes writes.

The hosts of the address are tried in turn, each a moment after the one before it, and the first that takes writes is
used. A server that is paused accepts connections and does not answer, so one host is not waited for alone.

A former primary that was paused, or cut off, takes writes until it learns of its successor, and reads from it are
stale. So the timeline of each connection is read: no connection to an earlier one is made or used for a while.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo
from psycopg.rows import tuple_row

from rolecall import spans
from rolecall.exchanges.postgresql import Connection, NotConnected
from rolecall.exchanges.sessions import Place
from rolecall.exchanges.traced import TracedConnection
from rolecall.store.address import guarded, hosts_apart
from rolecall.values import Secret

APPLICATION = "rolecall-store"
"""The application_name of sessions with settings of their own."""

_STAGGER = 0.4
"""Seconds after which the next host is tried too. A connection takes some milliseconds."""

_MEMORY = 60.0
"""Seconds since the newest server was last heard of, in which none on an earlier timeline takes its place. Afterwards
it may: the store may have been moved to another cluster, or restored."""

_ALWAYS = {"client_min_messages": "warning"}
"""That a commit did not wait for its standby is a warning, which a role or a database may be set not to get."""

_PROCESS = sql.SQL("pg_backend_pid()")
_WHERE = sql.SQL(
    "(select system_identifier from pg_control_system()),"
    " ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::bigint"
)
_NOWHERE = sql.SQL("0::bigint, 0::bigint")

NOTHING: Mapping[str, str] = {}


class Primary:
    """Of one address. What it learns of the servers counts for all its connections."""

    def __init__(self, dsn: Secret) -> None:
        self._addresses = hosts_apart(guarded(dsn))
        self._first = 0
        """The host that took writes last."""
        self.newest: Place = (0, 0)
        self._heard_at = -_MEMORY

    async def connect(self, settings: Mapping[str, str] = NOTHING) -> Connection:
        """A connection in autocommit, with these settings of its session. NotConnected, psycopg.Error.

        It may lead through a pooler: so the server is asked for its process's number, and settings are not sent as
        start-up options, which a pooler refuses or ignores.

        The driver prepares nothing: where it does, it deallocates everything after a rollback, also of `Prepared`.
        """
        number = len(self._addresses)
        if number == 1:
            return await self._open(0, settings)
        order = [(self._first + i) % number for i in range(number)]
        connection, self._first = await self._first_of(order, settings)
        return connection

    def heard_from(self, connection: Connection) -> None:
        """The connection's server has answered."""
        if connection.place == self.newest:
            self._heard_at = time.monotonic()

    async def _first_of(self, order: list[int], settings: Mapping[str, str]) -> tuple[Connection, int]:
        attempts: dict[asyncio.Task[Connection], int] = {}
        errors: list[psycopg.Error | OSError] = []
        left = iter(order)
        try:
            while True:
                if (host := next(left, None)) is not None:
                    attempts[asyncio.create_task(self._open(host, settings))] = host
                ended, under_way = await asyncio.wait(
                    [task for task in attempts if not task.done()],
                    timeout=None if host is None else _STAGGER,
                    return_when=asyncio.FIRST_COMPLETED,
                )
                for task in ended:
                    error = task.exception()
                    if error is None:
                        return task.result(), attempts.pop(task)
                    if not isinstance(error, psycopg.Error | OSError):
                        raise error
                    errors.append(error)
                if not under_way and len(attempts) == len(order):
                    raise _none_of(errors)
        finally:
            await _give_up(attempts)

    async def _open(self, host: int, settings: Mapping[str, str]) -> Connection:
        named = {"application_name": APPLICATION} if settings else {}
        conninfo = make_conninfo(self._addresses[host].reveal(), **named)
        kind = Connection if spans.tracer is None else TracedConnection
        try:
            connection = await kind.connect(conninfo, autocommit=True, prepare_threshold=None)
        except UnicodeError:  # of Python's look-up, for an empty or a long label
            raise psycopg.OperationalError("a host's name is not valid") from None
        try:
            connection.session, *place = await _introduced(connection, settings)
            self._require_newest((place[0], place[1]))
        except BaseException:
            await connection.close()
            raise
        connection.place, connection.places = (place[0], place[1]), self
        return connection

    def _require_newest(self, place: Place) -> None:
        """psycopg.OperationalError from a former primary."""
        now = time.monotonic()
        is_former = place[0] == self.newest[0] and place[1] < self.newest[1]
        if is_former and now - self._heard_at < _MEMORY:
            raise psycopg.OperationalError(f"a former primary, on timeline {place[1]}")
        self.newest, self._heard_at = place, now


async def _introduced(connection: Connection, settings: Mapping[str, str]) -> tuple[int, ...]:
    """The numbers of the server's process, of its cluster and its timeline, once the settings are made."""
    made = [
        sql.SQL("set_config({}, {}, false)").format(sql.Literal(name), sql.Literal(value))
        for name, value in (_ALWAYS | dict(settings)).items()
    ]
    try:
        row = await connection.only(tuple_row, _select(_PROCESS, _WHERE, *made))
    except (psycopg.ProgrammingError, psycopg.NotSupportedError, psycopg.errors.ObjectNotInPrerequisiteState):
        # The role may not ask, or the server has no log of its own or is a standby, which the address permits.
        row = await connection.only(tuple_row, _select(_PROCESS, _NOWHERE, *made))
    return row[:3]


def _select(*columns: sql.Composable) -> sql.Composed:
    return sql.SQL("select {}").format(sql.SQL(", ").join(columns))


def _none_of(errors: list[psycopg.Error | OSError]) -> NotConnected:
    """`answered` if every host has refused us itself: then no other one is the primary."""
    texts = [str(error).strip().partition("\n")[0] or type(error).__name__ for error in errors]
    return NotConnected("; ".join(texts), answered=all("FATAL" in str(error) for error in errors))


async def _give_up(attempts: Mapping[asyncio.Task[Connection], int]) -> None:
    for task in attempts:
        task.cancel()
    for found in await asyncio.gather(*attempts, return_exceptions=True):
        if isinstance(found, Connection):
            await found.close()
