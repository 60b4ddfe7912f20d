"""The runner by itself: how often it tries an operation, what it says of one under way, and whose it leaves alone."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from tests.simulation.schedules import once, virtual_time
from tests.simulation.world import World

from rolecall.domain.operations import runner as runner_module
from rolecall.domain.operations.journal import Journal
from rolecall.domain.operations.model import Change, Intent, Operation, Promised, Runner, State
from rolecall.domain.operations.runner import OperationRunner, may_pass
from rolecall.domain.reasons import OutcomeUnknown, Reason, Refused
from rolecall.store.memory_ledger import MemoryLedger
from rolecall.values import Caller, Origin

ADA, BOB = (1, "ada", "%"), (1, "bob", "%")
ORIGIN = Origin(Caller(1, 100, 200, 1, "AKIDx"), "red", "Action", "t1")


class Bench:
    def __init__(self, world: World) -> None:
        self.world = world
        self.replica = world.store.replica()
        self.ledger: MemoryLedger = self.replica.operations
        self.journal = Journal(self.ledger)
        self.runner = OperationRunner(self.journal)

    async def accepted(self, name: str = "ada", runner: Runner = Runner.CALL) -> UUID:
        operation = uuid4()
        intent = Intent(Change.ACCOUNT_CREATE, name, ORIGIN, runner=runner)
        await self.ledger.accept(operation, 1, intent)
        return operation

    def deferred(self, name: str) -> Promised:
        return Promised(uuid4(), Intent(Change.ACCOUNT_CREATE, name, ORIGIN, runner=Runner.DEFERRED))

    def attempts(self, operation: UUID) -> int:
        return self.world.store.rows.attempts[operation]


def on_bench(play: Callable[[Bench], Awaitable[None]]) -> None:
    async def scenario() -> None:
        world = World()
        world.stormy = False
        with world.entered():
            bench = Bench(world)
            await bench.replica.join()
            await play(bench)

    once(scenario)


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the runner writes to the log."""
    lines: list[str] = []

    class Log:
        def exception(self, text: str, **_: Any) -> None:
            lines.append(text)

        error = exception

    monkeypatch.setattr(runner_module, "_log", Log())
    return lines


@pytest.mark.parametrize(
    ("error", "passes"),
    [
        (OutcomeUnknown("lost"), True),
        (Refused(Reason.ENGINE_UNREACHABLE), True),
        (Refused(Reason.ACCOUNT_TAKEN), False),
        (ValueError("a fault of ours"), False),
    ],
)
def test_only_what_says_nothing_of_the_change_may_pass(error: Exception, *, passes: bool) -> None:
    assert may_pass(error) is passes


def test_what_is_accepted_is_under_way_beside_what_was_before_unless_it_is_refused() -> None:
    async def play(bench: Bench) -> None:
        before, first = uuid4(), bench.deferred("ada")
        bench.journal.under_way.add(before)
        await bench.runner.accept(1, [first])
        assert bench.journal.under_way == {before, first.id}
        with pytest.raises(Refused):
            await bench.runner.accept(1, [bench.deferred("bob"), bench.deferred("ada")])
        assert bench.journal.under_way == {before, first.id}

    on_bench(play)


def test_attempts_are_made_at_growing_pauses_until_one_closes_the_operation() -> None:
    async def play(bench: Bench) -> None:
        operation, times = await bench.accepted(), []
        bench.journal.under_way.add(operation)

        async def attempt() -> bool:
            times.append(virtual_time())
            assert bench.attempts(operation) == len(times) - 1
            assert bench.runner.is_unreachable(ADA) == (len(times) > 1)
            return len(times) == 7

        bench.runner.begin(ADA, operation, attempt)
        task = bench.runner.in_flight(ADA)
        assert task is not None
        assert bench.runner.in_flight(BOB) is None
        await task
        pauses = [later - sooner for sooner, later in itertools.pairwise(times)]
        assert pauses == pytest.approx([0.2, 0.5, 1.0, 2.0, 2.0, 2.0])
        assert bench.runner.in_flight(ADA) is None
        assert not bench.runner.is_unreachable(ADA)
        assert bench.journal.under_way == set()

    on_bench(play)


def test_the_end_of_one_leaves_the_next_of_that_account_in_flight(logged: list[str]) -> None:
    async def play(bench: Bench) -> None:
        ends = [asyncio.Event(), asyncio.Event()]
        tasks = []
        for end in ends:

            async def attempt(end: asyncio.Event = end) -> bool:
                await end.wait()
                raise ValueError("a fault of ours")

            bench.runner.begin(ADA, await bench.accepted(), attempt)
            tasks.append(bench.runner.in_flight(ADA))
        ends[0].set()
        await asyncio.wait([tasks[0]])
        assert bench.runner.in_flight(ADA) is tasks[1]
        ends[1].set()
        await asyncio.wait([tasks[1]])
        await asyncio.sleep(0)
        assert bench.runner.in_flight(ADA) is None
        assert logged == ["an operation could not be carried out now"] * 2

    on_bench(play)


def test_closing_leaves_what_is_in_flight_open_for_the_next_process(logged: list[str]) -> None:
    async def play(bench: Bench) -> None:
        operation = await bench.accepted()

        async def attempt() -> bool:
            await asyncio.Event().wait()
            return True

        bench.runner.begin(ADA, operation, attempt)
        task = bench.runner.in_flight(ADA)
        assert task is not None
        await asyncio.sleep(0)
        await bench.runner.close()
        assert task.cancelled()
        assert bench.runner.in_flight(ADA) is None
        assert await bench.ledger.are_open([operation])
        assert logged == []

    on_bench(play)


def test_a_round_tries_what_is_open_and_due_and_nobody_carries_out() -> None:
    async def play(bench: Bench) -> None:
        under_way, provisioned = await bench.accepted(), await bench.accepted(runner=Runner.PROVISIONING)
        bench.journal.under_way.add(under_way)
        waiting, closed, first, last = [await bench.accepted(name) for name in ("bob", "cid", "dan", "eve")]
        await bench.ledger.tried(waiting, 100.0)
        tried: list[UUID] = []

        async def finish(operation: Operation) -> bool:
            tried.append(operation.id)
            return operation.id == last

        unresolved = bench.ledger.unresolved

        async def listed(replicas: Any) -> Any:
            found = await unresolved(replicas)
            await bench.ledger.close(closed, State.REFUSED, "", "")
            return found

        bench.ledger.unresolved = listed  # type: ignore[method-assign]
        assert await bench.runner.round(finish) == 2
        assert tried == [first, last]
        assert [bench.attempts(one) for one in (first, last, provisioned)] == [1, 0, 0]

    on_bench(play)


def test_what_fails_by_a_fault_of_ours_is_tried_after_pauses_that_double(logged: list[str]) -> None:
    async def play(bench: Bench) -> None:
        operation = await bench.accepted()
        pauses: list[float] = []
        tried = bench.ledger.tried

        async def counted(which: UUID, pause: float) -> None:
            pauses.append(pause)
            await tried(which, pause)

        bench.ledger.tried = counted  # type: ignore[method-assign]

        async def finish(_: Operation) -> bool:
            raise ValueError("a fault of ours")

        for _ in range(6):
            assert await bench.runner.round(finish) == 1
            assert await bench.runner.round(finish) == 1  # not due
            await asyncio.sleep(pauses[-1] + 0.001)
        assert pauses == [5.0, 10.0, 20.0, 40.0, 60.0, 60.0]
        assert bench.attempts(operation) == 6
        assert logged == ["operation could not be resolved"] * 6

    on_bench(play)
