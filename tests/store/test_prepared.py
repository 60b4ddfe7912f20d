"""Statements that are prepared once and sent together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial

import psycopg
import pytest
from psycopg import sql
from psycopg.rows import dict_row, scalar_row, tuple_row
from psycopg.types.json import Jsonb

from rolecall.exchanges import DEFAULTS, prepared
from rolecall.exchanges.postgresql import Connection, dial
from rolecall.exchanges.prepared import read
from rolecall.store.connection import connect
from rolecall.values import Secret


@pytest.fixture
async def connection(dsn: Secret) -> AsyncIterator[Connection]:
    async with await dial(DEFAULTS, partial(connect, dsn)) as one:
        yield one


async def names(connection: Connection) -> list[str]:
    return await connection.rows(scalar_row, "select name from pg_prepared_statements order by name")


@pytest.mark.parametrize(
    ("query", "text", "order"),
    [
        ("select 1", b"select 1", None),
        ("select %s, %s", b"select $1, $2", None),
        ("select %(b)s, %(a)s, %(b)s", b"select $1, $2, $1", ("b", "a")),
        ("select 5 %% %s, '%%s'", b"select 5 % $1, '%s'", None),
        (b"select %s", b"select $1", None),
        (sql.SQL("select {} = %(a)s").format(sql.Identifier("x")), b'select "x" = $1', ("a",)),
    ],
)
def test_placeholders_are_those_of_the_driver(
    query: str | bytes | sql.Composed, text: bytes, order: tuple[str, ...] | None
) -> None:
    for _ in range(2):
        statement = read(query)
        assert (statement.text, statement.names) == (text, order)


def test_a_query_has_names_or_none() -> None:
    with pytest.raises(psycopg.ProgrammingError):
        read("select %s, %(a)s")


async def test_values_and_rows_are_those_of_the_drivers_cursors(connection: Connection) -> None:
    query = "select %s::int8 a, %s::text b, %s::jsonb c, %s::bytea d, %s::int[] e, %s::text f"
    values = (7, "\u4e2d", Jsonb({"x": [1]}), b"\x00\x01", [1, 2], None)
    cursor = connection.cursor(row_factory=dict_row)
    theirs = await (await cursor.execute(query, values)).fetchall()
    for _ in range(3):
        assert await connection.rows(dict_row, query, values) == theirs
        assert await connection.row(tuple_row, query, values) == tuple(theirs[0].values())
    assert await connection.rows(scalar_row, "select x from generate_series(1, %s) x", (3,)) == [1, 2, 3]
    assert await connection.row(scalar_row, "select 1 where %s::bool", (False,)) is None
    await connection.execute("create temporary table kept (x int)")
    (done,) = await connection.results(("insert into kept select generate_series(1, %s)", (5,)))
    assert done.command_tuples == 5
    assert connection.prepared.row(done, scalar_row) is None


async def test_a_statement_is_prepared_once_for_each_list_of_types(connection: Connection) -> None:
    for number in (1, 2, 70_000, 70_001):
        assert await connection.value("select %s", (number,)) == number
    assert len(await names(connection)) == 2


async def test_a_statement_that_cannot_be_prepared_is_tried_again(connection: Connection) -> None:
    query = "select x from to_come where x = %s"
    for _ in range(2):
        with pytest.raises(psycopg.errors.UndefinedTable):
            await connection.value(query, (1,))
    assert not await names(connection)
    await connection.execute("create temporary table to_come as select 1 as x")
    assert await connection.value(query, (1,)) == 1
    assert len(await names(connection)) == 1


async def test_what_was_prepared_before_an_error_stays_and_what_came_after_it_does_not(
    connection: Connection,
) -> None:
    good, other = "select %s + 1", "select %s + 2"
    with pytest.raises(psycopg.errors.DivisionByZero):
        await connection.results((good, (1,)), ("select 1 / %s", (0,)), (other, (1,)))
    assert len(await names(connection)) == 2
    for query, found in ((other, 3), (good, 2), ("select 1 / %s", 1)):
        assert await connection.value(query, (1,)) == found


async def test_a_value_that_cannot_be_sent_sends_nothing(connection: Connection) -> None:
    await connection.execute("create temporary table kept (x text)")
    insert = "insert into kept values (%s)"
    with pytest.raises(psycopg.DataError):
        await connection.results((insert, ("a",)), (insert, ("\0",)))
    assert await connection.value("select count(*) from kept") == 0
    await connection.results((insert, ("a",)), (insert, ("b",)))
    assert await connection.value("select count(*) from kept") == 2


async def test_the_least_recently_used_statement_makes_room(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prepared, "_MOST_PREPARED", 2)
    query = "select statement from pg_prepared_statements order by statement"

    async def use(*numbers: int) -> None:
        await connection.results(*((f"select {number} + %s", (1,)) for number in numbers))

    await use(1)
    await use(2)
    await use(1)
    await use(3)
    assert await connection.rows(scalar_row, query) == ["select 1 + $1", "select 3 + $1"]
    await use(4, 5, 6, 4, 6)
    assert await connection.rows(scalar_row, query) == ["select 4 + $1", "select 6 + $1"]
    with pytest.raises(psycopg.errors.DivisionByZero):
        await connection.results(("select 1 / %s", (0,)), ("select 7 + %s", (1,)), ("select 8 + %s", (1,)))
    await use(7, 8, 4, 6)
    await use(6, 4)


async def test_statements_of_a_transaction_are_undone_with_it(connection: Connection) -> None:
    await connection.execute("create temporary table kept (x int)")
    insert = "insert into kept values (%s)"

    async def fail() -> None:
        async with connection.transaction():
            await connection.results((insert, (1,)), (insert, (2,)))
            await connection.value("select 1 / %s", (0,))

    with pytest.raises(psycopg.errors.DivisionByZero):
        await fail()
    assert await connection.value("select count(*) from kept") == 0


async def test_a_message_that_is_cut_off_ends_its_connection(connection: Connection) -> None:
    message = asyncio.create_task(connection.results(("select pg_sleep(%s)", (3600,)), ("select %s", (1,))))
    await asyncio.sleep(0)
    message.cancel()
    with pytest.raises(asyncio.CancelledError):
        await message
    assert connection.closed


async def test_several_statements_without_values_are_one_transaction_and_the_last_has_the_row(
    connection: Connection,
) -> None:
    await connection.execute("create temporary table kept (x int)")
    assert await connection.last_row(b"insert into kept values (7); select x, 'a' from kept") == (7, "a")
    assert await connection.last_row(b"select 1; insert into kept values (8)") is None
    with pytest.raises(psycopg.errors.DivisionByZero):
        await connection.last_row(b"insert into kept values (9); select 1 / 0")
    assert await connection.rows(scalar_row, "select x from kept order by x") == [7, 8]


async def test_a_transaction_that_is_rolled_back_leaves_what_is_prepared(connection: Connection) -> None:
    """The driver's cursors deallocate all after a rollback, if they have prepared anything."""
    for _ in range(7):
        await connection.execute("select %s::text", ("x",))
        assert await connection.value("select %s::int4", (1,)) == 1
    async with connection.transaction():
        raise psycopg.Rollback
    assert await connection.value("select %s::int4", (1,)) == 1


async def test_what_others_have_deallocated_is_prepared_again(connection: Connection) -> None:
    await connection.execute("create temporary table kept (x int)")
    insert = "insert into kept values (%s)"
    await connection.results((insert, (1,)), (insert, (2,)))
    await connection.execute("deallocate all")
    await connection.results((insert, (3,)), (insert, (4,)))
    assert await connection.rows(scalar_row, "select x from kept order by x") == [1, 2, 3, 4]
