"""What is measured of pools, hashing threads and lanes, and how the measures of several workers add up."""

from __future__ import annotations

import asyncio
import contextvars
import os
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from prometheus_client.parser import text_string_to_metric_families
from psycopg.pq import TransactionStatus
from tests.waiting import reached

from rolecall.app import measuring
from rolecall.domain.instances.lanes import Lane, LaneLimits
from rolecall.domain.reasons import Reason, Refused
from rolecall.domain.secrets.hashing import HashingThreads
from rolecall.domain.secrets.passwords import Passwords
from rolecall.exchanges import DEFAULTS
from rolecall.exchanges.pools import Pool
from rolecall.exchanges.postgresql import NotConnected
from rolecall.measures import MEASURES, Reading, Readings
from rolecall.metrics import Metrics
from rolecall.values import Secret


def served(metrics: Metrics) -> dict[str, float]:
    """By name, or by name and label, what /metrics shows."""
    return {
        " ".join((sample.name, *sample.labels.values())): sample.value
        for family in text_string_to_metric_families(metrics.text().decode())
        for sample in family.samples
    }


def read(readings: Readings) -> dict[str, float]:
    return {name.removeprefix("rolecall_"): value for name, _, value in readings()}


async def test_a_pool_counts_who_has_a_connection_who_waits_and_who_waited_in_vain() -> None:
    class Kept:
        pool = None
        session = 1
        closed = False

        is_quiet = is_current = True
        is_refused = False
        pgconn = SimpleNamespace(transaction_status=TransactionStatus.IDLE)
        watch = SimpleNamespace(deadlines=DEFAULTS)

    async def open_() -> Any:
        return Kept()

    pool = Pool(open_, size=1, deadlines=DEFAULTS, patience=30)
    readings = measuring.pools({"durable": pool})
    assert {name for name, _, _ in readings()} <= MEASURES.keys()

    async def hold() -> None:
        async with pool.connection():
            pass

    async with pool.connection():
        waiting = asyncio.create_task(hold())
        await reached(lambda: pool.waiting == 1)
        assert read(readings) == {
            "store_connections": 1, "store_connections_most": 1, "store_waiting": 1, "store_waits_total": 1,
            "store_wait_seconds_total": 0, "store_timeouts_total": 0,
        }  # fmt: skip
    await waiting
    assert (pool.in_use, pool.waiting, pool.waits, pool.timeouts) == (0, 0, 1, 0)
    assert pool.waited > 0
    pool._patience = 0.001
    async with pool.connection():
        with pytest.raises(NotConnected, match="in use"):
            await hold()
    assert (pool.in_use, pool.waiting, pool.waits, pool.timeouts) == (0, 0, 2, 1)


@pytest.fixture
async def threads() -> AsyncIterator[HashingThreads]:
    one = HashingThreads(1, "hashing")
    yield one
    one.shutdown(cancel_futures=True)


async def test_hashing_threads_count_what_waits_and_what_runs(threads: HashingThreads) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def work() -> str:
        begun.set()
        go_on.wait(30)
        return "done"

    loop = asyncio.get_running_loop()
    first = loop.run_in_executor(threads, work)
    assert await asyncio.to_thread(begun.wait, 30)
    second, dropped = loop.run_in_executor(threads, work), loop.run_in_executor(threads, work)
    readings = measuring.hashing({"accounts": threads})
    assert {name for name, _, _ in readings()} <= MEASURES.keys()
    assert (threads.waiting, threads.running, threads.done) == (2, 1, 0)
    dropped.cancel()
    await reached(lambda: threads.waiting == 1)
    go_on.set()
    assert await asyncio.gather(first, second) == ["done", "done"]
    await reached(lambda: (threads.waiting, threads.running, threads.done) == (0, 0, 2))
    assert threads.waited > 0


async def test_what_a_closed_pool_of_threads_refuses_does_not_wait(threads: HashingThreads) -> None:
    threads.shutdown()
    with pytest.raises(RuntimeError):
        threads.submit(int)
    assert threads.waiting == 0


