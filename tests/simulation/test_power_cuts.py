"""A power cut at every await of every kind of change: after recovery it has happened wholly, or not at all."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

import pytest
from tests.simulation import estates, scenarios
from tests.simulation.checks import Violation, check, expect
from tests.simulation.drifting import (
    DriftingGranter,
    DriftingOwner,
    DriftingServer,
    adopt,
    check_drift,
    reassert,
)
from tests.simulation.power import Power
from tests.simulation.processes import Process
from tests.simulation.scenarios import Act, Run, call, prepared
from tests.simulation.schedules import once
from tests.simulation.world import GrantingServer, Hazards, OwningServer, Server

from rolecall.domain.engine.states import AccountState


def _other_s_database(run: Run, name: str, tag: str) -> estates.Told:
    return estates.database(run, "postgres", tag)


OWNING: dict[str, tuple[Sequence[Act], Act]] = {
    "create": ((), scenarios.create),
    "create managed": ((), scenarios.create_managed),
    "delete": ((scenarios.create_managed,), scenarios.delete),
    "lock": ((scenarios.create,), scenarios.lock),
    "unlock": ((scenarios.create, scenarios.lock), scenarios.unlock),
    "password": ((scenarios.create,), scenarios.password),
    "remark": ((scenarios.create,), scenarios.remark),
    "open managed": ((scenarios.create,), scenarios.open_managed),
    "refresh managed": ((scenarios.create_managed,), scenarios.refresh_managed),
    "close managed": ((scenarios.create_managed,), scenarios.close_managed),
    "create with a token": ((), scenarios.create_with_token),
    "create counted": ((), scenarios.create_counted),
    "database": ((scenarios.create,), estates.database),
    "no database": ((scenarios.create, estates.database), estates.no_database),
    "give": ((scenarios.create, _other_s_database), estates.give),
    "grant": ((scenarios.create, estates.database), estates.grant),
    "revoke": ((scenarios.create, estates.database, estates.grant), estates.revoke),
    "delete an owner": ((scenarios.create, estates.database, estates.grant), scenarios.delete),
}
GRANTING: dict[str, tuple[Sequence[Act], Act]] = {
    "create": ((), scenarios.create),
    "promise": ((), scenarios.promise),
    "delete": ((scenarios.create,), scenarios.delete),
    "move": ((scenarios.create,), scenarios.move),
    "grants": ((scenarios.create,), scenarios.grants),
    "lock": ((scenarios.create,), scenarios.lock),
    "password": ((scenarios.create,), scenarios.password),
    "database": ((), estates.plain_database),
    "no database": ((estates.plain_database,), estates.no_database),
    "enable": ((), estates.enable),
    "enable again": ((estates.enable,), estates.enable),
    "disable": ((estates.enable,), estates.disable),
}
CORRECTING: dict[str, tuple[Sequence[Act], Act]] = {
    "adopt": ((scenarios.create, scenarios.lock), adopt),
    "reassert": ((scenarios.create, scenarios.lock), reassert),
}
"""Of what SQL has changed in between."""
KINDS = {
    "postgresql": (OwningServer, OWNING),
    "mysql": (GrantingServer, GRANTING),
}
CUT = {
    **KINDS,
    "postgresql by SQL": (DriftingOwner, CORRECTING),
    "mysql by SQL": (DriftingGranter, CORRECTING),
}
EVERY = [(engine, kind) for engine, (_, kinds) in CUT.items() for kind in kinds]


async def _cut(engine: str, make: Callable[[], Server], before: Sequence[Act], act: Act, cut: int) -> int:
    """Cut the power of a process at one await of a call, start another, and check; how many awaits were counted."""
    sys.set_asyncgen_hooks(None, None)  # the loop would close the generators of what was let go
    run = await prepared(make(), engine.partition(" ")[0], Hazards())
    run.world.stormy = False
    with run.world.entered():
        await run.start(1)
        if isinstance(run.server, DriftingServer):
            run.server.journaled.store = run.world.store
        for one in before:
            await call(run, run.slots[0], 0, one, "ada")
        if isinstance(run.server, DriftingServer):
            (facts,) = run.server.now()
            run.server.sql(facts, AccountState(login=True, connection_limit=7))
            run.server.sessions.append(("ada", facts.identity))
        power = Power(cut)
        process = Process(run.world, "B", power=power)
        power.ended = lambda: process.gates.end(f"await {cut}")
        run.slots[0] = process
        await process.start()
        power.counts = True
        await call(run, process, 0, act, "ada")
        await _finish(run, power)
    return power.awaits


async def _finish(run: Run, power: Power) -> None:
    """What goes on in the background is counted too: a promise is kept after its answer."""
    try:
        await run.settle()
        if isinstance(run.server, DriftingServer):
            await check_drift(run)
            expect(
                not run.server.sessions or run.server.now()[0].may_log_in, "no session stays", power.awaits
            )
        else:
            await check(run.world, run.instance.id, run.server, run.history)
    except Violation as violation:
        raise Violation(f"await {power.awaits}: {violation}\n" + "\n".join(run.world.notes)) from None


@pytest.mark.parametrize(("engine", "kind"), EVERY)
def test_a_power_cut_at_any_await_leaves_all_or_nothing(engine: str, kind: str) -> None:
    make, kinds = CUT[engine]
    before, act = kinds[kind]
    counted: list[int] = []

    async def attempt(cut: int) -> None:
        counted.append(await _cut(engine, make, before, act, cut))

    once(lambda: attempt(0))
    assert counted[0] >= 8
    for cut in range(1, counted[0] + 1):
        once(lambda cut=cut: attempt(cut))  # type: ignore[misc]
