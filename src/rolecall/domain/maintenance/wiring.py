"""Composes recovery, rotation and the history of calls."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Protocol

from rolecall.domain.accounts.ports import RotationRepository
from rolecall.domain.accounts.wiring import AccountServices
from rolecall.domain.instances.wiring import Instances
from rolecall.domain.maintenance.call_history import CallHistory, CallMinuteRepository, Counts
from rolecall.domain.maintenance.recovery import Recovery
from rolecall.domain.maintenance.rotation import Rotation
from rolecall.domain.operations.model import Ledger, Unresolved
from rolecall.domain.operations.wiring import Operations


class Repositories(Protocol):
    @property
    def operations(self) -> Ledger: ...
    @property
    def rotation(self) -> RotationRepository: ...
    @property
    def call_minutes(self) -> CallMinuteRepository: ...


class Figures(Protocol):
    """Where open operations are reported, and calls are counted: `rolecall.metrics`."""

    def unresolved(self, found: Unresolved) -> None: ...
    def take_counts(self) -> Counts: ...


@dataclass(frozen=True, slots=True)
class Maintenance:
    recovery: Recovery
    rotation: Rotation
    call_history: CallHistory
    background: Sequence[Callable[[], Coroutine[None, None, None]]]
    """What runs until it is cancelled."""


def build(
    repositories: Repositories,
    instances: Instances,
    accounts: AccountServices,
    operations: Operations,
    rotation_seconds: int,
    figures: Figures,
) -> Maintenance:
    resolver = instances.resolver
    recovery = Recovery(
        repositories.operations,
        operations.journal,
        operations.runner,
        resolver,
        accounts.deferred,
        figures.unresolved,
    )
    rotation = Rotation(
        accounts.context, resolver, accounts.credentials, repositories.rotation, rotation_seconds
    )
    history = CallHistory(repositories.call_minutes, figures.take_counts)
    rotating = (rotation.run,) if rotation_seconds else ()
    return Maintenance(recovery, rotation, history, (recovery.run, *rotating, history.run))
