"""One scratch server of each kind per run, and a harness per engine through which the suite sees any of them alike."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncmy
import psycopg
import pytest
from asyncmy.errors import MySQLError
from tests.waiting import PATIENCE

from rolecall.domain.engine import (
    AccountFacts,
    AccountKind,
    DatabaseGrant,
    DatabaseObject,
    Engine,
    EngineAddress,
    NewAccount,
    ObjectType,
    VerifierWrite,
)
from rolecall.engines.memory import MemoryEngine
from rolecall.engines.memory_grants import MemoryGrantsEngine
from rolecall.engines.mysql import MySqlEngine
from rolecall.engines.postgresql import PostgresEngine
from rolecall.local import LocalMariaDB
from rolecall.local.account import current_account
from rolecall.local.binaries import programs_for
from rolecall.values import Secret

SUPERUSER = "postgres"
ACCOUNT = current_account()
EMBEDDED = programs_for(ACCOUNT)
DEBIAN_15 = Path("/usr/lib/postgresql/15/bin")

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "off",
    "max_connections": "60",
    "logging_collector": "off",
    "log_statement": "all",
    "log_min_duration_statement": "0",
    "log_min_messages": "info",
    "lc_messages": "C",
}

WAITING = ("-w", "-t", f"{PATIENCE:.0f}")


class Scratch:
    """A server in a temporary directory, on a free port of the loopback, with scram-sha-256 authentication."""

    def __init__(self, binaries: Path, **settings: str) -> None:
        self._binaries = binaries
        self.directory = Path(tempfile.mkdtemp(prefix="rolecall-engine-"))
        self.password = secrets.token_hex(12)
        self.port = _free_port()
        self.log = self.directory / "log"
        self._settings = {**SETTINGS, **settings, "port": str(self.port)}

    def create(self) -> None:
        password_file = self.directory / "password"
        password_file.write_text(self.password)
        for path in (self.directory, password_file):
            ACCOUNT.adopt(path)
        self._run(
            "initdb", "-D", f"{self.data}", "-U", SUPERUSER, "-A", "scram-sha-256", "-E", "UTF8",
            "--locale", "C", "--no-sync", f"--pwfile={password_file}",
        )  # fmt: skip
        self.start()

    @property
    def data(self) -> Path:
        return self.directory / "data"

    def start(self) -> None:
        options = " ".join(f"-c {name}='{value}'" for name, value in self._settings.items())
        command = ("-D", f"{self.data}", "-l", f"{self.log}", "-o", options, *WAITING, "start")
        self._run("pg_ctl", *command)

    def stop(self, mode: str = "fast") -> None:
        self._run("pg_ctl", "-D", f"{self.data}", "-m", mode, *WAITING, "stop")

    def destroy(self) -> None:
        if (self.data / "postmaster.pid").exists():
            self.stop("immediate")
        shutil.rmtree(self.directory, ignore_errors=True)

    def address(self, **options: str) -> EngineAddress:
        password = Secret(self.password)
        return EngineAddress("postgres", "127.0.0.1", self.port, SUPERUSER, password, "postgres", options)

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [self._binaries / program, *arguments],
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            cwd="/",
            user=ACCOUNT.uid if ACCOUNT.switch else None,
            group=ACCOUNT.gid if ACCOUNT.switch else None,
            extra_groups=[] if ACCOUNT.switch else None,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C", "TZ": "UTC"},
        )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class PostgresNames:
    """What the suite must know of a kind of server to ask every kind the same."""

    administrator = SUPERUSER
    host = ""
    first_version = (16, 0)
    kinds = tuple(AccountKind)
    reserved = ("pg_x", "public", "none", "replication", "all", "+x", "rolecall_heir", "rolecall_super")
    malformed = ("", "a\0b", "x" * 64, "é" * 32, "\ud800")
    malformed_databases = ("", "a\0b", "x" * 64)
    protected = ("postgres", "pg_monitor", "rolecall_super", "rolecall_heir")
    protected_databases = ("postgres", "template0", "template1")
    default_encoding = "UTF8"


class GrantsNames:
    """The same for the MySQL family."""

    administrator = "root"
    host = "%"
    first_version = (10, 6)
    kinds = tuple(AccountKind)
    reserved = ("root", "ROOT", "root ", " mysql", "mariadb.sys", "mysql.infoschema", "PUBLIC", "public ")
    malformed = ("", "a\0b", "x" * 129, "\ud800", "trailing ", " leading", "\t", "\U0001f600", "tab\t")
    malformed_databases = ("", "a\0b", "x" * 65, "trailing ", "\U0001f600", "_" * 33, "#mysql50#a")
    protected = ("root", "Root", "mysql", "mariadb.sys")
    protected_databases = (
        "mysql",
        "MySQL",
        "sys",
        "performance_schema",
        "information_schema",
        "rolecall_control",
    )
    default_encoding = "utf8mb4"


class PostgresHarness(PostgresNames):
    """How the suite looks at a PostgreSQL server from outside the engine."""

    def __init__(self, scratch: Scratch, verifier_write: str = VerifierWrite.STATEMENT) -> None:
        self.scratch = scratch
        self.engine: Engine = PostgresEngine(scratch.address(verifier_write=verifier_write))

    async def connect(
        self, database: str = "postgres", user: str = SUPERUSER, password: str = ""
    ) -> psycopg.AsyncConnection[tuple[object, ...]]:
        return await psycopg.AsyncConnection.connect(
            host="127.0.0.1",
            port=self.scratch.port,
            user=user,
            password=password or self.scratch.password,
            dbname=database,
            autocommit=True,
        )

    async def sql(
        self, *statements: str, database: str = "postgres", user: str = SUPERUSER, password: str = ""
    ) -> list[tuple[object, ...]]:
        """Run statements one by one; the rows of the last."""
        connection = await self.connect(database, user, password)
        async with connection:
            for statement in statements:
                cursor = await connection.execute(statement)
            return await cursor.fetchall() if cursor.description else []

    async def can_log_in(self, name: str, password: str) -> bool:
        try:
            return await self.sql("SELECT current_user", user=name, password=password) == [(name,)]
        except psycopg.OperationalError:
            return False

    async def add_role(self, name: str, *, is_strong: bool = False) -> None:
        """A role that others may join; or one whose members would have more than a tenant may have."""
        await self.sql(f'CREATE ROLE "{name}" {"CREATEROLE" if is_strong else ""}')

    async def own(self, item: DatabaseObject, owner: str = SUPERUSER) -> None:
        """Make an object, owned by a role."""
        place = f'"{item.schema}"."{item.name}"'
        statement = {
            ObjectType.SCHEMA: f'CREATE SCHEMA "{item.name}"',
            ObjectType.TABLE: f'CREATE TABLE {place} ("id" int, "text" text)',
            ObjectType.VIEW: f"CREATE VIEW {place} AS SELECT 1 AS id",
            ObjectType.MATVIEW: f"CREATE MATERIALIZED VIEW {place} AS SELECT 1 AS id",
            ObjectType.SEQUENCE: f"CREATE SEQUENCE {place}",
            ObjectType.TYPE: f"CREATE TYPE {place} AS ENUM ('a')",
            ObjectType.FUNCTION: f'CREATE FUNCTION "{item.schema}".{item.name} RETURNS int'
            " LANGUAGE sql AS 'SELECT 1'",
            ObjectType.PROCEDURE: f"CREATE PROCEDURE \"{item.schema}\".{item.name} LANGUAGE sql AS 'SELECT 1'",
        }[item.type]
        await self.sql(f'SET ROLE "{owner}"', statement, database=item.database)

    async def owner(self, item: DatabaseObject) -> str:
        query = (
            "SELECT c.relowner::regrole::text FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace"
            f" WHERE nspname = '{item.schema}' AND relname = '{item.name}'"
        )
        return str((await self.sql(query, database=item.database))[0][0])


class OldPostgresHarness(PostgresHarness):
    """A server without super accounts, and so without their role."""

    first_version = (13, 0)
    kinds = (AccountKind.NORMAL,)
    protected = ("postgres", "pg_monitor")


class MemoryHarness(PostgresNames):
    def __init__(self) -> None:
        self.memory = MemoryEngine()
        self.engine: Engine = self.memory

    async def can_log_in(self, name: str, password: str) -> bool:
        return self.memory.can_log_in(name, password)

    async def add_role(self, name: str, *, is_strong: bool = False) -> None:
        await self.memory.create_account(NewAccount(name, AccountKind.NORMAL, None, uuid4()))
        if is_strong:
            self.memory.protect(name)

    async def own(self, item: DatabaseObject, owner: str = SUPERUSER) -> None:
        self.memory.add_object(item, owner)

    async def owner(self, item: DatabaseObject) -> str:
        return self.memory.owner_of(item)


class MariaHarness(GrantsNames):
    """How the suite looks at a MariaDB server from outside the engine."""

    def __init__(self, server: LocalMariaDB) -> None:
        self.server = server
        self.engine: Engine = MySqlEngine(self.address())

    def address(self, **options: str) -> EngineAddress:
        server = self.server
        return EngineAddress("mysql", server.host, server.port, "root", server.password, "", options)

    async def connect(self, user: str = "root", password: str = "", database: str | None = None) -> Any:
        return await asyncmy.connect(
            host=self.server.host,
            port=self.server.port,
            user=user,
            password=(password or self.server.password.reveal()).encode(),
            database=database,
            autocommit=True,
        )

    async def sql(
        self, *statements: str, user: str = "root", password: str = "", database: str | None = None
    ) -> list[tuple[Any, ...]]:
        """Run statements one by one; the rows of the last."""
        connection = await self.connect(user, password, database)
        try:
            return await run_sql(connection, *statements)
        finally:
            await connection.ensure_closed()

    async def add_role(self, name: str, *, is_strong: bool = False) -> None:
        await self.sql(
            f"CREATE ROLE `{name}`", *([f"GRANT CREATE USER ON *.* TO `{name}`"] if is_strong else [])
        )

    async def can_log_in(self, name: str, password: str) -> bool:
        try:
            return await self.sql("SELECT USER()", user=name, password=password or "none") == [
                (f"{name}@127.0.0.1",)
            ]
        except MySQLError:
            return False


async def run_sql(connection: Any, *statements: str) -> list[tuple[Any, ...]]:
    """Run statements one by one on a connection of the driver's; the rows of the last."""
    async with connection.cursor() as cursor:
        for statement in statements:
            await cursor.execute(statement)
        return list(await cursor.fetchall()) if cursor.description else []


