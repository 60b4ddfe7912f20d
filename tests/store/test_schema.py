"""Migrations: forward from earlier releases with data, cut at every point, and beside releases that serve."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import psycopg
import pytest
from tests.waiting import until

from rolecall.domain.access.keys import Keys
from rolecall.domain.directories.model import UserStore
from rolecall.domain.secrets.sealing import Sealer, parse_master_keys
from rolecall.store import Store, schema
from rolecall.store.connection import Connection
from rolecall.store.schema import Migration, SchemaMismatch, migrate, migrations, standing
from rolecall.values import Secret

RELEASED = sorted((Path(__file__).parent / "released").glob("*.sql"))
RENAMED = {"tags"}
"""Tables to which migrations add rows of others."""


def head(file: Path, name: str) -> list[str]:
    line = next(line for line in file.read_text().splitlines() if line.startswith(f"-- {name}: "))
    return line.partition(": ")[2].split()


def known(monkeypatch: pytest.MonkeyPatch, wanted: Sequence[Migration]) -> None:
    """Be a release that has these migrations."""
    monkeypatch.setattr(schema, "migrations", lambda: iter(wanted))


async def fill(dsn: Secret, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The store that an earlier release has left."""
    numbers = {int(number) for number in head(file, "migrations")}
    with monkeypatch.context() as earlier:
        known(earlier, [migration for migration in migrations() if migration.number in numbers])
        await migrate(dsn)
    load(dsn, file)


def load(dsn: Secret, file: Path) -> None:
    with psycopg.connect(dsn.reveal()) as admin:
        admin.execute("set session_replication_role = replica")  # triggers did their work before the dump
        admin.execute(file.read_bytes())


def counts(dsn: Secret) -> dict[str, int]:
    with psycopg.connect(dsn.reveal()) as admin:
        tables = admin.execute("select tablename from pg_tables where schemaname = 'rolecall'").fetchall()
        return {
            name: admin.execute(f"select count(*) from rolecall.{name}".encode()).fetchone()[0]  # type: ignore[index]
            for (name,) in tables
            if name != "migrations"
        }


