"""Batches: what several callers ask for at about the same time is done together.

What is submitted while one batch is under way is the next batch, so a single caller waits no longer than without.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Generic, TypeVar

from msgspec import Struct

from rolecall import spans

Item = TypeVar("Item")
Result = TypeVar("Result")


class Job(Struct, Generic[Item, Result], frozen=True, eq=False):
    """One item, and the future that its caller awaits."""

    item: Item
    future: asyncio.Future[Result]

    def finish(self, result: Result) -> None:
        if not self.future.done():
            self.future.set_result(result)

    def fail(self, error: Exception) -> None:
        if not self.future.done():
            self.future.set_exception(error)


class Batcher(Generic[Item, Result]):
    """Hands batches of at most `most` jobs to `send`, one batch at a time, in the order of submission.

    `send` finishes or fails each job; what it raises fails those that are left. `key`: of two items with the same key,
    the second waits for a later batch. `turn` is held while a batch is chosen and sent.
    """

    def __init__(
        self,
        send: Callable[[Sequence[Job[Item, Result]]], Awaitable[None]],
        *,
        most: int,
        key: Callable[[Item], Hashable] = id,
        turn: contextlib.AbstractAsyncContextManager[object] | None = None,
    ) -> None:
        self._send = send
        self._most = most
        self._key = key
        self._turn = turn or contextlib.nullcontext()
        self._waiting: list[Job[Item, Result]] = []
        self._sender: asyncio.Task[None] | None = None

    async def submit(self, item: Item) -> Result:
        """The item's result. Raises what `send` failed it with."""
        job: Job[Item, Result] = Job(item, asyncio.get_running_loop().create_future())
        self._waiting.append(job)
        if self._sender is None:
            self._sender = asyncio.create_task(self._send_all())
        return await job.future

    async def _send_all(self) -> None:
        spans.detach()
        try:
            while self._waiting:
                async with self._turn:
                    await self._send_batch(self._next())
        finally:  # cancelled at the end of the loop, it cancels those that wait
            self._sender = None
            for job in self._waiting:
                job.future.cancel()

    async def _send_batch(self, batch: Sequence[Job[Item, Result]]) -> None:
        try:
            await self._send(batch)
        except Exception as error:  # noqa: BLE001 - raised to the callers
            for job in batch:
                job.fail(error)
        finally:
            for job in batch:
                job.future.cancel()  # no effect on a finished one

    def _next(self) -> list[Job[Item, Result]]:
        chosen: dict[Hashable, Job[Item, Result]] = {}
        later = []
        for job in self._waiting:
            key = self._key(job.item)
            if key in chosen or len(chosen) == self._most:
                later.append(job)
            else:
                chosen[key] = job
        self._waiting = later
        return list(chosen.values())
