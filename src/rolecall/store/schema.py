"""The store's schema: migrations, in one transaction under a lock, and which releases may serve beside one another.

A migration is a file ``0001_name.sql``. One that adds only what earlier releases can ignore says so in a line
``-- serves beside: 0033``: releases that know migration 33 may serve from the store after it ran. The store keeps that
number, so that an earlier release, which does not know the migration, can read it. A migration without the line ends
the service of all earlier releases, and does not run while a process of one still serves.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from importlib import resources

from psycopg import errors, sql
from psycopg.rows import class_row

from rolecall.exchanges import DEFAULTS, Deadlines
from rolecall.exchanges.postgresql import Connection, dial
from rolecall.store.connection import SCHEMA, connect
from rolecall.store.queries import load
from rolecall.store.replica import REPLICA_LOCKS
from rolecall.store.serving import permit
from rolecall.values import Secret

_SQL = load("schema")

_MIGRATION_LOCK = 0x726F6C6563616C6C  # "rolecall"
_SERVES_BESIDE = re.compile(r"^-- serves beside: (\d{4})$", re.MULTILINE)

_MIGRATION = 600.0
"""Seconds that a statement of a migration, or waiting for another process to migrate, may take."""

_LOCK_TIMEOUT = "2s"
"""How long a migration waits for a table: calls queue behind it meanwhile."""

_ATTEMPTS = 60.0
"""Seconds in which a migration is tried again if it cannot get a table."""

_PAUSE = 1.0
"""Seconds between two attempts, in which the calls that queued behind the first one are answered."""


@dataclass(frozen=True, slots=True)
class Migration:
    number: int
    name: str
    text: str

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def serves_beside(self) -> int | None:
        """The oldest migration whose release may serve after this one ran; None: only releases that know this one."""
        found = _SERVES_BESIDE.search(self.text)
        return None if found is None else int(found[1])


@dataclass(frozen=True, slots=True)
class Applied:
    """A migration that ran in the store, perhaps of a newer release."""

    number: int
    name: str
    digest: str
    serves_beside: int | None


class SchemaMismatch(Exception):
    """The store's schema was made by another, incompatible release, or cannot be changed now."""


def migrations() -> Iterator[Migration]:
    """Every migration of this release, in order."""
    folder = resources.files("rolecall.store") / "migrations"
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.name.endswith(".sql"):
            yield Migration(int(entry.name[:4]), entry.name, entry.read_text("utf-8"))


@dataclass(frozen=True, slots=True)
class Standing:
    """How a store stands to this release. `newer` are the migrations of newer releases that this one may serve with."""

    is_empty: bool
    outstanding: Sequence[Migration]
    newer: Sequence[Applied]
    replicas: int
    """Processes that serve from the store now."""

    @property
    def ends_service(self) -> Migration | None:
        """The first outstanding migration that the processes of an earlier release cannot serve with."""
        if self.is_empty:
            return None
        outstanding = {migration.number for migration in self.outstanding}
        known = [migration.number for migration in migrations() if migration.number not in outstanding]
        return next(
            (migration for migration in self.outstanding if not _may_serve(migration, max(known, default=0))),
            None,
        )

    def require_upgradable(self) -> None:
        """SchemaMismatch while processes serve that could not do so after the migrations."""
        migration = self.ends_service
        if migration is not None and self.replicas:
            raise SchemaMismatch(
                f"{self.replicas} process(es) of an earlier release serve from this store, and cannot after migration"
                f" {migration.name}: stop them first"
            )


async def migrate(dsn: Secret, deadlines: Deadlines = DEFAULTS, serving: Secret | None = None) -> list[str]:
    """Bring the schema up to date, in one transaction under a lock; returns the migrations that ran.

    `serving` is the address of another role, which is then permitted to serve. SchemaMismatch.
    """
    role = None if serving is None else await role_of(serving, deadlines)
    async with await _connected(dsn, deadlines) as connection:
        if role is None and not (await _read(connection)).outstanding:
            return []
        try:
            return await _patiently(connection, role)
        except errors.InsufficientPrivilege:
            raise SchemaMismatch(
                "the store's schema has to be migrated, which this role may not do: set ROLECALL_MIGRATION_DATABASE_URL"
            ) from None


