"""The periodic check for drift: its turns, what it keeps, and what it reports."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any, cast

import pytest
from tests.store.test_ledger import SEALER, new_instance

from rolecall.app.drifting import DriftFigures
from rolecall.domain.accounts.drift import AccountDrift, Difference, DriftStanding
from rolecall.domain.instances.registry import register
from rolecall.domain.maintenance.drift_watch import DriftOutcome, DriftReport, DriftWatch
from rolecall.domain.reasons import Reason, Refused
from rolecall.store import Store
from rolecall.values import Secret

HOUR = 3600


@pytest.fixture
async def store(dsn: Secret) -> AsyncIterator[Store]:
    opened = Store(dsn, pool_size=4)
    await opened.open()
    yield opened
    await opened.close()


class Resolver:
    """Every instance is the same."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def by_id(self, instance_id: int) -> Any:
        found = await self._store.instances.instances()
        return next(instance for instance in found if instance.id == instance_id)

    async def connect_instance(self, instance: Any) -> Any:
        return instance


class Check:
    """What a check of an instance gives, one after another."""

    def __init__(self, *outcomes: Sequence[AccountDrift] | Exception) -> None:
        self._outcomes = list(outcomes)

    async def check(self, _connected: Any) -> AsyncIterator[AccountDrift]:
        outcome = self._outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        for drift in outcome:
            yield drift


DRIFTED = (
    AccountDrift("a", "", DriftStanding.DRIFTED, (Difference("password", "", "x", "y"),)),
    AccountDrift("b", "", DriftStanding.MISSING),
    AccountDrift("c", "", DriftStanding.FOREIGN),
)


async def test_an_instance_is_checked_once_a_period_by_one_replica(store: Store) -> None:
    owner = await store.keys.add_owner(100, 200)
    instance = await register(store.instances, SEALER, new_instance(owner))
    reported: list[Sequence[DriftReport]] = []
    check = Check(DRIFTED, Refused(Reason.ENGINE_UNREACHABLE), ())

    def watch(period: int) -> DriftWatch:
        resolver: Any = Resolver(store)
        return DriftWatch(cast("Any", check), resolver, store.drift_reports, period, reported.append)

    async with store.drift_reports.turn() as mine, store.drift_reports.turn() as others:
        assert (mine, others) == (True, False)
        assert await watch(HOUR).round() == 0
    assert await watch(HOUR).round() == 1
    assert await watch(HOUR).round() == 0  # not due yet
    (report,) = reported[-1]
    assert (report.instance_id, report.drifted, report.reason) == (instance.id, 2, "")
    assert report.kinds == {"password": 1, "missing": 1, "foreign": 1}
    assert await watch(0).round() == 0
    (failed,) = reported[-1]
    assert (failed.reason, failed.drifted, failed.checked_at) == ("engine-unreachable", 2, report.checked_at)
    assert await watch(0).round() == 1
    (resolved,) = reported[-1]
    assert (resolved.reason, resolved.drifted, resolved.kinds) == ("", 0, {})
    await store.drift_reports.keep(instance.id + 1000, DriftOutcome())  # removed meanwhile


async def test_a_check_that_fails_keeps_no_other_instance_from_being_checked(store: Store) -> None:
    owner = await store.keys.add_owner(100, 200)
    for public_id in ("red-1", "red-2"):
        await register(store.instances, SEALER, new_instance(owner, public_id))
    reported: list[Sequence[DriftReport]] = []
    check, resolver = cast("Any", Check(ValueError("odd"), DRIFTED)), cast("Any", Resolver(store))
    watch = DriftWatch(check, resolver, store.drift_reports, HOUR, reported.append)
    assert await watch.round() == 1
    assert [(report.reason, report.drifted) for report in reported[-1]] == [("failed", 0), ("", 2)]
    assert await watch.round() == 0  # and is not repeated before the next period


def test_the_last_checks_are_measured(store: Store) -> None:
    figures = DriftFigures()
    assert list(figures.read()) == []
