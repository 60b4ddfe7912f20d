"""Power cuts: every task that a process starts is carried by a trampoline, which lets go of it at the k-th await.

What was let go is never resumed: no ``except``, no ``finally`` and no callback of it runs.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import types
from collections.abc import Callable, Coroutine, Generator, Iterator
from contextvars import ContextVar
from typing import Any

_LOST: list[Coroutine[Any, Any, Any]] = []


class Power:
    """Counts the awaits of all tasks that are started under it; at number `cut` it is off, and `ended` is called."""

    def __init__(self, cut: int = 0) -> None:
        self._cut = cut
        self.ended: Callable[[], None] = lambda: None
        self.awaits = 0
        self.counts = False
        """Whether awaits are counted now."""
        self.is_off = False

    def lose(self, work: Coroutine[Any, Any, Any]) -> None:
        """Never resume it, nor let it be collected, which would run its ``finally``."""
        if isinstance(work, types.CoroutineType) and inspect.getcoroutinestate(work) == inspect.CORO_CREATED:
            work.close()  # it has not begun
        else:
            _LOST.append(work)

    def passed(self) -> None:
        if self.counts and not self.is_off:
            self.awaits += 1
            if self.awaits == self._cut:
                self.is_off = True
                self.ended()


_power: ContextVar[Power | None] = ContextVar("power", default=None)


@contextlib.contextmanager
def supplied(power: Power | None) -> Iterator[None]:
    """Tasks that are started here hang on it."""
    if power is not None:
        asyncio.get_running_loop().set_task_factory(_make_task)
    token = _power.set(power)
    try:
        yield
    finally:
        _power.reset(token)


def _make_task(
    loop: asyncio.AbstractEventLoop,
    work: Coroutine[Any, Any, Any] | Generator[Any, None, Any],
    **options: Any,
) -> asyncio.Task[Any]:
    power = _power.get()
    assert isinstance(work, Coroutine)
    carried = work if power is None else _carried(work, power)
    return asyncio.Task(carried, loop=loop, **options)


async def _carried(work: Coroutine[Any, Any, Any], power: Power) -> Any:
    return await _trampoline(work, power)


@types.coroutine
def _trampoline(work: Coroutine[Any, Any, Any], power: Power) -> Generator[Any, Any, Any]:
    resume: Callable[[], Any] = lambda: work.send(None)  # noqa: E731 - it is replaced below
    while True:
        if power.is_off:
            power.lose(work)
            yield from asyncio.get_running_loop().create_future()
        try:
            waited_for = resume()
        except StopIteration as done:
            return done.value
        power.passed()
        try:
            yield waited_for
            resume = lambda: work.send(None)  # noqa: E731
        except BaseException as error:
            resume = lambda error=error: work.throw(error)  # type: ignore[misc] # noqa: E731
