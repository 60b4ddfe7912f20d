"""Faults on request: the next calls of an action are refused as if something had gone wrong, to test clients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from rolecall.domain.operations.audit import Audit, Outcome, entry_of
from rolecall.domain.reasons import Reason, Refused
from rolecall.values import Origin


class Injected(Refused):
    """A refusal that a tester asked for: no policy, limit or server refused the call."""


@dataclass(frozen=True, slots=True)
class NewFault:
    """`count` calls are refused with the reason, which the action's contract calls `code`. `after`: each is carried
    out first, and only its answer is replaced."""

    dialect: str
    service: str
    action: str
    code: str
    reason: Reason
    field: str
    after: bool
    count: int


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault as it is kept; `remaining` calls will be refused."""

    id: int
    dialect: str
    service: str
    action: str
    code: str
    reason: str
    field: str
    after: bool
    remaining: int

    @property
    def refusal(self) -> Injected:
        return Injected(_REASONS[self.reason], self.field, note=f"fault {self.id}, on request")


_REASONS = {reason.value: reason for reason in Reason}


class FaultRepository(Protocol):
    async def add(self, new: NewFault) -> int:
        """Its number."""

    async def faults(self) -> Sequence[Fault]: ...
    async def take(self, dialect: str, service: str, action: str) -> Fault | None:
        """The oldest fault of the action that has calls left, of which it takes one."""

    async def remove(self, faults: Sequence[int] | None) -> int:
        """How many were removed; None removes all."""


class Faults:
    """Gives each call the fault that waits for it, and records that in the audit trail."""

    def __init__(self, repository: FaultRepository, audit: Audit) -> None:
        self._repository = repository
        self._audit = audit

    async def take(self, service: str, origin: Origin, dialect: str) -> Fault | None:
        fault = await self._repository.take(dialect, service, origin.action)
        if fault is not None:
            detail = {"service": service, "fault": fault.id, "code": fault.code, "after": fault.after}
            await self._audit.note(entry_of(origin, Outcome.INJECTED, "", fault.reason, detail))
        return fault
