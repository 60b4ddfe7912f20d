"""Metrics: calls and their durations, and the measures of `rolecall.measures`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Coroutine, Iterator, Mapping, Sequence
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest, multiprocess

from rolecall.domain.operations.model import Unresolved
from rolecall.measures import Measured, Reading, Readings

_BUCKETS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


OTHER = "other"
_UNKNOWN = frozenset({"unknown"})
"""Service and action of a call that could not be parsed."""


class Metrics:
    """`shared` is the directory of several workers, whose counts and measures are added up."""

    def __init__(self, shared: Path | None = None) -> None:
        self._shared = shared is not None
        self.registry = CollectorRegistry()
        self._measured = Measured(shared)
        self._measures = CollectorRegistry()
        self._measures.register(self._measured)
        self._unresolved = Unresolved()
        self.watch(self._open_operations)
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

    def call(
        self, dialect: str, service: str, action: str, code: str, seconds: float
    ) -> tuple[str, str, str, str]:
        """Count a call, and return its labels. Undeclared ones are ``other``, since a label is kept for ever."""
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
        return labels

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

    def watch(self, readings: Readings) -> None:
        """Serve what is read, of `MEASURES`."""
        self._measured.watch(readings)

    @property
    def background(self) -> Sequence[Callable[[], Coroutine[None, None, None]]]:
        """What runs while calls are answered, until it is cancelled."""
        return (self._measured.share,) if self._shared else ()

    def unresolved(self, found: Unresolved) -> None:
        """Report the open operations of the store, for all processes."""
        self._unresolved = found

    def _open_operations(self) -> Iterator[Reading]:
        found = self._unresolved
        yield "rolecall_unresolved_operations", (), found.number
        yield "rolecall_unresolved_oldest_seconds", (), found.oldest
        yield "rolecall_unresolved_attempts", (), found.attempts
        yield "rolecall_failed_promises", (), found.failed

    def text(self) -> bytes:
        """The exposition format of Prometheus."""
        calls = self.registry
        if self._shared:
            calls = CollectorRegistry()
            multiprocess.MultiProcessCollector(calls)  # type: ignore[no-untyped-call]
        return generate_latest(calls) + generate_latest(self._measures)
