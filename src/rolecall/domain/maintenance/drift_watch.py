"""The periodic check for drift: one replica at a time compares the accounts of every instance with their records.

The store keeps the last outcome for each instance. So every replica can report it, and a restart does not repeat it.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import structlog

from rolecall.domain.accounts.drift_check import DriftCheck
from rolecall.domain.instances.registry import InstanceResolver, not_ready
from rolecall.domain.reasons import OutcomeUnknown, Refused

_log = structlog.get_logger(__name__)

_QUICKEST, _SLOWEST = 0.5, 30.0
"""Seconds between two looks for what is due."""


@dataclass(frozen=True, slots=True)
class DriftOutcome:
    """`drifted` accounts differ from their records, are missing or were recreated. `kinds` counts accounts by what
    differs (`AccountDrift.kinds`), with those that are foreign or unrecorded.
    """

    drifted: int = 0
    kinds: Mapping[str, int] | None = None


@dataclass(frozen=True, slots=True)
class DriftReport:
    """The last check of an instance. `checked_at` None: none has succeeded. `reason`: why the last attempt failed."""

    instance_id: int
    instance: str
    checked_at: datetime | None
    drifted: int
    kinds: Mapping[str, int]
    reason: str
    is_due: bool


class DriftReportRepository(Protocol):
    def turn(self) -> AbstractAsyncContextManager[bool]:
        """Whether it is this replica's turn, which it is for as long as the context is open."""

    async def reports(self, period: int) -> Sequence[DriftReport]:
        """Of every instance; due if the last attempt was `period` seconds ago, or there was none."""

    async def keep(self, instance_id: int, outcome: DriftOutcome | None, reason: str = "") -> None:
        """An attempt. With None the last outcome stays."""


class DriftWatch:
    """`period` in seconds. After each look, `report` is given the last checks."""

    def __init__(
        self,
        check: DriftCheck,
        resolver: InstanceResolver,
        repository: DriftReportRepository,
        period: int,
        report: Callable[[Sequence[DriftReport]], None],
    ) -> None:
        self._check = check
        self._resolver = resolver
        self._repository = repository
        self._period = period
        self._report = report

    async def run(self) -> None:
        """Round after round, until cancelled."""
        while True:
            await asyncio.sleep(min(max(self._period / 20, _QUICKEST), _SLOWEST))
            try:
                await self.round()
            except Exception:  # noqa: BLE001 - the next round may fare better
                _log.exception("the check for drift failed")

    async def round(self) -> int:
        """Check the instances that are due; how many were checked."""
        reports = await self._repository.reports(self._period)
        self._report(reports)
        if not any(report.is_due for report in reports):
            return 0
        checked = 0
        async with self._repository.turn() as mine:
            due = await self._repository.reports(self._period) if mine else ()
            for report in due:
                if report.is_due:
                    checked += await self._check_instance(report)
        self._report(await self._repository.reports(self._period))
        return checked

    async def _check_instance(self, report: DriftReport) -> bool:
        """A server out of reach is tried again after the period."""
        instance = await self._resolver.by_id(report.instance_id)
        if instance is None or not_ready(instance) is not None:
            return False
        drifted, kinds = 0, Counter[str]()
        try:
            connected = await self._resolver.connect_instance(instance)
            async for drift in self._check.check(connected):
                drifted += drift.is_drift
                kinds.update(drift.kinds)
        except (Refused, OutcomeUnknown) as error:
            reason = error.reason.value if isinstance(error, Refused) else "outcome unknown"
            await self._repository.keep(report.instance_id, None, reason)
            return False
        except Exception:  # noqa: BLE001 - else it would stay due, and keep those after it from being checked
            _log.exception("the check for drift failed", instance=instance.name)
            await self._repository.keep(report.instance_id, None, "failed")
            return False
        if drifted:
            _log.warning("accounts have drifted", instance=instance.name, accounts=drifted, kinds=dict(kinds))
        await self._repository.keep(report.instance_id, DriftOutcome(drifted, dict(kinds)))
        return True
