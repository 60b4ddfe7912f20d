"""Batches: their order and size, and what becomes of callers when a batch fails or ends early."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from tests.waiting import PATIENCE

from rolecall.exchanges.batching import Batcher, Job


class Sends:
    """Sends a batch when `go` lets it; the result of an item is its double."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.go = asyncio.Semaphore(0)
        self.error: Exception | None = None

    async def __call__(self, batch: Sequence[Job[int, int]]) -> None:
        self.batches.append([job.item for job in batch])
        await self.go.acquire()
        if self.error is not None:
            error, self.error = self.error, None
            raise error
        for job in batch:
            job.finish(2 * job.item)


async def submitted(batcher: Batcher[int, int], *items: int) -> list[asyncio.Task[int]]:
    """Tasks that wait for the items' results."""
    tasks = [asyncio.create_task(batcher.submit(item)) for item in items]
    await asyncio.sleep(0)  # each runs until it waits
    await asyncio.sleep(0)  # and the sender until its first batch
    return tasks


async def test_what_is_submitted_meanwhile_is_the_next_batch_in_order() -> None:
    sends = Sends()
    batcher = Batcher(sends, most=3)
    first = await submitted(batcher, 1)
    rest = await submitted(batcher, 2, 3, 4, 5)
    for _ in range(3):
        sends.go.release()
    assert await asyncio.gather(*first, *rest) == [2, 4, 6, 8, 10]
    assert sends.batches == [[1], [2, 3, 4], [5]]


async def test_a_batch_that_fails_fails_its_own_callers_only() -> None:
    sends = Sends()
    batcher = Batcher(sends, most=2)
    tasks = await submitted(batcher, 1, 2, 3)
    sends.error = ValueError("lost")
    sends.go.release()
    sends.go.release()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(result) for result in results] == [ValueError, ValueError, int]
    sends.go.release()
    assert await batcher.submit(4) == 8


async def test_a_cancelled_caller_takes_no_other_with_it() -> None:
    sends = Sends()
    batcher = Batcher(sends, most=8)
    sent = await submitted(batcher, 1)
    waiting = await submitted(batcher, 2, 3)
    sent[0].cancel()
    waiting[0].cancel()
    sends.go.release()
    sends.go.release()
    assert await waiting[1] == 6
    assert sends.batches == [[1], [2, 3]]
    assert sent[0].cancelled()
    assert waiting[0].cancelled()


async def test_items_of_one_key_are_sent_one_after_another() -> None:
    sends = Sends()
    batcher = Batcher(sends, most=8, key=lambda item: item % 10)
    tasks = await submitted(batcher, 1, 11, 2, 21)
    for _ in range(3):
        sends.go.release()
    assert await asyncio.gather(*tasks) == [2, 22, 4, 42]
    assert sends.batches == [[1, 2], [11], [21]]


async def test_more_is_chosen_while_another_has_the_turn() -> None:
    sends = Sends()
    turn = asyncio.Lock()
    batcher = Batcher(sends, most=8, turn=turn)
    async with turn:
        first = await submitted(batcher, 1)
        second = await submitted(batcher, 2)
        assert sends.batches == []
    sends.go.release()
    assert await asyncio.gather(*first, *second) == [2, 4]
    assert sends.batches == [[1, 2]]


async def test_an_item_that_is_left_out_cancels_its_caller() -> None:
    async def forget(batch: Sequence[Job[int, int]]) -> None:
        batch[0].finish(0)

    batcher = Batcher(forget, most=2)
    tasks = await submitted(batcher, 1, 2)
    assert await tasks[0] == 0
    with pytest.raises(asyncio.CancelledError):
        await tasks[1]


async def test_the_end_of_the_sender_ends_every_wait() -> None:
    sends = Sends()
    batcher = Batcher(sends, most=1)
    tasks = await submitted(batcher, 1, 2)
    assert batcher._sender is not None
    batcher._sender.cancel()
    async with asyncio.timeout(PATIENCE):
        await asyncio.gather(*tasks, return_exceptions=True)
    assert all(task.cancelled() for task in tasks)
