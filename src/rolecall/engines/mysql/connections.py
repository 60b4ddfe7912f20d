"""Connections to one server: how they are opened, secured, kept and released.

A `Session` is one connection, and knows whether it has written anything, which decides what a lost connection means.
Kept connections carry no state between leases but their settings; releasing one releases its locks.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import os
import ssl
import time
from collections.abc import AsyncIterator, Container, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from asyncmy.cursors import Cursor
from asyncmy.errors import MySQLError

from rolecall import spans
from rolecall.domain.engine import EngineAddress
from rolecall.domain.instances.channels import is_loopback, socket_directory
from rolecall.domain.reasons import Reason, Refused
from rolecall.engines.mysql import errors
from rolecall.engines.mysql.flavors import MARIADB, MYSQL, Flavor
from rolecall.engines.mysql.login import GuardedConnection
from rolecall.engines.mysql.tls import TlsContexts, mode_of
from rolecall.exchanges import Deadlines, Inquiry, Watch
from rolecall.exchanges.traced import kind_of

IDLE_SECONDS = 300.0
FRESH_SECONDS = 2.0
LOCK_SECONDS = 10

# Keeps hashes out of the general log; needs a privilege that an administrator may lack.
_SILENCE = "SET SESSION sql_log_off = 1"

_AT_WORK = "SELECT ID FROM information_schema.PROCESSLIST WHERE COMMAND <> 'Sleep'"
_THERE = (
    "SELECT ID FROM information_schema.PROCESSLIST"
    " WHERE ID IN ({numbers}) AND USER = SUBSTRING_INDEX(CURRENT_USER(), '@', 1)"
)

_SYSTEM = {"db.system.name": "mysql"}
"""Of spans, for MariaDB too: it is the protocol that is known."""

Row = tuple[Any, ...]


class _QuietCursor(Cursor):
    """Does not fetch warnings: they cost a round trip each, and the driver logs them."""

    async def _show_warnings(self, conn: Any) -> None:
        """Does nothing."""


class Session:
    """One connection. ``fetch`` is for statements that only read or lock, ``execute`` for all others."""

    def __init__(self, raw: Any, deadlines: Deadlines, inquiry: Inquiry | None = None) -> None:
        self._raw = raw
        self._inquiry = inquiry
        self._watch = Watch(deadlines, None if inquiry is None else self._is_at_work)
        self.number: int = raw.thread_id()
        self.version = str(raw.get_server_info())
        """The server's version, as of its greeting."""
        self._wrote = False
        self._usable = True
        self.since = time.monotonic()
        self.is_new = True
        self.holds_locks = False
        self.strictness: tuple[Row, str] | None = None
        """The cache of `Server.refuses_verifiers`: the row it depends on, and the result."""
        self.is_abandoned = False
        """Closed without the server's knowledge: the session perhaps goes on there, and holds locks."""

    async def fetch(self, *statements: str) -> list[Row]:
        """The rows of the last of some statements; see `fetch_all`."""
        return (await self.fetch_all(*statements))[-1]

    async def fetch_all(self, *statements: str) -> list[list[Row]]:
        """The rows of each statement, sent in one round trip. The first that fails ends them: `errors.StepError`."""
        return await self._run(statements)

    async def execute(self, *statements: str) -> list[list[Row]]:
        """The same for statements that change something, perhaps with others that read the result."""
        self._wrote = True
        return await self._run(statements)

    @property
    def has_written(self) -> bool:
        """Whether a statement that may have changed the server was sent since the lease began."""
        return self._wrote

    @property
    def is_usable(self) -> bool:
        """The driver notices when an idle connection ends, but reports it only to the next statement."""
        return self._usable and bool(self._raw.connected) and not self._raw._stream_broken

    @property
    def is_fresh(self) -> bool:
        """Whether it was opened or used a moment ago: an idle connection may be cut without notice."""
        return self.is_new or time.monotonic() - self.since < FRESH_SECONDS

    def begin(self) -> None:
        """A lease begins."""
        self._wrote = False

    async def close(self) -> None:
        with contextlib.suppress(MySQLError, OSError, TimeoutError):
            if self.is_usable:
                async with asyncio.timeout(1):
                    await self._raw.ensure_closed()
        self.drop()

    def drop(self) -> None:
        """Close without COM_QUIT; the server releases the session's locks when it notices."""
        self._usable = False
        self._watch.close()
        self._raw.close()

    async def _run(self, statements: Sequence[str]) -> list[list[Row]]:
        if spans.tracer is None:
            return await self._sent(statements)
        with spans.span(f"server {(kind := kind_of(statements[0]))}", {**_SYSTEM, "db.query.summary": kind}):
            return await self._sent(statements)

    async def _sent(self, statements: Sequence[str]) -> list[list[Row]]:
        """A statement without an answer leaves the connection out of step, so it is closed."""
        answers: list[list[Row]] = []
        try:
            async with self._watch.exchange(), self._raw.cursor(_QuietCursor) as cursor:
                await cursor.execute(";\n".join(statements))
                answers.append(await _rows(cursor))
                while await cursor.nextset():
                    answers.append(await _rows(cursor))
                return answers
        except MySQLError as error:
            if errors.is_lost(error):
                self.drop()
                raise errors.Lost from None
            raise errors.StepError(await self._cause(error), len(answers)) from None
        except (OSError, TimeoutError):
            self._abandon()
            raise errors.Lost from None
        except BaseException:
            self._abandon()
            raise

    async def _cause(self, error: MySQLError) -> MySQLError:
        """MariaDB reports no more of an ALTER USER than that it failed; an error before that one says why."""
        if errors.number(error) != errors.CANNOT_USER:
            return error
        try:
            async with self._watch.exchange(), self._raw.cursor(_QuietCursor) as cursor:
                await cursor.execute("SHOW ERRORS")
                found = [MySQLError(*row[1:]) for row in await _rows(cursor)]
        except (MySQLError, OSError, TimeoutError):
            self._abandon()
            return error
        except BaseException:
            self._abandon()
            raise
        return next((cause for cause in found if errors.number(cause) == errors.PREVENTED), error)

    async def _is_at_work(self, since: float) -> bool:
        return self._inquiry is None or await self._inquiry.is_at_work(self.number, since)

    def _abandon(self) -> None:
        self.is_abandoned = True
        self.drop()


