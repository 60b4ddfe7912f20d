"""The store: migrations, batches, what a replica remembers, and operations recorded once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from uuid import uuid4

import psycopg
import pytest
from psycopg.rows import scalar_row
from tests.waiting import reached

from rolecall.domain.access.keys import Keys
from rolecall.domain.operations.model import Change, Intent, Runner
from rolecall.domain.secrets.sealing import Sealer, new_master_key, parse_master_keys
from rolecall.exchanges.pipelines import Statement, first_rows
from rolecall.store import Store, batches, schema
from rolecall.store.batches import Batches
from rolecall.store.connection import Pool
from rolecall.store.schema import SchemaMismatch, migrate, migrations
from rolecall.values import Caller, Origin, Secret


@pytest.fixture
async def store(dsn: Secret, serving: Secret) -> AsyncIterator[Store]:
    one = Store(serving, migration=dsn, pool_size=2)
    await one.open()
    yield one
    await one.close()


@pytest.fixture
def keys(store: Store) -> Keys:
    return Keys(store.keys, Sealer(parse_master_keys(new_master_key())))


def intent(target: str, change: Change = Change.ACCOUNT_CREATE, sealed: bytes | None = None) -> Intent:
    caller = Caller(1, 1, 1, 1, "AKIDx")
    return Intent(change, target, Origin(caller, "d", "A", "r"), {"remark": ""}, sealed)


async def test_migrating_twice_changes_nothing(empty: Secret) -> None:
    assert await migrate(empty) == [one.name for one in migrations()]
    assert await migrate(empty) == []


async def test_two_processes_may_migrate_at_once(empty: Secret) -> None:
    ran = await asyncio.gather(migrate(empty), migrate(empty))
    assert sorted(map(len, ran)) == [0, len(list(migrations()))]


@pytest.mark.parametrize(
    "change", ["insert into migrations values (999, 'x', 'y')", "update migrations set digest = 'y'"]
)
async def test_a_store_of_another_release_is_refused(dsn: Secret, change: str) -> None:
    await migrate(dsn)
    with psycopg.connect(dsn.reveal(), options="-c search_path=rolecall") as admin:
        admin.execute(change.encode())
    with pytest.raises(SchemaMismatch):
        await migrate(dsn)


async def test_the_store_takes_no_word_for_an_operation_that_it_does_not_know(dsn: Secret) -> None:
    await migrate(dsn)
    insert = (
        "insert into operations (id, owner_id, kind, target, principal, access_key_id, dialect, action, request_id,"
        " client, replica, state, runner, progress)"
        " values (gen_random_uuid(), 1, 'account.create', 'a', 1, '', '', '', '', '', 5, %s, %s, %s)"
    )
    known = ("accepted", "call", "")
    with psycopg.connect(dsn.reveal(), options="-c search_path=rolecall", autocommit=True) as admin:
        for column in range(len(known)):
            words = (*known[:column], "other", *known[column + 1 :])
            with pytest.raises(psycopg.errors.CheckViolation):
                admin.execute(insert.encode(), words)
        admin.execute(insert.encode(), known)


async def test_open_operations_of_an_earlier_release_keep_their_runner(
    empty: Secret, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Migration 0027: it was a key of the detail."""
    earlier = [one for one in migrations() if one.number < 27]
    with monkeypatch.context() as patched:
        patched.setattr(schema, "migrations", lambda: earlier)
        await migrate(empty)
    insert = (
        "insert into operations (id, owner_id, instance_id, kind, target, state, principal, access_key_id, dialect,"
        " action, request_id, client, replica, detail)"
        " values (gen_random_uuid(), 1, 7, 'account.create', %s, 'accepted', 1, '', '', '', '', '', 5, %s)"
    )
    details = {
        "called": "{}",
        "deferred": '{"promised": true, "to_come": false}',
        "server": '{"provisioning": true}',
    }
    with psycopg.connect(empty.reveal(), options="-c search_path=rolecall") as admin:
        for target, detail in details.items():
            admin.execute(insert.encode(), (target, detail))
    store = Store(empty)
    await store.open()
    found = {
        one.target: (one.runner, one.detail, one.is_due) for one in await store.operations.unresolved([5])
    }
    await store.close()
    assert found == {
        "called": (Runner.CALL, {}, True),
        "deferred": (Runner.DEFERRED, {"to_come": False}, True),
        "server": (Runner.PROVISIONING, {}, True),
    }


async def test_one_bad_statement_of_a_batch_fails_alone(store: Store) -> None:
    batches = Batches(store._durable)
    statement = "insert into facts (name, value) values (%s, %s)"
    names = ["a", "b", "b", "c"]
    done = await asyncio.gather(
        *(batches.execute(statement, (name, b"x")) for name in names), return_exceptions=True
    )
    assert [isinstance(one, psycopg.errors.UniqueViolation) for one in done] == [False, False, True, False]
    assert await store.keys.fact("c") == b"x"


async def test_a_statement_that_is_run_often_is_prepared(store: Store) -> None:
    for _ in range(8):
        assert await store.keys.key("absent") is None
    async with store._durable.connection() as connection:
        prepared = await connection.rows(scalar_row, "select statement from pg_prepared_statements")
    assert [statement for statement in prepared if "from access_keys k" in statement]


async def test_a_key_is_remembered_until_any_process_changes_it(
    store: Store, keys: Keys, dsn: Secret
) -> None:
    await store.join()
    owner = await keys.create_owner()
    key_id, _ = await keys.create(owner)
    await reached(lambda: store._replica.listening)

    async def is_remembered() -> bool:
        return await store.keys.key(key_id) is await store.keys.key(key_id)

    await reached(is_remembered)  # the changes above may still be told of
    with psycopg.connect(dsn.reveal(), options="-c search_path=rolecall", autocommit=True) as other:
        other.execute("update access_keys set active = false")
    await reached(lambda: store.keys._cache.get(key_id) is None)
    again = await store.keys.key(key_id)
    assert again is not None
    assert not again.active


async def test_nothing_is_remembered_by_who_does_not_listen(store: Store, keys: Keys) -> None:
    key_id, _ = await keys.create(await keys.create_owner())
    assert await store.keys.key(key_id) is not await store.keys.key(key_id)


@pytest.mark.parametrize(("ledger", "waits"), [("operations", "off"), ("durable_operations", "on")])
async def test_what_happened_to_a_server_is_on_disk_when_it_is_recorded(
    store: Store, monkeypatch: pytest.MonkeyPatch, ledger: str, waits: str
) -> None:
    """No server shows it again. What accounts show is recorded without waiting for the disk."""
    operation, operations = uuid4(), getattr(store, ledger)
    await operations.accept(operation, 1, intent("red-1", Change.INSTANCE_DELETE))
    settings: list[str] = []

    async def sent(pool: Pool, statements: Sequence[Statement]) -> object:
        settings.append(await pool.value("show synchronous_commit"))
        return await first_rows(pool, statements)

    monkeypatch.setattr(batches, "first_rows", sent)
    await operations.record(operation, 1, None)
    assert settings == [waits]
    assert not await store.operations.are_open([operation])


async def test_a_replica_is_dead_when_its_process_is_gone(store: Store, dsn: Secret) -> None:
    other = Store(dsn, pool_size=2)
    await other.open()
    await other.join()
    await other.operations.accept(uuid4(), 1, intent("x"))
    assert await store.operations.dead_replicas() == []
    await other.close()

    async def is_dead() -> bool:
        return await store.operations.dead_replicas() == [other.replica]

    await reached(is_dead)
