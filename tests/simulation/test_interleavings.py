"""Single interleavings, each written out: those that a reader suspected and that the search does not reach soon."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from tests.simulation import scenarios
from tests.simulation.processes import Process
from tests.simulation.scenarios import Run, call, prepared
from tests.simulation.schedules import once
from tests.simulation.world import Hazards, OwningServer

from rolecall.domain.accounts import commands
from rolecall.domain.engine import AccountChange, AccountFacts, NewDatabase
from rolecall.domain.operations.model import Change, Intent, Operation, State
from rolecall.domain.reasons import Reason, Refused

Play = Callable[[Run], Awaitable[None]]


def played(play: Play, replicas: int = 1) -> None:
    """In a world where nothing goes wrong by itself, with an account ``ada``."""

    async def scenario() -> None:
        run = await prepared(OwningServer(), "postgresql", Hazards())
        run.world.stormy = False
        with run.world.entered():
            await run.start(replicas)
            await call(run, run.slots[0], 0, scenarios.create_managed, "ada")
            await play(run)

    once(scenario)


def operations(run: Run, change: Change) -> list[Operation]:
    kept = run.world.store.rows.operations.values()
    return [one.operation for one in kept if one.operation.change is change]


def looking(process: Process) -> tuple[asyncio.Event, asyncio.Event]:
    """From now on recovery, when it has listed what is open, sets the first event and waits for the second."""
    listed, may_go_on = asyncio.Event(), asyncio.Event()
    ledger: Any = process.replica.operations
    unresolved = ledger.unresolved

    async def slowly(replicas: list[int]) -> Any:
        found = await unresolved(replicas)
        listed.set()
        await may_go_on.wait()
        return found

    ledger.unresolved = slowly
    return listed, may_go_on


def test_a_refusal_stands_though_recovery_had_listed_the_operation_before() -> None:
    async def play(run: Run) -> None:
        process, server = run.slots[0], run.server
        listed, may_go_on = looking(process)
        rounds: list[asyncio.Task[int]] = []
        account = server.account

        async def unreachable(name: str, host: str = "") -> AccountFacts | None:
            server.account = account
            rounds.append(asyncio.ensure_future(process.recovery.round()))
            await listed.wait()
            raise Refused(Reason.ENGINE_UNREACHABLE)

        server.identify, server.account = account, unreachable
        outcome = await call(run, process, 0, scenarios.delete, "ada")
        assert (outcome.kind, outcome.value) == ("refused", Reason.ENGINE_UNREACHABLE)
        may_go_on.set()
        await asyncio.gather(*rounds)
        assert operations(run, Change.ACCOUNT_DELETE)[0].state is State.REFUSED
        assert await server.account("ada") is not None

    played(play)


def test_an_operation_that_cannot_be_read_keeps_no_other_from_being_resolved() -> None:
    async def play(run: Run) -> None:
        process, ledger = run.slots[0], run.slots[0].replica.operations
        facts = await run.server.account("ada")
        broken = Intent(Change.PRIVILEGES, "ada", run.origin("x"), {}, expected=facts.expected)
        for intent in (broken, Intent(Change.ACCOUNT_UNLOCK, "ada", run.origin("y"))):
            await ledger.accept(uuid4(), run.instance.id, intent)
        assert await process.recovery.round() == 1
        assert operations(run, Change.ACCOUNT_UNLOCK)[0].state is State.UNDONE

    played(play)


def test_a_client_token_is_not_free_because_the_account_cannot_be_looked_at() -> None:
    async def play(run: Run) -> None:
        process, server = run.slots[0], run.server
        made = await call(run, process, 0, scenarios.create_with_token, "bob")
        assert made.kind == "ok"
        account = server.account

        async def unreachable(name: str, host: str = "") -> AccountFacts | None:
            server.account = account
            raise Refused(Reason.ENGINE_BUSY)

        server.account = unreachable
        again = await call(run, process, 0, scenarios.create_with_token, "bob")
        assert (again.kind, again.value) == ("refused", Reason.ENGINE_BUSY)
        assert (await call(run, process, 0, scenarios.create_with_token, "bob")).kind == "ok"
        assert len([one for one in operations(run, Change.ACCOUNT_CREATE) if one.target == "bob"]) == 1

    played(play)


def test_a_deletion_that_another_process_took_for_overtaken_is_not_begun() -> None:
    """A loses its lock in the store for a while, and not more."""

    async def play(run: Run) -> None:
        first, second = run.slots
        server, account = run.server, run.server.account

        async def late(name: str, host: str = "") -> AccountFacts | None:
            server.account = account
            await call(run, second, 1, scenarios.remark, "ada")
            run.world.store.rows.living.discard(first.replica.operations.replica)
            await second.recovery.round()
            assert operations(run, Change.ACCOUNT_DELETE)[0].state is State.SUPERSEDED
            (facts,) = server.now()
            return facts

        server.identify, server.account = account, late
        assert (await call(run, first, 0, scenarios.delete, "ada")).kind == "unknown"
        assert operations(run, Change.ACCOUNT_DELETE)[0].state is State.SUPERSEDED
        (facts,) = server.now()
        assert facts.may_log_in
        assert len(await first.replica.operations.accounts(run.instance.id)) == 1

    played(play, replicas=2)


def test_what_is_done_to_an_account_that_a_restored_server_has_again_is_kept() -> None:
    """A server restored from a backup has an account again that was deleted since: the same one, by its identity."""

    async def play(run: Run) -> None:
        process, server = run.slots[0], run.server
        accounts, verifiers = dict(server._accounts), dict(server._verifiers)
        assert (await call(run, process, 0, scenarios.delete, "ada")).kind == "ok"
        server._accounts.update(accounts)
        server._verifiers.update(verifiers)
        assert (await call(run, process, 0, scenarios.open_managed, "ada")).kind == "ok"
        (row,) = await process.replica.operations.accounts(run.instance.id)
        assert row.sealed_password is not None

    played(play)


def test_a_number_that_a_restored_server_gives_out_again_is_of_a_new_account() -> None:
    async def play(run: Run) -> None:
        process, server = run.slots[0], run.server
        (old,) = server.now()
        for deleted in (False, True):
            if deleted:
                assert (await call(run, process, 0, scenarios.delete, "ada")).kind == "ok"
            server._accounts.clear()
            server._oids = iter(range(old.oid, old.oid + 9))
            assert (await call(run, process, 0, scenarios.create, "ada")).kind == "ok"
            (new,) = server.now()
            assert new.identity == old.identity
            (row,) = await process.replica.operations.accounts(run.instance.id)
            assert row.sealed_password is None
            assert row.created_at is not None

    played(play)


def test_a_change_of_owner_is_not_repeated_after_another_one_that_was_acknowledged() -> None:
    """The database is back where it was when the first was accepted."""

    async def play(run: Run) -> None:
        process, server = run.slots[0], run.server
        await call(run, process, 0, scenarios.create, "bob")
        await server.create_database(_database())
        ledger = process.replica.operations
        record = ledger.record
        lost: list[object] = []

        async def lose(operation: Any, *args: Any) -> bool:
            if not lost:
                lost.append(operation)
                await asyncio.get_running_loop().create_future()
            return bool(await record(operation, *args))

        ledger.record = lose
        given = asyncio.ensure_future(process.bus.execute(_owner("bob"), run.origin("a")))
        while not lost:
            await asyncio.sleep(0.1)
        await process.bus.execute(_owner("ada"), run.origin("b"))
        given.cancel()
        await asyncio.gather(given, return_exceptions=True)
        await process.recovery.round()
        (database,) = [one for one in await server.databases() if one.name == "shop"]
        assert database.owner == "ada"

    played(play)


def test_what_an_earlier_release_has_begun_or_applied_is_finished() -> None:
    """Its operations do not say which account they are meant for, but the account's mark does."""

    async def play(run: Run) -> None:
        process, server = run.slots[0], run.server
        for change in (Change.PRIVILEGES, Change.ACCOUNT_DELETE):
            operation = uuid4()
            await process.replica.operations.accept(
                operation, run.instance.id, Intent(change, "ada", run.origin("x"), {"changes": []})
            )
            await server.change_account(AccountChange("ada", operation, may_log_in=False))
            assert await process.recovery.round() == 0
            assert operations(run, change)[0].state is State.RECORDED
        assert server.now() == []

    played(play)


