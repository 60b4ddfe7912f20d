"""Provisioning where servers fail, hang, or there is nothing to start them: what is kept, refused and gone on with."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from tests.refusals import refused
from tests.waiting import reached

from rolecall.app.application import Application
from rolecall.app.opening import open_application
from rolecall.domain.accounts.commands import AccountSpec
from rolecall.domain.instances.registry import Instance, Phase
from rolecall.domain.messages import ClientToken, InstanceName
from rolecall.domain.operations.model import Operation
from rolecall.domain.provisioning import commands
from rolecall.domain.provisioning.ports import Blueprint
from rolecall.domain.reasons import Reason
from rolecall.domain.secrets.sealing import SealBroken, new_master_key, parse_master_keys
from rolecall.settings import Settings
from rolecall.values import Caller, Origin, Secret

PASSWORD = Secret("Test_password1")
NEW = commands.ProvisionInstance(
    "red", "postgresql", "one", "", accounts=(AccountSpec("app", "", PASSWORD),), encoding="LATIN1"
)


class Double:
    """Starts nothing: it notes what it is asked for and does with it what a test says."""

    engines: Mapping[str, str] = {"postgresql": "18"}

    def __init__(self, *failing: str) -> None:
        self.asked: list[tuple[str, ...]] = []
        self.passwords: list[Secret] = []
        self.failing = set(failing)
        self.gate = asyncio.Event()
        self.stopping = asyncio.Event()
        self.stopping.set()

    def blueprint(self, engine: str, region: str, zone: str) -> Blueprint:
        faces = {"red": f"red-{secrets.token_hex(4)}", "blue": str(uuid4())}
        options = {"super_role": "supers", "sslmode": "prefer"}
        return Blueprint(f"admin of {engine}", "postgres", options, region or "here", zone or "here-1", faces)

    async def start(self, place: str, engine: str, password: Secret, encoding: str) -> tuple[str, int, str]:
        self.passwords.append(password)
        await self._ask("start", place, engine, encoding)
        await self.gate.wait()
        return "127.0.0.1", 1, ""

    async def stop(self, place: str) -> None:
        await self._ask("stop", place)
        await self.stopping.wait()

    async def destroy(self, place: str, engine: str) -> None:
        await self._ask("destroy", place, engine)

    async def _ask(self, *what: str) -> None:
        self.asked.append(what)
        if what[0] in self.failing:
            raise RuntimeError(f"cannot {what[0]}\nand its log goes on")


class Bench:
    """A store of its own; applications over it, one after another."""

    def __init__(self, dsn: Secret) -> None:
        self.dsn = dsn
        self.keys = parse_master_keys(new_master_key())
        self.origin = Origin(Caller(1, 1, 1, 1, "AKIDx"), "red", "A", "r")

    @asynccontextmanager
    async def application(self, provisioner: Double | None, limit: int = 8) -> AsyncIterator[Application]:
        settings = Settings(provisioned_instances=limit, store_connections=2)
        opening = open_application(settings, self.dsn, self.keys, provisioner=provisioner)
        async with opening as application:
            if not await application.store.keys.owners():
                owner = await application.keys.create_owner()
                self.origin = Origin(
                    Caller(owner.id, owner.number, owner.app_id, owner.number, "AKIDx"), "red", "A", "r"
                )
            await application.start()
            yield application


@pytest.fixture
def bench(dsn: Secret) -> Bench:
    return Bench(dsn)


async def all_of(application: Application) -> list[Instance]:
    return list(await application.store.instances.instances())


async def phase_of(application: Application) -> Phase | None:
    found = await all_of(application)
    return found[0].provision.phase if found and found[0].provision else None


async def running(application: Application, bench: Bench) -> Instance:
    """A server that was created, and runs."""
    new = commands.ProvisionInstance("red", "postgresql", "", "")
    await application.provisioning.create(new, bench.origin)
    await until(lambda: phase_of(application), Phase.RUNNING)
    (instance,) = await all_of(application)
    return instance


async def until(ask: Callable[[], Awaitable[object]], wanted: object) -> None:
    async def is_so() -> bool:
        return await ask() == wanted

    await reached(is_so)


async def operations(application: Application) -> dict[str, tuple[str, str]]:
    """By kind of change: state and reason."""
    found: list[Operation] = list(await application.store.operations.operations(limit=100))
    return {one.change.value: (one.state.value, one.reason) for one in found}


def name_of(instance: Instance) -> InstanceName:
    return InstanceName("red", instance.faces["red"])


async def put_in(application: Application, phase: Phase) -> Instance:
    """The one instance, as it would be in that phase."""
    (instance,) = await all_of(application)
    await application.store.instances.change_instance(instance.id, phase=phase.value)
    (instance,) = await all_of(application)
    return instance


async def test_without_a_provisioner_nothing_is_made_or_changed(bench: Bench) -> None:
    async with bench.application(Double()) as application:
        await application.provisioning.create(NEW, bench.origin)
        await put_in(application, Phase.RUNNING)
    async with bench.application(None) as application:
        (instance,) = await all_of(application)
        name, missing = name_of(instance), Reason.PROVISIONER_MISSING
        bus, origin = application.bus, bench.origin
        assert await refused(bus.execute(NEW, origin)) is missing
        assert await refused(bus.execute(commands.ProvisionInstances(NEW, 2), origin)) is missing
        assert await refused(bus.execute(commands.RestartInstance(name), origin)) is missing
        assert await refused(bus.execute(commands.DeprovisionInstance(name), origin)) is missing
        assert await refused(bus.execute(commands.IsolateInstances((name,)), origin)) is missing
        assert await refused(bus.execute(commands.ReviveInstances((name,)), origin)) is missing


async def test_kinds_and_versions_that_are_not_there_are_refused(bench: Bench) -> None:
    async with bench.application(Double()) as application:
        other = commands.ProvisionInstance("red", "mysql", "one", "")
        assert (
            await refused(application.provisioning.create(other, bench.origin)) is Reason.PROVISIONER_MISSING
        )
        older = commands.ProvisionInstance("red", "postgresql", "one", "", version="12")
        assert await refused(application.provisioning.create(older, bench.origin)) is Reason.VERSION_UNOFFERED
        assert await all_of(application) == []


async def test_a_server_that_is_being_made_takes_nothing_yet(bench: Bench) -> None:
    double = Double()
    async with bench.application(double, limit=2) as application:
        view = await application.provisioning.create(NEW, bench.origin)
        assert (view.status, view.name, view.host, view.port, view.zone) == (
            "starting",
            "one",
            "",
            0,
            "here-1",
        )
        name, starting = InstanceName("red", view.public_id), Reason.INSTANCE_STARTING
        assert await refused(application.instances.resolver.connect(name, bench.origin.caller)) is starting
        assert (
            await refused(application.provisioning.restart(commands.RestartInstance(name), bench.origin))
            is starting
        )
        delete = commands.DeprovisionInstance(name)
        assert await refused(application.provisioning.delete(delete, bench.origin)) is starting
        several = commands.ProvisionInstances(NEW, 2)
        assert (
            await refused(application.provisioning.create_several(several, bench.origin))
            is Reason.INSTANCE_QUOTA
        )
        assert len(await all_of(application)) == 1
        await until(lambda: _value(len(double.asked)), 1)


async def _value(value: object) -> object:
    return value


async def test_a_server_that_cannot_be_made_is_failed_with_its_reason_and_can_be_deleted(
    bench: Bench,
) -> None:
    double = Double("start")
    async with bench.application(double) as application:
        view = await application.provisioning.create(NEW, bench.origin)
        await until(lambda: _value([one[0] for one in double.asked]), ["start", "destroy"])
        assert await phase_of(application) is Phase.FAILED
        ended = ("refused", "engine-refused")
        assert await operations(application) == {"instance.create": ended, "account.create": ended}
        (first, *_) = await application.store.operations.operations(limit=1)
        assert first.note == "RuntimeError: cannot start"
        name = InstanceName("red", view.public_id)
        assert (
            await refused(application.instances.resolver.connect(name, bench.origin.caller))
            is Reason.INSTANCE_FAILED
        )
        await application.provisioning.delete(commands.DeprovisionInstance(name), bench.origin)
        await until(lambda: all_of(application), [])


async def test_what_is_cut_short_is_gone_on_with_at_the_next_start(bench: Bench) -> None:
    first, second = Double(), Double()
    async with bench.application(first) as application:
        await application.provisioning.create(NEW, bench.origin)
        await until(lambda: _value(len(first.asked)), 1)
    async with bench.application(second) as application:
        await until(lambda: _value(len(second.asked)), 1)
        assert second.asked == first.asked
        assert second.passwords == first.passwords
        assert second.asked[0][2:] == ("postgresql", "LATIN1")
        assert await phase_of(application) is Phase.CREATING
        assert await application.maintenance.recovery.round() == 0, "recovery took what is provisioning's"
        assert {state for state, _ in (await operations(application)).values()} == {"accepted"}


@pytest.mark.parametrize("phase", [Phase.CREATING, Phase.RESTARTING, Phase.REVIVING, Phase.RUNNING])
async def test_a_server_whose_password_does_not_open_stays_as_it_is_until_it_does(
    bench: Bench, phase: Phase, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second, third = Double(), Double(), Double()
    async with bench.application(first) as application:
        await application.provisioning.create(NEW, bench.origin)
        await until(lambda: _value(len(first.asked)), 1)
        await application.provisioning.close()
        instance = await put_in(application, phase)
        sealed = instance.sealed_password
        other_key = sealed[:1] + bytes([sealed[1] ^ 255]) + sealed[2:]
        await application.store.instances.change_instance(instance.id, sealed_password=other_key)
    capsys.readouterr()
    async with bench.application(second) as application:
        reconciler = application.provisioning.reconciler
        assert reconciler is not None
        await until(lambda: _value(len(reconciler._tasks)), 0)
        assert await phase_of(application) is phase
        if phase is Phase.CREATING:
            assert {state for state, _ in (await operations(application)).values()} == {"accepted"}
        await application.store.instances.change_instance(instance.id, sealed_password=sealed)
    assert second.asked == []
    said = capsys.readouterr()
    assert (said.out + said.err).count("a server waits for a master key") == 1
    third.gate.set()
    async with bench.application(third):
        await until(lambda: _value("start" in [one[0] for one in third.asked]), True)
    assert third.passwords[0] == first.passwords[0]


async def test_a_server_waits_for_the_password_of_an_account_that_does_not_open(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def sealed(*_: object) -> None:
        raise SealBroken("no listed master key sealed this account verifier")

    monkeypatch.setattr("rolecall.domain.provisioning.reconciler.create_initial_objects", sealed)
    double = Double()
    double.gate.set()
    async with bench.application(double) as application:
        await application.provisioning.create(NEW, bench.origin)
        reconciler = application.provisioning.reconciler
        assert reconciler is not None
        await until(lambda: _value((len(double.asked), len(reconciler._tasks))), (1, 0))
        assert await phase_of(application) is Phase.CREATING
        assert {state for state, _ in (await operations(application)).values()} == {"accepted"}


async def test_a_deletion_that_failed_is_tried_again_without_a_start(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rolecall.domain.provisioning.reconciler._PAUSE", 0.01)
    double = Double("destroy")
    double.gate.set()
    async with bench.application(double) as application:
        instance = await running(application, bench)
        await application.provisioning.delete(commands.DeprovisionInstance(name_of(instance)), bench.origin)
        await until(
            lambda: _value(double.asked.count(("destroy", instance.provision.place, "postgresql")) > 2), True
        )
        assert await phase_of(application) is Phase.DELETING
        double.failing.clear()
        await until(lambda: all_of(application), [])
        assert (await operations(application))["instance.delete"] == ("recorded", "")


async def test_a_change_whose_phase_could_not_be_entered_is_undone_without_a_start(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rolecall.domain.provisioning.reconciler._PAUSE", 0.01)
    double = Double()
    double.gate.set()
    async with bench.application(double) as application:
        instance = await running(application, bench)
        restart = commands.RestartInstance(name_of(instance))

        async def lost(*_: object, **__: object) -> None:
            raise psycopg.OperationalError("lost")

        with monkeypatch.context() as broken:
            broken.setattr(application.store.instances, "change_instance", lost)
            with pytest.raises(psycopg.OperationalError):
                await application.provisioning.restart(restart, bench.origin)
        await until(lambda: _state_of(application, "instance.restart"), ("undone", Reason.INTERRUPTED.value))
        assert await phase_of(application) is Phase.RUNNING


async def _state_of(application: Application, change: str) -> tuple[str, str]:
    return (await operations(application))[change]


async def test_an_instance_whose_making_was_never_accepted_is_forgotten(
    bench: Bench, monkeypatch: Any
) -> None:
    async with bench.application(Double()) as application:

        async def lost(*_: object) -> None:
            raise RuntimeError("the store is gone")

        async def stay(*_: object) -> None:
            """As a process that was killed: nothing is taken back."""

        monkeypatch.setattr(application.store.durable_operations, "promise", lost)
        monkeypatch.setattr(application.provisioning._phases, "discard", stay)
        with pytest.raises(RuntimeError):
            await application.provisioning.create(NEW, bench.origin)
        assert await phase_of(application) is Phase.CREATING
    double = Double()
    async with bench.application(double) as application:
        await until(lambda: all_of(application), [])
        assert double.asked == []


async def test_a_server_is_destroyed_behind_its_isolation(bench: Bench) -> None:
    """Clients do both in one breath. What is accepted is carried out in order, and the later phase stands."""
    double = Double()
    async with bench.application(double) as application:
        view = await application.provisioning.create(NEW, bench.origin)
        name = InstanceName("red", view.public_id)
        await until(lambda: _value(len(double.asked)), 1)
        await application.provisioning.close()  # it is not made: only its entry is needed
        await put_in(application, Phase.RUNNING)
        double.asked.clear()
        double.stopping.clear()
        await application.provisioning.isolate(commands.IsolateInstances((name,)), bench.origin)
        destroy = commands.DeprovisionInstance(name, isolated=True)
        await application.provisioning.delete(destroy, bench.origin)
        await until(lambda: _value([one[0] for one in double.asked]), ["stop"])
        assert await phase_of(application) is Phase.DELETING
        revive = commands.ReviveInstances((name,))
        assert await refused(application.provisioning.revive(revive, bench.origin)) is Reason.INSTANCE_MISSING
        double.stopping.set()
        await until(lambda: all_of(application), [])
        assert [one[0] for one in double.asked] == ["stop", "destroy"]
        done = await operations(application)
        assert {done["instance.isolate"], done["instance.delete"]} == {("recorded", "")}


async def test_a_destruction_that_was_not_begun_is_undone_and_the_isolation_goes_on(
    bench: Bench, monkeypatch: Any
) -> None:
    """Killed between the two steps of accepting it: its operation is on disk, and its phase is not."""
    first, second = Double(), Double()
    async with bench.application(first) as application:
        view = await application.provisioning.create(NEW, bench.origin)
        name = InstanceName("red", view.public_id)
        await until(lambda: _value(len(first.asked)), 1)
        await application.provisioning.close()
        await put_in(application, Phase.RUNNING)
        first.stopping.clear()
        await application.provisioning.isolate(commands.IsolateInstances((name,)), bench.origin)

        async def killed(*_: object) -> None:
            raise RuntimeError("killed")

        monkeypatch.setattr(application.provisioning._phases, "enter", killed)
        with pytest.raises(RuntimeError):
            await application.provisioning.delete(
                commands.DeprovisionInstance(name, isolated=True), bench.origin
            )
    async with bench.application(second) as application:
        await until(lambda: phase_of(application), Phase.ISOLATED)
        await until(lambda: _value([one[0] for one in second.asked]), ["stop"])

        async def states() -> tuple[str, str]:
            found = await operations(application)
            return found["instance.isolate"][0], found["instance.delete"][0]

        await until(states, ("recorded", "undone"))


async def test_several_are_made_all_or_none(bench: Bench, monkeypatch: Any) -> None:
    async with bench.application(Double()) as application:
        promise, calls = application.store.durable_operations.promise, iter(range(9))

        async def second_fails(*args: Any) -> None:
            if next(calls) == 1:
                raise RuntimeError("the store is gone")
            await promise(*args)

        monkeypatch.setattr(application.store.durable_operations, "promise", second_fails)
        with pytest.raises(RuntimeError):
            await application.provisioning.create_several(commands.ProvisionInstances(NEW, 3), bench.origin)
        assert await all_of(application) == []
        assert {state for state, _ in (await operations(application)).values()} == {"undone"}


async def test_a_client_token_makes_one_instance_and_its_deletion_one_deletion(bench: Bench) -> None:
    async with bench.application(Double("start")) as application:
        token = ClientToken("t", "digest")
        wanted = commands.ProvisionInstance("red", "postgresql", "one", "", token=token)
        made = await asyncio.gather(
            *(application.provisioning.create(wanted, bench.origin) for _ in range(4))
        )
        assert len({one.public_id for one in made}) == 1
        other = commands.ProvisionInstance("red", "postgresql", "two", "", token=ClientToken("t", "another"))
        mismatch = await refused(application.provisioning.create(other, bench.origin))
        assert mismatch is Reason.CLIENT_TOKEN_MISMATCH
        await until(lambda: phase_of(application), Phase.FAILED)
        assert (await application.provisioning.create(wanted, bench.origin)).public_id == made[0].public_id
        name = name_of((await all_of(application))[0])
        delete = commands.DeprovisionInstance(name, token=ClientToken("d", "digest"))
        await application.provisioning.delete(delete, bench.origin)
        await until(lambda: all_of(application), [])
        await application.provisioning.delete(delete, bench.origin)
        again = commands.DeprovisionInstance(name)
        assert await refused(application.provisioning.delete(again, bench.origin)) is Reason.INSTANCE_MISSING


async def test_a_restart_that_fails_is_refused_and_the_server_told_as_it_is(bench: Bench) -> None:
    double = Double("start")
    async with bench.application(double) as application:
        await application.provisioning.create(NEW, bench.origin)
        await until(lambda: _value([one[0] for one in double.asked]), ["start", "destroy"])
        name = name_of(await put_in(application, Phase.RUNNING))
        operation = await application.provisioning.restart(commands.RestartInstance(name), bench.origin)
        attaching = application.instances.resolver.connect(name, bench.origin.caller)
        assert await refused(attaching) is Reason.INSTANCE_RESTARTING
        await until(lambda: _state(application, "instance.restart"), ("refused", "engine-refused"))
        assert operation in {one.id for one in await application.store.operations.operations(limit=9)}
        assert [one[0] for one in double.asked][2:] == ["stop", "start"]
        assert await phase_of(application) is Phase.RUNNING


async def _state(application: Application, change: str) -> tuple[str, str] | None:
    return (await operations(application)).get(change)


async def test_one_server_that_does_not_start_does_not_keep_the_others_or_us_down(bench: Bench) -> None:
    async with bench.application(Double()) as application:
        await application.provisioning.create_several(commands.ProvisionInstances(NEW, 2), bench.origin)
        for one in await all_of(application):
            await application.store.instances.change_instance(one.id, phase=Phase.RUNNING.value)
    double = Double("start")
    async with bench.application(double):
        assert sorted(what for what, *_ in double.asked) == ["start", "start"]


async def test_a_deletion_that_fails_is_tried_again_at_the_next_start(bench: Bench) -> None:
    async with bench.application(Double("destroy", "start")) as application:
        await application.provisioning.create(NEW, bench.origin)
        await until(lambda: phase_of(application), Phase.FAILED)
        name = name_of((await all_of(application))[0])
        await application.provisioning.delete(commands.DeprovisionInstance(name), bench.origin)
        assert await phase_of(application) is Phase.DELETING
        assert (
            await refused(application.instances.resolver.connect(name, bench.origin.caller))
            is Reason.INSTANCE_MISSING
        )
    double = Double()
    async with bench.application(double) as application:
        await until(lambda: all_of(application), [])
        assert [one[0] for one in double.asked] == ["destroy"]
        assert await _state(application, "instance.delete") == ("recorded", "")


async def test_all_are_looked_at_before_the_first_is_isolated(bench: Bench) -> None:
    async with bench.application(Double()) as application:
        await application.provisioning.create(NEW, bench.origin)
        name = name_of(await put_in(application, Phase.RUNNING))
        both = commands.IsolateInstances((name, InstanceName("red", "red-nowhere")))
        assert await refused(application.provisioning.isolate(both, bench.origin)) is Reason.INSTANCE_MISSING
        revive = commands.ReviveInstances((name,))
        assert await refused(application.provisioning.revive(revive, bench.origin)) is Reason.INSTANCE_RUNNING
        destroy = commands.DeprovisionInstance(name, isolated=True)
        assert (
            await refused(application.provisioning.delete(destroy, bench.origin)) is Reason.INSTANCE_RUNNING
        )
        assert await phase_of(application) is Phase.RUNNING
        stranger = Origin(Caller(99, 99, 99, 99, "AKIDy"), "red", "A", "r")
        foreign = application.provisioning.restart(commands.RestartInstance(name), stranger)
        assert await refused(foreign) is Reason.INSTANCE_FORBIDDEN


async def test_no_password_of_a_new_server_or_account_is_in_the_store(bench: Bench) -> None:
    double = Double()
    async with bench.application(double) as application:
        await application.provisioning.create(NEW, bench.origin)
        await until(lambda: _value(len(double.passwords)), 1)
    queries = (
        "select i::text, encode(sealed_password, 'escape') from rolecall.instances i",
        "select o::text, encode(coalesce(sealed, ''), 'escape') from rolecall.operations o",
    )
    with psycopg.connect(bench.dsn.reveal()) as store:
        kept = "".join(str(row) for query in queries for row in store.execute(query.encode()).fetchall())
    for secret in (PASSWORD.reveal(), double.passwords[0].reveal(), "SCRAM-SHA-256"):
        assert secret not in kept
