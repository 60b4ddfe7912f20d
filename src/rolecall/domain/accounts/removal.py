"""Removal: an account goes with its marker, so whatever that tells of other changes is written down before.

Changes that were applied and are not closed yet, because their process died or lost its connection, would look as if
they had never been; and the second try of a creation would make the account once more (`Fence`).

Where login is taken away before anything marks the account (PostgreSQL), only the ledger shows that a deletion began.
So it is noted there first: from then on it is brought to its end, by its own process or by recovery, and until then
recovery may call it superseded, for good.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID

from rolecall.domain.engine import NO_DATABASE, AccountFacts, DatabaseFacts, Engine, ExpectedDatabase
from rolecall.domain.engine.capabilities import TenantSuperuser
from rolecall.domain.engine.identity import (
    NO_ACCOUNT,
    ChangedMeanwhile,
    Expected,
    MovedAway,
    Superseded,
    require_identity,
    require_order,
)
from rolecall.domain.operations.model import OUT_OF_REACH, Change, Ledger, TakenOver
from rolecall.domain.reasons import OutcomeUnknown, Reason, Refused

_ATTEMPTS = 40
_PAUSE = 0.05
"""Seconds. Longer than a change needs that is tried once more, all in all."""

Look = Callable[[], Awaitable[AccountFacts | None]]
Drop = Callable[[Expected], Awaitable[bool]]


async def remove(
    ledger: Ledger, engine: Engine, account: tuple[str, str], operation: UUID, expected: Expected
) -> AccountFacts | None:
    """Drop that very account; if `expected` has an order, only if no other change was applied before this was begun.

    Gives the account as it was dropped, None if it was not there.

    `Superseded`; `MovedAway`; `ChangedMeanwhile`; `TakenOver`; ENGINE_BUSY while others change it again and again.
    """
    name, host = account
    try:
        facts = await _remove(
            ledger,
            lambda: _once_moved(ledger, engine, account),
            lambda seen: engine.drop_account(name, operation, host, seen),
            operation,
            expected,
        )
    except Superseded:
        await _require_gone(engine, name, expected)
        raise
    if facts is None:
        await _require_gone(engine, name, expected)
    return facts


async def _once_moved(ledger: Ledger, engine: Engine, account: tuple[str, str]) -> AccountFacts | None:
    """What is there. Sessions under a former name end before the move is recorded, and after a deletion no mark would
    tell that name. ENGINE_BUSY.
    """
    for _ in range(_ATTEMPTS):
        facts = await engine.account(*account)
        if facts is None or not engine.traits.renames_accounts:
            return facts
        if not await ledger.are_unrecorded(facts.operations, Change.ACCOUNT_MOVE):
            return facts
        await asyncio.sleep(_PAUSE)
    raise _busy()


async def _require_gone(engine: Engine, name: str, expected: Expected) -> None:
    """`MovedAway`: then its row in the store is not to be taken for that of a deleted account."""
    if not (expected.identity and engine.traits.renames_accounts):
        return
    if any(facts.identity == expected.identity for facts in await engine.accounts()):
        raise MovedAway(name)


async def remove_superuser(
    ledger: Ledger, superuser: TenantSuperuser, operation: UUID, expected: Expected
) -> None:
    """The same for the tenants' superuser."""
    await _remove(
        ledger,
        superuser.find,
        lambda seen: superuser.disable(operation, seen),
        operation,
        expected,
    )


async def _remove(
    ledger: Ledger, look: Look, drop: Drop, operation: UUID, expected: Expected
) -> AccountFacts | None:
    is_begun = False
    try:
        for _ in range(_ATTEMPTS):
            facts = await look()
            if facts is None or expected == NO_ACCOUNT:
                await drop(NO_ACCOUNT)
                return None
            require_identity(expected, facts.name, facts.identity)
            if operation not in facts.operations and not is_begun:
                require_order(expected, facts.name, facts.order)
            if not await ledger.begin(operation, [seen for seen in facts.operations if seen != operation]):
                raise TakenOver
            try:
                if await drop(facts.expected):
                    return facts
            except ChangedMeanwhile:  # and what that change is, is written down too
                is_begun = True
        raise _busy()
    except Refused as refusal:
        if is_begun and refusal.reason in OUT_OF_REACH:
            raise OutcomeUnknown("the account has perhaps lost its login") from None
        raise


async def leave(
    ledger: Ledger, engine: Engine, account: tuple[str, str], operation: UUID, expected: Expected
) -> Expected:
    """Before an account leaves its name: wait until whatever was applied under it is recorded under it, and durable.

    What the change may go on with: no other change was applied since. ENGINE_BUSY.
    """
    for _ in range(_ATTEMPTS):
        facts = await engine.account(*account)
        if facts is None or facts.identity != expected.identity or operation in facts.operations:
            return expected
        others = facts.operations
        if not await ledger.are_unrecorded(others):
            await ledger.witness(others)
            if not await ledger.are_unrecorded(others):  # no record was lost before that was durable
                return facts.expected
        await asyncio.sleep(_PAUSE)
    raise _busy()


def _busy() -> Refused:
    return Refused(Reason.ENGINE_BUSY, note="other changes of the account are under way")


async def remove_database(ledger: Ledger, engine: Engine, name: str, expected: ExpectedDatabase) -> None:
    """Drop that very database. `Superseded`."""
    facts = await find_database(engine, name)
    if facts is not None and expected != NO_DATABASE:
        facts.require(expected)
        await ledger.witness(facts.operations)
    await engine.drop_database(name, expected)


async def find_database(engine: Engine, name: str) -> DatabaseFacts | None:
    return next((facts for facts in await engine.databases() if facts.name == name), None)
