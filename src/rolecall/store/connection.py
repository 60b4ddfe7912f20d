"""Connections to the store.

Two pools: `durable` waits for the disk at every commit; `quick` does not (`synchronous_commit=off`): a crash of
the *store's server* may lose its last moments, never its consistency. Only what recovery can read from the engines
again goes through `quick`. Where the server has a synchronous standby, `durable` waits for that too, and `quick` does
not: the same holds for a failover.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from psycopg import InterfaceError, OperationalError, errors
from psycopg.rows import tuple_row

from rolecall.domain.instances.store_place import StorePlace
from rolecall.exchanges import Deadlines
from rolecall.exchanges.pools import Pool as Pool
from rolecall.exchanges.postgresql import Connection as Connection
from rolecall.exchanges.postgresql import Statements as Statements
from rolecall.store.primary import NOTHING, Primary
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


def make_pool(primary: Primary, *, size: int, durable: bool, deadlines: Deadlines) -> Pool:
    settings = {
        "search_path": SCHEMA,
        "TimeZone": "UTC",
        "lock_timeout": _LOCK_TIMEOUT,
        "statement_timeout": f"{round((deadlines.statement + _GRACE) * 1000)}",
        "synchronous_commit": "on" if durable else "off",
    }
    return Pool(partial(primary.connect, settings), size=size, deadlines=deadlines, patience=_PATIENCE)


async def connect(dsn: Secret, settings: Mapping[str, str] = NOTHING) -> Connection:
    """A connection to the primary, beside any pool. NotConnected, psycopg.Error."""
    return await Primary(dsn).connect(settings)


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
