"""Measures that are read when Prometheus asks: their names and labels, and how those of several workers add up.

Each worker writes its own to a file of the workers' directory (`rolecall.workers`) every second, and the worker that is
asked adds those of the others to its own: the values of other workers are up to a second old.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

_PERIOD = 1.0
"""Seconds between two writes of a worker."""

Reading = tuple[str, tuple[str, ...], float]
"""A measure's name, the values of its labels in their order, its value."""

Readings = Callable[[], Iterable[Reading]]


class Measure(NamedTuple):
    """`together` makes one value of those of all workers. What ends with ``_total`` only grows."""

    text: str
    labels: tuple[str, ...] = ()
    together: Callable[[Iterable[float]], float] = sum


_INSTANCE, _POOL, _QUEUE, _WEBHOOK = ("instance",), ("pool",), ("queue",), ("webhook",)

MEASURES = {
    "rolecall_lane_depth": Measure("Changes waiting or running, by instance.", _INSTANCE),
    "rolecall_lane_looks": Measure("Reads waiting or running, by instance.", _INSTANCE),
    "rolecall_lane_width": Measure("Changes, and as many reads, that run at once, by instance.", _INSTANCE),
    "rolecall_lane_refused_total": Measure("Changes and reads refused as too many waited.", _INSTANCE),
    "rolecall_engine_up": Measure("1 unless changes of the instance are refused at once.", _INSTANCE, min),
    "rolecall_store_connections": Measure("Connections to the store in use, by pool.", _POOL),
    "rolecall_store_connections_most": Measure("Connections to the store at most, by pool.", _POOL),
    "rolecall_store_waiting": Measure("Callers that wait for a connection to the store, by pool.", _POOL),
    "rolecall_store_waits_total": Measure("Callers that had to wait for a connection.", _POOL),
    "rolecall_store_wait_seconds_total": Measure("Seconds that callers waited for a connection.", _POOL),
    "rolecall_store_timeouts_total": Measure("Callers that waited in vain for a connection.", _POOL),
    "rolecall_hashing_waiting": Measure("Passwords that wait to be hashed.", _QUEUE),
    "rolecall_hashing_running": Measure("Passwords that are being hashed.", _QUEUE),
    "rolecall_hashing_threads": Measure("Passwords that are hashed at once, at most.", _QUEUE),
    "rolecall_hashing_done_total": Measure("Passwords that were hashed.", _QUEUE),
    "rolecall_hashing_wait_seconds_total": Measure("Seconds that hashed passwords had to wait.", _QUEUE),
    "rolecall_hashing_refused_total": Measure("Passwords refused as too many waited.", _QUEUE),
    "rolecall_trace_spans_total": Measure("Spans that were exported, failed or were dropped.", ("outcome",)),
    "rolecall_trace_queue": Measure("Spans that wait to be exported."),
    "rolecall_unresolved_operations": Measure("Operations that are open.", together=max),
    "rolecall_unresolved_oldest_seconds": Measure(
        "Time since the oldest open operation was accepted.", together=max
    ),
    "rolecall_unresolved_attempts": Measure("The most attempts that left an operation open.", together=max),
    "rolecall_failed_promises": Measure("Accounts whose deferred creation failed.", together=max),
    "rolecall_drifted_accounts": Measure(
        "Accounts that differ from what was recorded, are missing or were recreated.", _INSTANCE, max
    ),
    "rolecall_drift_accounts": Measure("Accounts by what differs.", ("instance", "kind"), max),
    "rolecall_drift_checked_timestamp_seconds": Measure(
        "When accounts were last compared with what was recorded.", _INSTANCE, max
    ),
    "rolecall_webhook_posts_total": Measure(
        "Attempts to post a record to a webhook.", ("webhook", "outcome")
    ),
    "rolecall_webhook_lag_records": Measure(
        "Chained records that a webhook has not confirmed.", _WEBHOOK, max
    ),
    "rolecall_webhook_lag_seconds": Measure(
        "Age of the oldest chained record that a webhook has not confirmed.", _WEBHOOK, max
    ),
    "rolecall_webhook_paused": Measure("1 if nothing is posted to a webhook.", _WEBHOOK, max),
}


class Measured(Collector):
    """Reads what is watched. With a `directory` of several workers, it adds up what all of them read."""

    def __init__(self, directory: Path | None = None) -> None:
        self._sources: list[Readings] = []
        self._workers = None if directory is None else _Workers(directory)

    def watch(self, readings: Readings) -> None:
        self._sources.append(readings)

    def collect(self) -> Iterator[Metric]:
        values: dict[str, dict[tuple[str, ...], list[float]]] = {name: {} for name in MEASURES}
        others = () if self._workers is None else self._workers.others()
        for name, labels, value in (*self._read(), *others):
            if name in values:  # while workers of two releases run, it may be of the other
                values[name].setdefault(labels, []).append(value)
        for name, measure in MEASURES.items():
            make = CounterMetricFamily if name.endswith("_total") else GaugeMetricFamily
            family = make(name, measure.text, labels=measure.labels)
            for labels, found in values[name].items():
                family.add_metric(labels, measure.together(found))
            if values[name]:
                yield family

    async def share(self) -> None:
        """Tell the other workers, until cancelled."""
        assert self._workers is not None  # noqa: S101 - run only where there are some
        try:
            while True:
                with contextlib.suppress(OSError):  # the directory is deleted when the parent ends
                    self._workers.write(self._read())
                await asyncio.sleep(_PERIOD)
        finally:
            self._workers.leave()

    def _read(self) -> Sequence[Reading]:
        return [(name, labels, float(value)) for source in self._sources for name, labels, value in source()]


class _Workers:
    """The files of a directory: ``measures-<process>``, each replaced as a whole."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._own = directory / f"measures-{os.getpid()}"

    def write(self, readings: Sequence[Reading]) -> None:
        new = self._own.with_name(f"new-{self._own.name}")
        new.write_bytes(msgspec.json.encode(readings))
        new.replace(self._own)

    def leave(self) -> None:
        self._own.unlink(missing_ok=True)

    def others(self) -> Iterator[Reading]:
        """What the other workers have written, that are alive."""
        for path in self._directory.glob("measures-*"):
            if path == self._own:
                continue
            try:
                os.kill(int(path.name.partition("-")[2]), 0)
                yield from msgspec.json.decode(path.read_bytes(), type=list[Reading])
            except OSError:  # it was killed, or ends just now
                path.unlink(missing_ok=True)
