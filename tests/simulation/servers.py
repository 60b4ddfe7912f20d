"""A scenario of provisioning: servers that Rolecall makes, stops, starts again and deletes, while its process ends."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

from tests.simulation.checks import expect
from tests.simulation.scenarios import Run, prepared, storm, told
from tests.simulation.schedules import choose
from tests.simulation.world import GrantingServer, Hazards, World

from rolecall.domain.accounts.commands import AccountSpec, DatabaseSpec
from rolecall.domain.instances.registry import Instance, Phase
from rolecall.domain.messages import ClientToken, Command, InstanceName
from rolecall.domain.operations.model import Change, State
from rolecall.domain.provisioning import commands as provisioning_commands
from rolecall.domain.provisioning.ports import Blueprint
from rolecall.values import Secret


class SimulatedProvisioner:
    """Servers by place; those that were made and not destroyed have data."""

    engines: Mapping[str, str] = {"mysql": "11.8"}

    def __init__(self, world: World) -> None:
        self._world = world
        self._numbers = itertools.count(1)
        self.ports: dict[str, int] = {}
        """Of the places that have data."""
        self.running: set[str] = set()

    def blueprint(self, engine: str, region: str, zone: str) -> Blueprint:
        return Blueprint("admin", "postgres", {}, "here", "here-1", {"red": f"made-{next(self._numbers)}"})

    async def start(self, place: str, engine: str, password: Secret, encoding: str) -> tuple[str, int, str]:
        if place not in self.ports:
            self.ports[place] = 1000 + len(self._world.servers)
            self._world.servers[self.ports[place]] = GrantingServer()
        self.running.add(place)
        self._world.note(f"{place} runs")
        return "127.0.0.1", self.ports[place], ""

    async def stop(self, place: str) -> None:
        self.running.discard(place)

    async def destroy(self, place: str, engine: str) -> None:
        self.running.discard(place)
        self.ports.pop(place, None)
        self._world.note(f"{place} is destroyed")


TOKEN = ClientToken("one server", "of this kind")
NEW = provisioning_commands.ProvisionInstance(
    "red",
    "mysql",
    "",
    "",
    databases=(DatabaseSpec("shop"),),
    accounts=(AccountSpec("app", "", Secret("pass word")),),
)


def _command(number: int, name: InstanceName) -> Command:
    match number:
        case 0:
            return provisioning_commands.RestartInstance(name)
        case 1:
            return provisioning_commands.IsolateInstances((name,))
        case 2:
            return provisioning_commands.ReviveInstances((name,))
        case 3:
            return provisioning_commands.DeprovisionInstance(name)
        case 4:
            return provisioning_commands.DeprovisionInstance(name, isolated=True)
        case 5:
            return NEW
        case _:
            return provisioning_commands.ProvisionInstance(
                "red", "mysql", "", "", databases=NEW.databases, accounts=NEW.accounts, token=TOKEN
            )


async def _client(run: Run, number: int) -> None:
    for _ in range(1 + choose(4)):
        made = [one for one in run.world.store.instances.values() if one.provision is not None]
        kind = choose(8) if made else 5 + choose(2)
        name = InstanceName("red", made[choose(len(made))].faces["red"] if made else "none")
        process = run.slots[0]
        if process.gates.alive:
            command = _command(kind, name)
            outcome = await process.ask(command, run.origin(run.next_tag()))
            told_ = outcome.value if outcome.kind == "refused" else ""
            run.world.note(
                f"client {number}: {type(command).__name__} {name.public_id} {outcome.kind} {told_}"
            )


async def provisioning() -> None:
    """Servers are made, stopped, started again and deleted; the process that does it ends at any step."""
    run = await prepared(GrantingServer(), "mysql", Hazards.drawn())
    run.world.servers[0] = GrantingServer()  # for an instance that has no server yet
    run.provisioner = SimulatedProvisioner(run.world)
    with told(run):
        await storm(run, 1 + choose(2), [_client(run, number) for number in range(1 + choose(2))])
        await check_servers(run)


async def check_servers(run: Run) -> None:
    """Every invariant of the servers that Rolecall made."""
    assert isinstance(run.provisioner, SimulatedProvisioner)
    instances = [one for one in run.world.store.instances.values() if one.provision is not None]
    _check_places(instances, run.provisioner)
    for instance in instances:
        await _check_furnished(run, instance)
    _check_operations(run, instances)


def _check_places(instances: list[Instance], provisioner: SimulatedProvisioner) -> None:
    phases = {one.provision.place: one.provision.phase for one in instances if one.provision is not None}
    stable = {Phase.RUNNING, Phase.ISOLATED, Phase.FAILED}
    expect(set(phases.values()) <= stable, "every server comes to rest", phases)
    run = {place for place, phase in phases.items() if phase is Phase.RUNNING}
    kept = {place for place, phase in phases.items() if phase in (Phase.RUNNING, Phase.ISOLATED)}
    expect(run == provisioner.running, "what runs is what is told to run", (run, provisioner.running))
    expect(kept == provisioner.ports.keys(), "no data is left and none is lost", (kept, provisioner.ports))


async def _check_furnished(run: Run, instance: Instance) -> None:
    """An instance that was made has what it was asked for."""
    assert instance.provision is not None
    if instance.provision.phase is Phase.FAILED:
        return
    server = run.world.servers[instance.port]
    accounts, databases = await server.accounts(), await server.databases()
    rows = [place[1] for place in run.world.store.rows.accounts if place[0] == instance.id]
    names = [facts.name for facts in accounts]
    expect(names == rows == ["app"], "a new server has the accounts that were asked for", (names, rows))
    expect("shop" in {one.name for one in databases}, "and the databases", databases)


def _check_operations(run: Run, instances: list[Instance]) -> None:
    operations = [kept.operation for kept in run.world.store.rows.operations.values()]
    for one in operations:
        told_ = (one.change.value, one.target, one.state.value)
        expect(one.state is not State.ACCEPTED, "no operation stays open", told_)
    ids = {one.id for one in instances}
    with_token = [
        one.instance_id
        for one in operations
        if one.change is Change.INSTANCE_CREATE and one.detail.get("token") and one.instance_id in ids
    ]
    expect(len(with_token) <= 1, "one client token makes one server", with_token)
