"""Traces by OpenTelemetry, exported by OTLP over HTTP. Imported only if ROLECALL_TRACES_ENDPOINT is set.

Who may decide: a caller's ``traceparent`` counts only once the caller is authenticated. Until then a trace is recorded,
of at most `spans.MOST_SPANS` spans, and forgotten with the call unless this process has drawn it. So an unauthenticated
client cannot make anything be exported, or add to a trace of others. ROLECALL_TRACES_PARENT=ignored heeds no caller.

Exporting is a thread's work (`BatchSpanProcessor`). What it cannot keep up with is dropped, a whole trace at a time.
"""

from __future__ import annotations

import asyncio
import logging
import random
import re
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Literal

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    StatusCode,
    TraceFlags,
    format_trace_id,
    set_span_in_context,
)
from opentelemetry.trace.span import TraceState

from rolecall import __version__
from rolecall.domain.reasons import Fault, Reason
from rolecall.measures import Reading
from rolecall.spans import CallTrace, Remote, Span, Trace, Value

MOST_QUEUED = 8192
"""Spans that wait to be exported."""

_DELAY = 1.0
"""Seconds that a span waits for others at most."""

_TIMEOUT = 5.0
"""Seconds for one request to the collector, with its repetitions."""

_LAST = 1.5
"""Seconds for what is left when the process ends."""

_PARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")
"""The whole ``traceparent`` of version 00: 55 characters."""

_STATE = re.compile(r"[a-z0-9][-a-z0-9_*/@]{0,255}=[ -+\--<>-~]{0,255}[!-+\--<>-~]")
"""A member of ``tracestate``."""

_LONGEST_STATE = 512
_MOST_MEMBERS = 32

_EXPORTERS_LOG = logging.getLogger("opentelemetry.exporter.otlp.proto.http.trace_exporter")

_OURS = frozenset(reason.value for reason in Reason if reason.fault in (Fault.ENGINE, Fault.OURS))


def parent_of(headers: Sequence[tuple[str, str]]) -> Remote | None:
    """The parent by W3C Trace Context; None if ``traceparent`` is missing, repeated or malformed.

    A later version than 00 is read as far as it is known; ff is forbidden.
    """
    found = [value for name, value in headers if name == "traceparent"]
    if len(found) != 1 or not (match := _PARENT.match(found[0])):
        return None
    version, rest = match[1], found[0][match.end() :]
    if version == "ff" or (rest and (version == "00" or not rest.startswith("-"))):
        return None
    trace_id, span_id = int(match[2], 16), int(match[3], 16)
    if not trace_id or not span_id:
        return None
    state = ",".join(value for name, value in headers if name == "tracestate")
    return Remote(trace_id, span_id, bool(int(match[4], 16) & 1), state)


def context_of(remote: Remote) -> SpanContext:
    flags = TraceFlags(TraceFlags.SAMPLED if remote.is_sampled else TraceFlags.DEFAULT)
    return SpanContext(remote.trace_id, remote.span_id, True, flags, state_of(remote.state))


def state_of(text: str) -> TraceState:
    """Empty if it is malformed, or longer than must be passed on."""
    members = [member.strip(" \t") for member in text.split(",")]
    pairs = [member.split("=", 1) for member in members if member]
    is_whole = all(_STATE.fullmatch(member) for member in members if member)
    names = {name for name, *_ in pairs}
    if not is_whole or len(text) > _LONGEST_STATE or len(pairs) > _MOST_MEMBERS or len(names) < len(pairs):
        return TraceState()
    return TraceState([(name, value) for name, value in pairs])


class BackgroundTrace(Trace):
    def __init__(
        self, name: str, attributes: Mapping[str, Value], origin: Trace | None, *, drawn: bool
    ) -> None:
        super().__init__(name, attributes, origin)
        self.drawn = drawn


