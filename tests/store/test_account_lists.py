"""The store's parts of a long list of accounts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import psycopg
import pytest

from rolecall.domain.accounts.context import AccountRow
from rolecall.domain.engine.pages import AccountSlice, display_name
from rolecall.store import Store
from rolecall.store.memory_effects import latest
from rolecall.values import Secret

_ROWS = """
with owner as (
    insert into rolecall.owners (number, app_id) values (7, 8) returning id
), instance as (
    insert into rolecall.instances
           (owner_id, engine, name, host, port, administrator, sealed_password, database, region, zone)
    select id, 'mysql', 'long', '127.0.0.1', 1, 'root', '', '', 'r', 'z' from owner returning id
), accounts as (
    insert into rolecall.accounts
           (instance_id, name, host, engine_oid, identity, created_at, updated_at, deleted)
    select instance.id, name, host, 0, name, case when n % 5 > 0 then now() - make_interval(mins => (n % 7)::int) end,
           now() - make_interval(hours => (n % 3)::int), n % 11 = 10
      from instance, (values (''), ('%'), ('10.0.0.1')) hosts (host),
           unnest(array['a', 'A', 'a1', 'a!', 'é', 'b%', 'c''c', 'Z', 'a-b']) with ordinality names (name, n)
)
select id from instance
"""


@pytest.fixture
async def store(dsn: Secret) -> AsyncIterator[tuple[Store, int]]:
    with psycopg.connect(dsn.reveal(), autocommit=True) as connection:
        row = connection.execute(_ROWS).fetchone()
        assert row is not None
    made = Store(dsn, pool_size=2)
    await made.open()
    yield made, row[0]
    await made.close()


def place(row: AccountRow) -> tuple[str, str]:
    return row.name, row.host


async def test_slices_are_parts_of_all_rows(store: tuple[Store, int]) -> None:
    operations, instance = store[0].operations, store[1]
    rows = await operations.accounts(instance)
    names = sorted(display_name(*place(row)) for row in rows)
    for start in ("", names[0], names[7], names[-1], "between"):
        for is_backward in (False, True):
            for contains in ("", "a", "%", "'"):
                asked = AccountSlice(5, start, is_backward, contains)
                assert list(await operations.account_slice(instance, asked)) == asked.cut(rows, place)
                everything = replace(asked, limit=100)
                assert list(await operations.account_slice(instance, everything)) == everything.cut(
                    rows, place
                )


async def test_rows_are_found_by_their_places(store: tuple[Store, int]) -> None:
    operations, instance = store[0].operations, store[1]
    rows = await operations.accounts(instance)
    wanted = [place(row) for row in rows[::2]]
    found = await operations.accounts_at(instance, [*wanted, ("a", "nowhere"), ("none", "")])
    assert sorted(map(place, found)) == sorted(wanted)
    assert await operations.accounts_at(instance, []) == []


async def test_the_latest_come_first_and_rows_without_a_time_not_at_all(store: tuple[Store, int]) -> None:
    operations, instance = store[0].operations, store[1]
    rows = await operations.accounts(instance)
    assert any(row.created_at is None for row in rows)
    for time in ("created", "updated"):
        whole = latest(rows, time)  # type: ignore[arg-type]
        assert list(await operations.latest_accounts(instance, time)) == whole  # type: ignore[arg-type]
        assert list(await operations.latest_accounts(instance, time, 4)) == whole[:4]  # type: ignore[arg-type]
