"""One replica of Rolecall as a process: the domain's own objects over ports, composed as `rolecall.app` does it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, cast

import psycopg
from tests.simulation.power import Power, supplied
from tests.simulation.schedules import choose
from tests.simulation.world import (
    SEALER,
    STATES_KEY,
    Gates,
    SimulatedServer,
    World,
    engine_port,
    key_port,
    quiet_port,
    store_port,
)

from rolecall.domain.access.authenticator import AccessKeys, Presented, Proven
from rolecall.domain.access.keys import Keys
from rolecall.domain.accounts.adoption import Adoption
from rolecall.domain.accounts.context import AccountContext
from rolecall.domain.accounts.credentials import Credentials
from rolecall.domain.accounts.databases import Databases
from rolecall.domain.accounts.deferred import DeferredCreates
from rolecall.domain.accounts.drift_check import DriftCheck
from rolecall.domain.accounts.grants import Grants
from rolecall.domain.accounts.lifecycle import Accounts
from rolecall.domain.accounts.roles import AccountRoles
from rolecall.domain.accounts.superuser import TenantSuperusers
from rolecall.domain.bus import Bus
from rolecall.domain.engine import EngineAddress
from rolecall.domain.instances.registry import EngineRegistry, InstanceResolver
from rolecall.domain.instances.service import Servers
from rolecall.domain.maintenance.recovery import Recovery
from rolecall.domain.maintenance.rotation import Rotation
from rolecall.domain.messages import Command
from rolecall.domain.operations.client_tokens import ClientTokens
from rolecall.domain.operations.journal import Journal
from rolecall.domain.operations.model import StillUnknown
from rolecall.domain.operations.runner import OperationRunner
from rolecall.domain.provisioning.ports import Provisioner
from rolecall.domain.provisioning.service import Provisioning
from rolecall.domain.reasons import OutcomeUnknown, Refused
from rolecall.engines.base import Watched
from rolecall.store.memory import MemoryReplica
from rolecall.values import Claim, Origin, Secret

_NO_POOL = cast("ThreadPoolExecutor", None)
"""Verifiers are quick here."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a client learns: ``ok`` with the answer, ``refused`` with the reason, or ``unknown``."""

    kind: str
    value: Any = None


class Process:
    """`rotates` is the period of rotation in seconds, 0 for none. What it does hangs on `power`. Start before use."""

    def __init__(
        self,
        world: World,
        name: str,
        rotates: int = 0,
        power: Power | None = None,
        provisioner: Provisioner | None = None,
    ) -> None:
        self._power = power
        self.world = world
        self.gates = gates = Gates(world, name)
        self.replica: MemoryReplica = world.store.replica()
        self.replica.notified = self._told
        ledger = store_port(self.replica.operations, gates)
        instances = store_port(self.replica.instances, gates)
        self.registry = EngineRegistry(self._engine, SEALER)
        resolver = InstanceResolver(instances, self.registry)
        self.journal = journal = Journal(ledger)
        context = AccountContext(
            resolver, ledger, journal, OperationRunner(journal), SEALER, _NO_POOL, STATES_KEY
        )
        deferred = DeferredCreates(context, ledger, journal)
        tokens = ClientTokens(ledger, Secret("token key"))
        credentials = Credentials(context)
        self.books = key_port(self.replica.keys, gates)
        self.keys = AccessKeys(Keys(self.books, SEALER), lambda _key_id, _now: None)
        self._provisioning = Provisioning(
            None if provisioner is None else quiet_port(provisioner, gates),
            3,
            instances,
            store_port(self.replica.durable_operations, gates),
            context,
            self.registry,
            tokens,
            journal,
        )
        self.bus = Bus(
            Accounts(context, ledger, deferred, tokens).handlers,
            credentials.handlers,
            Grants(context).handlers,
            deferred.handlers,
            Databases(resolver, journal).handlers,
            AccountRoles(context, journal).handlers,
            Servers(resolver, instances, ledger).handlers,
            TenantSuperusers(context, journal).handlers,
            Adoption(context, DriftCheck(context, store_port(self.replica.states, gates))).handlers,
            self._provisioning.handlers,
        )
        self.recovery = Recovery(ledger, journal, context.runner, resolver, deferred)
        rotation = store_port(self.replica.rotation, gates)
        self._rotation = Rotation(context, resolver, credentials, rotation, rotates) if rotates else None
        self.ready = asyncio.Event()
        """Set once it takes calls."""
        self._tasks: list[asyncio.Task[Any]] = []

    def _engine(self, _kind: str, address: EngineAddress) -> Watched:
        server = self.world.servers[address.port]
        simulated = isinstance(server, SimulatedServer)
        inner = engine_port(server, self.gates) if simulated else quiet_port(server, self.gates)
        return Watched(inner)

    def _told(self) -> None:
        """The word of a change travels by itself."""
        if self.gates.alive:
            asyncio.get_running_loop().call_soon(self.replica.forget)

    async def start(self) -> None:
        await self.replica.join()
        self._tasks.append(asyncio.ensure_future(self._stay_joined()))
        self._run(self._work())

    def _run(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        with supplied(self._power):
            task = asyncio.ensure_future(work)
        self._tasks.append(task)
        return task

    async def _work(self) -> None:
        """As `Application.start`: what fails then is tried again, by a process that starts."""
        while True:
            try:
                await self._provisioning.resume()
                await self.recovery.round()
                break
            except psycopg.OperationalError:
                await asyncio.sleep(1.0)
        self.ready.set()
        self._run(self.recovery.run())
        if self._rotation is not None:
            self._run(self._rotation.run())

    async def _stay_joined(self) -> None:
        """As `store.replica`: joined again some time after the connection was lost, left when the process ends."""
        ended = asyncio.ensure_future(self.gates.ended.wait())
        while self.gates.alive:
            back = asyncio.ensure_future(self.world.store_is_back.wait())
            await asyncio.wait([ended, back], return_when=asyncio.FIRST_COMPLETED)
            back.cancel()
            await asyncio.sleep((0.0, 1.0, 4.0)[choose(3)] if self.world.stormy else 0.0)
            if self.gates.alive:
                await self.gates.running()
            if self.gates.alive:
                await self.replica.join()
        await self.replica.close()

    async def ask(self, command: Command, origin: Origin) -> Outcome:
        """As a client of this process sees it: an answer, or none if the process ends first."""
        return await self.answered(lambda: self.bus.execute(command, origin))

    async def proven(self, claim: Claim) -> Proven | None:
        return await self.keys.authenticate(Presented(claim, self.world.unix()))

    async def answered(self, work: Callable[[], Awaitable[Any]]) -> Outcome:
        answer = self._run(self._answer(work))
        ended = asyncio.ensure_future(self.gates.ended.wait())
        await asyncio.wait([answer, ended], return_when=asyncio.FIRST_COMPLETED)
        ended.cancel()
        return answer.result() if answer.done() else Outcome("unknown")

    async def _answer(self, work: Callable[[], Awaitable[Any]]) -> Outcome:
        await self.ready.wait()
        await self.gates.passed("a call's intake")
        try:
            outcome = Outcome("ok", await work())
        except StillUnknown:
            outcome = Outcome("unknown")
        except Refused as refusal:
            outcome = Outcome("refused", refusal.reason)
        except (OutcomeUnknown, psycopg.OperationalError):
            outcome = Outcome("unknown")
        await self.gates.passed("a call's answer")
        return outcome
