"""Metrics: calls and their durations, the depth of lanes, the health of engines, open operations."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest, multiprocess
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from rolecall.domain.instances.registry import ConnectedInstance
from rolecall.domain.operations.model import Unresolved

_BUCKETS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


OTHER = "other"
_UNKNOWN = frozenset({"unknown"})
"""Service and action of a call that could not be parsed."""


class Metrics:
    """`shared` adds up the counts of all workers (see `rolecall serve --workers`)."""

    def __init__(self, *, shared: bool = False) -> None:
        self._shared = shared
        self.registry = CollectorRegistry()
        self._lanes = CollectorRegistry()
        self._unresolved = _Unresolved()
        self._lanes.register(self._unresolved)
        self._actions: dict[str, Mapping[str, frozenset[str]]] = {}
        self._codes: dict[str, frozenset[str]] = {}
        self._recent: dict[str, tuple[int, int]] = {}
        self._counts: dict[tuple[str, ...], tuple[Counter, Histogram]] = {}
        """The counts of calls by their labels, which are declared."""
        self._calls = Counter(
            "rolecall_calls",
            "Calls answered, by the vendor's error code (ok: none).",
            ("dialect", "service", "action", "code"),
            registry=self.registry,
        )
        self._seconds = Histogram(
            "rolecall_call_seconds",
            "Time from a parsed HTTP request to its answer.",
            ("dialect", "service", "action"),
            buckets=_BUCKETS,
            registry=self.registry,
        )

        self._engine_seconds = Histogram(
            "rolecall_engine_seconds",
            "Time that servers took to answer.",
            ("engine", "method", "outcome"),
            buckets=_BUCKETS,
            registry=self.registry,
        )

        self._alone = Counter(
            "rolecall_calls_counted_alone",
            "Calls whose rate was counted per server, since the rate store was unreachable.",
            registry=self.registry,
        )

    def counted_alone(self) -> None:
        self._alone.inc()

    def expect(self, dialect: str, actions: Mapping[str, Collection[str]], codes: Collection[str]) -> None:
        """Declare the labels of a dialect's calls: actions by service, and error codes."""
        self._actions[dialect] = {service: frozenset(names) for service, names in actions.items()}
        self._codes[dialect] = frozenset(codes)

    def call(self, dialect: str, service: str, action: str, code: str, seconds: float) -> None:
        """Count a call. Undeclared labels count as ``other``, since a label is kept for ever."""
        actions = self._actions.get(dialect)
        if actions is None:
            dialect = OTHER
        if actions is None or action not in actions.get(service, _UNKNOWN if service == "unknown" else ()):
            service, action = (service if actions and service in actions else OTHER), OTHER
        if code and code not in self._codes.get(dialect, ()):
            code = OTHER
        labels = dialect, service, action, code or "ok"
        counts = self._counts.get(labels)
        if counts is None:
            counts = self._calls.labels(*labels), self._seconds.labels(dialect, service, action)
            self._counts[labels] = counts
        calls, errors = self._recent.get(dialect, (0, 0))
        self._recent[dialect] = (calls + 1, errors + bool(code))
        counts[0].inc()
        counts[1].observe(seconds)

    def take_counts(self) -> dict[str, tuple[int, int]]:
        """By dialect, calls and errors of this process since this was asked last."""
        taken, self._recent = self._recent, {}
        return taken

    def engine(self, kind: str) -> Callable[[str, float, str], None]:
        """A function that records (method, seconds, outcome) of engines of a kind."""

        durations: dict[tuple[str, str], Histogram] = {}

        def watch(method: str, seconds: float, outcome: str) -> None:
            duration = durations.get((method, outcome))
            if duration is None:
                duration = durations[method, outcome] = self._engine_seconds.labels(kind, method, outcome)
            duration.observe(seconds)

        return watch

    def watch(self, instances: Callable[[], Sequence[ConnectedInstance]]) -> None:
        """Report the lanes and engines of connected instances."""
        self._lanes.register(_Lanes(instances))

    def unresolved(self, found: Unresolved) -> None:
        """Report the open operations of the store, for all processes."""
        self._unresolved.found = found

    def text(self) -> bytes:
        """The exposition format of Prometheus. Lanes are those of this process."""
        calls = self.registry
        if self._shared:
            calls = CollectorRegistry()
            multiprocess.MultiProcessCollector(calls)  # type: ignore[no-untyped-call]
        return generate_latest(calls) + generate_latest(self._lanes)


class _Lanes(Collector):
    def __init__(self, instances: Callable[[], Sequence[ConnectedInstance]]) -> None:
        self._instances = instances

    def collect(self) -> Iterable[Metric]:
        depth = GaugeMetricFamily(
            "rolecall_lane_depth", "Changes waiting or running, by instance.", labels=["instance"]
        )
        healthy = GaugeMetricFamily(
            "rolecall_engine_up",
            "1 unless changes of the instance are refused at once.",
            labels=["instance"],
        )
        for connected in self._instances():
            depth.add_metric([connected.instance.name], connected.lane.depth)
            healthy.add_metric([connected.instance.name], float(connected.lane.healthy))
        return (depth, healthy)


class _Unresolved(Collector):
    def __init__(self) -> None:
        self.found = Unresolved()

    def collect(self) -> Iterable[Metric]:
        return (
            GaugeMetricFamily(
                "rolecall_unresolved_operations", "Operations that are open.", value=self.found.number
            ),
            GaugeMetricFamily(
                "rolecall_unresolved_oldest_seconds",
                "Time since the oldest open operation was accepted.",
                value=self.found.oldest,
            ),
            GaugeMetricFamily(
                "rolecall_unresolved_attempts",
                "The most attempts that left an operation open.",
                value=self.found.attempts,
            ),
            GaugeMetricFamily(
                "rolecall_failed_promises",
                "Accounts whose deferred creation failed.",
                value=self.found.failed,
            ),
        )
