"""Connections to the store, and its schema.

Two pools: `durable` waits for the disk at every commit; `quick` does not (`synchronous_commit=off`): a crash of
the *store's server* may lose its last moments, never its consistency. Only what recovery can read from the engines
again goes through `quick`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from importlib import resources

from psycopg import InterfaceError, OperationalError, errors, sql
from psycopg.conninfo import make_conninfo
from psycopg.rows import tuple_row

from rolecall.domain.instances.store_place import StorePlace
from rolecall.exchanges import DEFAULTS, Deadlines
from rolecall.exchanges.postgresql import Connection as Connection
from rolecall.exchanges.postgresql import Pool as Pool
from rolecall.exchanges.postgresql import Statements as Statements
from rolecall.exchanges.postgresql import dial
from rolecall.store.serving import permit
from rolecall.values import Secret

_SCHEMA = "rolecall"
_MIGRATION_LOCK = 0x726F6C6563616C6C  # "rolecall"
_LOCK_TIMEOUT = "3s"
"""How long a statement waits for a row that another transaction holds, before it fails."""

_GRACE = 5.0
"""Seconds beyond the caller's deadline, after which the server itself cancels a statement: no caller waits for it."""

_PATIENCE = 10.0
"""Seconds to wait for one of the pool's connections, all of which are in use."""

_MIGRATION = 600.0
"""Seconds that a statement of a migration, or waiting for another process to migrate, may take."""

LOST = (OperationalError, InterfaceError, errors.InsufficientPrivilege)
"""Raised when the store's server is out of reach, refuses us, or ends the connection."""


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


async def migrate(dsn: Secret, deadlines: Deadlines = DEFAULTS, serving: Secret | None = None) -> list[str]:
    """Bring the schema up to date, in one transaction under a lock; returns the migrations that ran.

    `serving` is the address of another role, which is then permitted to serve. SchemaMismatch.
    """
    patient = replace(deadlines, statement=_MIGRATION)
    role = None if serving is None else await _role(serving, deadlines)
    async with await dial(patient, partial(connect, dsn)) as connection:
        if role is None and await _is_up_to_date(connection):
            return []
        try:
            return await _migrate(connection, role)
        except errors.InsufficientPrivilege:
            raise SchemaMismatch(
                "the store's schema has to be migrated, which this role may not do: set ROLECALL_MIGRATION_DATABASE_URL"
            ) from None


async def _role(dsn: Secret, deadlines: Deadlines) -> str:
    async with await dial(deadlines, partial(connect, dsn)) as connection:
        return str(await connection.value("select current_user::text"))


async def _is_up_to_date(connection: Connection) -> bool:
    """Also for roles that may only read."""
    query = (
        "select coalesce(has_schema_privilege(n.oid, 'USAGE') and has_table_privilege(c.oid, 'SELECT'), false)"
        " from pg_class c join pg_namespace n on n.oid = c.relnamespace"
        " where n.nspname = 'rolecall' and c.relname = 'migrations'"
    )
    return bool(await connection.value(query)) and not _outstanding(await _applied(connection))


async def _applied(connection: Connection) -> dict[int, str]:
    return dict(await connection.rows(tuple_row, "select number, digest from rolecall.migrations"))


async def _migrate(connection: Connection, serving: str | None) -> list[str]:
    async with connection.transaction():
        await connection.execute("select pg_advisory_xact_lock(%s)", (_MIGRATION_LOCK,))
        await connection.execute(sql.SQL("create schema if not exists {}").format(sql.Identifier(_SCHEMA)))
        await connection.execute(sql.SQL("set local search_path to {}").format(sql.Identifier(_SCHEMA)))
        await connection.execute(
            "create table if not exists migrations (number int primary key, name text not null,"
            " digest text not null, applied_at timestamptz not null default now())"
        )
        ran = [await _apply(connection, migration) for migration in _outstanding(await _applied(connection))]
        if serving is not None:
            await permit(connection, serving)
        return ran


def _outstanding(applied: dict[int, str]) -> list[Migration]:
    known = {migration.number: migration for migration in migrations()}
    for number, digest in applied.items():
        if number not in known:
            raise SchemaMismatch(f"the store was migrated by a newer release (migration {number})")
        if known[number].digest != digest:
            raise SchemaMismatch(f"migration {known[number].name} differs from the one the store ran")
    return [migration for number, migration in sorted(known.items()) if number not in applied]


async def _apply(connection: Connection, migration: Migration) -> str:
    await connection.execute(sql.SQL(migration.text))
    await connection.execute(
        "insert into migrations (number, name, digest) values (%s, %s, %s)",
        (migration.number, migration.name, migration.digest),
    )
    return migration.name