class MemoryGrantsHarness(GrantsNames):
    def __init__(self) -> None:
        self.memory = MemoryGrantsEngine()
        self.engine: Engine = self.memory

    async def add_role(self, name: str, *, is_strong: bool = False) -> None:
        self.memory.known_roles[name] = is_strong

    async def can_log_in(self, name: str, password: str) -> bool:
        return self.memory.can_log_in(name, password)


Harness = PostgresHarness | MemoryHarness | MariaHarness | MemoryGrantsHarness


@pytest.fixture(scope="session")
def scratch() -> Iterator[Scratch]:
    preloaded = {"shared_preload_libraries": "pg_stat_statements,auto_explain"}
    shown = {"auto_explain.log_min_duration": "0", "auto_explain.log_nested_statements": "on"}
    server = Scratch(EMBEDDED, max_prepared_transactions="4", **preloaded, **shown)
    try:
        server.create()
        yield server
    finally:
        server.destroy()


@pytest.fixture(scope="session")
def restartable() -> Iterator[Scratch]:
    """A server of its own for tests that stop it or fill it."""
    server = Scratch(EMBEDDED, max_connections="8")
    try:
        server.create()
        yield server
    finally:
        server.destroy()


@pytest.fixture(scope="session")
def scratch_15() -> Iterator[Scratch]:
    if not DEBIAN_15.exists():
        pytest.skip("no PostgreSQL 15 on this machine")
    server = Scratch(DEBIAN_15)
    try:
        server.create()
        yield server
    finally:
        server.destroy()


