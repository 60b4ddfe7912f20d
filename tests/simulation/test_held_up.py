"""A process is held up in a change and taken for dead, and recovery closes the change; then it goes on, and may end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import pytest
from tests.simulation import scenarios, test_power_cuts
from tests.simulation.checks import Violation, check
from tests.simulation.planted import sessions_ended_by_name
from tests.simulation.scenarios import Act, Run, call, prepared
from tests.simulation.schedules import once
from tests.simulation.world import Gates, GrantingServer, Hazards, OwningServer, Server

from rolecall.domain.operations.model import State

LOGIN_IS_GONE, RETIRED = "within a change: login is removed", "within a change: retired"


class Hold:
    """Holds a process up at the first gate of that name. With `ends`, it ends at that gate once it goes on."""

    def __init__(self, gates: Gates, at: str, ends: str = "") -> None:
        self.reached = asyncio.Event()
        self.release = gates.schedule
        pass_on = gates.passed

        async def passed(where: str) -> None:
            if where == at and not self.reached.is_set():
                self.reached.set()
                gates.hold()
            await gates.running()
            if where == ends:
                gates.end(where)
            await pass_on(where)

        gates.passed = passed  # type: ignore[method-assign]


async def _bench(make: Callable[[], Server], engine: str, before: Sequence[Act] = ()) -> Run:
    run = await prepared(make(), engine, Hazards())
    run.world.stormy = False
    with run.world.entered():
        await run.start(2)
        for one in before:
            await call(run, run.slots[1], 0, one, "ada")
    run.world.is_over = False
    return run


def _open(run: Run) -> list[str]:
    return [one.operation.target for one in run.world.store.rows.open_operations()]


async def _taken_for_dead(run: Run) -> None:
    """The store forgets who lives; then the other replica's recovery closes whatever is open."""
    await run.world.crash_store()
    async with asyncio.timeout(60):
        while _open(run):
            await asyncio.sleep(1)


async def _settled(run: Run) -> None:
    await run.settle()
    await check(run.world, run.instance.id, run.server, run.history)
    for kept in run.world.store.rows.operations.values():
        one = kept.operation
        if one.id in run.server.applied:
            assert one.state is State.RECORDED, (one.change, one.state, one.note)


KINDS = {engine: found for engine, found in test_power_cuts.KINDS.items() if not engine.endswith(" by SQL")}
METHODS = {
    "create": "create_account",
    "database": "create_database",
    "delete": "drop_account",
    "disable": "disable",
    "enable": "enable",
    "give": "change_database_owner",
    "grant": "change_privileges",
    "grants": "change_grants",
    "no": "drop_database",
    "revoke": "change_privileges",
}
"""By the first word of a kind; the others are `change_account`."""
HELD = [
    (engine, kind, overtaken)
    for engine, (_, kinds) in KINDS.items()
    for kind in kinds
    if kind != "promise"
    for overtaken in (False, True)
    if kinds[kind][0] or not overtaken
]


@pytest.mark.parametrize(("engine", "kind", "overtaken"), HELD)
def test_what_is_applied_after_it_was_called_undone_is_recorded(
    engine: str, kind: str, *, overtaken: bool
) -> None:
    make, kinds = KINDS[engine]
    before, act = kinds[kind]
    method = METHODS.get(kind.partition(" ")[0], "change_account")

    async def scenario() -> None:
        run = await _bench(make, engine, before)
        with run.world.entered():
            hold = Hold(run.slots[0].gates, f"before {method}", f"after {method}")
            asking = asyncio.ensure_future(call(run, run.slots[0], 0, act, "ada"))
            await hold.reached.wait()
            if overtaken:
                await call(run, run.slots[1], 1, scenarios.remark, "ada")
            await _taken_for_dead(run)
            hold.release()
            assert (await asking).kind in {"unknown", "refused", "ok"}
            await _settled(run)

    once(scenario)


async def _deleted_by_others(act: Act) -> None:
    """A process is held up before it ends sessions; others delete the account and create another, which is used."""
    run = await _bench(GrantingServer, "mysql", (scenarios.create,))
    with run.world.entered():
        hold = Hold(run.slots[0].gates, RETIRED if act is scenarios.delete else "within a change: changed")
        asking = asyncio.ensure_future(call(run, run.slots[0], 0, act, "ada"))
        await hold.reached.wait()
        await _taken_for_dead(run)
        if act is not scenarios.delete:
            await call(run, run.slots[1], 1, scenarios.delete, "ada")
        await call(run, run.slots[1], 1, scenarios.create, "ada")
        scenarios.open_session(run.server, "ada")
        hold.release()
        await asking
        await _settled(run)
        (account,) = run.server.now()
        assert run.server.sessions == [("ada", account.identity)]


@pytest.mark.parametrize("act", [scenarios.delete, scenarios.lock])
def test_the_sessions_of_the_next_account_of_a_name_go_on(act: Act) -> None:
    """Found in `granting`: the deletion that others had carried out counted as a change of the next account, too."""
    once(lambda: _deleted_by_others(act))
    with sessions_ended_by_name(), pytest.raises(Violation, match="sessions of the next ada"):
        once(lambda: _deleted_by_others(act))


