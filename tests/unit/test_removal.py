"""Deletions whose account is changed between their steps."""

from __future__ import annotations

from collections.abc import Iterator
from unittest.mock import AsyncMock
from uuid import uuid4

import pytest

from rolecall.domain.accounts import removal
from rolecall.domain.engine import AccountFacts, AccountKind
from rolecall.domain.engine.identity import ChangedMeanwhile, Expected
from rolecall.domain.reasons import OutcomeUnknown, Reason, Refused

UNREACHABLE = Refused(Reason.ENGINE_UNREACHABLE)


def account(order: int) -> AccountFacts:
    """After a change of that order."""
    return AccountFacts(1, "ada", AccountKind.NORMAL, True, True, uuid4(), identity="1", orders=(order,))


def answers(*given: object) -> AsyncMock:
    """One after another, the last again and again."""

    def each() -> Iterator[object]:
        yield from given
        while True:
            yield given[-1]

    return AsyncMock(side_effect=each())


async def removed(look: AsyncMock, drop: AsyncMock, expected: Expected) -> AccountFacts | None:
    ledger = AsyncMock()
    ledger.begin.return_value = True
    return await removal._remove(ledger, look, drop, uuid4(), expected)


@pytest.mark.parametrize(
    ("look", "drop"),
    [
        ([account(1), UNREACHABLE], [ChangedMeanwhile("ada")]),
        ([account(1)], [ChangedMeanwhile("ada"), UNREACHABLE]),
        ([account(1)], [ChangedMeanwhile("ada")]),
    ],
    ids=["looked for in vain", "not carried on", "changed again and again"],
)
async def test_a_deletion_that_was_begun_is_unknown_and_not_refused(
    look: list[object], drop: list[object]
) -> None:
    """Its login may be gone: recovery brings it to its end."""
    with pytest.raises(OutcomeUnknown):
        await removed(answers(*look), answers(*drop), Expected("1"))


async def test_a_deletion_that_was_not_begun_is_refused() -> None:
    with pytest.raises(Refused):
        await removed(answers(UNREACHABLE), answers(True), Expected("1"))
    with pytest.raises(Refused):
        await removed(answers(account(1)), answers(UNREACHABLE), Expected("1"))
    with pytest.raises(ChangedMeanwhile):
        await removed(answers(account(2)), answers(True), Expected("1", 1))


async def test_a_deletion_that_was_begun_is_completed_after_a_change_that_it_has_not_seen() -> None:
    drop = answers(ChangedMeanwhile("ada"), True)
    found = await removed(answers(account(1), account(2)), drop, Expected("1", 1))
    assert found is not None
    assert found.order == 2
    assert [call.args[0].order for call in drop.call_args_list] == [1, 2]
