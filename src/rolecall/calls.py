"""Answers a crash, counts and logs: the same for the calls of every dialect and for sign-ins."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Protocol

import structlog

from rolecall import spans
from rolecall.domain.reasons import Fault, Reason, Refused
from rolecall.domain.secrets.sealing import SealBroken
from rolecall.exchanges import Away
from rolecall.values import Caller, Reply, Request

_log = structlog.get_logger(__name__)


class CallMetrics(Protocol):
    def expect(
        self, dialect: str, actions: Mapping[str, Collection[str]], codes: Collection[str], /
    ) -> None: ...
    def call(
        self, dialect: str, service: str, action: str, code: str, seconds: float, /
    ) -> tuple[str, str, str, str]: ...


@dataclass(slots=True)
class CallRecord:
    """What is known of a call, completed while it is answered."""

    dialect: str
    request: Request
    request_id: str = ""
    service: str = "unknown"
    action: str = "unknown"
    caller: Caller | None = None
    error: Refused | None = None


class Calls:
    def __init__(self, metrics: CallMetrics) -> None:
        self._metrics = metrics

    async def answer(
        self,
        record: CallRecord,
        serve: Callable[[], Awaitable[Reply]],
        crashed: Callable[[Refused], Reply],
    ) -> Reply:
        """What `serve` answers, or `crashed` where it raises. One metric and one line; neither has a parameter.

        A stored secret that does not open is not a bug: `crashed` gets UNSEALED, and the log no traceback. Neither is a
        store that is away.
        """
        started = time.perf_counter()
        traced = None if spans.tracer is None else spans.tracer.call(record.request.headers)
        token = None if traced is None else spans.enter(traced)
        try:
            reply = await serve()
        except SealBroken as error:
            record.error = Refused(Reason.UNSEALED, note=str(error))
            reply = crashed(record.error)
        except Away as error:
            record.error = Refused(Reason.INTERNAL, note=f"the store is away: {error}")
            reply = crashed(record.error)
        except Exception as error:  # noqa: BLE001 - a crash is answered, too
            _log.exception("a call crashed", request_id=record.request_id)
            record.error = Refused(Reason.INTERNAL, note=type(error).__name__)
            reply = crashed(record.error)
        finally:
            if token is not None:
                spans.leave(token)
        self._report(record, reply, time.perf_counter() - started, traced)
        return reply

    def _report(
        self, record: CallRecord, reply: Reply, seconds: float, traced: spans.CallTrace | None
    ) -> None:
        labels = self._metrics.call(record.dialect, record.service, record.action, reply.code, seconds)
        trace = _NO_TRACE if traced is None else _finished(traced, record, labels, reply)
        serious = record.error is not None and record.error.reason.fault in (Fault.ENGINE, Fault.OURS)
        _log.log(
            30 if serious else 20,
            "call",
            dialect=record.dialect,
            service=record.service,
            action=record.action,
            code=reply.code or "ok",
            principal=None if record.caller is None else record.caller.principal,
            client=record.request.client,
            request_id=record.request_id,
            note="" if record.error is None else record.error.note,
            milliseconds=round(seconds * 1000, 1),
            **trace,
        )


_NO_TRACE: Mapping[str, str] = {}

_METHODS = frozenset({"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"})


def _finished(
    trace: spans.CallTrace, record: CallRecord, labels: tuple[str, str, str, str], reply: Reply
) -> Mapping[str, str]:
    """End the trace of an answered call: its id, for the log. `labels` are of closed lists, as those of metrics."""
    dialect, service, action, code = labels
    root, request, caller = trace.root, record.request, record.caller
    root.end()
    root.name = f"{service}/{action}"
    root.error = "" if record.error is None else record.error.reason.value
    root.attributes |= {
        "http.request.method": request.method if request.method in _METHODS else "_OTHER",
        "http.response.status_code": reply.status,
        "url.scheme": "https" if request.secure else "http",
        "rpc.method": root.name,
        "rolecall.dialect": dialect,
        "rolecall.service": service,
        "rolecall.action": action,
        "rolecall.code": code,
        "rolecall.request_id": record.request_id,
    }
    is_authenticated = caller is not None and caller.owner_id != 0
    assert spans.tracer is not None  # noqa: S101 - it began the trace
    trace_id = spans.tracer.answered(trace, is_authenticated=is_authenticated)
    return {"trace_id": trace_id} if trace_id else _NO_TRACE
