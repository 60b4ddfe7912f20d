"""Connections to the store, and its schema.

Two pools: `durable` waits for the disk at every commit; `quick` does not (`synchronous_commit=off`): a crash of
the *store's server* may lose its last moments, never its consistency. Only what recovery writes anew from the
engines goes through `quick`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from importlib import resources
from typing import LiteralString

from psycopg import AsyncConnection, InterfaceError, OperationalError, errors, sql
from psycopg.conninfo import make_conninfo

from rolecall.domain.engine import StorePlace
from rolecall.exchanges import DEFAULTS, Deadlines
from rolecall.exchanges.postgresql import Connection as Connection
from rolecall.exchanges.postgresql import Pool as Pool
from rolecall.exchanges.postgresql import Row as Row
from rolecall.exchanges.postgresql import dial
from rolecall.values import Secret

_SCHEMA = "rolecall"
_MIGRATION_LOCK = 0x726F6C6563616C6C  # "rolecall"
_LOCK_TIMEOUT = "3s"
"""How long a statement waits for a row that another transaction holds, before it fails."""

_PATIENCE = 10.0
"""Seconds to wait for one of the pool's connections, all of which are in use."""

_MIGRATION = 600.0
"""Seconds that a statement of a migration, or waiting for another process to migrate, may take."""

LOST = (OperationalError, InterfaceError, errors.InsufficientPrivilege)
"""What is raised when the store's server is out of reach, turns us away, or goes away meanwhile."""


@dataclass(frozen=True, slots=True)
class Migration:
    number: int
    name: str
    text: str

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()


class SchemaMismatch(Exception):
    """The store's schema was made by another, incompatible release."""


def migrations() -> Iterator[Migration]:
    """Every migration, in order: files named ``0001_name.sql``."""
    folder = resources.files("rolecall.store") / "migrations"
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.name.endswith(".sql"):
            yield Migration(int(entry.name[:4]), entry.name, entry.read_text("utf-8"))


def make_pool(dsn: Secret, *, size: int, durable: bool, deadlines: Deadlines) -> Pool:
    options = (
        f"-c search_path={_SCHEMA} -c timezone=UTC -c application_name=rolecall-store"
        f" -c lock_timeout={_LOCK_TIMEOUT}"
    )
    if not durable:
        options += " -c synchronous_commit=off"
    return Pool(partial(connect, dsn, options), size=size, deadlines=deadlines, patience=_PATIENCE)


async def connect(dsn: Secret, options: str = "") -> Connection:
    """A connection in autocommit. It may lead through a pooler, so the server tells its process's number itself."""
    conninfo = make_conninfo(dsn.reveal(), options=options or None)
    connection = await Connection.connect(conninfo, autocommit=True)
    row = await (await connection.execute("select pg_backend_pid()")).fetchone()
    connection.session = row[0] if row else 0
    return connection


async def place(pool: Pool) -> StorePlace:
    """Where the store is. The identifier is None where the role may not ask for it."""
    async with pool.connection() as connection:
        database, user = await _only(connection, "select current_database(), current_user::text")
        try:
            (system,) = await _only(connection, "select system_identifier from pg_control_system()")
        except errors.InsufficientPrivilege:
            system = None
    return StorePlace(system, database, user)


async def _only(connection: AsyncConnection[Row], query: LiteralString) -> Row:
    row = await (await connection.execute(query)).fetchone()
    assert row is not None  # noqa: S101 - such a query has one row
    return row


async def migrate(dsn: Secret, deadlines: Deadlines = DEFAULTS) -> list[str]:
    """Bring the schema up to date, in one transaction under a lock; returns the migrations that ran."""
    patient = replace(deadlines, statement=_MIGRATION)
    async with await dial(patient, partial(connect, dsn)) as connection, connection.transaction():
        await connection.execute("select pg_advisory_xact_lock(%s)", (_MIGRATION_LOCK,))
        await connection.execute(sql.SQL("create schema if not exists {}").format(sql.Identifier(_SCHEMA)))
        await connection.execute(sql.SQL("set local search_path to {}").format(sql.Identifier(_SCHEMA)))
        await connection.execute(
            "create table if not exists migrations (number int primary key, name text not null,"
            " digest text not null, applied_at timestamptz not null default now())"
        )
        applied: dict[int, str] = dict(
            await (await connection.execute("select number, digest from migrations")).fetchall()
        )
        return [await _apply(connection, one) for one in _outstanding(applied)]


def _outstanding(applied: dict[int, str]) -> list[Migration]:
    known = {migration.number: migration for migration in migrations()}
    for number, digest in applied.items():
        if number not in known:
            raise SchemaMismatch(f"the store was migrated by a newer release (migration {number})")
        if known[number].digest != digest:
            raise SchemaMismatch(f"migration {known[number].name} differs from the one the store ran")
    return [migration for number, migration in sorted(known.items()) if number not in applied]


async def _apply(connection: Connection, migration: Migration) -> str:
    await connection.execute(migration.text.encode())
    await connection.execute(
        "insert into migrations (number, name, digest) values (%s, %s, %s)",
        (migration.number, migration.name, migration.digest),
    )
    return migration.name
