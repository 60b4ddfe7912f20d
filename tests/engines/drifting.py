"""The commands of accounts over one engine, with a store in memory, and the check for drift."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from rolecall.domain.accounts.adoption import Adoption
from rolecall.domain.accounts.context import AccountContext
from rolecall.domain.accounts.credentials import Credentials
from rolecall.domain.accounts.databases import Databases
from rolecall.domain.accounts.deferred import DeferredCreates
from rolecall.domain.accounts.drift import AccountDrift
from rolecall.domain.accounts.drift_check import DriftCheck
from rolecall.domain.accounts.grants import Grants
from rolecall.domain.accounts.lifecycle import Accounts
from rolecall.domain.accounts.roles import AccountRoles
from rolecall.domain.accounts.superuser import TenantSuperusers
from rolecall.domain.bus import Bus
from rolecall.domain.engine import Engine, EngineAddress
from rolecall.domain.instances.registry import (
    ConnectedInstance,
    EngineRegistry,
    InstanceResolver,
    NewInstance,
    register,
)
from rolecall.domain.messages import Command, InstanceName
from rolecall.domain.operations.client_tokens import ClientTokens
from rolecall.domain.operations.journal import Journal
from rolecall.domain.operations.runner import OperationRunner
from rolecall.domain.secrets.sealing import Sealer
from rolecall.engines.base import Watched
from rolecall.store.memory import MemoryReplica, MemoryStore
from rolecall.values import Caller, Origin, Secret

PLACE = InstanceName("red", "red-1")


@dataclass
class Domain:
    replica: MemoryReplica
    journal: Journal
    connected: ConnectedInstance
    check: DriftCheck
    runner: OperationRunner
    bus: Bus
    origin: Origin
    harness: Any = None
    """How the server is looked at from outside the engine."""

    async def do(self, command: Command[Any]) -> Any:
        return await self.bus.execute(command, self.origin)

    async def drifts(self, *names: str) -> list[AccountDrift]:
        """Of these accounts: tests share their server."""
        return [drift async for drift in self.check.check(self.connected) if drift.name in names]

    async def found(self, name: str) -> dict[tuple[str, str], tuple[str, str]]:
        """The differences of an account: recorded and found, by field and subject."""
        return {
            (one.field, one.subject): (one.recorded, one.found)
            for drift in await self.drifts(name)
            for one in drift.differences
        }

    async def settled(self) -> None:
        """What was promised is made."""
        while await self.replica.operations.promised(self.connected.instance.id):
            await asyncio.sleep(0.01)


@asynccontextmanager
async def domain(engine: Engine, kind: str) -> AsyncIterator[Domain]:
    replica, sealer = MemoryStore().replica(), Sealer((bytes(32),))
    owner = await replica.keys.add_owner(1, 1)
    new = NewInstance(
        owner.id, kind, "one", "127.0.0.1", 1, "admin", Secret("x"), "", {}, "", "", {"red": "red-1"}
    )
    instance = await register(replica.instances, sealer, new)

    def connect(_kind: str, _address: EngineAddress) -> Watched:
        return Watched(engine)

    with ThreadPoolExecutor(1) as hashing:
        ledger = replica.operations
        journal = Journal(ledger)
        resolver = InstanceResolver(replica.instances, EngineRegistry(connect, sealer))
        runner = OperationRunner(journal)
        context = AccountContext(resolver, ledger, journal, runner, sealer, hashing, Secret("k"))
        check = DriftCheck(context, replica.states)
        deferred = DeferredCreates(context, ledger, journal)
        bus = Bus(
            Accounts(context, ledger, deferred, ClientTokens(ledger, Secret("token key"))).handlers,
            Credentials(context).handlers,
            deferred.handlers,
            Grants(context).handlers,
            Databases(resolver, journal).handlers,
            TenantSuperusers(context, journal).handlers,
            AccountRoles(context, journal).handlers,
            Adoption(context, check).handlers,
        )
        origin = Origin(Caller(owner.id, owner.number, owner.app_id, 1, "AKIDx"), "red", "Test", "tag")
        connected = await resolver.connect_instance(instance)
        yield Domain(replica, journal, connected, check, runner, bus, origin)
        await runner.close()
