"""The store crashes at every gate of a change of a whole server, and its process continues without having noticed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import pytest
from tests.simulation.checks import Violation
from tests.simulation.planted import servers_recorded_quickly
from tests.simulation.scenarios import Run, prepared
from tests.simulation.schedules import once
from tests.simulation.servers import NEW, SimulatedProvisioner, check_servers
from tests.simulation.world import GrantingServer, Hazards

from rolecall.domain.messages import Command, InstanceName
from rolecall.domain.provisioning import commands

Make = Callable[[InstanceName], Command]


def create(_: InstanceName) -> Command:
    return NEW


def restart(name: InstanceName) -> Command:
    return commands.RestartInstance(name)


def isolate(name: InstanceName) -> Command:
    return commands.IsolateInstances((name,))


def revive(name: InstanceName) -> Command:
    return commands.ReviveInstances((name,))


def delete(name: InstanceName) -> Command:
    return commands.DeprovisionInstance(name)


CHANGES: dict[str, Sequence[Make]] = {
    "create": (create,),
    "restart": (create, restart),
    "isolate": (create, isolate),
    "revive": (create, isolate, revive),
    "delete": (create, delete),
}
"""The last change of each is the one that the store crashes in."""


async def _carried_out(run: Run, make: Make) -> None:
    """The call, and what follows it in the background."""
    made = [one.faces["red"] for one in run.world.store.instances.values() if one.provision is not None]
    command = make(InstanceName("red", made[0] if made else "none"))
    outcome = await run.slots[0].ask(command, run.origin(run.next_tag()))
    assert outcome.kind == "ok", outcome
    await asyncio.sleep(1)  # of virtual time: nothing here is slow


async def _crashed(changes: Sequence[Make], crash_at: int) -> int:
    """The store crashes at that gate of the last change, and loses what was not durable; how many gates there are."""
    run = await prepared(GrantingServer(), "mysql", Hazards())
    run.world.stormy = False
    run.world.servers[0] = GrantingServer()
    run.provisioner = SimulatedProvisioner(run.world)
    gates = 0
    with run.world.entered():
        await run.start(1)
        for make in changes[:-1]:
            await _carried_out(run, make)
        pass_on = run.slots[0].gates.passed

        async def passed(where: str) -> None:
            nonlocal gates
            await pass_on(where)
            gates += 1
            if gates == crash_at:
                run.world.store.crash()

        run.slots[0].gates.passed = passed  # type: ignore[method-assign]
        await _carried_out(run, changes[-1])
        counted = gates
        await check_servers(run)
    return counted


def _at_every_gate(changes: Sequence[Make]) -> None:
    counted: list[int] = []

    async def attempt(crash_at: int) -> None:
        counted.append(await _crashed(changes, crash_at))

    once(lambda: attempt(0))
    for gate in range(1, counted[0] + 1):
        once(lambda gate=gate: attempt(gate))  # type: ignore[misc]


@pytest.mark.parametrize("change", CHANGES)
def test_a_crash_of_the_store_at_any_step_leaves_no_operation_of_a_server_open(change: str) -> None:
    _at_every_gate(CHANGES[change])


@pytest.mark.parametrize("change", CHANGES)
def test_quick_records_of_servers_would_be_lost(change: str) -> None:
    """Found in `provisioning`: the record of a deletion was lost, and then the instance was removed."""
    with servers_recorded_quickly(), pytest.raises(Violation):
        _at_every_gate(CHANGES[change])
