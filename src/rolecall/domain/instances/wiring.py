"""Composes the services of registered instances."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from rolecall.domain.engine import EngineAddress
from rolecall.domain.instances.examination import Examiner, Finding
from rolecall.domain.instances.registrations import RegisteredInstances, Registrations
from rolecall.domain.instances.registry import EngineRegistry, InstanceResolver, LanedEngine
from rolecall.domain.instances.service import InstanceChangeRepository, OperationRepository, Servers
from rolecall.domain.messages import Handlers
from rolecall.domain.secrets.sealing import Sealer


class _Instances(RegisteredInstances, InstanceChangeRepository, Protocol):
    pass


class Engines(Protocol):
    """Makes engines (`rolecall.domain.instances.registry.EngineFactory`), and asks servers that have none."""

    def __call__(self, kind: str, address: EngineAddress, /) -> LanedEngine: ...
    async def probe(self, address: EngineAddress) -> Sequence[Finding]: ...


class Repositories(Protocol):
    @property
    def instances(self) -> _Instances: ...
    @property
    def operations(self) -> OperationRepository: ...


@dataclass(frozen=True, slots=True)
class Instances:
    engines: EngineRegistry
    resolver: InstanceResolver
    servers: Servers
    registrations: Registrations

    @property
    def handlers(self) -> Handlers:
        return self.servers.handlers


def build(repositories: Repositories, factory: Engines, sealer: Sealer) -> Instances:
    engines = EngineRegistry(factory, sealer)
    resolver = InstanceResolver(repositories.instances, engines)
    servers = Servers(resolver, repositories.instances, repositories.operations)
    examiner = Examiner(factory.probe, sealer)
    registrations = Registrations(repositories.instances, sealer, examiner, engines)
    return Instances(engines, resolver, servers, registrations)
