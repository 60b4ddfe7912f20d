"""The check for drift in a process that serves calls."""

from __future__ import annotations

import asyncio
from typing import Any, cast
from unittest.mock import AsyncMock

from rolecall.domain.accounts.drift_check import DriftCheck
from rolecall.domain.engine import AccountFacts, AccountKind
from rolecall.domain.engine.states import AccountState, FoundState


async def test_others_have_their_turn_while_accounts_are_compared() -> None:
    page = [
        FoundState(AccountFacts(number, f"a{number}", AccountKind.NORMAL, True, True, None), AccountState())
        for number in range(2000)
    ]
    connected, repository = AsyncMock(), AsyncMock()
    connected.engine.states.page.side_effect = [page, []]
    repository.states_at.return_value = repository.database_changes.return_value = ()
    repository.recorded_places.return_value = ()
    turns = 0

    async def take_turns() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    other = asyncio.create_task(take_turns())
    check = DriftCheck(cast("Any", None), repository)
    found = [drift async for drift in check.check(connected)]
    other.cancel()
    assert len(found) == len(page)
    assert turns >= 10
