"""Spans: the steps of a call and of work in the background, recorded while traces are turned on (`rolecall.tracing`).

Off, which is the default, `tracer` is None. What is called often looks at it before it does anything else here.

A trace is recorded as a list, and becomes spans of OpenTelemetry when it ends. Only then it is known whether the caller
was authenticated, and so whether the parent that it named counts.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextvars import ContextVar, Token
from types import TracebackType
from typing import NamedTuple, Protocol

Value = str | int | float | bool | list[str]

MOST_SPANS = 200
"""Spans of one trace; further ones are only counted."""

_MOST_NOTES = 20
"""Values of one attribute that is noted several times."""


class Span:
    """`started` and `ended` are nanoseconds since 1970; 0 while it goes on. `error` is a reason's value, or the name of
    an exception's type."""

    __slots__ = ("attributes", "ended", "error", "name", "parent", "started", "trace")

    def __init__(
        self, trace: Trace, parent: Span | None, name: str, attributes: Mapping[str, Value] | None = None
    ) -> None:
        self.trace = trace
        self.parent = parent
        self.name = name
        self.attributes: dict[str, Value] = dict(attributes or {})
        self.started = trace.now()
        self.ended = 0
        self.error = ""

    def child(self, name: str, attributes: Mapping[str, Value] | None = None) -> Span | None:
        """None once the trace is over, or has too many spans."""
        trace = self.trace
        if trace.is_over:
            return None
        if len(trace.spans) >= MOST_SPANS:
            trace.left_out += 1
            return None
        span = Span(trace, self, name, attributes)
        trace.spans.append(span)
        return span

    def end(self, error: BaseException | None = None) -> None:
        self.ended = self.trace.now()
        if error is not None:
            reason = getattr(error, "reason", None)
            self.error = str(getattr(reason, "value", "")) or type(error).__name__


class Trace:
    """The spans of one call, or of one piece of work in the background, parents before their children.

    `origin` is the trace of the call that the work was begun by.
    """

    def __init__(
        self, name: str, attributes: Mapping[str, Value] | None = None, origin: Trace | None = None
    ) -> None:
        self._offset = time.time_ns() - time.perf_counter_ns()
        self.origin = origin
        self.is_over = False
        self.left_out = 0
        self.root = Span(self, None, name, attributes)
        self.spans = [self.root]

    def now(self) -> int:
        return self._offset + time.perf_counter_ns()


class Remote(NamedTuple):
    """The parent that a request names, which is not believed yet."""

    trace_id: int
    span_id: int
    is_sampled: bool
    state: str


class CallTrace(Trace):
    """`drawn`: this process samples it. `exported` is its span's context once it is exported, else None."""

    def __init__(self, remote: Remote | None, *, drawn: bool) -> None:
        super().__init__("call")
        self.remote = remote
        self.drawn = drawn
        self.exported: object = None
        self.waiting: list[Trace] = []
        """Of work that it has begun, and that has ended before."""


class Tracer(Protocol):
    def call(self, headers: Sequence[tuple[str, str]]) -> CallTrace | None:
        """The trace of a call with that head, to be recorded; None if it cannot be sampled."""

    def answered(self, trace: CallTrace, *, is_authenticated: bool) -> str:
        """Export it, if it is sampled. The id of the trace that it belongs to, in hexadecimal; empty without one."""

    def background(self, name: str, attributes: Mapping[str, Value], origin: Trace | None) -> Trace | None:
        """A trace to be recorded; None if it is not sampled."""

    def finish(self, trace: Trace) -> None:
        """Export a trace of the background."""


tracer: Tracer | None = None
"""That of the process; None unless traces are turned on."""

_CURRENT: ContextVar[Span | None] = ContextVar("span", default=None)


def enter(trace: Trace) -> Token[Span | None]:
    """What the task does from now on belongs to that trace, until `_leave` is given the token."""
    return _CURRENT.set(trace.root)


def leave(token: Token[Span | None]) -> None:
    _CURRENT.reset(token)


def detach() -> None:
    """What this task does from now on belongs to no trace: it works for several callers."""
    if tracer is not None:
        _CURRENT.set(None)


def begin(name: str, attributes: Mapping[str, Value] | None = None) -> Span | None:
    """A span of the current trace, that another thread may end; None if nothing is recorded."""
    current = None if tracer is None else _CURRENT.get()
    return None if current is None else current.child(name, attributes)


def note(key: str, value: object) -> None:
    """Add to a list of the current trace's first span."""
    current = None if tracer is None else _CURRENT.get()
    if current is not None and not current.trace.is_over:
        known = current.trace.root.attributes.setdefault(key, [])
        if isinstance(known, list) and len(known) < _MOST_NOTES and str(value) not in known:
            known.append(str(value))


class span:  # noqa: N801 - used as a function
    """A span of the current trace around a block; None if nothing is recorded."""

    __slots__ = ("_attributes", "_name", "_span", "_token")

    def __init__(self, name: str, attributes: Mapping[str, Value] | None = None) -> None:
        self._name = name
        self._attributes = attributes
        self._span: Span | None = None

    def __enter__(self) -> Span | None:
        self._span = begin(self._name, self._attributes)
        if self._span is not None:
            self._token = _CURRENT.set(self._span)
        return self._span

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if self._span is not None:
            _CURRENT.reset(self._token)
            self._span.end(error)


class background:  # noqa: N801 - used as a function
    """A trace of its own around a block, linked to the call in which the block was begun."""

    __slots__ = ("_attributes", "_name", "_token", "_trace")

    def __init__(self, name: str, attributes: Mapping[str, Value]) -> None:
        self._name = name
        self._attributes = attributes
        self._trace: Trace | None = None
        self._token: Token[Span | None] | None = None

    def __enter__(self) -> None:
        if tracer is None:
            return
        current = _CURRENT.get()
        self._trace = tracer.background(
            self._name, self._attributes, None if current is None else current.trace
        )
        self._token = _CURRENT.set(None if self._trace is None else self._trace.root)

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if self._token is not None:
            _CURRENT.reset(self._token)
        if self._trace is not None and tracer is not None:
            self._trace.root.end(error)
            tracer.finish(self._trace)