async def test_a_full_queue_of_passwords_counts_what_it_refuses() -> None:
    begun, go_on = threading.Event(), threading.Event()

    def stand(_stored: str, _plain: bytes) -> bool:
        begun.set()
        return go_on.wait(30)

    passwords = Passwords(threads=1, queue=0, foreign={"$held$": stand})
    try:
        first = asyncio.create_task(passwords.verify("$held$", Secret("one")))
        assert await asyncio.to_thread(begun.wait, 30)
        with pytest.raises(Refused):
            await passwords.verify(None, Secret("two"))
        assert (passwords.pool.refused, passwords.pool.running) == (1, 1)
        go_on.set()
        await first
    finally:
        passwords.close()


async def test_a_lane_counts_its_places_and_what_it_refuses() -> None:
    lane = Lane(LaneLimits(width=1, depth=0))
    connected: Any = SimpleNamespace(instance=SimpleNamespace(name="shop"), lane=lane)
    readings = measuring.lanes(lambda: [connected])
    assert {name for name, _, _ in readings()} <= MEASURES.keys()

    async def refused() -> None:
        with pytest.raises(Refused) as refusal:
            async with lane.turn():
                pass
        assert refusal.value.reason is Reason.ENGINE_BUSY

    async with lane.turn():
        await asyncio.create_task(refused(), context=contextvars.Context())
    async with lane.look():
        assert read(readings) == {
            "lane_depth": 0, "lane_looks": 1, "lane_width": 1, "lane_refused_total": 1, "engine_up": 1,
        }  # fmt: skip


@pytest.fixture
def worker() -> Iterator[int]:
    """Another process that is alive."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process.pid
        process.kill()


def written(directory: Path, process: int, *readings: Reading) -> Path:
    path = directory / f"measures-{process}"
    path.write_bytes(msgspec.json.encode(readings))
    return path


def test_the_measures_of_several_workers_add_up(
    tmp_path: Path, worker: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    metrics = Metrics(tmp_path)
    metrics.watch(
        lambda: [
            ("rolecall_lane_depth", ("shop",), 2),
            ("rolecall_engine_up", ("shop",), 1),
            ("rolecall_store_waits_total", ("quick",), 5),
        ]
    )
    written(
        tmp_path, worker,
        ("rolecall_lane_depth", ("shop",), 3), ("rolecall_lane_depth", ("other",), 1),
        ("rolecall_engine_up", ("shop",), 0), ("rolecall_store_waits_total", ("quick",), 7),
        ("rolecall_unresolved_oldest_seconds", (), 9), ("rolecall_of_another_release", (), 1),
    )  # fmt: skip
    found = served(metrics)
    assert found["rolecall_lane_depth shop"] == 5
    assert found["rolecall_lane_depth other"] == 1
    assert found["rolecall_engine_up shop"] == 0
    assert found["rolecall_store_waits_total quick"] == 12
    assert found["rolecall_unresolved_oldest_seconds"] == 9
    assert "rolecall_of_another_release" not in found


def test_a_worker_that_was_killed_counts_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    left = written(tmp_path, ended.pid, ("rolecall_lane_depth", ("shop",), 3))
    assert "rolecall_lane_depth shop" not in served(Metrics(tmp_path))
    assert not left.exists()


async def test_a_worker_tells_the_others_until_it_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    metrics = Metrics(tmp_path)
    metrics.watch(lambda: [("rolecall_lane_depth", ("shop",), 2), ("rolecall_engine_up", ("shop",), True)])
    own = tmp_path / f"measures-{os.getpid()}"
    (share,) = metrics.background
    task = asyncio.create_task(share())
    await reached(own.exists)
    assert served(metrics)["rolecall_lane_depth shop"] == 2  # its own are not counted twice
    told = msgspec.json.decode(own.read_bytes(), type=list[Reading])
    assert {("rolecall_lane_depth", ("shop",), 2), ("rolecall_engine_up", ("shop",), 1)} <= set(told)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert not own.exists()


def test_a_process_alone_shares_nothing() -> None:
    assert not Metrics().background
