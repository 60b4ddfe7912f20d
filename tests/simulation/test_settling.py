"""The end of a run: once nothing goes wrong any more, a process that runs is there to recover what is open."""

from __future__ import annotations

import asyncio

from tests.simulation import scenarios
from tests.simulation.scenarios import call, prepared, told
from tests.simulation.schedules import search
from tests.simulation.world import GrantingServer, Hazards


async def delayed_when_the_storm_ends() -> None:
    """The only process that runs is within a delayed step, before it has created the account that it promised."""
    run = await prepared(GrantingServer(), "mysql", Hazards())
    with told(run):
        await run.start(2)
        run.slots[1].gates.end("the start")
        assert (await call(run, run.slots[0], 0, scenarios.promise, "bob")).kind == "ok"
        run.world.hazards = Hazards(delay=1.0, pause=1.0, death=1.0)
        await asyncio.sleep(0.001)  # of virtual time: less than any delay
        await run.settle()
        assert run.slots[0].gates.alive
        assert [account.name for account in run.server.now()] == ["bob"]


def test_a_process_that_is_delayed_when_the_storm_ends_outlives_it() -> None:
    """Found in `granting`: it ended after its slot had been counted as running, and no process was left to recover."""
    done = search(delayed_when_the_storm_ends, seed=1, schedules=20, shrink=False)
    assert done.counterexample is None, done.counterexample
    assert done.schedules == 20
