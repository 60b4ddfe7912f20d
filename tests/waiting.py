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


LATE = 2.0
"""Seconds from the start of the second in which a call was signed; see `rolecall.signing.replay.SAME_SECOND`."""


def unless_late(send: Callable[[], Found], code: Callable[[Found], str]) -> Found:
    """The answer to a signed call of Tencent's, which is signed again if it was late.

    Two calls of one second with the same parameters have the same signature, and a server takes the second one for a
    captured one once two seconds have passed, which happens on a busy machine.
    """
    for _ in range(10):
        signed = int(time.time())
        answer = send()
        if code(answer) != "AuthFailure.SignatureFailure" or time.time() < signed + LATE:
            break
    return answer