async def standing(dsn: Secret, deadlines: Deadlines = DEFAULTS) -> Standing:
    """How the store stands to this release; nothing is changed. SchemaMismatch if this release may not use it."""
    async with await _connected(dsn, deadlines) as connection:
        return await _read(connection)


async def lock_schema(connection: Connection) -> None:
    """Until the end of the transaction no other process migrates."""
    await connection.execute("select pg_advisory_xact_lock(%s)", (_MIGRATION_LOCK,))


async def make_schema(connection: Connection) -> None:
    """Create what migrations need, unless it exists. In a transaction, whose search path it sets."""
    await connection.execute(sql.SQL("create schema if not exists {}").format(sql.Identifier(SCHEMA)))
    await connection.execute(sql.SQL("set local search_path to {}").format(sql.Identifier(SCHEMA)))
    await connection.execute(_SQL["make_migrations"])
    await connection.execute("alter table migrations add column if not exists serves_beside int")


async def apply(connection: Connection, migration: Migration) -> str:
    """Run a migration in the schema's transaction; its name."""
    await connection.execute(sql.SQL(migration.text))
    await connection.execute(
        "insert into migrations (number, name, digest, serves_beside) values (%s, %s, %s, %s)",
        (migration.number, migration.name, migration.digest, migration.serves_beside),
    )
    return migration.name


async def _connected(dsn: Secret, deadlines: Deadlines) -> Connection:
    return await dial(replace(deadlines, statement=_MIGRATION), partial(connect, dsn))


async def role_of(dsn: Secret, deadlines: Deadlines) -> str:
    """The role that this address connects as."""
    async with await dial(deadlines, partial(connect, dsn)) as connection:
        return str(await connection.value("select current_user::text"))


async def _read(connection: Connection) -> Standing:
    """Also for roles that may only read."""
    replicas = int(await connection.value(_SQL["replicas"], (REPLICA_LOCKS,)))
    if not await connection.value(_SQL["is_readable"]):
        return Standing(True, tuple(migrations()), (), replicas)
    applied = await connection.rows(class_row(Applied), _SQL["applied"])
    return _standing(applied, replicas)


def _may_serve(migration: Migration | Applied, newest: int) -> bool:
    """Whether a release that does not know a migration, and whose newest one is `newest`, may serve after it ran."""
    return migration.serves_beside is not None and migration.serves_beside <= newest


def _standing(applied: Sequence[Applied], replicas: int) -> Standing:
    """SchemaMismatch if this release may not use a store with these migrations."""
    known = {migration.number: migration for migration in migrations()}
    newest, newer = max(known), []
    for found in applied:
        if found.number not in known:
            if not _may_serve(found, newest):
                raise SchemaMismatch(
                    f"the store was migrated by a newer release (migration {found.name}), beside which this one, whose"
                    f" newest migration is {newest}, cannot serve"
                )
            newer.append(found)
        elif known[found.number].digest != found.digest:
            raise SchemaMismatch(f"migration {known[found.number].name} differs from the one the store ran")
    there = {found.number for found in applied}
    outstanding = [migration for number, migration in sorted(known.items()) if number not in there]
    return Standing(not applied, outstanding, newer, replicas)


async def _patiently(connection: Connection, serving: str | None) -> list[str]:
    """Again and again while a table is in use: a migration that waited on would keep the calls behind it waiting."""
    deadline = time.monotonic() + _ATTEMPTS
    while True:
        try:
            return await _migrate(connection, serving)
        except errors.LockNotAvailable:
            if time.monotonic() > deadline:
                raise SchemaMismatch(
                    "the store's tables are in use by long statements, so that its schema cannot be migrated now"
                ) from None
        await asyncio.sleep(_PAUSE)


async def _migrate(connection: Connection, serving: str | None) -> list[str]:
    async with connection.transaction():
        await lock_schema(connection)
        await connection.execute(f"set local lock_timeout = '{_LOCK_TIMEOUT}'")
        await make_schema(connection)
        found = await _read(connection)
        found.require_upgradable()
        ran = [await apply(connection, migration) for migration in found.outstanding]
        if serving is not None:
            await permit(connection, serving)
        return ran
