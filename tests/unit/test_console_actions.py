"""What a page reads in the place of a vendor's action is admitted as that action is."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from rolecall import services
from rolecall.console.actions import ActionName, ActionRefused, Actions
from rolecall.console.visits import Visit, Visitor
from rolecall.contracts.model import Action
from rolecall.domain.reasons import Reason, Refused
from rolecall.metrics import Metrics
from rolecall.pipeline import Pipeline
from rolecall.settings import Settings
from rolecall.values import Call, Caller, Language, Request, Secret
from rolecall.web.forms import Fields

LISTING = ActionName("tencent", "cam", "ListUsers")


class Twice:
    """Admits two calls of any action."""

    def __init__(self) -> None:
        self.admitted: list[str] = []
        self.charged: list[str] = []

    async def admit(self, call: Call, _caller: Caller, _action: Action, _regions: object) -> None:
        if len(self.admitted) == 2:
            facts = {"count": 3, "limit": 2, "seconds": 1, "retry_after": 1}
            raise Refused(Reason.RATE_EXCEEDED, facts=facts)
        self.admitted.append(call.action)

    async def charge(self, call: Call, _caller: Caller, _action: Action) -> None:
        self.charged.append(call.action)


async def test_what_a_page_reads_counts_towards_the_rate_of_its_action() -> None:
    none: Any = None
    admission: Any = Twice()

    async def permit(*_: object) -> None:
        """Everything."""

    async def execute(*_: object) -> str:
        return "read"

    bus: Any = SimpleNamespace(execute=execute)
    permissions: Any = SimpleNamespace(permit=permit)
    dialects = services.dialects(Settings(), require_tls=False, external_tokens=none)
    parts = (none, admission, permissions, bus, none, none)
    pipeline = Pipeline(dialects, services.BY_NAME, *parts, Metrics(), none, none, none)
    actions = Actions(pipeline, bus, {dialect.name: dialect for dialect in dialects}, services.BY_NAME)
    request = Request("GET", "/console", "", (), b"", "192.0.2.1", False, 0.0)
    visitor = Visitor(Caller(1, 1, 1, 1, ""), Secret("a session"))
    visit = Visit(request, visitor, Language.ENGLISH, {}, Fields())
    command: Any = None
    for _ in range(2):
        assert await actions.look(visit, LISTING, {}, command) == "read"
    with pytest.raises(ActionRefused) as refused:
        await actions.look(visit, LISTING, {}, command)
    assert refused.value.reason is Reason.RATE_EXCEEDED
    assert admission.charged == ["ListUsers"] * 2