class OtlpTracer:
    """`ratio` of the traces are sampled, but those of an authenticated caller as its ``traceparent`` says."""

    def __init__(
        self, endpoint: str, ratio: float, parent: Literal["authenticated", "ignored"] = "authenticated"
    ) -> None:
        self._ratio = ratio
        self._heeds_parents = parent == "authenticated"
        self._exporter = _Counted(OTLPSpanExporter(endpoint=endpoint, timeout=_TIMEOUT))
        self._processor = BatchSpanProcessor(
            self._exporter, max_queue_size=MOST_QUEUED, schedule_delay_millis=_DELAY * 1000
        )
        provider = TracerProvider(sampler=ALWAYS_ON, resource=resource(), shutdown_on_exit=False)
        provider.add_span_processor(self._processor)
        self._tracer = provider.get_tracer("rolecall", __version__)
        _EXPORTERS_LOG.addFilter(self._exporter.may_log)
        self._submitted = 0
        self._dropped = 0

    def call(self, headers: Sequence[tuple[str, str]]) -> CallTrace | None:
        """The trace of a call, to be recorded; None if no one will ask for it."""
        remote = parent_of(headers) if self._heeds_parents else None
        drawn = self._draw()
        if not drawn and (remote is None or not remote.is_sampled):
            return None
        return CallTrace(remote, drawn=drawn)

    def answered(self, trace: CallTrace, *, is_authenticated: bool) -> str:
        """Export it, if it is sampled. The id of the trace that it belongs to, in hexadecimal; empty without one."""
        trace.is_over = True
        remote = trace.remote if is_authenticated else None
        context = None
        if remote.is_sampled if remote is not None else trace.drawn:
            parent = Context() if remote is None else _below(context_of(remote))
            context = trace.exported = self._export(trace, parent, SpanKind.SERVER)
        for later in trace.waiting:
            self.finish(later)
        if context is not None:
            return format_trace_id(context.trace_id)
        return "" if remote is None else format_trace_id(remote.trace_id)

    def background(self, name: str, attributes: Mapping[str, Value], origin: Trace | None) -> Trace | None:
        """`rolecall.spans.Tracer`: that of a call's work is sampled if the call is."""
        drawn = self._draw()
        if origin is None and not drawn:
            return None
        return BackgroundTrace(name, attributes, origin, drawn=drawn)

    def finish(self, trace: Trace) -> None:
        assert isinstance(trace, BackgroundTrace)  # noqa: S101 - it is of `background`
        trace.is_over = True
        origin = trace.origin
        if isinstance(origin, CallTrace):
            if not origin.is_over:
                origin.waiting.append(trace)
            elif isinstance(origin.exported, SpanContext):
                self._export(trace, Context(), SpanKind.INTERNAL, [Link(origin.exported)])
        elif trace.drawn:
            self._export(trace, Context(), SpanKind.INTERNAL)

    def readings(self) -> Iterator[Reading]:
        exporter = self._exporter
        yield "rolecall_trace_spans_total", ("exported",), exporter.exported
        yield "rolecall_trace_spans_total", ("failed",), exporter.failed
        yield "rolecall_trace_spans_total", ("dropped",), self._dropped
        yield "rolecall_trace_queue", (), self._queued

    async def close(self) -> None:
        """Export what is left, for a moment; the thread goes on to its end without us."""
        shutdown: Callable[[], None] = self._processor.shutdown
        last = threading.Thread(target=shutdown, name="last spans", daemon=True)
        last.start()
        await asyncio.to_thread(last.join, _LAST)
        if last.is_alive():
            self._exporter.give_up()
        _EXPORTERS_LOG.removeFilter(self._exporter.may_log)

    @property
    def _queued(self) -> int:
        return self._submitted - self._exporter.taken

    def _draw(self) -> bool:
        return random.random() < self._ratio  # noqa: S311 - not for secrets

    def _export(
        self, trace: Trace, parent: Context, kind: SpanKind, links: Sequence[Link] = ()
    ) -> SpanContext | None:
        """None if it had to be dropped."""
        count = len(trace.spans)
        if self._queued + count > MOST_QUEUED:
            self._dropped += count + trace.left_out
            return None
        self._submitted += count
        self._dropped += trace.left_out
        contexts: dict[Span, Context] = {}
        ended = trace.root.ended
        for span in trace.spans:
            above = parent if span.parent is None else contexts[span.parent]
            first = span.parent is None
            made = self._tracer.start_span(
                span.name,
                above,
                kind
                if first
                else SpanKind.CLIENT
                if "db.system.name" in span.attributes
                else SpanKind.INTERNAL,
                span.attributes,
                links if first else (),
                span.started,
            )
            if span.error:
                made.set_attribute("error.type", span.error)
                if span.error in _OURS or span.error[0].isupper():
                    made.set_status(StatusCode.ERROR)
            made.end(span.ended or ended)  # what still goes on ends with the call, for the trace
            contexts[span] = set_span_in_context(made, Context())
            if first:
                context = made.get_span_context()
        return context


def resource() -> Resource:
    """Who exports: as OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES say, else as Rolecall. One for each process."""
    known = {
        "service.name": "rolecall",
        "service.version": __version__,
        "service.instance.id": str(uuid.uuid4()),
    }
    return Resource.create({**known, **OTELResourceDetector().detect().attributes})


def _below(parent: SpanContext) -> Context:
    return set_span_in_context(NonRecordingSpan(parent), Context())


class _Counted(SpanExporter):
    """Counts the spans that were exported, and those that were not. Only the processor's thread calls `export`."""

    def __init__(self, inner: OTLPSpanExporter) -> None:
        self._inner = inner
        self.exported = 0
        self.failed = 0
        self._is_failing = False

    @property
    def taken(self) -> int:
        """Spans that wait no more."""
        return self.exported + self.failed

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = SpanExportResult.FAILURE
        try:
            result = self._inner.export(spans)
            return result
        finally:
            self._is_failing = result is not SpanExportResult.SUCCESS
            if result is SpanExportResult.SUCCESS:
                self.exported += len(spans)
            else:
                self.failed += len(spans)

    def may_log(self, _record: logging.LogRecord) -> bool:
        """The first failure is logged with its cause; those that follow would fill the log, and are counted."""
        return not self._is_failing

    def shutdown(self) -> None:
        self._inner.shutdown()  # type: ignore[no-untyped-call]

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        return self._inner.force_flush(timeout_millis)

    def give_up(self) -> None:
        """End the repetitions of a request that is under way."""
        self._inner.shutdown()  # type: ignore[no-untyped-call]
