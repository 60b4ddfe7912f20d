"""The counts that workers share: two storages of one file, as of two processes."""

from __future__ import annotations

import multiprocessing
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from rolecall.admission import Admission
from rolecall.app import limits
from rolecall.settings import Settings
from rolecall.worker_counts import WorkerCounts


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr("rolecall.worker_counts.time.time", lambda: now[0])
    return now


@pytest.fixture
def two(tmp_path: Path, clock: list[float]) -> Iterator[tuple[WorkerCounts, WorkerCounts]]:
    one, other = WorkerCounts(tmp_path), WorkerCounts(tmp_path)
    yield one, other
    one.close()
    other.close()


async def test_a_fixed_window_is_one_for_all_and_begins_with_the_first_call(
    two: tuple[WorkerCounts, WorkerCounts], clock: list[float]
) -> None:
    one, other = two
    assert [await one.incr("k", 1), await other.incr("k", 1), await one.incr("other", 1)] == [1, 2, 1]
    assert (await other.get("k"), await one.get_expiry("k")) == (2, 1001)
    clock[0] = 1001.0
    assert await one.get("k") == 0
    assert [await other.incr("k", 1), await one.incr("k", 1)] == [1, 2]
    assert await one.get_expiry("k") == 1002


async def test_a_moving_window_holds_in_every_span(
    two: tuple[WorkerCounts, WorkerCounts], clock: list[float]
) -> None:
    one, other = two
    assert await one.acquire_entry("k", 2, 60)
    clock[0] = 1030.0
    assert await other.acquire_entry("k", 2, 60)
    assert not await one.acquire_entry("k", 2, 60)
    assert await one.get_moving_window("k", 2, 60) == (1000.0, 2)
    clock[0] = 1060.0
    assert await one.acquire_entry("k", 2, 60)
    assert not await other.acquire_entry("k", 2, 60)
    assert await one.get_moving_window("none", 2, 60) == (1060.0, 0)


async def test_what_has_ended_is_deleted(
    two: tuple[WorkerCounts, WorkerCounts], clock: list[float], tmp_path: Path
) -> None:
    one, _ = two
    for number in range(100):
        await one.incr(f"k{number}", 1)
        await one.acquire_entry(f"k{number}", 1, 1)
    clock[0] = 1020.0
    await one.incr("last", 1)
    with sqlite3.connect(tmp_path / "rates") as file:
        rows = "select (select count(*) from fixed), (select count(*) from moving)"
        assert file.execute(rows).fetchone() == (1, 0)


def _count(directory: Path, times: int) -> None:
    import asyncio

    async def run() -> None:
        counts = WorkerCounts(directory)
        for _ in range(times):
            await counts.incr("k", 3600)
        counts.close()

    asyncio.run(run())


async def test_no_call_of_any_process_is_lost(tmp_path: Path) -> None:
    WorkerCounts(tmp_path).close()
    spawn = multiprocessing.get_context("spawn")
    processes = [spawn.Process(target=_count, args=(tmp_path, 500)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    counts = WorkerCounts(tmp_path)
    assert await counts.get("k") == 1500
    counts.close()


async def test_a_worker_whose_file_cannot_be_used_counts_alone(tmp_path: Path) -> None:
    admission = Admission(None, workers=tmp_path)
    assert admission._workers is not None
    admission._workers.close()

    async def ask(counts: object) -> int:
        return await counts.storage.incr("k", 60)  # type: ignore[attr-defined,no-any-return]

    assert [await admission._counted(ask), await admission._counted(ask)] == [1, 2]


@pytest.mark.parametrize(
    ("workers", "width", "depth"), [(1, 4, 256), (2, 2, 128), (3, 1, 85), (4, 1, 64), (8, 1, 32)]
)
def test_each_worker_has_a_share_of_a_lane(workers: int, width: int, depth: int) -> None:
    lanes = limits.lanes(Settings(workers=workers))
    assert (lanes.width, lanes.depth) == (width, depth)
