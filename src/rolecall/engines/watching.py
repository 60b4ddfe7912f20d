"""What goes around each method of an engine: its place in the lane, its time, its span, and the redaction of errors."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from types import TracebackType

from rolecall import spans
from rolecall.domain.instances.lanes import Lane
from rolecall.domain.reasons import OutcomeUnknown, Reason, Refused
from rolecall.values import Secret

Watcher = Callable[[str, float, str], None]
"""Called after each method with its name, its seconds, and ``done``, ``unknown``, ``cancelled`` or a reason's value."""


def ignore(method: str, seconds: float, outcome: str) -> None:
    """A watcher that does nothing."""


@dataclass(frozen=True, slots=True)
class Watch:
    """What goes around each method. A task without a place in the lane gets one while the method runs."""

    lane: Lane
    watcher: Watcher
    secrets: tuple[Secret, ...]
    attributes: Mapping[str, spans.Value]
    """Of the spans of its calls."""

    def look(self, method: str, secret: Secret | None = None) -> AbstractAsyncContextManager[None]:
        """For methods that read."""
        return _Call(self, self.lane.look(), method, secret)

    def change(self, method: str, secret: Secret | None = None) -> AbstractAsyncContextManager[None]:
        return _Call(self, self.lane.turn(), method, secret)

    def raised(self, error: Exception, secret: Secret | None) -> tuple[str, Exception]:
        """The outcome of a call that raised an error, and what it is to raise."""
        if isinstance(error, Refused):
            return error.reason.value, self._redacted(error, secret)
        if isinstance(error, OutcomeUnknown):
            return "unknown", error
        # An unexpected error of a driver. Its text may quote the statement, so only its type is kept.
        refusal = Refused(Reason.ENGINE_REFUSED, note=type(error).__name__)
        return refusal.reason.value, refusal

    def _redacted(self, refusal: Refused, secret: Secret | None) -> Refused:
        """The same refusal, with every known secret removed from its note."""
        note = refusal.note
        for known in (*self.secrets, *((secret,) if secret else ())):
            if known.reveal():
                note = note.replace(known.reveal(), "***")
        if note != refusal.note:
            refusal.note = note
            refusal.args = (f"{refusal.reason.value}: {note}",)
        return refusal


class _Call:
    """One call of a method, within its place in the lane. A class: a generator costs twice as much, at every call."""

    __slots__ = ("_method", "_place", "_secret", "_span", "_started", "_watch")

    def __init__(
        self, watch: Watch, place: AbstractAsyncContextManager[None], method: str, secret: Secret | None
    ) -> None:
        self._watch = watch
        self._place = place
        self._method = method
        self._secret = secret
        self._started = 0.0
        self._span: spans.span | None = None

    async def __aenter__(self) -> None:
        if spans.tracer is not None:
            await self._enter_traced()
            return
        await self._place.__aenter__()
        self._started = time.perf_counter()

    async def _enter_traced(self) -> None:
        self._span = spans.span(f"engine {self._method}", self._watch.attributes)
        self._span.__enter__()
        try:
            with spans.span("lane"):
                await self._place.__aenter__()
        except BaseException as error:
            self._span.__exit__(type(error), error, None)
            raise
        self._started = time.perf_counter()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        outcome, raised = "done" if error is None else "cancelled", error
        if isinstance(error, Exception):
            outcome, raised = self._watch.raised(error, self._secret)
        if self._span is not None:
            self._span.__exit__(kind, raised, trace)
        self._watch.watcher(self._method, time.perf_counter() - self._started, outcome)
        if raised is None or raised is error:
            await self._place.__aexit__(kind, error, trace)
            return
        await self._place.__aexit__(type(raised), raised, trace)
        raise raised from None