def test_a_lock_that_was_begun_is_finished_though_another_change_came_between() -> None:
    async def play(run: Run) -> None:
        process, server = run.slots[0], run.server
        facts = await server.account("ada")
        operation = uuid4()
        await process.replica.operations.accept(
            operation,
            run.instance.id,
            Intent(Change.ACCOUNT_LOCK, "ada", run.origin("x"), expected=facts.expected),
        )
        server._accounts["ada"] = replace(facts, may_log_in=False)  # login is gone, and it is not marked
        assert (await call(run, process, 0, scenarios.remark, "ada")).kind == "ok"
        assert await process.recovery.round() == 0
        assert operations(run, Change.ACCOUNT_LOCK)[0].state is State.RECORDED
        assert operation in (await server.account("ada")).operations

    played(play)


def _database() -> NewDatabase:
    return NewDatabase("shop", "ada", uuid4(), "UTF8", "C", "C")


def _owner(name: str) -> commands.ChangeDatabaseOwner:
    return commands.ChangeDatabaseOwner(scenarios.PLACE, "shop", name)


@pytest.mark.parametrize(
    ("found", "state"),
    [
        ("open", State.UNDONE),
        ("begun", State.RECORDED),
        ("marked", State.RECORDED),
        ("changed", State.RECORDED),
        ("another", State.SUPERSEDED),
    ],
)
def test_recovery_finishes_a_lock_that_was_begun_and_no_other(found: str, state: State) -> None:
    """Real servers take login away, mark the lock and end sessions in three steps; servers in memory do not."""

    async def play(run: Run) -> None:
        process, server, lock = run.slots[0], run.server, uuid4()
        assert isinstance(server, OwningServer)
        before = await server.account("ada")
        assert before is not None
        await process.replica.operations.accept(
            lock,
            run.instance.id,
            Intent(Change.ACCOUNT_LOCK, "ada", run.origin("x"), expected=before.expected),
        )
        now = {
            "open": before,
            "begun": replace(before, may_log_in=False),
            "marked": replace(before.changed_by(lock), may_log_in=False),
            "changed": replace(before.changed_by(uuid4()), may_log_in=False),
            "another": replace(before, identity="0", may_log_in=False),
        }[found]
        server._accounts["ada"] = now
        server.sessions.append(("ada", now.identity))
        await process.recovery.round()
        after = await server.account("ada")
        assert operations(run, Change.ACCOUNT_LOCK)[0].state is state
        if state is not State.RECORDED:
            assert (after, server.sessions) == (now, [("ada", now.identity)])
            return
        assert after is not None
        assert not after.may_log_in
        assert after.marker == lock
        assert server.sessions == []

    played(play)
