"""A commit that was told to wait no longer for its standby is no acknowledgement; nor is a server that takes no writes
kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Any

import psycopg
import pytest
from tests.waiting import reached

from rolecall.exchanges import DEFAULTS
from rolecall.exchanges.pools import Pool
from rolecall.exchanges.postgresql import Connection, NotConnected, dial
from rolecall.store.connection import connect, make_pool
from rolecall.store.primary import Primary
from rolecall.values import Secret


@pytest.fixture
async def pool(dsn: Secret) -> AsyncIterator[Pool]:
    made = make_pool(Primary(dsn), size=2, durable=True, deadlines=DEFAULTS)
    yield made
    await made.close()


@pytest.fixture
async def admin(dsn: Secret) -> AsyncIterator[Connection]:
    async with await dial(DEFAULTS, partial(connect, dsn, {"synchronous_commit": "local"})) as one:
        yield one


@pytest.fixture
async def lonely(admin: Connection) -> AsyncIterator[None]:
    """The server waits for a standby, and has none."""
    await admin.execute("alter system set synchronous_standby_names = 'absent'")
    await admin.execute("select pg_reload_conf()")
    yield
    await admin.execute("alter system reset synchronous_standby_names")
    await admin.execute("select pg_reload_conf()")


async def in_transaction(connection: Connection) -> Any:
    async with connection.transaction():
        await connection.execute("create table one (x int)")


async def in_one_message(connection: Connection) -> Any:
    return await connection.results(("create table one (x int)", ()), ("insert into one values (%s)", (1,)))


async def alone(connection: Connection) -> Any:
    return await connection.execute("create table one (x int)")


@pytest.mark.parametrize("work", [in_transaction, in_one_message, alone])
async def test_a_commit_that_stopped_waiting_for_its_standby_has_an_unknown_outcome(
    pool: Pool, admin: Connection, lonely: None, work: Callable[[Connection], Awaitable[Any]]
) -> None:
    async with pool.connection() as connection:
        committing = asyncio.create_task(work(connection))
        waits = "select wait_event = 'SyncRep' from pg_stat_activity where pid = %s"
        await reached(lambda: admin.value(waits, (connection.session,)))
        await admin.value("select pg_cancel_backend(%s)", (connection.session,))
        with pytest.raises(psycopg.OperationalError, match="did not wait for its standby"):
            await committing
        assert connection.closed
    assert await admin.value("select to_regclass('rolecall.one') is not null")


async def test_the_warning_of_it_comes_whatever_the_database_is_set_to(
    dsn: Secret, pool: Pool, admin: Connection
) -> None:
    database = await admin.value("select current_database()")
    await admin.execute(f"alter database {database} set client_min_messages = error")
    async with pool.connection() as pooled, await connect(dsn) as alone:
        for connection in (pooled, alone):
            assert await connection.value("show client_min_messages") == "warning"


async def test_a_name_that_cannot_be_looked_up_is_a_host_that_is_away(dsn: Secret) -> None:
    with pytest.raises(NotConnected, match="name is not valid"):
        await connect(Secret("host=.,."))
    with pytest.raises(psycopg.OperationalError, match="name is not valid"):
        await connect(Secret("host=."))


async def test_other_notices_mean_nothing(pool: Pool) -> None:
    async with pool.connection() as connection:
        await connection.execute("drop table if exists absent")
        assert await connection.value("select 1") == 1


async def test_connections_to_a_server_that_takes_no_writes_are_dropped(pool: Pool) -> None:
    async with pool.connection() as first, pool.connection() as second:
        pass
    await pool.execute("set default_transaction_read_only = on")
    with pytest.raises(NotConnected, match="takes no writes"):
        await pool.execute("create table two (x int)", ())
    assert first.closed
    assert second.closed
    async with pool.connection() as connection:
        await connection.results(("create table two (x int)", ()))


async def test_a_server_that_takes_no_writes_is_not_connected_to(dsn: Secret, admin: Connection) -> None:
    database = await admin.value("select current_database()")
    await admin.execute(f"alter database {database} set default_transaction_read_only = on")
    with pytest.raises(psycopg.OperationalError, match="read-only"):
        await connect(dsn)
