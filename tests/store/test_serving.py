"""The role that serves: what it may not do to audit records, and that it may do what serving takes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from tests.store.conftest import SERVING
from tests.store.test_audit import auditing, note
from tests.store.test_store import store

from rolecall.store import Store
from rolecall.store.connection import place
from rolecall.store.schema import SchemaMismatch, migrate
from rolecall.values import Secret

__all__ = ["store"]


def run(dsn: Secret, statement: str) -> None:
    with psycopg.connect(dsn.reveal(), options="-c search_path=rolecall", autocommit=True) as connection:
        connection.execute(statement.encode())


@pytest.mark.parametrize("table", ["audit", "audit_chain", "audit_checkpoints"])
@pytest.mark.parametrize(
    "statement", ["delete from {}", "truncate {}", "drop table {}", "alter table {} disable trigger all"]
)
async def test_it_can_remove_no_record(store: Store, serving: Secret, table: str, statement: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        run(serving, statement.format(table))


@pytest.mark.parametrize(
    "statement",
    [
        "update audit set target = 'x'",
        "update audit_chain set digest = ''",
        "update audit_checkpoints set position = 1",
        "insert into audit_checkpoints (position, digest, rows) values (1, '', 1)",
        "insert into migrations (number, name, digest) values (9999, 'x', 'x')",
        "create table rolecall.mine (x int)",
        "alter function prune_audit(timestamptz) security invoker",
        "alter table operations disable trigger closed",
    ],
)
async def test_it_can_change_no_record_nor_how_they_are_made(
    store: Store, serving: Secret, statement: str
) -> None:
    await note(store, "one")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        run(serving, statement)


async def test_it_adds_reads_chains_and_prunes_records(store: Store, dsn: Secret) -> None:
    mine = auditing(store)
    run(
        dsn,
        "insert into audit (at, dialect, action, outcome) values (now() - interval '9 days', 'x', 'x', 'x')",
    )
    await note(store, "one")
    await mine.chain()
    assert await store.audit.prune(datetime.now(UTC) - timedelta(days=8)) == 1
    assert (await mine.verify()).broken == ""
    assert await store.audit.is_guarded()
    with pytest.raises(psycopg.errors.CheckViolation):
        await store.audit.prune(datetime.now(UTC) - timedelta(days=6))


async def test_both_roles_are_out_of_reach_for_engines(store: Store, dsn: Secret) -> None:
    assert (await place(store._durable)).users == (SERVING, "rolecall")


async def test_one_role_for_both_could_change_records_and_is_told_so(dsn: Secret) -> None:
    one = Store(dsn, pool_size=2)
    await one.open()
    try:
        assert not await one.audit.is_guarded()
    finally:
        await one.close()


async def test_without_the_owners_address_it_opens_what_is_migrated_and_nothing_else(
    store: Store, serving: Secret, dsn: Secret
) -> None:
    assert await migrate(serving) == []
    run(dsn, "delete from migrations where number = 20")
    with pytest.raises(SchemaMismatch, match="ROLECALL_MIGRATION_DATABASE_URL"):
        await migrate(serving)


async def test_the_server_ends_what_nobody_waits_for_any_more(store: Store) -> None:
    async with store._durable.connection() as connection:
        row = await (await connection.execute("show statement_timeout")).fetchone()
    assert row == ("35s",)