@pytest.fixture
def verifier_write() -> str:
    """How `postgres` stores verifiers. Modules in which it matters override it with both."""
    return VerifierWrite.STATEMENT


@pytest.fixture
async def postgres(scratch: Scratch, verifier_write: str) -> AsyncIterator[PostgresHarness]:
    harness = PostgresHarness(scratch, verifier_write)
    yield harness
    await harness.engine.close()


@pytest.fixture(scope="session")
def mariadb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalMariaDB]:
    """One server for the run; it logs every statement, so that tests can look for what must not be there."""
    if not LocalMariaDB.is_available():
        pytest.skip("MariaDB is not installed: apt-get install mariadb-server")
    directory = tmp_path_factory.mktemp("mariadb")
    settings = {
        "innodb_flush_log_at_trx_commit": "0",
        "innodb_fast_shutdown": "2",
        "general_log": "ON",
        "general_log_file": "statements.log",
        "performance_schema": "ON",
        "local_infile": "ON",
    }
    server = LocalMariaDB(directory, password=Secret(secrets.token_hex(12)), settings=settings)
    try:
        server.start()
        yield server
    finally:
        server.destroy()


@pytest.fixture
async def maria(mariadb: LocalMariaDB) -> AsyncIterator[MariaHarness]:
    harness = MariaHarness(mariadb)
    yield harness
    await harness.engine.close()


