"""A round of recovery: what it leaves for another one, what it looks at again, and what it reports."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest
from tests.simulation.scenarios import Run
from tests.simulation.test_interleavings import played

from rolecall.domain.engine import AccountChange, AccountFacts
from rolecall.domain.engine.identity import ChangedMeanwhile, Expected
from rolecall.domain.operations.model import Change, Intent, Operation, Runner, State, Unresolved
from rolecall.domain.reasons import OutcomeUnknown, Reason, Refused
from rolecall.values import Secret


async def accepted(run: Run, change: Change, **more: Any) -> UUID:
    operation = uuid4()
    intent = Intent(change, "ada", run.origin("x"), **more)
    await run.slots[0].replica.operations.accept(operation, run.instance.id, intent)
    return operation


async def interrupted(run: Run, change: Change, **more: Any) -> UUID:
    operation = await accepted(run, change, **more)
    ledger = run.slots[0].replica.operations
    await ledger.close(operation, State.UNDONE, Reason.INTERRUPTED.value, "")
    return operation


def kept(run: Run, operation: UUID) -> Operation:
    return run.world.store.rows.operations[operation].operation


@pytest.mark.parametrize(
    ("error", "left", "state"),
    [
        (Refused(Reason.ENGINE_UNREACHABLE), 1, State.ACCEPTED),
        (OutcomeUnknown("lost"), 1, State.ACCEPTED),
        (Refused(Reason.ACCOUNT_PROTECTED), 0, State.UNDONE),
    ],
)
def test_what_cannot_be_seen_now_stays_open(error: Exception, left: int, state: State) -> None:
    async def play(run: Run) -> None:
        operation = await accepted(run, Change.ACCOUNT_UNLOCK)

        async def account(name: str, host: str = "") -> AccountFacts | None:
            raise error

        run.server.account = account
        assert await run.slots[0].recovery.round() == left
        assert kept(run, operation).state is state
        assert run.world.store.rows.attempts[operation] == left

    played(play)


def test_a_lock_that_another_change_came_before_is_left_for_the_next_round() -> None:
    async def play(run: Run) -> None:
        server, facts = run.server, await run.server.account("ada")
        operation = await accepted(run, Change.ACCOUNT_LOCK, expected=facts.expected)
        await server.change_account(AccountChange("ada", operation, may_log_in=False))
        change_account = server.change_account

        async def meanwhile(change: AccountChange) -> AccountFacts:
            raise ChangedMeanwhile(change.name)

        server.change_account = meanwhile
        assert await run.slots[0].recovery.round() == 1
        server.change_account = change_account
        assert await run.slots[0].recovery.round() == 0
        assert kept(run, operation).state is State.RECORDED

    played(play)


def test_a_round_reports_what_is_open() -> None:
    async def play(run: Run) -> None:
        reports: list[Unresolved] = []
        recovery = run.slots[0].recovery
        recovery._report = reports.append
        await recovery.round()
        await accepted(run, Change.ACCOUNT_REMARK, runner=Runner.PROVISIONING)
        await recovery.round()
        assert [report.number for report in reports] == [0, 1]

    played(play)


def test_what_was_called_undone_is_recorded_once_it_shows_or_was_seen_applied() -> None:
    """Those that are under way, of whole servers, or fail, keep no other from being found."""

    async def play(run: Run) -> None:
        process, facts = run.slots[0], await run.server.account("ada")
        expected = Expected(facts.identity)
        under_way = await interrupted(run, Change.ACCOUNT_REMARK, expected=expected)
        process.journal.under_way.add(under_way)
        provisioned = await interrupted(run, Change.ACCOUNT_REMARK, runner=Runner.PROVISIONING)
        broken = await interrupted(run, Change.ACCOUNT_REMARK, expected=expected)
        seen = await interrupted(run, Change.ACCOUNT_REMARK, expected=expected)
        never = await interrupted(run, Change.ACCOUNT_REMARK, expected=expected)
        shown = await interrupted(run, Change.ACCOUNT_PASSWORD, expected=expected)
        await process.replica.operations.witness([under_way, provisioned, seen])
        verifier = run.server.verifier("ada", Secret("another"))
        after = await run.server.change_account(AccountChange("ada", shown, verifier=verifier))
        account, looks = run.server.account, 0

        async def once_broken(name: str, host: str = "") -> AccountFacts | None:
            nonlocal looks
            looks += 1
            if looks == 1:
                raise Refused(Reason.ENGINE_BUSY)
            found: AccountFacts | None = await account(name, host)
            return found

        run.server.account = once_broken
        await process.recovery.round()
        run.server.account = account
        states = {
            name: kept(run, operation).state
            for name, operation in {
                "under way": under_way, "provisioned": provisioned, "broken": broken, "seen": seen,
                "never": never, "shown": shown,
            }.items()
        }  # fmt: skip
        assert states == {
            "under way": State.UNDONE,
            "provisioned": State.UNDONE,
            "broken": State.UNDONE,
            "seen": State.RECORDED,
            "never": State.UNDONE,
            "shown": State.RECORDED,
        }
        (row,) = await process.replica.operations.accounts(run.instance.id)
        assert row.applied_order == after.order
        assert row.sealed_password is None

    played(play)


@pytest.mark.parametrize("change", [Change.ACCOUNT_MOVE, Change.ACCOUNT_PASSWORD])
def test_what_was_seen_applied_on_an_instance_that_is_gone_is_recorded(change: Change) -> None:
    async def play(run: Run) -> None:
        operation = await accepted(run, change, expected=Expected("1"))
        await run.slots[0].replica.operations.witness([operation])
        run.world.store.instances.clear()
        run.slots[0].replica.forget()
        assert await run.slots[0].recovery.round() == 0
        assert kept(run, operation).state is State.RECORDED

    played(play)


def test_an_operation_of_an_instance_that_is_gone_is_undone() -> None:
    async def play(run: Run) -> None:
        operation = await accepted(run, Change.ACCOUNT_REMARK)
        run.world.store.instances.clear()
        run.slots[0].replica.forget()
        assert await run.slots[0].recovery.round() == 0
        closed = kept(run, operation)
        assert (closed.state, closed.reason, closed.note) == (
            State.UNDONE,
            Reason.INTERRUPTED.value,
            "the instance was removed",
        )

    played(play)
