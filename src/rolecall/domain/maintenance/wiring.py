"""Composes recovery and rotation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from rolecall.domain.accounts.ports import RotationRepository
from rolecall.domain.accounts.wiring import AccountServices
from rolecall.domain.instances.wiring import Instances
from rolecall.domain.maintenance.recovery import Recovery
from rolecall.domain.maintenance.rotation import Rotation
from rolecall.domain.operations.model import Ledger, Unresolved
from rolecall.domain.operations.wiring import Operations


class Repositories(Protocol):
    @property
    def operations(self) -> Ledger: ...
    @property
    def rotation(self) -> RotationRepository: ...


@dataclass(frozen=True, slots=True)
class Maintenance:
    recovery: Recovery
    rotation: Rotation


def build(
    repositories: Repositories,
    instances: Instances,
    accounts: AccountServices,
    operations: Operations,
    rotation_seconds: int,
    unresolved: Callable[[Unresolved], None],
) -> Maintenance:
    resolver = instances.resolver
    return Maintenance(
        Recovery(
            repositories.operations,
            operations.journal,
            operations.runner,
            resolver,
            accounts.deferred,
            unresolved,
        ),
        Rotation(accounts.context, resolver, accounts.credentials, repositories.rotation, rotation_seconds),
    )