def test_a_client_token_that_was_called_free_is_not_used_by_the_call_that_was_held_up() -> None:
    """The repetition makes the account; the first call, once it goes on, makes nothing and takes nothing away."""

    async def scenario() -> None:
        run = await _bench(OwningServer, "postgresql")
        with run.world.entered():
            hold = Hold(run.slots[0].gates, "before create_account")
            asking = asyncio.ensure_future(call(run, run.slots[0], 0, scenarios.create_with_token, "ada"))
            await hold.reached.wait()
            await _taken_for_dead(run)
            hold.release()
            again = call(run, run.slots[1], 1, scenarios.create_with_token, "ada")
            first, second = await asyncio.gather(asking, again)
            assert (first.kind, second.kind) == ("unknown", "ok")
            assert (await call(run, run.slots[0], 0, scenarios.create_with_token, "ada")).kind == "ok"
            await _settled(run)

    once(scenario)


def test_a_quota_is_not_exceeded_by_a_call_that_was_held_up() -> None:
    async def scenario() -> None:
        run = await _bench(OwningServer, "postgresql")
        with run.world.entered():
            hold = Hold(run.slots[0].gates, "before create_account")
            asking = asyncio.ensure_future(call(run, run.slots[0], 0, scenarios.create_counted, "ada"))
            await hold.reached.wait()
            await _taken_for_dead(run)
            assert (await call(run, run.slots[1], 1, scenarios.create_counted, "bob")).kind == "ok"
            hold.release()
            assert (await asking).kind == "unknown"
            await _settled(run)
            assert run.server.most == scenarios.QUOTA

    once(scenario)


CUT_SHORT = ("before MemoryLedger.begin", "after MemoryLedger.begin", RETIRED)


@pytest.mark.parametrize(
    ("engine", "at"),
    [*((engine, at) for engine in sorted(KINDS) for at in CUT_SHORT), ("postgresql", LOGIN_IS_GONE)],
)
def test_a_deletion_that_is_cut_short_and_overtaken_leaves_no_account_locked(engine: str, at: str) -> None:
    """Not begun, it is superseded; begun, it is brought to its end. So it is if its process was only held up."""

    async def scenario(*, ends: bool) -> None:
        run = await _bench(KINDS[engine][0], engine, (scenarios.create,))
        with run.world.entered():
            hold = Hold(run.slots[0].gates, at)
            asking = asyncio.ensure_future(call(run, run.slots[0], 0, scenarios.delete, "ada"))
            await hold.reached.wait()
            assert (await call(run, run.slots[1], 1, scenarios.remark, "ada")).kind == "ok"
            if ends:
                run.slots[0].gates.end(at)
            await _taken_for_dead(run)
            hold.release()
            await asking
            await _settled(run)
            is_begun = at != "before MemoryLedger.begin"
            assert [facts.may_log_in for facts in run.server.now()] == ([] if is_begun else [True])

    for ends in (True, False):
        once(lambda ends=ends: scenario(ends=ends))  # type: ignore[misc]


@pytest.mark.parametrize("at", ["after MemoryLedger.promise", "before create_account"])
@pytest.mark.parametrize("leaves", ["delete", "move"])
def test_a_promise_that_another_process_has_kept_is_not_kept_again(leaves: str, at: str) -> None:
    async def scenario() -> None:
        run = await _bench(GrantingServer, "mysql")
        with run.world.entered():
            hold = Hold(run.slots[0].gates, at)
            asking = asyncio.ensure_future(call(run, run.slots[0], 0, scenarios.promise, "ada"))
            await hold.reached.wait()
            await _taken_for_dead(run)
            assert (await call(run, run.slots[1], 1, getattr(scenarios, leaves), "ada")).kind == "ok"
            hold.release()
            await asking
            await _settled(run)
            assert "ada" not in {facts.name for facts in run.server.now()}

    once(scenario)


def test_a_change_waits_for_an_account_that_another_process_has_promised() -> None:
    async def scenario() -> None:
        run = await _bench(GrantingServer, "mysql")
        with run.world.entered():
            hold = Hold(run.slots[0].gates, "before create_account")
            asking = asyncio.ensure_future(call(run, run.slots[0], 0, scenarios.promise, "ada"))
            await hold.reached.wait()
            locking = asyncio.ensure_future(call(run, run.slots[1], 1, scenarios.lock, "ada"))
            await asyncio.sleep(1)
            assert not locking.done()
            hold.release()
            assert (await asking).kind == "ok"
            assert (await locking).kind == "ok"
            await _settled(run)

    once(scenario)


def test_a_change_of_a_promised_account_that_is_not_made_is_refused_as_busy() -> None:
    async def scenario() -> None:
        run = await _bench(GrantingServer, "mysql")
        with run.world.entered():
            hold = Hold(run.slots[0].gates, "before create_account")
            asking = asyncio.ensure_future(call(run, run.slots[0], 0, scenarios.promise, "ada"))
            await hold.reached.wait()
            refused = await call(run, run.slots[1], 1, scenarios.lock, "ada")
            assert (refused.kind, refused.value.value) == ("refused", "engine-busy")
            hold.release()
            assert (await asking).kind == "ok"
            await _settled(run)

    once(scenario)
