"""A collector of OTLP/HTTP: it keeps the spans that are sent to it."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue


@dataclass(frozen=True)
class Received:
    """A span. `links` are the trace and span ids that it is linked to."""

    name: str
    trace: str
    id: str
    parent: str
    kind: int
    state: str
    started: int
    ended: int
    is_error: bool
    attributes: Mapping[str, Any]
    resource: Mapping[str, Any]
    links: Sequence[tuple[str, str]]


@dataclass
class Collector:
    url: str
    bodies: list[bytes] = field(default_factory=list)
    """What was sent, as it came."""
    spans: list[Received] = field(default_factory=list)

    def roots(self, name: str) -> list[Received]:
        """Spans of that name whose parent was not sent."""
        ids = {span.id for span in self.spans}
        return [span for span in list(self.spans) if span.name == name and span.parent not in ids]

    def below(self, span: Received) -> list[Received]:
        """Its children, in the order of their beginning."""
        found = [one for one in list(self.spans) if (one.trace, one.parent) == (span.trace, span.id)]
        return sorted(found, key=lambda one: one.started)

    def of(self, request_id: str) -> list[Received]:
        """The first spans of the calls with a request id: none until they have come."""
        return [one for one in list(self.spans) if one.attributes.get("rolecall.request_id") == request_id]

    def take(self, body: bytes) -> None:
        self.bodies.append(body)
        for group in ExportTraceServiceRequest.FromString(body).resource_spans:
            resource = _plain(group.resource.attributes)
            for scope in group.scope_spans:
                self.spans += [_received(span, resource) for span in scope.spans]


@contextmanager
def collector(status: int = 200) -> Iterator[Collector]:
    """It answers with that status."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if status == 200:
                is_packed = self.headers.get("content-encoding") == "gzip"
                taking.take(gzip.decompress(body) if is_packed else body)
            self.send_response(status)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    taking = Collector(f"http://127.0.0.1:{server.server_port}/v1/traces")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield taking
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _received(span: Any, resource: Mapping[str, Any]) -> Received:
    return Received(
        span.name, span.trace_id.hex(), span.span_id.hex(), span.parent_span_id.hex(), span.kind, span.trace_state,
        span.start_time_unix_nano, span.end_time_unix_nano, span.status.code == 2, _plain(span.attributes), resource,
        [(link.trace_id.hex(), link.span_id.hex()) for link in span.links],
    )  # fmt: skip


def _plain(attributes: Any) -> Mapping[str, Any]:
    return {each.key: _value(each.value) for each in attributes}


def _value(value: AnyValue) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_value(each) for each in value.array_value.values]
    return getattr(value, kind) if kind else None
