"""Turns at the servers that callers create: what a worker changed is carried out, or looked for if its turn failed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.waiting import reached

from rolecall.cli.turns import TurnsOfParent, giving_turns
from rolecall.domain.reasons import Reason, Refused


class Reconciler:
    """Notes what it is asked for."""

    def __init__(self) -> None:
        self.asked: list[object] = []

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        yield

    async def schedule_changed(self, instance_id: int) -> None:
        self.asked.append(instance_id)

    async def pick_up(self) -> None:
        self.asked.append("whatever is open")


@pytest.mark.parametrize(
    ("failure", "asked"),
    [
        (None, [3]),
        (Refused(Reason.INSTANCE_MISSING), [3]),
        (OSError("the store is out of reach"), ["whatever is open"]),
    ],
)
async def test_what_a_turn_changed_is_carried_out_or_looked_for(
    tmp_path: Path, failure: Exception | None, asked: list[object]
) -> None:
    reconciler: Any = Reconciler()
    socket = tmp_path / "turns"
    async with giving_turns(reconciler, socket):
        with suppress(Refused, OSError):
            async with TurnsOfParent(socket).turn() as turn:
                changed: Any = SimpleNamespace(id=3)
                turn.schedule(changed)
                if failure is not None:
                    raise failure

        async def is_asked() -> bool:
            return bool(reconciler.asked)

        await reached(is_asked)
    assert reconciler.asked == asked
