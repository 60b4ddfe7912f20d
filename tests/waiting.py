"""Waits for conditions: asked again and again, within a bound that only what hangs exceeds."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

PATIENCE = 120.0
"""Seconds for what takes one or two on an idle machine."""

Found = TypeVar("Found")


def until(condition: Callable[[], Found], pause: float = 0.02) -> Found:
    """The first true answer."""
    deadline = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(pause)
    return found


async def reached(condition: Callable[[], Found | Awaitable[Found]], pause: float = 0.01) -> Found:
    """The same for a condition of the running loop, which may have to be awaited."""
    async with asyncio.timeout(PATIENCE):
        while True:
            answer = condition()
            found = await answer if inspect.isawaitable(answer) else answer
            if found:
                return found
            await asyncio.sleep(pause)