@pytest.mark.parametrize("file", RELEASED, ids=lambda file: file.stem)
async def test_a_store_of_an_earlier_release_is_migrated_with_its_data(
    empty: Secret, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(empty, file, monkeypatch)
    before = counts(empty)
    ran = await migrate(empty)
    assert ran[-1] == list(migrations())[-1].name
    after = counts(empty)
    assert {name: after[name] for name in before if name in after and name not in RENAMED} == {
        name: rows for name, rows in before.items() if name not in RENAMED
    }
    store = Store(empty, pool_size=2)
    await store.open()
    try:
        keys = Keys(store.keys, Sealer(parse_master_keys(head(file, "master key")[0])))
        key_id, secret = head(file, "access key")
        key = await store.keys.key(key_id)
        assert key is not None
        assert keys.secret_of(key).reveal() == secret
        (owner,) = await store.keys.owners()
        stores: Sequence[UserStore] = await store.directories.stores(owner.id)
        assert sum(found.users for found in stores) == 2
        assert await store.sub_users.named(owner.id, "clerk") is not None
        instance = (await store.instances.instances())[0]
        accounts = await store.operations.accounts(instance.id)
        assert {(row.name, row.remark) for row in accounts if row.name == "kept"} == {("kept", "a remark")}
        assert await store.operations.operations(limit=100)
    finally:
        await store.close()


async def test_a_migration_that_is_cut_anywhere_changes_nothing_and_runs_again(
    empty: Secret, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server ends the session after each of the migrations in turn, before the commit."""
    await fill(empty, RELEASED[0], monkeypatch)
    before = counts(empty), shape(empty)
    outstanding = (await standing(empty)).outstanding
    assert len(outstanding) > 5
    apply = schema.apply
    for cut in outstanding:

        async def cut_after(connection: Connection, migration: Migration, cut: Migration = cut) -> str:
            done = await apply(connection, migration)
            if migration.number == cut.number:
                await connection.execute("select pg_terminate_backend(pg_backend_pid())")
            return done

        with monkeypatch.context() as patched:
            patched.setattr(schema, "apply", cut_after)
            with pytest.raises(psycopg.OperationalError):
                await migrate(empty)
        assert (counts(empty), shape(empty)) == before
    assert await migrate(empty) == [migration.name for migration in outstanding]
    assert await migrate(empty) == []


def shape(dsn: Secret) -> list[tuple[object, ...]]:
    with psycopg.connect(dsn.reveal()) as admin:
        return admin.execute(
            "select table_name, column_name, data_type from information_schema.columns"
            " where table_schema = 'rolecall' order by 1, 2"
        ).fetchall()


_KILLED = """
import asyncio, sys
from rolecall.store import schema
from rolecall.values import Secret
made = list(schema.migrations())
text = "create table half (id int); insert into half values (1); select pg_advisory_lock(42)"
made.append(schema.Migration(9000, "9000_half.sql", text))
schema.migrations = lambda: iter(made)
asyncio.run(schema.migrate(Secret(sys.argv[1])))
"""


def test_a_process_that_is_killed_while_it_migrates_leaves_nothing(dsn: Secret) -> None:
    with psycopg.connect(dsn.reveal(), autocommit=True) as admin:
        admin.execute("select pg_advisory_lock(42)")
        waiting = "select count(*) from pg_locks where locktype = 'advisory' and objid = 42 and not granted"
        with subprocess.Popen(
            [sys.executable, "-c", _KILLED, dsn.reveal()], stderr=subprocess.DEVNULL
        ) as process:
            until(lambda: admin.execute(waiting).fetchone() == (1,))
            process.kill()
        admin.execute("select pg_advisory_unlock(42)")
        others = "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
        until(lambda: admin.execute(others).fetchone() == (0,))
        assert admin.execute("select to_regclass('rolecall.half')").fetchone() == (None,)
    assert asyncio.run(migrate(dsn)) == []


async def test_several_starters_migrate_a_store_with_data_once(
    empty: Secret, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(empty, RELEASED[0], monkeypatch)
    outstanding = len((await standing(empty)).outstanding)
    ran = await asyncio.gather(*(migrate(empty) for _ in range(5)))
    assert sorted(map(len, ran)) == [0, 0, 0, 0, outstanding]


NEWEST = max(migration.number for migration in migrations())
ADDS = Migration(9001, "9001_adds.sql", f"-- serves beside: {NEWEST:04}\ncreate table added (id int)")
ENDS = Migration(9002, "9002_ends.sql", "alter table owners drop column directories")
LATER = Migration(9003, "9003_later.sql", "-- serves beside: 9001\ncreate table later (id int)")


async def newer(dsn: Secret, monkeypatch: pytest.MonkeyPatch, *more: Migration) -> list[str]:
    """What another release does when it starts."""
    every = [*migrations(), *more]
    with monkeypatch.context() as patched:
        known(patched, every)
        return await migrate(dsn)


async def test_a_release_serves_beside_one_whose_migrations_only_add(
    dsn: Secret, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await newer(dsn, monkeypatch, ADDS) == [ADDS.name]
    found = await standing(dsn)
    assert ([one.name for one in found.newer], found.outstanding) == ([ADDS.name], [])
    assert await migrate(dsn) == []
    store = Store(dsn, pool_size=2)
    await store.open()
    await store.join()
    await store.close()


@pytest.mark.parametrize("migration", [ENDS, LATER], ids=lambda migration: migration.name)
async def test_a_release_does_not_serve_from_a_store_that_left_it_behind(
    dsn: Secret, monkeypatch: pytest.MonkeyPatch, migration: Migration
) -> None:
    await newer(dsn, monkeypatch, ADDS, migration)
    message = f"the store was migrated by a newer release .migration {migration.name}., beside which this one"
    with pytest.raises(SchemaMismatch, match=message):
        await migrate(dsn)
    with pytest.raises(SchemaMismatch, match=message):
        await standing(dsn)


@pytest.fixture
async def serving_process(dsn: Secret) -> AsyncIterator[Store]:
    store = Store(dsn, pool_size=2)
    await store.open()
    await store.join()
    yield store
    await store.close()


@pytest.mark.usefixtures("serving_process")
async def test_processes_serve_on_while_a_migration_that_adds_runs(
    dsn: Secret, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (await standing(dsn)).replicas == 1
    assert await newer(dsn, monkeypatch, ADDS) == [ADDS.name]


async def test_a_migration_that_ends_the_service_of_others_waits_until_they_have_stopped(
    dsn: Secret, monkeypatch: pytest.MonkeyPatch, serving_process: Store
) -> None:
    with pytest.raises(
        SchemaMismatch, match=r"1 process.es. of an earlier release serve .* 9002_ends\.sql: stop them"
    ):
        await newer(dsn, monkeypatch, ADDS, ENDS)
    await serving_process.close()
    assert await newer(dsn, monkeypatch, ADDS, ENDS) == [ADDS.name, ENDS.name]


async def test_a_migration_gives_up_a_table_that_a_long_statement_holds_and_tries_again(
    dsn: Secret, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema, "_LOCK_TIMEOUT", "100ms")
    paused = asyncio.Event()

    async def pause(_: float) -> None:
        paused.set()
        await asyncio.to_thread(held.rollback)

    monkeypatch.setattr(schema.asyncio, "sleep", pause)
    more = Migration(
        9004, "9004_wider.sql", "-- serves beside: 0001\nalter table owners add column wider int"
    )
    with psycopg.connect(dsn.reveal()) as held:
        held.execute("lock table rolecall.owners in access share mode")
        assert await newer(dsn, monkeypatch, more) == [more.name]
    assert paused.is_set()


async def test_a_migration_that_cannot_get_a_table_gives_up_in_the_end(
    dsn: Secret, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema, "_LOCK_TIMEOUT", "50ms")
    monkeypatch.setattr(schema, "_ATTEMPTS", 0.0)
    more = Migration(9004, "9004_wider.sql", "alter table owners add column wider int")
    with psycopg.connect(dsn.reveal()) as held:
        held.execute("lock table rolecall.owners in access share mode")
        with pytest.raises(SchemaMismatch, match="in use by long statements"):
            await newer(dsn, monkeypatch, more)
