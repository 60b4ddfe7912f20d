"""A store that falls silent, hangs, refuses, resets or is slow, behind a proxy."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Iterator
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from tests.conftest import store_admin
from tests.proxy import Proxy, proxy_to
from tests.waiting import reached

from rolecall.domain.operations.model import Change, Intent
from rolecall.exchanges import Deadlines
from rolecall.store import Store
from rolecall.store.batches import Batches
from rolecall.values import Caller, Origin, Secret

DEADLINES = Deadlines(connect=1.5, silence=0.3, statement=60.0)
SOON = 30.0
"""Seconds: far above what the deadlines allow, far below a statement's."""


@pytest.fixture(scope="module")
def dsn(rolecall: Any) -> str:
    """A database of its own on the run's store server."""
    server = store_admin(rolecall.data)
    database = f"store_{secrets.token_hex(4)}"
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f"create database {database}".encode())
    return make_conninfo(server, dbname=database)


@pytest.fixture
def proxy(dsn: str) -> Iterator[Proxy]:
    parts = conninfo_to_dict(dsn)
    with proxy_to(str(parts["host"]), int(str(parts["port"]))) as running:
        yield running


@pytest.fixture
async def store(dsn: str, proxy: Proxy) -> AsyncIterator[Store]:
    behind = Secret(make_conninfo(dsn, host="127.0.0.1", port=proxy.port))
    one = Store(behind, pool_size=2, deadlines=DEADLINES)
    await one.open()
    await one.join()
    yield one
    proxy.heal()
    await one.close()


def intent() -> Intent:
    return Intent(
        Change.ACCOUNT_CREATE, "a", Origin(Caller(1, 1, 1, 1, "AKIDx"), "d", "A", "r"), {"remark": ""}
    )


async def fails(work: Awaitable[Any]) -> bool:
    """Whether it was refused, within the time that is allowed."""
    async with asyncio.timeout(SOON):
        try:
            await work
        except (psycopg.Error, TimeoutError):
            return True
    return False


async def heals(store: Store) -> None:
    """It answers, and tells of changes, again."""
    started = time.monotonic()
    while await fails(store.ping()) or not store._replica.listening:
        assert time.monotonic() - started < 2 * SOON
        await asyncio.sleep(0.05)


@pytest.mark.parametrize("fault", ["silence", "hang", "refuse", "reset"])
async def test_calls_end_while_the_store_is_away_and_it_is_found_again(
    store: Store, proxy: Proxy, fault: str
) -> None:
    """More of them than there are connections: those who wait for one are told with those who hold it."""
    await store.ping()
    getattr(proxy, fault)()
    calls = [store.operations.operations(limit=1) for _ in range(12)]
    calls += [store.operations.accept(uuid4(), 1, intent()) for _ in range(12)]
    assert all(await asyncio.gather(*map(fails, calls)))
    await reached(lambda: not store._replica.listening)
    proxy.heal()
    await heals(store)
    assert not await fails(store.operations.operations(limit=1))


async def test_whether_the_store_is_there_is_told_within_two_seconds(store: Store, proxy: Proxy) -> None:
    await store.ping()
    proxy.silence()
    started = time.monotonic()
    assert await fails(store.ping())
    assert time.monotonic() - started < SOON


async def test_answers_alone_may_be_lost(store: Store, proxy: Proxy) -> None:
    await store.ping()
    proxy.silence(to_server=False)
    assert await fails(store.operations.operations(limit=1))
    proxy.heal()
    await heals(store)


async def test_a_slow_store_is_slow_and_nothing_else(store: Store, proxy: Proxy) -> None:
    proxy.slow(0.05)
    assert not await fails(store.operations.operations(limit=1))
    assert store._replica.listening


async def test_a_statement_that_takes_long_is_waited_for(store: Store) -> None:
    async with store._durable.connection() as connection:
        await connection.execute("select pg_sleep(%s)", (5 * DEADLINES.silence,))


async def test_a_replica_is_known_to_live_at_once_though_the_store_still_has_its_lost_session(
    store: Store, proxy: Proxy
) -> None:
    """The lock of the lost session must not keep the new one waiting."""
    proxy.silence()
    await reached(lambda: not store._replica.listening)
    proxy.heal()
    await heals(store)


async def test_a_batch_whose_connection_was_lost_is_not_tried_one_by_one(store: Store, proxy: Proxy) -> None:
    """Some of it may be committed; and each alone would wait as long."""
    await store.ping()
    batches = Batches(store._durable)
    proxy.reset()
    before = proxy.accepted
    assert all(await asyncio.gather(*(fails(batches.execute("select 1", ())) for _ in range(40))))
    assert proxy.accepted - before < 10
