"""What the parts of the engine share: a server's address, connections and facts, and how work runs on it."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any, LiteralString, TypeVar

import psycopg
from psycopg import sql

from rolecall.domain.engine import EngineAddress, EngineFacts
from rolecall.domain.instances.examination import SOON, Expiries
from rolecall.domain.instances.store_place import StorePlace
from rolecall.domain.reasons import Reason, Refused
from rolecall.engines import names
from rolecall.engines.postgresql import errors, statements, tenancy
from rolecall.engines.postgresql.connections import Connection, Connections
from rolecall.engines.postgresql.obstacles import Obstacles

T = TypeVar("T")

ATTEMPTS = 6
FIRST_PAUSE = 0.01
"""Seconds; doubled for each attempt, with full jitter."""

MEMBERSHIP_OPTIONS_SINCE = 16
"""The first version with INHERIT and SET per membership, and where CREATEROLE is limited to roles created by it."""

MAINTAIN_SINCE = 17

DEFAULT_GROUP = "rolecall_super"

_FACTS = """
SELECT current_setting('server_version_num')::int, current_setting('server_version'), current_user::text,
       (SELECT rolsuper FROM pg_roles WHERE rolname = current_user),
       has_table_privilege('pg_catalog.pg_authid', 'SELECT')
"""

_EXPIRIES = f"""
SELECT count(*) FILTER (WHERE rolvaliduntil <= now()), count(*) FILTER (WHERE rolvaliduntil > now())
FROM pg_roles WHERE rolcanlogin AND rolvaliduntil <= now() + interval '{SOON} days'
"""

_IS_OPEN = "SELECT datallowconn FROM pg_database WHERE datname = %s::text AND NOT datistemplate"

_SYSTEM = "SELECT system_identifier FROM pg_control_system()"


class Server:
    """One registered PostgreSQL server."""

    def __init__(
        self,
        address: EngineAddress,
        connections: Connections,
        *,
        super_min_version: int,
        store: StorePlace | None = None,
        lock_secret: bytes = b"",
    ) -> None:
        self.lock_secret = lock_secret
        self._obstacles = Obstacles(connections)
        self.address = address
        self.connections = connections
        self.super_min_version = super_min_version
        self.heir = address.options.get("heir_role", "rolecall_heir")
        self.group_is_ready = False
        """Whether the role of super accounts is known to exist and be in order (`group`)."""
        self._facts: EngineFacts | None = None
        self._store = store
        self._holds_store = store is not None
        self._wanted_group = address.options.get("super_role", DEFAULT_GROUP)

    @property
    def group(self) -> str:
        """The super accounts' role. The prefix ``pg_`` is reserved; only a superuser can create such a role."""
        if self._wanted_group.startswith("pg_") and self._facts is not None and not self._facts.is_superuser:
            return DEFAULT_GROUP
        return self._wanted_group

    @property
    def values(self) -> dict[str, object]:
        """The placeholders of `tenancy`, and of the queries around it."""
        store = self._store if self._holds_store else None
        return {
            "group": self.group,
            "heir": self.heir,
            "harmless": list(tenancy.HARMLESS),
            "first_normal": tenancy.FIRST_NORMAL_OID,
            "maintenance": self.connections.maintenance,
            "store": None if store is None else store.database,
            "store_users": [] if store is None else list(store.users),
            "marker": statements.MARKER_LIKE,
            "marker_length": statements.MARKER_LENGTH,
        }

    def lock(self, kind: str, name: str = "") -> sql.Composed:
        """`statements.lock` with this server's secret."""
        return statements.lock(kind, name, self.lock_secret)

    @contextlib.asynccontextmanager
    async def in_database(self, connection: Connection, database: str) -> AsyncIterator[Connection]:
        """A connection to a database: `connection` itself for the maintenance database, and for "" (shared objects).

        DATABASE_MISSING.
        """
        if database in {"", self.connections.maintenance}:
            yield connection
            return
        is_open = await rows(connection, _IS_OPEN, (database,)) if names.fits(database) else []
        if not is_open:
            raise Refused(Reason.DATABASE_MISSING, facts={"value": database})
        async with self.connections.to(database) as there:
            yield there

    async def known(self, connection: Connection) -> EngineFacts:
        """The facts, read once."""
        return self._facts or await self._look(connection)

    async def facts(self) -> EngineFacts:
        return await self.run(self._look)

    async def expiries(self) -> Expiries:
        """Of every role that can log in."""

        async def count(connection: Connection) -> Expiries:
            return Expiries(*await only_row(connection, _EXPIRIES))

        return await self.run(count)

    async def _look(self, connection: Connection) -> EngineFacts:
        number, text, user, is_superuser, can_read = await only_row(connection, _FACTS)
        self._facts = EngineFacts(
            version=(number // 10000, number % 10000),
            version_text=text,
            administrator=user,
            is_superuser=is_superuser,
            can_read_verifiers=can_read,
            verifier_write=self.connections.verifier_writes.way(connection),
            catalog_withheld=self.connections.verifier_writes.withheld(connection),
        )
        self._holds_store = self._store is not None and await self._is_of_store(connection, self._store)
        return self._facts

    async def _is_of_store(self, connection: Connection, store: StorePlace) -> bool:
        """Whether this may be the store's server: unless both identifiers are known and differ."""
        try:
            (system,) = await only_row(connection, _SYSTEM)
        except psycopg.errors.InsufficientPrivilege:
            return True
        return store.system in {None, system}

    async def run(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Do `work` on a connection to the maintenance database, and again after a conflict of two writers.

        Each run of `work` is whole or absent. The driver's errors become refusals.
        """
        for attempt in range(ATTEMPTS):
            try:
                async with self.connections.lease() as connection, self._obstacles.cleared():
                    await self.known(connection)
                    return await work(connection)
            except psycopg.Error as error:
                first, last = attempt == 0, attempt + 1 == ATTEMPTS
                if last or not (errors.is_transient(error) or (first and self._is_stale(error))):
                    raise errors.refusal(error) from None
            await asyncio.sleep(random.uniform(0, FIRST_PAUSE * 2**attempt))  # noqa: S311 - jitter
        raise Refused(Reason.ENGINE_BUSY)

    def _is_stale(self, error: psycopg.Error) -> bool:
        """Whether the cause may be outdated knowledge: a restart has ended a kept connection, SQL has dropped the role
        of super accounts, or made the administrator less. Then another attempt is worthwhile.
        """
        if isinstance(error, psycopg.errors.InsufficientPrivilege):
            return self.connections.verifier_writes.distrust()
        if isinstance(error, psycopg.errors.UndefinedObject) and self.group_is_ready:
            self.group_is_ready = False
            return True
        return errors.is_going_away(error)


async def only_row(connection: Connection, query: LiteralString, **values: object) -> tuple[Any, ...]:
    """The row of a query that always has one."""
    row = await (await connection.execute(query, values or None)).fetchone()
    if row is None:
        raise Refused(Reason.ENGINE_REFUSED, note="a row was expected")
    return row


async def rows(
    connection: Connection, query: LiteralString, values: Mapping[str, object] | Sequence[object]
) -> list[tuple[Any, ...]]:
    return await (await connection.execute(query, values)).fetchall()
