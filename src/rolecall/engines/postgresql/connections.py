"""Connections to one server: how they are opened, secured, kept and released.

Those to the maintenance database are kept in a pool; one to any other database is closed after use.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from functools import partial
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from rolecall import spans
from rolecall.domain.engine import EngineAddress
from rolecall.domain.instances.channels import ENCRYPTED, socket_directory, sslmode, system_authorities
from rolecall.engines.postgresql import errors
from rolecall.engines.postgresql.verifiers import VerifierWrites
from rolecall.exchanges import Deadlines
from rolecall.exchanges.pools import Pool
from rolecall.exchanges.postgresql import Connection as Connection
from rolecall.exchanges.postgresql import NotConnected
from rolecall.exchanges.traced import TracedServerConnection

APPLICATION = "rolecall"
"""The application_name of Rolecall's sessions."""

LOCK_SECONDS = 10.0

_GUARDS = {
    # A tenant who owns a database may set defaults for it; what the client sends at start-up wins over those.
    "search_path": "pg_catalog,pg_temp",
    "role": "none",
    "standard_conforming_strings": "on",
    "quote_all_identifiers": "off",
    "default_transaction_read_only": "off",
    "default_transaction_deferrable": "off",
    "default_transaction_isolation": r"read\ committed",
    "synchronous_commit": "on",
    "client_min_messages": "warning",  # for `sessions.UNREPLICATED`
    "lock_timeout": f"{int(LOCK_SECONDS * 1000)}",
    "idle_in_transaction_session_timeout": "120000",
    "local_preload_libraries": "",
}

_GUARDS_SINCE = {
    140000: {"idle_session_timeout": "0"},
    170000: {"transaction_timeout": "0"},
}
"""More of them, by the first version that knows them. The very first connection has none of them: it is to the
maintenance database, which does not belong to a tenant."""

_SILENCE = {
    # Keep verifiers out of the logs: passwords can be guessed against them. These need a superuser.
    "log_statement": "none",
    "log_duration": "off",
    "log_min_duration_statement": "-1",
    "log_min_duration_sample": "-1",
    "log_transaction_sample_rate": "0",
    "log_min_error_statement": "panic",
    "auto_explain.log_min_duration": "-1",
    "pg_stat_statements.track_utility": "off",
    "track_activities": "off",
}


_TLS = ("sslmode", "sslrootcert", "sslcert", "sslkey", "channel_binding")
"""Options of an instance that go to libpq unchanged."""


class Connections:
    """The connections to one server, each opened at first use."""

    def __init__(self, address: EngineAddress, *, size: int, deadlines: Deadlines) -> None:
        self._address = address
        self._guards = {**_GUARDS, "statement_timeout": f"{int(deadlines.statement * 1000)}"}
        self._silent = True
        self._version = 0
        # The server itself ends a statement that takes too long. This limit is for a server that does not answer.
        patient = replace(deadlines, statement=deadlines.statement + deadlines.silence)
        self._pool = Pool(self._connect_kept, size=size, deadlines=patient)
        self.verifier_writes = VerifierWrites(address)

    @property
    def maintenance(self) -> str:
        return self._address.database

    def lease(self) -> AbstractAsyncContextManager[Connection]:
        """A connection to the maintenance database, in autocommit, outside any transaction."""
        return _Lease(self._pool)

    @contextlib.asynccontextmanager
    async def to(self, database: str) -> AsyncIterator[Connection]:
        """A connection to one database, closed afterwards and not from the pool."""
        with _reasons():
            connection = await self._pool.connect(partial(self._connect, database))
        try:
            yield connection
        finally:
            await connection.close()

    async def close(self) -> None:
        await self._pool.close()

    async def _connect_kept(self) -> Connection:
        connection = await self._connect(self.maintenance)
        await self.verifier_writes.settle(connection)
        return connection

    async def _connect(self, database: str) -> Connection:
        try:
            return await self._open(database)
        except psycopg.OperationalError as error:
            if not (self._silent and errors.is_parameter_refused(error)):
                raise
        self._silent = False
        return await self._open(database)

    async def _open(self, database: str) -> Connection:
        settings = {**self._guards, **(_SILENCE if self._silent else {})}
        for since, guards in _GUARDS_SINCE.items():
            settings |= guards if self._version >= since else {}
        kind = Connection if spans.tracer is None else TracedServerConnection
        connection = await kind.connect(
            make_conninfo("", **channel(self._address)),
            host=_socket_directory(self._address) or self._address.host,
            port=self._address.port,
            user=self._address.user,
            password=self._address.password.reveal(),
            dbname=database,
            application_name=APPLICATION,
            client_encoding="UTF8",
            options=" ".join(f"-c {name}={value}" for name, value in settings.items()),
            autocommit=True,
            prepare_threshold=None,
        )
        self._version = connection.info.server_version
        return connection


def _socket_directory(address: EngineAddress) -> str:
    """Empty if there is no socket for its port that this process may use."""
    directory = socket_directory(address.host, address.options)
    socket = Path(directory, f".s.PGSQL.{address.port}")
    return directory if directory and os.access(socket, os.W_OK) else ""


def channel(address: EngineAddress) -> dict[str, str]:
    """libpq's parameters for TLS and authentication.

    Only SCRAM, whatever the server asks for: a server that does not know the password learns nothing about it. Over
    TLS, SCRAM is bound to the server's certificate, so that it cannot be relayed.
    """
    mode = sslmode(address.host, address.options)
    words = {word: address.options[word] for word in _TLS if word in address.options}
    words["sslmode"] = mode
    if mode in ENCRYPTED:
        words.setdefault("channel_binding", "require")
    if mode == "verify-full":
        words.setdefault("sslrootcert", system_authorities())
    return words | {"require_auth": "scram-sha-256"}


class Rollback(Exception):
    """Ends a `transaction` without its changes, and is not raised out of it."""


@contextlib.asynccontextmanager
async def transaction(connection: Connection, opening: sql.Composable | None = None) -> AsyncIterator[None]:
    """BEGIN (with `opening` in the same round trip), then COMMIT, or ROLLBACK after an exception.

    A connection lost during COMMIT is `OutcomeUnknown`; before it, nothing has happened.
    """
    begin = sql.SQL("BEGIN")
    await connection.execute(begin if opening is None else sql.SQL("; ").join((begin, opening)))
    try:
        yield
    except BaseException as error:
        with contextlib.suppress(psycopg.Error):
            await connection.execute("ROLLBACK")
        if isinstance(error, Rollback):
            return
        raise
    await commit(connection)


async def commit(connection: Connection) -> None:
    try:
        await connection.execute("COMMIT")
    except psycopg.Error as error:
        raise errors.in_commit(error) from None


class _Lease:
    """A connection of a pool, as `Pool.connection`, and the reason for which there is none."""

    __slots__ = ("_connection", "_pool")

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def __aenter__(self) -> Connection:
        try:
            self._connection = await self._pool.lease()
        except NotConnected as error:
            raise errors.at_connect(error) from None
        return self._connection

    async def __aexit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        await self._pool.give_back(self._connection)
        if isinstance(error, NotConnected):
            raise errors.at_connect(error) from None


@contextlib.contextmanager
def _reasons() -> Iterator[None]:
    try:
        yield
    except NotConnected as error:
        raise errors.at_connect(error) from None
