"""The pipeline with a span around each stage, for servers whose traces are turned on."""

from __future__ import annotations

from collections.abc import Mapping

from rolecall.contracts.model import Action
from rolecall.domain.access.authenticator import Proven
from rolecall.domain.bus import Bus
from rolecall.pipeline import Dialect, Pipeline, Service
from rolecall.spans import span
from rolecall.values import Call, Caller, Checked, Envelope, Origin, Reply


class TracedPipeline(Pipeline):
    async def _parsed(self, dialect: Dialect, envelope: Envelope) -> Call:
        with span("parse"):
            return await super()._parsed(dialect, envelope)

    async def _prove(self, call: Call) -> Proven:
        with span("verify"):
            return await super()._prove(call)

    async def _admit(self, call: Call, caller: Caller, service: Service, action: Action) -> None:
        with span("admit"):
            await super()._admit(call, caller, service, action)

    async def _check(self, call: Call, caller: Caller, service: Service, action: Action) -> Checked[object]:
        with span("check"):
            return await super()._check(call, caller, service, action)

    async def _carry_out(
        self, checked: Checked[object], service: Service, bus: Bus, origin: Origin, proven: Proven
    ) -> Mapping[str, object]:
        with span("perform"):
            return await super()._carry_out(checked, service, bus, origin, proven)

    def _render(self, dialect: Dialect, call: Call, answer: Mapping[str, object]) -> Reply:
        with span("render"):
            return super()._render(dialect, call, answer)
