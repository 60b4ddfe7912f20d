"""Accounts changed step after step, with crashes in between: one state machine, on servers in memory and on real ones.

Each step goes through the domain's own commands, and a process may end at any gate of one. After each step the server,
the rows and the model agree; after a crash and recovery the step has happened wholly or not at all.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import hypothesis
import pytest
from hypothesis import HealthCheck, strategies
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from tests.engines.conftest import MariaHarness, PostgresHarness
from tests.simulation import scenarios
from tests.simulation.checks import MANAGED, Accounts, Observed, opened
from tests.simulation.processes import Process
from tests.simulation.scenarios import GRANTING, OWNING, Act, Run, call, prepared
from tests.simulation.schedules import Call
from tests.simulation.world import GrantingServer, Hazards, OwningServer, SimulatedServer
from tests.waiting import PATIENCE

from rolecall.domain.engine import Engine
from rolecall.domain.engine.roles import NO_LIMIT
from rolecall.domain.operations.model import State
from rolecall.engines.mysql import MySqlEngine
from rolecall.engines.postgresql import PostgresEngine

GATES = 24
"""More than any change passes."""

Opener = Callable[[], tuple[Engine, Callable[[str, str], Awaitable[bool]] | None]]
"""Makes an engine, with what tells whether a password opens an account of it; None for one in memory."""


class AccountMachine(RuleBasedStateMachine):
    """Two names on one server."""

    engine = ""
    acts: Sequence[Act] = ()
    opener: Opener

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.run: Run
        self.model: Any = ()
        self.do(self._start())

    def do(self, work: Awaitable[Any]) -> Any:
        async def inside() -> Any:
            async with asyncio.timeout(PATIENCE):
                return await work

        return self.loop.run_until_complete(inside())

    async def _start(self) -> None:
        server, self.can_log_in = type(self).opener()
        self.run = await prepared(server, self.engine, Hazards())
        self.run.world.stormy = False
        mark = "" if isinstance(server, SimulatedServer) else f"_{secrets.token_hex(4)}"
        self.run.names = (f"ada{mark}", f"bob{mark}")
        await self._begin_process()

    async def _begin_process(self) -> None:
        process = Process(self.run.world, "P")
        await process.replica.join()
        process.ready.set()
        self.run.slots = [process]

    async def _observe(self) -> dict[str, Observed]:
        """What server and rows say of the two names; that they agree is asserted."""
        run, seen = self.run, {}
        rows = {row.name: row for row in await self._books().operations.accounts(run.instance.id)}
        accounts = {facts.name: facts for facts in await run.server.accounts() if facts.name in run.names}
        assert rows.keys() == accounts.keys()
        for name, facts in accounts.items():
            row = rows[name]
            assert row.oid == facts.oid
            assert row.created_at is not None
            managed = row.sealed_password is not None
            if managed:
                assert await self._opens(facts, opened(row, run.instance.id))
            limit = await self._limit(name)
            seen[name] = (not facts.may_log_in, MANAGED if managed else None, row.remark, limit)
        return seen

    async def _limit(self, name: str) -> int:
        roles = self.run.server.roles
        return NO_LIMIT if roles is None else (await roles.role_facts(name))[0].connection_limit

    def _books(self) -> Any:
        return self.run.world.store.replicas[0]

    async def _opens(self, facts: Any, password: str) -> bool:
        if self.can_log_in is None:
            return bool(self.run.server.password_of(facts) == password)
        return not facts.may_log_in or await self.can_log_in(facts.name, password)

    async def _agrees(self, model: Any, seen: dict[str, Observed]) -> bool:
        expected: dict[str, Observed] = dict(model)
        if expected.keys() != seen.keys():
            return False
        for name, (locked, password, remark, limit) in expected.items():
            same = (locked, remark, limit) == (seen[name][0], *seen[name][2:])
            if not same or (password == MANAGED) != (seen[name][1] == MANAGED):
                return False
            facts = await self.run.server.account(name)
            if password != MANAGED and not await self._opens(facts, password or ""):
                return False
        return True

    def _after(self, calls: Sequence[Call]) -> list[Any]:
        """The model after calls that ended; with one of unknown outcome, both that it happened and that it did not."""
        states = [self.model]
        for one in calls:
            steps = [Accounts().step(state, one) for state in states]
            if one.status == "info":
                states += [state for legal, state in steps if legal]
            elif one.status == "ok":
                assert all(legal for legal, _ in steps), (self.model, one)
                states = [state for _, state in steps]
        return states

    async def _change(self, act: Act, name: str, fuse: int) -> None:
        process, before = self.run.slots[0], len(self.run.history)
        process.gates.fuse = fuse
        await call(self.run, process, 0, act, name)
        process.gates.fuse = 0
        if not process.gates.alive:
            await process.replica.close()
            await self._begin_process()
        await self._settle()
        calls = self.run.history.operations[before:]
        seen = await self._observe()
        for state in self._after(calls):
            if await self._agrees(state, seen):
                self.model = state
                return
        raise AssertionError(f"{seen} is none of {self._after(calls)} after {calls} from {self.model}")

    async def _settle(self) -> None:
        """What is promised is made in the background; what was left open is recovery's."""
        process = self.run.slots[0]
        async with asyncio.timeout(PATIENCE):
            while self._open():
                if not process.journal.under_way:
                    await process.recovery.round()
                await asyncio.sleep(0)

    def _open(self) -> list[Any]:
        kept = self.run.world.store.rows.operations.values()
        return [one.operation for one in kept if one.operation.state is State.ACCEPTED]

    @rule(data=strategies.data(), which=strategies.integers(0, 1))
    def change(self, data: strategies.DataObject, which: int) -> None:
        act = data.draw(strategies.sampled_from(self.acts))
        self.do(self._change(act, self.run.names[which], 0))

    @rule(data=strategies.data(), which=strategies.integers(0, 1), fuse=strategies.integers(1, GATES))
    def change_in_a_process_that_ends(self, data: strategies.DataObject, which: int, fuse: int) -> None:
        act = data.draw(strategies.sampled_from(self.acts))
        self.do(self._change(act, self.run.names[which], fuse))

    @rule(which=strategies.integers(0, 1))
    def make(self, which: int) -> None:
        """So that most other changes find an account."""
        self.do(self._change(scenarios.create, self.run.names[which], 0))

    @invariant()
    def nothing_is_open(self) -> None:
        assert self._open() == []

    def teardown(self) -> None:
        self.do(self._clear())
        self.run.world.is_over = True
        self.do(self._end_tasks())
        self.loop.run_until_complete(self.loop.shutdown_asyncgens())
        self.loop.run_until_complete(self.loop.shutdown_default_executor())
        self.loop.close()

    async def _end_tasks(self) -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _clear(self) -> None:
        if not isinstance(self.run.server, SimulatedServer):
            for name in self.run.names:
                if await self.run.server.account(name) is not None:
                    await call(self.run, self.run.slots[0], 0, scenarios.delete, name)
            await self.run.server.close()


def play(engine: str, acts: Sequence[Act], opener: Opener, *, examples: int, steps: int) -> None:
    members = {"engine": engine, "acts": acts, "opener": staticmethod(opener)}
    machine = type("Machine", (AccountMachine,), members)
    settings = hypothesis.settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(machine, settings=settings)


@pytest.mark.parametrize(
    ("engine", "acts", "server"),
    [("postgresql", OWNING, OwningServer), ("mysql", GRANTING, GrantingServer)],
    ids=["owning", "granting"],
)
def test_accounts_in_memory_keep_to_the_model(engine: str, acts: Sequence[Act], server: type[Any]) -> None:
    play(engine, acts, lambda: (server(), None), examples=100, steps=25)


def test_accounts_on_postgresql_keep_to_the_model(scratch: Any) -> None:
    def opener() -> Any:
        return PostgresEngine(scratch.address()), PostgresHarness(scratch).can_log_in

    play("postgresql", OWNING, opener, examples=3, steps=12)


def test_accounts_on_mariadb_keep_to_the_model(mariadb: Any) -> None:
    def opener() -> Any:
        harness = MariaHarness(mariadb)
        return MySqlEngine(harness.address()), harness.can_log_in

    play("mysql", GRANTING, opener, examples=3, steps=12)
