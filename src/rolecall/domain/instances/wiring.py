"""Composes the services of registered instances."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from rolecall.domain.instances.registry import (
    EngineFactory,
    EngineRegistry,
    InstanceRepository,
    InstanceResolver,
)
from rolecall.domain.instances.service import InstanceChangeRepository, OperationRepository, Servers
from rolecall.domain.messages import Handlers
from rolecall.domain.secrets.sealing import Sealer


class _Instances(InstanceRepository, InstanceChangeRepository, Protocol):
    pass


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

    @property
    def handlers(self) -> Handlers:
        return self.servers.handlers


def build(repositories: Repositories, factory: EngineFactory, sealer: Sealer) -> Instances:
    engines = EngineRegistry(factory, sealer)
    resolver = InstanceResolver(repositories.instances, engines)
    return Instances(engines, resolver, Servers(resolver, repositories.instances, repositories.operations))