POSTGRES = {
    "postgres": (PostgresHarness, "scratch", VerifierWrite.STATEMENT),
    "postgres-catalog": (PostgresHarness, "scratch", VerifierWrite.CATALOG),
    "postgres-15": (OldPostgresHarness, "scratch_15", VerifierWrite.STATEMENT),
    "postgres-15-catalog": (OldPostgresHarness, "scratch_15", VerifierWrite.CATALOG),
}
"""Every version at hand, with each way of storing verifiers."""


def harness_of(kind: str, request: pytest.FixtureRequest) -> Harness:
    if kind in POSTGRES:
        make, server, write = POSTGRES[kind]
        return make(request.getfixturevalue(server), write)
    if kind == "mariadb":
        return MariaHarness(request.getfixturevalue("mariadb"))
    return MemoryHarness() if kind == "memory" else MemoryGrantsHarness()


@pytest.fixture(params=[*POSTGRES, "memory", "mariadb", "memory-grants"])
async def harness(request: pytest.FixtureRequest) -> AsyncIterator[Harness]:
    """Each engine in turn."""
    made = harness_of(request.param, request)
    yield made
    await made.engine.close()


@pytest.fixture(params=["postgres", "memory"])
async def owning(request: pytest.FixtureRequest) -> AsyncIterator[Harness]:
    """Each engine with owners and privileges on objects."""
    made = harness_of(request.param, request)
    yield made
    await made.engine.close()


@pytest.fixture(params=["mariadb", "memory-grants"])
async def granting(request: pytest.FixtureRequest) -> AsyncIterator[Harness]:
    """Each engine that grants whole databases to names at hosts."""
    made = harness_of(request.param, request)
    yield made
    await made.engine.close()


@pytest.fixture
def unique() -> Callable[[str], str]:
    """A name nobody else in this run has."""
    return lambda prefix: f"{prefix}_{secrets.token_hex(5)}"


class Maker:
    """Accounts with a password, made through an engine."""

    PASSWORD = "Corr3ct-horse"

    def __init__(self, unique: Callable[[str], str]) -> None:
        self._unique = unique

    async def __call__(
        self,
        engine: Engine,
        name: str = "",
        *,
        kind: AccountKind = AccountKind.NORMAL,
        password: str | None = PASSWORD,
        operation: UUID | None = None,
        host: str = "",
        grants: tuple[DatabaseGrant, ...] = (),
    ) -> AccountFacts:
        name = name or self._unique("acct")
        verifier = await asyncio.to_thread(engine.verifier, name, Secret(password)) if password else None
        return await engine.create_account(
            NewAccount(name, kind, verifier, operation or uuid4(), host, grants)
        )


@pytest.fixture
def make(unique: Callable[[str], str]) -> Maker:
    return Maker(unique)
