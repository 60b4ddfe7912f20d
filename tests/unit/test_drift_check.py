"""The check for drift in a process that serves calls."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Any, cast
from unittest.mock import AsyncMock

from tests.waiting import PATIENCE

from rolecall.domain.accounts.drift_check import DriftCheck
from rolecall.domain.engine import AccountFacts, AccountKind
from rolecall.domain.engine.states import AccountState, FoundState


def accounts(count: int) -> list[FoundState]:
    return [
        FoundState(AccountFacts(number, f"a{number}", AccountKind.NORMAL, True, True, None), AccountState())
        for number in range(count)
    ]


async def test_others_have_their_turn_while_accounts_are_compared() -> None:
    page = accounts(2000)
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


async def test_the_next_page_is_read_while_one_is_compared_and_no_longer() -> None:
    connected, repository = AsyncMock(), AsyncMock()
    repository.states_at.return_value = repository.database_changes.return_value = ()
    is_read, has_ended = asyncio.Event(), asyncio.Event()

    async def page(after: object, _limit: int) -> list[FoundState]:
        if after is None:
            return accounts(2)
        is_read.set()
        try:
            return await asyncio.Future()
        finally:
            has_ended.set()

    connected.engine.states.page = page
    found = DriftCheck(cast("Any", None), repository).check(connected)
    async with asyncio.timeout(PATIENCE), aclosing(cast("Any", found)):
        assert (await anext(found)).name == "a0"
        await is_read.wait()
        assert not has_ended.is_set()
    assert has_ended.is_set()
