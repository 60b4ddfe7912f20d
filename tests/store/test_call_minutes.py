"""Counts of calls by minute: replicas add to the same minutes, and a day is kept."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from rolecall.domain.maintenance.call_history import KEPT, CallHistory, CallMinute
from rolecall.store import Store
from rolecall.values import Secret

MINUTE = datetime(2026, 5, 1, 12, 30, tzinfo=UTC)


@pytest.fixture
async def store(dsn: Secret) -> AsyncIterator[Store]:
    one = Store(dsn, pool_size=3)
    await one.open()
    yield one
    await one.close()


async def test_replicas_add_to_the_same_minutes_and_old_ones_are_purged(store: Store) -> None:
    minutes = store.call_minutes
    await minutes.add_calls(MINUTE, {"tencent": (3, 1), "aliyun": (1, 0)})
    await minutes.add_calls(MINUTE, {"tencent": (2, 0)})
    await minutes.add_calls(MINUTE - KEPT - timedelta(minutes=1), {"tencent": (9, 9)})
    await minutes.purge_calls(MINUTE - KEPT)
    assert await minutes.calls_since(MINUTE - 2 * KEPT) == [
        CallMinute(MINUTE, "aliyun", 1, 0),
        CallMinute(MINUTE, "tencent", 5, 1),
    ]


async def test_the_history_holds_what_was_counted_until_now(store: Store) -> None:
    counted = [{"openstack": (4, 2)}]
    history = CallHistory(store.call_minutes, lambda: counted.pop() if counted else {})
    for _ in range(2):
        (found,) = await history.since(datetime.now(UTC) - timedelta(minutes=5))
        assert (found.dialect, found.calls, found.errors) == ("openstack", 4, 2)
