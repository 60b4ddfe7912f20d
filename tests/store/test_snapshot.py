"""A snapshot of the store, and a store filled with it: the same rows under this release's schema, or nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from tests.store.test_schema import RELEASED, RENAMED, counts, fill

from rolecall.store.schema import SchemaMismatch, migrations, standing
from rolecall.store.snapshot import NOT_KEPT, Restored, Shape, StoreNotEmpty, Table, filling, snapshot
from rolecall.values import Secret

RESTORED = Restored("an operator", {"release": "0.0"})


@dataclass(frozen=True)
class Taken:
    shape: Shape
    rows: Mapping[str, bytes]
    sequences: Mapping[str, int]


async def take(dsn: Secret) -> Taken:
    async with snapshot(dsn) as taken:
        rows = {
            table.name: b"".join([block async for block in taken.rows(table)]) for table in taken.shape.tables
        }
        return Taken(taken.shape, rows, await taken.sequences())


async def put(dsn: Secret, taken: Taken, restored: Restored = RESTORED, tables: Sequence[Table] = ()) -> None:
    async with filling(dsn, taken.shape, taken.sequences, restored) as target:
        for table in tables or taken.shape.tables:
            await target.add(table, iter([taken.rows[table.name]]))


def run(dsn: Secret, query: str, *values: object) -> list[tuple[object, ...]]:
    with psycopg.connect(dsn.reveal(), options="-c search_path=rolecall") as admin:
        cursor = admin.execute(query.encode(), values or None)
        return cursor.fetchall() if cursor.description else []


@pytest.fixture(params=RELEASED, ids=lambda file: file.stem)
async def released(request: pytest.FixtureRequest, dsn: Secret, monkeypatch: pytest.MonkeyPatch) -> Secret:
    """A store that an earlier release has left, not migrated."""
    run(dsn, "drop schema rolecall cascade")
    file: Path = request.param
    await fill(dsn, file, monkeypatch)
    return dsn


async def test_a_store_of_any_release_is_restored_under_the_schema_of_this_one(
    released: Secret, empty: Secret
) -> None:
    before, taken = counts(released), await take(released)
    await put(empty, taken)
    assert not (await standing(empty)).outstanding
    after = counts(empty)
    same = before.keys() & after.keys() - RENAMED - NOT_KEPT - {"audit"}
    assert {name: after[name] for name in same} == {name: before[name] for name in same}
    assert after["audit"] == before.get("audit", 0) + 1
    assert {after[name] for name in NOT_KEPT & after.keys()} == {0}
    (row,) = run(
        empty, "select action, outcome, client, owner_id is not null from audit order by id desc limit 1"
    )
    assert row == ("restore", "done", "an operator", True)


@pytest.mark.parametrize("released", RELEASED[-1:], indirect=True, ids=["newest"])
async def test_rows_are_the_same_and_numbers_go_on(released: Secret, empty: Secret) -> None:
    taken = await take(released)
    await put(empty, taken)
    query = "select * from {} order by 1, 2"
    for name in ("owners", "access_keys", "users", "operations", "policies", "facts"):
        listed = (
            "select column_name from information_schema.columns"
            " where table_schema = 'rolecall' and table_name = %s"
        )
        columns = ", ".join(sorted(str(column) for (column,) in run(released, listed, name)))
        again = query.replace("*", columns).format(name)
        assert run(empty, again) == run(released, again)
    (last,) = run(released, "select max(id) from instances")
    insert = (
        "insert into instances (owner_id, engine, name, host, port, administrator, sealed_password, database, region,"
        " zone) select owner_id, engine, 'next', host, port, administrator, sealed_password, database, region, zone"
        " from instances limit 1 returning id"
    )
    with psycopg.connect(empty.reveal(), options="-c search_path=rolecall") as admin:
        (number,) = admin.execute(insert.encode()).fetchone() or (0,)
    assert number > int(str(last[0]))


@pytest.mark.parametrize("released", RELEASED[-1:], indirect=True, ids=["newest"])
async def test_promises_are_carried_out_only_on_servers_of_the_same_backup(
    released: Secret, empty: Secret
) -> None:
    insert = (
        "insert into operations (id, owner_id, instance_id, kind, target, state, principal, access_key_id, dialect,"
        " action, request_id, client, replica, runner)"
        " values (gen_random_uuid(), 1, %s, 'account.create', 'promised', 'accepted', 1, '', '', '', '', '', 5,"
        " 'deferred')"
    )
    for instance in (1001, 1002):
        run(released, insert, instance)
    await put(empty, await take(released), Restored("an operator", {}, [1002]))
    found = "select instance_id, runner from operations where target = 'promised' order by 1"
    assert run(empty, found) == [(1001, "call"), (1002, "deferred")]


@pytest.mark.parametrize("released", RELEASED[-1:], indirect=True, ids=["newest"])
async def test_what_was_written_after_a_snapshot_began_is_not_in_it(released: Secret) -> None:
    async with snapshot(released) as taken:
        run(released, "insert into facts values ('later', 'x')")
        facts = next(table for table in taken.shape.tables if table.name == "facts")
        rows = b"".join([block async for block in taken.rows(facts)])
    assert b"later" not in rows
    assert rows.count(b"\n") == counts(released)["facts"] - 1


async def test_a_store_with_tables_is_not_filled(dsn: Secret) -> None:
    taken, before = await take(dsn), counts(dsn)
    with pytest.raises(StoreNotEmpty):
        await put(dsn, taken)
    assert counts(dsn) == before


def a_row_that_does_not_fit(taken: Taken) -> Taken:
    return Taken(taken.shape, {**taken.rows, "policies": b"x\n"}, taken.sequences)


def a_row_without_its_owner(taken: Taken) -> Taken:
    return Taken(taken.shape, {**taken.rows, "owners": b""}, taken.sequences)


@pytest.mark.parametrize("damage", [a_row_that_does_not_fit, a_row_without_its_owner])
@pytest.mark.parametrize("released", RELEASED[-1:], indirect=True, ids=["newest"])
async def test_a_restore_that_fails_leaves_an_empty_database(
    released: Secret, empty: Secret, damage: Callable[[Taken], Taken]
) -> None:
    with pytest.raises(psycopg.Error):
        await put(empty, damage(await take(released)))
    assert run(empty, "select 1 from pg_namespace where nspname = 'rolecall'") == []


async def test_a_snapshot_of_a_newer_or_another_release_is_refused(dsn: Secret, empty: Secret) -> None:
    taken = await take(dsn)
    newest = max(migration.number for migration in migrations())
    for numbers in ({**taken.shape.migrations, 9000: "x"}, {**taken.shape.migrations, newest: "x"}):
        with pytest.raises(SchemaMismatch):
            await put(empty, Taken(Shape(numbers, taken.shape.tables), taken.rows, taken.sequences))
    assert run(empty, "select 1 from pg_namespace where nspname = 'rolecall'") == []


async def test_webhooks_of_a_restored_store_are_paused(dsn: Secret, empty: Secret) -> None:
    """The store that was backed up may still post."""
    columns = "id, name, origin, sealed_url, sealed_secret, position, runner, paused"
    for name, paused in (("active", ""), ("stopped", "operator")):
        values = f"gen_random_uuid(), '{name}', 'https://hooks.example', '', '', 3, 7, '{paused}'"
        run(dsn, f"insert into webhooks ({columns}) values ({values})")
    await put(empty, await take(dsn))
    assert run(empty, "select name, position, paused from webhooks order by name") == [
        ("active", 3, "restored"),
        ("stopped", 3, "operator"),
    ]
