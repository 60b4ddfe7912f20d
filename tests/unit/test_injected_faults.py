"""A fault on request is not what it looks like: policies have denied nothing."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from rolecall import services
from rolecall.domain.access.authenticator import Proven
from rolecall.domain.maintenance.faults import Fault
from rolecall.domain.reasons import Reason, Refused
from rolecall.metrics import Metrics
from rolecall.pipeline import Pipeline
from rolecall.settings import Settings
from rolecall.store.memory_audit import MemoryAudit
from rolecall.values import Call, Caller, Envelope, Language, Request, SentParams


@pytest.mark.parametrize("after", [False, True])
async def test_a_denial_on_request_is_not_recorded_as_one_of_a_policy(*, after: bool) -> None:
    none: Any = None

    async def pass_on(*_: object) -> Any:
        return SimpleNamespace(users=())

    async def take(*_: object) -> Fault:
        return Fault(1, "tencent", "cam", "ListUsers", "C", Reason.NOT_PERMITTED.value, "", after, 0)

    stub: Any = SimpleNamespace(
        admit=pass_on, charge=pass_on, permit=pass_on, take=take, remember=lambda *_, **__: False
    )
    audit = MemoryAudit()
    verbs: Any = SimpleNamespace(serve=pass_on)
    key = ("tencent", "cam", "2019-01-16")
    served: Any = SimpleNamespace(
        contract=services.BY_NAME[key].contract,
        verbs={"ListUsers": verbs},
        regions=frozenset(),
        action=services.BY_NAME[key].action,
    )
    dialects = services.dialects(Settings(), require_tls=False, external_tokens=none)
    pipeline = Pipeline(
        dialects, {key: served}, none, stub, stub, none, none, stub, Metrics(), none, audit, none, faults=stub
    )
    request = Request("POST", "/", "", (), b"", "192.0.2.1", False, 0.0)
    envelope = Envelope(request, "id", Language.ENGLISH)
    call = Call(envelope, *key, "ListUsers", "", SentParams.parsed({}), False, none)
    with pytest.raises(Refused) as refused:
        await pipeline.perform(call, Proven(Caller(1, 1, 1, 1, "")), "tencent")
    assert refused.value.reason is Reason.NOT_PERMITTED
    assert not audit.entries
