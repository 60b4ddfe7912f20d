"""The periodic check for drift, as the settings say, and what is measured of it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator, Sequence

from rolecall.domain.accounts.drift_check import DriftCheck
from rolecall.domain.instances.registry import InstanceResolver
from rolecall.domain.maintenance.drift_watch import DriftReport, DriftWatch
from rolecall.measures import Reading
from rolecall.metrics import Metrics
from rolecall.settings import Settings
from rolecall.store import Store


def background(
    settings: Settings, store: Store, check: DriftCheck, resolver: InstanceResolver, metrics: Metrics
) -> Sequence[Callable[[], Coroutine[None, None, None]]]:
    """What compares until it is cancelled; nothing if the operator turned it off."""
    if not settings.drift_check_seconds:
        return ()
    figures = DriftFigures()
    metrics.watch(figures.read)
    period = settings.drift_check_seconds
    return (DriftWatch(check, resolver, store.drift_reports, period, figures.reported).run,)


class DriftFigures:
    """The last check of each instance, by any replica."""

    def __init__(self) -> None:
        self._reports: Sequence[DriftReport] = ()

    def reported(self, reports: Sequence[DriftReport]) -> None:
        self._reports = reports

    def read(self) -> Iterator[Reading]:
        for report in self._reports:
            if report.checked_at is None:
                continue
            yield (
                "rolecall_drift_checked_timestamp_seconds",
                (report.instance,),
                report.checked_at.timestamp(),
            )
            yield "rolecall_drifted_accounts", (report.instance,), report.drifted
            for kind, accounts in report.kinds.items():
                yield "rolecall_drift_accounts", (report.instance, kind), accounts
