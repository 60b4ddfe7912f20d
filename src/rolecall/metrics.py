"""What is counted: calls, how long they took, how full the lanes are, which engines are well."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest, multiprocess
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from rolecall.domain.instances import Attached

_BUCKETS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


class Metrics:
    """`shared` gathers the counts of every worker of this machine (see `rolecall serve --workers`)."""

    def __init__(self, *, shared: bool = False) -> None:
        self._shared = shared
        self.registry = CollectorRegistry()
        self._lanes = CollectorRegistry()
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
            "Time that servers took for what was asked of them.",
            ("engine", "method", "outcome"),
            buckets=_BUCKETS,
            registry=self.registry,
        )

    def call(self, dialect: str, service: str, action: str, code: str, seconds: float) -> None:
        self._calls.labels(dialect, service, action, code or "ok").inc()
        self._seconds.labels(dialect, service, action).observe(seconds)

    def engine(self, kind: str) -> Callable[[str, float, str], None]:
        """A watcher for engines of a kind: (method, seconds, outcome)."""

        def watch(method: str, seconds: float, outcome: str) -> None:
            self._engine_seconds.labels(kind, method, outcome).observe(seconds)

        return watch

    def watch(self, attached: Callable[[], Sequence[Attached]]) -> None:
        """Show the lanes and engines of the instances that were attached."""
        self._lanes.register(_Lanes(attached))

    def text(self) -> bytes:
        """The exposition format. Lanes are always this process's own."""
        calls = self.registry
        if self._shared:
            calls = CollectorRegistry()
            multiprocess.MultiProcessCollector(calls)  # type: ignore[no-untyped-call]
        return generate_latest(calls) + generate_latest(self._lanes)


class _Lanes(Collector):
    def __init__(self, attached: Callable[[], Sequence[Attached]]) -> None:
        self._attached = attached

    def collect(self) -> Iterable[Metric]:
        depth = GaugeMetricFamily(
            "rolecall_lane_depth", "Changes waiting or under way, by instance.", labels=["instance"]
        )
        healthy = GaugeMetricFamily(
            "rolecall_engine_up",
            "1 unless changes of the instance are being refused at once.",
            labels=["instance"],
        )
        for one in self._attached():
            depth.add_metric([one.instance.name], one.lane.depth)
            healthy.add_metric([one.instance.name], float(one.lane.healthy))
        return (depth, healthy)
