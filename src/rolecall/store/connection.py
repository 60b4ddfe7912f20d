"""Connections to the store.

Two pools: `durable` waits for the disk at every commit; `quick` does not (`synchronous_commit=off`): a crash of
the *store's server* may lose its last moments, never its consistency. Only what recovery can read from the engines
again goes through `quick`.
"""

from __future__ import annotations

from functools import partial

from psycopg import InterfaceError, OperationalError, errors
from psycopg.conninfo import make_conninfo
from psycopg.rows import tuple_row

from rolecall.domain.instances.store_place import StorePlace
from rolecall.exchanges import Deadlines
from rolecall.exchanges.postgresql import Connection as Connection
from rolecall.exchanges.postgresql import Pool as Pool
from rolecall.exchanges.postgresql import Statements as Statements
from rolecall.values import Secret

SCHEMA = "rolecall"
_LOCK_TIMEOUT = "3s"
"""How long a statement waits for a row that another transaction holds, before it fails."""

_GRACE = 5.0
"""Seconds beyond the caller's deadline, after which the server itself cancels a statement: no caller waits for it."""

_PATIENCE = 10.0
"""Seconds to wait for one of the pool's connections, all of which are in use."""

LOST = (OperationalError, InterfaceError, errors.InsufficientPrivilege)
"""Raised when the store's server is out of reach, refuses us, or ends the connection."""


def make_pool(dsn: Secret, *, size: int, durable: bool, deadlines: Deadlines) -> Pool:
    options = (
        f"-c search_path={SCHEMA} -c timezone=UTC -c application_name=rolecall-store"
        f" -c lock_timeout={_LOCK_TIMEOUT} -c statement_timeout={round((deadlines.statement + _GRACE) * 1000)}"
    )
    if not durable:
        options += " -c synchronous_commit=off"
    return Pool(partial(connect, dsn, options), size=size, deadlines=deadlines, patience=_PATIENCE)


async def connect(dsn: Secret, options: str = "") -> Connection:
    """A connection in autocommit. It may lead through a pooler, so the server is asked for its process's number.

    The driver prepares nothing: where it does, it deallocates everything after a rollback, also of `Prepared`.
    """
    conninfo = make_conninfo(dsn.reveal(), options=options or None)
    connection = await Connection.connect(conninfo, autocommit=True, prepare_threshold=None)
    try:
        connection.session = await connection.value("select pg_backend_pid()")
    except BaseException:
        await connection.close()
        raise
    return connection


async def place(pool: Pool) -> StorePlace:
    """Where the store is. The identifier is None where the role may not ask for it."""
    async with pool.connection() as connection:
        database, user, owner = await connection.only(
            tuple_row,
            "select current_database(), current_user::text, nspowner::regrole::text from pg_namespace"
            " where nspname = 'rolecall'",
        )
        try:
            system = await connection.value("select system_identifier from pg_control_system()")
        except errors.InsufficientPrivilege:
            system = None
    return StorePlace(system, database, (user, owner))
