"""Traces: which parent counts, what is sampled, what is dropped, and that nothing waits for a collector."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
from opentelemetry.trace import SpanContext
from tests.collector import Collector, Received, collector
from tests.waiting import reached

from rolecall import spans, tracing
from rolecall.app.traces import traces
from rolecall.exchanges.traced import OTHER, kind_of
from rolecall.metrics import Metrics
from rolecall.settings import Settings, SettingsError, load_settings
from rolecall.spans import MOST_SPANS, CallTrace, Trace, span
from rolecall.tracing import OtlpTracer, context_of, parent_of, state_of

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SAMPLED, UNSAMPLED = f"00-{TRACE}-{SPAN}-01", f"00-{TRACE}-{SPAN}-00"


@pytest.mark.parametrize(
    ("value", "is_sampled"),
    [
        (SAMPLED, True),
        (UNSAMPLED, False),
        (f"00-{TRACE}-{SPAN}-03", True),
        (f"00-{TRACE}-{SPAN}-02", False),
        (f"01-{TRACE}-{SPAN}-01", True),
        (f"01-{TRACE}-{SPAN}-01-of-a-later-version", True),
    ],
)
def test_a_parent_is_read_as_the_recommendation_says(value: str, is_sampled: bool) -> None:
    parent = parent_of([("host", "a"), ("traceparent", value)])
    assert parent == (int(TRACE, 16), int(SPAN, 16), is_sampled, "")


@pytest.mark.parametrize(
    "value",
    [
        "",
        SAMPLED.upper(),
        SAMPLED[:-1],
        f"{SAMPLED}-",
        f"{SAMPLED} ",
        f" {SAMPLED}",
        f"{SAMPLED}0",
        f"ff-{TRACE}-{SPAN}-01",
        f"01-{TRACE}-{SPAN}-010",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE[:-1]}g-{SPAN}-01",
        f"00_{TRACE}_{SPAN}_01",
        "0" * 100_000,
    ],
)
def test_a_malformed_parent_is_none(value: str) -> None:
    assert parent_of([("traceparent", value)]) is None


def test_a_parent_that_is_given_twice_is_none() -> None:
    assert parent_of([("traceparent", SAMPLED), ("traceparent", SAMPLED)]) is None
    assert parent_of([("tracestate", "a=1")]) is None


@pytest.mark.parametrize(
    ("headers", "state"),
    [
        (["a=1"], "a=1"),
        (["a=1, b@c=x y", "d=2"], "a=1,b@c=x y,d=2"),
        (["a=1,,b=2"], "a=1,b=2"),
        (["a=1,a=2"], ""),
        (["A=1"], ""),
        (["a=1,broken"], ""),
        (["a=\x1b[2J"], ""),
        ([",".join(f"k{number}=1" for number in range(33))], ""),
        (["a=" + "x" * 600], ""),
    ],
)
def test_a_state_is_whole_or_nothing(
    headers: list[str], state: str, caplog: pytest.LogCaptureFixture
) -> None:
    parent = parent_of([("traceparent", SAMPLED), *(("tracestate", one) for one in headers)])
    assert parent is not None
    assert state_of(parent.state).to_header() == state
    assert context_of(parent).trace_state.to_header() == state
    assert not caplog.records  # no caller writes to the log


@pytest.fixture(scope="module")
def collecting() -> Iterator[Collector]:
    with collector() as one:
        yield one


@asynccontextmanager
async def tracer(url: str, ratio: float = 1, parent: str = "authenticated") -> AsyncIterator[OtlpTracer]:
    settings = Settings(traces_endpoint=url, traces_ratio=ratio, traces_parent=parent)  # type: ignore[arg-type]
    async with traces(settings, Metrics()):
        assert isinstance(spans.tracer, OtlpTracer)
        yield spans.tracer


def answered(one: OtlpTracer, name: str, *headers: tuple[str, str], is_authenticated: bool = True) -> str:
    """The id of the trace of a call with one span, as it is logged."""
    trace = one.call(headers)
    if trace is None:
        return ""
    token = spans.enter(trace)
    with span("parse"):
        pass
    spans.leave(token)
    trace.root.name = name
    trace.root.end()
    return one.answered(trace, is_authenticated=is_authenticated)


def found(collecting: Collector, name: str) -> list[Received]:
    return [one for one in collecting.spans if one.name == name]


async def test_an_authenticated_callers_parent_counts(collecting: Collector) -> None:
    async with tracer(collecting.url, ratio=0) as one:
        state = ("tracestate", "vendor=1")
        assert answered(one, "authenticated", ("traceparent", SAMPLED), state) == TRACE
    (root,) = found(collecting, "authenticated")
    assert (root.trace, root.parent, root.state, root.kind) == (TRACE, SPAN, "vendor=1", 2)
    (child,) = collecting.below(root)
    assert (child.name, child.trace) == ("parse", TRACE)


async def test_an_authenticated_callers_parent_says_no(collecting: Collector) -> None:
    async with tracer(collecting.url) as one:
        assert (
            answered(one, "unsampled", ("traceparent", UNSAMPLED)) == TRACE
        )  # it is in the log all the same
    assert not found(collecting, "unsampled")


async def test_an_unauthenticated_client_makes_nothing_be_exported_and_joins_no_trace(
    collecting: Collector,
) -> None:
    async with tracer(collecting.url, ratio=0) as one:
        assert answered(one, "unauthenticated", ("traceparent", SAMPLED), is_authenticated=False) == ""
    assert not found(collecting, "unauthenticated")
    async with tracer(collecting.url, ratio=1) as one:
        own = answered(one, "drawn unauthenticated", ("traceparent", SAMPLED), is_authenticated=False)
        unsampled = answered(one, "drawn unauthenticated", ("traceparent", UNSAMPLED), is_authenticated=False)
    sent = found(collecting, "drawn unauthenticated")
    assert {root.trace for root in sent} == {own, unsampled}  # of this process's own draw
    assert TRACE not in {root.trace for root in sent}
    assert {root.parent for root in sent} == {""}


async def test_no_callers_parent_counts_where_the_operator_says_so(collecting: Collector) -> None:
    async with tracer(collecting.url, ratio=0, parent="ignored") as one:
        assert one.call([("traceparent", SAMPLED)]) is None
    async with tracer(collecting.url, ratio=1, parent="ignored") as one:
        own = answered(one, "ignored", ("traceparent", UNSAMPLED))
    (root,) = found(collecting, "ignored")
    assert (root.trace, root.parent) == (own, "")
    assert own != TRACE


async def test_a_ratio_of_calls_is_recorded(collecting: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    draws = iter([0.24, 0.25, 0.9])
    monkeypatch.setattr(tracing.random, "random", lambda: next(draws))
    async with tracer(collecting.url, ratio=0.25) as one:
        assert [one.call([]) is not None for _ in range(3)] == [True, False, False]


async def test_a_trace_has_so_many_spans_and_counts_the_others(collecting: Collector) -> None:
    async with tracer(collecting.url) as one:
        trace = one.call([])
        assert trace is not None
        token = spans.enter(trace)
        for _ in range(MOST_SPANS + 5):
            with span("many"):
                pass
        spans.leave(token)
        trace.root.name = "long"
        trace.root.end()
        one.answered(trace, is_authenticated=True)
        readings = {labels: value for _, labels, value in one.readings()}
        assert readings["dropped",] == 6
    (root,) = found(collecting, "long")
    assert len(collecting.below(root)) == MOST_SPANS - 1


async def test_what_goes_on_after_the_call_is_no_part_of_it(collecting: Collector) -> None:
    go_on = asyncio.Event()

    async def later() -> None:
        await go_on.wait()
        with span("too late"):
            pass

    async with tracer(collecting.url) as one:
        trace = one.call([])
        assert trace is not None
        token = spans.enter(trace)
        task = asyncio.create_task(later())
        spans.leave(token)
        trace.root.name = "left"
        trace.root.end()
        one.answered(trace, is_authenticated=True)
        go_on.set()
        await task
    assert found(collecting, "left")
    assert not found(collecting, "too late")


@pytest.mark.parametrize("ends_first", [True, False])
async def test_work_in_the_background_is_linked_to_its_call(collecting: Collector, ends_first: bool) -> None:
    name = f"background {ends_first}"

    async def work() -> None:
        with spans.background(name, {"rolecall.operation_ids": ["x"]}), span("inner"):
            pass

    async with tracer(collecting.url) as one:
        trace = one.call([])
        assert trace is not None
        token = spans.enter(trace)
        task = asyncio.create_task(work())
        spans.leave(token)
        if ends_first:
            await task
        trace.root.name = f"call of {name}"
        trace.root.end()
        one.answered(trace, is_authenticated=True)
        await task
    (call,), (root,) = found(collecting, f"call of {name}"), found(collecting, name)
    assert root.links == [(call.trace, call.id)]
    assert root.trace != call.trace
    assert [child.name for child in collecting.below(root)] == ["inner"]
    assert root.attributes["rolecall.operation_ids"] == ["x"]


async def test_work_of_a_call_that_is_not_sampled_is_not_either(collecting: Collector) -> None:
    async with tracer(collecting.url, ratio=1) as one:
        trace = one.call([("traceparent", UNSAMPLED)])
        assert trace is not None
        token = spans.enter(trace)
        with spans.background("of an unsampled call", {}):
            pass
        spans.leave(token)
        trace.root.end()
        one.answered(trace, is_authenticated=True)
        with spans.background("of no call", {}):
            pass
    assert not found(collecting, "of an unsampled call")
    assert found(collecting, "of no call")


async def test_an_error_is_named_by_its_type_alone(collecting: Collector) -> None:
    async with tracer(collecting.url) as one:
        trace = one.call([])
        assert trace is not None
        token = spans.enter(trace)
        with pytest.raises(ValueError, match="secret"), span("failing"):
            raise ValueError("a secret")
        spans.leave(token)
        trace.root.end()
        one.answered(trace, is_authenticated=True)
    (failed,) = found(collecting, "failing")
    assert failed.attributes == {"error.type": "ValueError"}
    assert failed.is_error


def trace_of(count: int) -> CallTrace:
    trace = CallTrace(None, drawn=True)
    for _ in range(count - 1):
        child = trace.root.child("child")
        assert child is not None
        child.end()
    trace.root.end()
    return trace


async def test_a_full_queue_drops_whole_traces_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracing, "_DELAY", 3600)  # what is queued stays
    with collector() as refusing:
        metrics = Metrics()
        settings = Settings(traces_endpoint=refusing.url)
        async with traces(settings, metrics):
            one = spans.tracer
            assert isinstance(one, OtlpTracer)
            monkeypatch.setattr(tracing, "MOST_QUEUED", 4)
            assert one.answered(trace_of(3), is_authenticated=True)
            assert one.answered(trace_of(2), is_authenticated=True) == ""
            shown = metrics.text().decode()
            assert 'rolecall_trace_spans_total{outcome="dropped"} 2.0' in shown
            assert "rolecall_trace_queue 3.0" in shown


async def test_a_dead_collector_holds_up_neither_calls_nor_the_end() -> None:
    with socket.socket() as silent:  # accepts connections, and never answers
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        began = time.monotonic()
        async with tracer(f"http://127.0.0.1:{silent.getsockname()[1]}/v1/traces") as one:
            for _ in range(600):
                assert one.answered(trace_of(2), is_authenticated=True)
            answered_in = time.monotonic() - began
            ending = time.monotonic()
        assert time.monotonic() - ending < tracing._LAST + 20
        assert answered_in < 30


async def test_spans_that_a_collector_refuses_are_counted_and_logged_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(tracing, "_DELAY", 0.01)
    with collector(status=400) as refusing:
        async with tracer(refusing.url) as one:
            one.answered(trace_of(3), is_authenticated=True)
            await reached(lambda: one._exporter.failed == 3)
            assert one._queued == 0
            logged = len(caplog.records)
            assert logged
            one.answered(trace_of(3), is_authenticated=True)
            await reached(lambda: one._exporter.failed == 6)
            assert len(caplog.records) == logged


async def test_the_resource_is_as_the_environment_says(
    collecting: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_SERVICE_NAME", "accounts")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test")
    async with tracer(collecting.url) as one:
        answered(one, "of a resource")
    (root,) = found(collecting, "of a resource")
    assert root.resource["service.name"] == "accounts"
    assert root.resource["deployment.environment.name"] == "test"
    assert root.resource["service.instance.id"]


async def test_a_missing_package_is_an_error_that_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    monkeypatch.delitem(sys.modules, "rolecall.tracing")
    with pytest.raises(SettingsError, match=r"pip install 'rolecall\[tracing\]'"):
        async with traces(Settings(traces_endpoint="http://127.0.0.1:1/v1/traces"), Metrics()):
            pass
    assert spans.tracer is None


@pytest.mark.parametrize(
    "value",
    [
        "127.0.0.1:4318",
        "http://127.0.0.1:4318",
        "ftp://a/b",
        "http://user:secret@a/v1/traces",
        "http://a b/c",
    ],
)
def test_an_endpoint_is_a_url_with_a_path_and_without_a_secret(
    value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROLECALL_TRACES_ENDPOINT", value)
    with pytest.raises(SettingsError, match="ROLECALL_TRACES_ENDPOINT"):
        load_settings()


async def test_off_records_nothing_and_imports_nothing() -> None:
    assert spans.tracer is None
    with span("parse") as one:
        assert one is None
    with spans.background("work", {}):
        assert spans.begin("parse") is None
    spans.note("rolecall.operation_ids", "x")
    script = (
        "import sys, rolecall.app.opening, rolecall.server\n"
        "sys.exit(any(name.partition('.')[0] in ('opentelemetry', 'requests') for name in sys.modules))"
    )
    done = await asyncio.to_thread(subprocess.run, [sys.executable, "-c", script], check=False)
    assert done.returncode == 0


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("select 1", "SELECT"),
        ("\n  CREATE ROLE alice PASSWORD 'x'", "CREATE ROLE"),
        ("create function secret()", OTHER),
        ("BEGIN;SELECT 1", "BEGIN"),
        ("secret", OTHER),
        ("", OTHER),
    ],
)
def test_a_kind_of_statement_is_of_a_closed_list(text: str, kind: str) -> None:
    assert kind_of(text) == kind


def test_a_context_is_none_until_it_is_exported() -> None:
    trace: Trace = CallTrace(None, drawn=True)
    assert isinstance(trace, CallTrace)
    assert not isinstance(trace.exported, SpanContext)