async def _rows(cursor: Any) -> list[Row]:
    return list(await cursor.fetchall()) if cursor.description else []


class Connections:
    """The connections to one server, each opened at first use."""

    def __init__(self, address: EngineAddress, *, flavor: Flavor, size: int, deadlines: Deadlines) -> None:
        self._address = address
        self._flavor = flavor
        # The server itself ends a statement that takes too long. This limit is for a server that does not answer.
        self._deadlines = replace(deadlines, statement=deadlines.statement + deadlines.silence)
        self._limit = deadlines.statement
        self._slots = asyncio.Semaphore(size)
        self._idle: list[Session] = []
        self._closed = False
        self._inquiry = Inquiry(self._ask)
        self._abandoned: set[int] = set()
        self._lost_at = 0.0
        self._tls = TlsContexts(address)

    @contextlib.asynccontextmanager
    async def lease(self) -> AsyncIterator[Session]:
        """A session in autocommit, without locks."""
        since = time.monotonic()
        async with self._slots:
            self.require_reachable(since)
            session = await self._take()
            session.begin()
            try:
                yield session
            finally:
                await self._give_back(session)

    def require_reachable(self, since: float) -> None:
        """ENGINE_UNREACHABLE if the server was unreachable after that time of the monotonic clock, so that callers that
        waited meanwhile do not all try in turn.
        """
        if self._lost_at > since:
            raise Refused(Reason.ENGINE_UNREACHABLE, note="the server was out of reach a moment ago")

    async def close(self) -> None:
        self._closed = True
        await self._inquiry.close()
        while self._idle:
            await self._idle.pop().close()

    def forget_idle(self) -> None:
        """Close them: what ended one connection has perhaps ended the others."""
        while self._idle:
            self._idle.pop().drop()

    async def _take(self) -> Session:
        while self._idle:
            session = self._idle.pop()
            if session.is_usable and time.monotonic() - session.since < IDLE_SECONDS:
                session.is_new = False
                return session
            await session.close()
        return await self._connect()

    async def _give_back(self, session: Session) -> None:
        if session.is_abandoned:
            self._abandoned.add(session.number)
        if self._closed or not session.is_usable:
            await session.close()
        else:
            session.since = time.monotonic()
            self._idle.append(session)

    async def _connect(self) -> Session:
        return await self._ready(self._inquiry)

    async def _ready(self, inquiry: Inquiry | None = None) -> Session:
        """A session with its settings, within the deadline."""
        raw = None
        try:
            async with asyncio.timeout(self._deadlines.connect):
                raw = await self._open()
                session = Session(raw, self._deadlines, inquiry)
                await self._guard(session)
                await self._end_abandoned(session)
        # The driver raises a bare RuntimeError or EOFError if the server closes the connection.
        except (MySQLError, OSError, TimeoutError, EOFError, RuntimeError, errors.Lost) as error:
            if raw is not None:
                raw.close()
            if not errors.is_answer(error):
                self._lose()
            raise errors.at_connect(error) from None
        return session

    async def _ask(self) -> Container[int] | None:
        """The numbers of the busy sessions; None if the server answers without them."""
        before = self._lost_at
        try:
            session = await self._ready()
        except Refused:
            return None if self._lost_at == before else ()
        try:
            async with asyncio.timeout(self._deadlines.connect):
                found = await session.fetch(_AT_WORK)
        except (MySQLError, TimeoutError, errors.Lost):
            self._lose()
            return ()
        finally:
            session.drop()
        return {int(row[0]) for row in found}

    def _lose(self) -> None:
        self._lost_at = time.monotonic()
        self.forget_idle()

    async def _end_abandoned(self, session: Session) -> None:
        """End the sessions that were abandoned. A running server does not reuse numbers; after a restart it may."""
        if not self._abandoned:
            return
        numbers = sorted(self._abandoned)
        for (number,) in await session.fetch(_THERE.format(numbers=", ".join(map(str, numbers)))):
            with contextlib.suppress(MySQLError):
                await session.fetch(f"KILL CONNECTION {int(number)}")
        self._abandoned.difference_update(numbers)

    async def _open(self) -> Any:
        tls = await self._tls.context()
        try:
            raw = await self._dial(tls)
        except MySQLError as error:
            # The driver starts TLS even if the server has none, and takes the answer for a failed handshake.
            if mode_of(self._address) != "prefer" or not isinstance(error.__cause__, ssl.SSLError):
                raise
            raw = await self._dial(None)
        if tls is not None and not raw._secure and mode_of(self._address) != "prefer":
            raw.close()
            raise Refused(Reason.ENGINE_UNREACHABLE, note="the server offers no TLS")
        self._require_flavor(raw)
        return raw

    async def _dial(self, tls: ssl.SSLContext | None) -> Any:
        socket = _socket(self._address)
        raw = GuardedConnection(
            is_local=is_loopback(self._address.host),
            host=self._address.host,
            port=self._address.port,
            user=self._address.user,
            password=self._address.password.reveal().encode(),  # a text would be sent as Latin-1
            charset="utf8mb4",
            autocommit=True,
            connect_timeout=max(1, math.ceil(self._deadlines.connect)),
            program_name="rolecall",
            unix_socket=socket,
            ssl=None if socket else tls,
        )
        await raw.connect()
        return raw

    def _require_flavor(self, raw: Any) -> None:
        """Hashes are computed before the first connection, so an instance is registered with its flavor."""
        found = MARIADB if MARIADB.name in str(raw.get_server_info()).lower() else MYSQL
        if found is not self._flavor:
            raw.close()
            note = f"the server is of flavor {found.name}, the instance is registered as {self._flavor.name}"
            raise Refused(Reason.ENGINE_REFUSED, note=note)

    async def _guard(self, session: Session) -> None:
        for statement in guards(self._flavor, self._limit):
            await session.fetch(statement)
        with contextlib.suppress(MySQLError):
            await session.fetch(_SILENCE)


def _socket(address: EngineAddress) -> str | None:
    """None if there is no socket for its port that this process may use."""
    directory = socket_directory(address.host, address.options)
    socket = Path(directory, f".s.MYSQL.{address.port}")
    return str(socket) if directory and os.access(socket, os.W_OK) else None


def guards(flavor: Flavor, statement_timeout: float) -> tuple[str, ...]:
    """The first statements of each session; they override the server's defaults."""
    settings = {
        "autocommit": "1",
        "lock_wait_timeout": str(LOCK_SECONDS),
        "innodb_lock_wait_timeout": str(LOCK_SECONDS),
        **flavor.settings(statement_timeout),
    }
    assignments = ", ".join(f"SESSION {name} = {value}" for name, value in settings.items())
    return "SET NAMES utf8mb4 COLLATE utf8mb4_bin", f"SET {assignments}"
