"""Answers a crash, counts and logs: the same for the calls of every dialect and for sign-ins."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Protocol

import structlog

from rolecall.domain.reasons import Fault, Reason, Refused
from rolecall.domain.secrets.sealing import SealBroken
from rolecall.values import Caller, Reply

_log = structlog.get_logger(__name__)


class CallMetrics(Protocol):
    def expect(
        self, dialect: str, actions: Mapping[str, Collection[str]], codes: Collection[str], /
    ) -> None: ...
    def call(self, dialect: str, service: str, action: str, code: str, seconds: float, /) -> None: ...


@dataclass(slots=True)
class CallRecord:
    """What is known of a call, completed while it is answered."""

    dialect: str
    client: str
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

        A stored secret that does not open is not a bug: `crashed` gets UNSEALED, and the log no traceback.
        """
        started = time.perf_counter()
        try:
            reply = await serve()
        except SealBroken as error:
            record.error = Refused(Reason.UNSEALED, note=str(error))
            reply = crashed(record.error)
        except Exception as error:  # noqa: BLE001 - a crash is answered, too
            _log.exception("a call crashed", request_id=record.request_id)
            record.error = Refused(Reason.INTERNAL, note=type(error).__name__)
            reply = crashed(record.error)
        self._report(record, reply, time.perf_counter() - started)
        return reply

    def _report(self, record: CallRecord, reply: Reply, seconds: float) -> None:
        self._metrics.call(record.dialect, record.service, record.action, reply.code, seconds)
        serious = record.error is not None and record.error.reason.fault in (Fault.ENGINE, Fault.OURS)
        _log.log(
            30 if serious else 20,
            "call",
            dialect=record.dialect,
            service=record.service,
            action=record.action,
            code=reply.code or "ok",
            principal=None if record.caller is None else record.caller.principal,
            client=record.client,
            request_id=record.request_id,
            note="" if record.error is None else record.error.note,
            milliseconds=round(seconds * 1000, 1),
        )
