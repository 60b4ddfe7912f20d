"""How a connection waits for its server: the loop watches its socket from the first wait to its end."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from functools import partial

import psycopg
import pytest
from tests.waiting import reached

from rolecall.exchanges import DEFAULTS, Away
from rolecall.exchanges.pools import Pool
from rolecall.exchanges.postgresql import Connection, Lost, dial
from rolecall.store.connection import connect
from rolecall.values import Secret

LARGE = 32 * 1024 * 1024
"""Bytes: more than the buffers of a socket hold."""


@pytest.fixture
async def connection(dsn: Secret) -> AsyncIterator[Connection]:
    async with await dial(DEFAULTS, partial(connect, dsn)) as one:
        yield one


@pytest.fixture
async def other(dsn: Secret) -> AsyncIterator[Connection]:
    async with await dial(DEFAULTS, partial(connect, dsn)) as one:
        yield one


async def test_the_socket_is_registered_once_and_no_timer_is_set_for_an_exchange(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop, called = asyncio.get_running_loop(), list[str]()

    def counted(name: str) -> None:
        original = getattr(loop, name)

        def count(*given: object, **named: object) -> object:
            called.append(name)
            return original(*given, **named)

        monkeypatch.setattr(loop, name, count)

    for name in ("add_reader", "remove_reader", "add_writer", "call_at", "call_later"):
        counted(name)
    for number in range(20):
        assert await connection.value("select %s", (number,)) == number
    async with connection.transaction(), connection.pipeline():
        await connection.execute("select 1")
        await connection.execute("select 2")
    assert not called


async def test_what_the_socket_does_not_take_at_once_is_sent_as_it_takes_it(connection: Connection) -> None:
    assert await connection.value("select length(%s)", ("x" * LARGE,)) == LARGE
    assert await connection.value("select length(repeat('x', %s))", (LARGE,)) == LARGE
    assert len(await connection.value("select repeat('x', %s)", (LARGE,))) == LARGE


async def test_an_idle_connection_that_the_server_ends_is_noticed_and_does_not_keep_the_loop_busy(
    connection: Connection, other: Connection
) -> None:
    assert connection.is_quiet
    assert await other.value("select pg_terminate_backend(%s, 5000)", (connection.session,))
    await reached(lambda: not connection.is_quiet)
    wire = connection._wire
    assert wire is not None
    await reached(lambda: not wire._is_registered)
    with pytest.raises(psycopg.OperationalError):
        await connection.execute("select 1")


async def test_a_pool_replaces_connections_that_the_server_ended_while_they_were_idle(
    dsn: Secret, other: Connection
) -> None:
    pool = await Pool(partial(connect, dsn), size=1, deadlines=DEFAULTS).open()
    first = await pool.value("select pg_backend_pid()")
    assert await other.value("select pg_terminate_backend(%s, 5000)", (first,))
    assert await pool.value("select pg_backend_pid()") != first
    await pool.close()


async def test_notifications_that_came_between_two_waits_are_received(
    connection: Connection, other: Connection
) -> None:
    await connection.execute("listen news")
    await other.execute("notify news, 'early'")
    await reached(lambda: not connection.is_quiet)
    assert await heard(connection) == ["early"]
    assert await connection.value("select 1") == 1
    waiting = asyncio.create_task(heard(connection))
    await other.execute("notify news, 'late'")
    assert await waiting == ["late"]
    assert await connection.value("select 1") == 1


async def heard(connection: Connection) -> list[str]:
    return [note.payload async for note in connection.notifies(timeout=60, stop_after=1)]


async def test_a_wait_ends_when_its_connection_is_closed(connection: Connection, other: Connection) -> None:
    statement = asyncio.create_task(connection.execute("select pg_sleep(3600)"))
    query = "select wait_event = 'PgSleep' from pg_stat_activity where pid = %s"
    await reached(lambda: other.value(query, (connection.session,)))
    await connection.close()
    with pytest.raises(psycopg.OperationalError):
        await statement
    await other.execute("select pg_terminate_backend(%s)", (connection.session,))


async def test_a_wait_that_is_cancelled_closes_its_connection(
    connection: Connection, other: Connection
) -> None:
    statement = asyncio.create_task(connection.execute("select pg_sleep(3600)"))
    query = "select wait_event = 'PgSleep' from pg_stat_activity where pid = %s"
    await reached(lambda: other.value(query, (connection.session,)))
    statement.cancel()
    with pytest.raises(asyncio.CancelledError):
        await statement
    assert connection.closed
    await other.execute("select pg_terminate_backend(%s)", (connection.session,))


@pytest.mark.parametrize("how", ["ended by its server", "cut"])
async def test_a_pool_says_that_a_connection_was_lost_under_way(
    dsn: Secret, other: Connection, how: str
) -> None:
    pool = await Pool(partial(connect, dsn), size=1, deadlines=DEFAULTS).open()
    async with pool.connection() as connection:
        process, descriptor = connection.session, connection.pgconn.socket
    statement = asyncio.create_task(pool.value("select pg_sleep(3600)", ()))
    query = "select wait_event = 'PgSleep' from pg_stat_activity where pid = %s"
    await reached(lambda: other.value(query, (process,)))
    if how == "cut":
        with socket.socket(fileno=os.dup(descriptor)) as copy:
            copy.shutdown(socket.SHUT_RDWR)
    else:
        await other.execute("select pg_terminate_backend(%s)", (process,))
    with pytest.raises(Lost) as lost:
        await statement
    assert isinstance(lost.value, Away)
    assert "\n" not in str(lost.value)
    assert await pool.value("select 1") == 1
    await other.execute("select pg_terminate_backend(%s)", (process,))
    await pool.close()


async def test_what_the_driver_itself_refuses_is_no_lost_connection(dsn: Secret) -> None:
    pool = Pool(partial(connect, dsn), size=1, deadlines=DEFAULTS)
    many = 65_536  # more values than a message holds
    with pytest.raises(psycopg.OperationalError, match="number of parameters") as refused:
        await pool.value("select " + ", ".join(["%s"] * many), [1] * many)
    assert not isinstance(refused.value, Away)
    await pool.close()
