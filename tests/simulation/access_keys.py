"""A scenario of access keys: what replicas remember of them while they are disabled and enabled elsewhere."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from tests.simulation.checks import expect
from tests.simulation.scenarios import Run, prepared, storm, told
from tests.simulation.schedules import choose
from tests.simulation.world import SEALER, Hazards, OwningServer

from rolecall.domain.access.keys import Keys
from rolecall.domain.reasons import Reason
from rolecall.values import Secret


@dataclass
class Shown:
    """A claim that shows a key's secret."""

    access_key_id: str
    secret: str
    token: Secret | None = None

    def prove(self, secret: Secret, now: float) -> None:
        assert secret.reveal() == self.secret


async def _prover(run: Run, claim: Shown) -> None:
    for _ in range(4 + choose(4)):
        process = run.slots[choose(len(run.slots))]
        if process.gates.alive:
            await process.answered(lambda process=process: process.proven(claim))  # type: ignore[misc]
        await asyncio.sleep((0.0, 0.01, 0.5)[choose(3)])


async def _changer(run: Run, claim: Shown) -> None:
    """Disables and enables, and disables last, wherever that gets through."""
    for active in (False, True) * (1 + choose(2)):
        await asyncio.sleep((0.0, 0.02, 1.0)[choose(3)])
        process = run.slots[choose(len(run.slots))]
        if process.gates.alive:
            await process.answered(
                lambda process=process, active=active: process.books.set_key_active(  # type: ignore[misc]
                    claim.access_key_id, active=active
                )
            )


async def keys() -> None:
    """A key that was disabled is refused by every replica once the word of it has come."""
    run = await prepared(OwningServer(), "postgresql", Hazards.drawn())
    with told(run):
        key_id, secret = await Keys(run.world.store.replicas[0].keys, SEALER).create(run.owner)
        claim = Shown(key_id, secret.reveal())
        provers = [_prover(run, claim) for _ in range(2)]
        await storm(run, 2 + choose(2), [_changer(run, claim), *provers])
        if run.world.store.keys[key_id].active:
            await run.world.store.replicas[0].keys.set_key_active(key_id, active=False)
        await asyncio.sleep(1.0)
        for process in run.slots:
            if process.gates.alive:
                outcome = await process.answered(
                    lambda process=process: process.proven(claim)  # type: ignore[misc]
                )
                refused = (outcome.kind, outcome.value) == ("refused", Reason.KEY_DISABLED)
                expect(refused, "a disabled key is refused", (process.gates.name, outcome))
