"""Decisions: whose policies are asked, by what names, and that no set of them holds up other calls."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, cast

import pytest

from rolecall.contracts.tencent.cam.presets import PRESETS
from rolecall.domain.instances.registry import Instance
from rolecall.domain.policy import decisions
from rolecall.domain.policy.decisions import Decisions, Grant
from rolecall.domain.policy.presets import Presets
from rolecall.domain.policy.requests import PolicyRequest
from rolecall.domain.reasons import Reason, Refused
from rolecall.services import INSTANCES, REGIONAL
from rolecall.values import Caller, PrincipalKind

CALLER = Caller(1, 100, 125, 700, "AKID")
ALLOW = {"effect": "allow", "action": "*", "resource": "*"}


def grant(*statements: dict[str, Any], number: int = 10_000_001) -> Grant:
    return Grant(number, f"p{number}", json.dumps({"version": "2.0", "statement": list(statements)}))


class Book:
    def __init__(self, *grants: Grant) -> None:
        self.held = grants

    async def grants(self, owner_id: int, kind: PrincipalKind, principal: int) -> Sequence[Grant]:
        return self.held

    async def other_names(self, owner_number: int, content: str) -> Sequence[str]:
        return ("name/ann",) if content == "uin/701" else ()

    async def instance(self, dialect: str, public_id: str) -> Instance | None:
        """Such as ``pg-ap-beijing``."""
        _, _, region = public_id.partition("-")
        return cast("Instance", SimpleNamespace(region=region)) if region else None


def permissions(*grants: Grant) -> Decisions:
    repository = Book(*grants)
    return Decisions(repository, Presets(PRESETS), repository, INSTANCES, REGIONAL)


def ask(*contents: str) -> PolicyRequest:
    return PolicyRequest("cam:Do", tuple(f"qcs::cam::uin/100:{one}" for one in contents), {})


@pytest.mark.parametrize(
    ("denied", "asked"),
    [
        ("policyName/AdministratorAccess", "policyid/1"),
        ("policyid/1", "policyName/AdministratorAccess"),
        ("name/ann", "uin/701"),
    ],
)
async def test_a_deny_by_one_name_holds_for_the_other(denied: str, asked: str) -> None:
    deny = {**ALLOW, "effect": "deny", "resource": f"qcs::cam:::{denied}"}
    some = permissions(grant(ALLOW), grant(deny, number=10_000_002))
    assert not (await some.decide(CALLER, ask(asked))).allowed
    assert (await some.decide(CALLER, ask("policyid/2"))).allowed


IN_GUANGZHOU = {"string_equal": {"qcs:region": "ap-guangzhou"}}
PLACES = {
    "postgres": "qcs::postgres:ap-guangzhou:uin/100:DBInstanceId/{}",
    "petadata": "qcs::petadata:ap-guangzhou:uin/100:instance/{}",
    "trove": "qcs::trove:RegionOne:uin/100:instance/{}",
    "cam": "qcs::cam::uin/100:resourceUser/{}/account",
}


async def permitted(
    statement: dict[str, Any], service: str, *ids: str, region: str | None = "ap-guangzhou"
) -> bool:
    """Whether a call that names a region, on instances of these ids, is permitted beside a statement."""
    some = permissions(
        grant({**ALLOW, **statement}),
        *([grant(ALLOW, number=10_000_002)] if statement["effect"] == "deny" else []),
    )
    asked = PolicyRequest(
        f"{service}:Do", tuple(PLACES[service].format(one) for one in ids) or ("*",), {"qcs:region": region}
    )
    return (await some.decide(CALLER, asked)).allowed


@pytest.mark.parametrize("service", PLACES)
async def test_the_region_of_a_call_on_an_instance_is_the_instances_own(service: str) -> None:
    """A8: whatever region the call names, in its header or nowhere."""
    allow = {"effect": "allow", "condition": IN_GUANGZHOU}
    deny = {"effect": "deny", "condition": IN_GUANGZHOU}
    for region in ("ap-guangzhou", "ap-beijing", "AP-GUANGZHOU", "", None):
        assert await permitted(allow, service, "pg-ap-guangzhou", region=region)
        assert not await permitted(allow, service, "pg-ap-beijing", region=region)
        assert not await permitted(deny, service, "pg-ap-guangzhou", region=region)
        assert await permitted(deny, service, "pg-ap-beijing", region=region)


async def test_of_several_instances_each_is_asked_for_in_its_own_region() -> None:
    both = ("pg-ap-guangzhou", "pg-ap-beijing")
    for ids in (both, both[::-1]):
        assert not await permitted({"effect": "allow", "condition": IN_GUANGZHOU}, "postgres", *ids)
        assert not await permitted({"effect": "deny", "condition": IN_GUANGZHOU}, "postgres", *ids)


@pytest.mark.parametrize("ids", [("*",), ()], ids=["all-instances", "no-instance"])
async def test_a_region_that_is_not_known_counts_for_a_deny_and_against_an_allow(
    ids: tuple[str, ...],
) -> None:
    assert not await permitted({"effect": "allow", "condition": IN_GUANGZHOU}, "postgres", *ids, region=None)
    assert not await permitted({"effect": "deny", "condition": IN_GUANGZHOU}, "postgres", *ids, region=None)


async def test_a_heavy_ask_is_decided_beside_the_other_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond a weight in a thread; the same is decided below it."""
    threads: list[int] = []
    plain = decisions.decide

    def watched(*given: Any) -> Any:
        threads.append(threading.get_ident())
        return plain(*given)

    monkeypatch.setattr(decisions, "decide", watched)
    resources = [f"qcs::cam:::uin/{number}" for number in range(800, 1000)]
    deny = {**ALLOW, "effect": "deny", "resource": resources}
    some = permissions(grant(ALLOW), *(grant(deny, number=10_000_002 + one) for one in range(20)))
    asked = ask(*(f"uin/{number}" for number in range(750, 799)))
    both = await asyncio.gather(some.decide(CALLER, asked), some.decide(CALLER, asked))
    assert [one.allowed for one in both] == [True, True]
    assert not (await some.decide(CALLER, ask("uin/750", "uin/801"))).allowed
    assert threading.get_ident() not in threads
    assert (await permissions(grant(ALLOW)).decide(CALLER, asked)).allowed
    assert threads[-1] == threading.get_ident()


async def test_what_is_too_much_to_decide_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decisions, "_MOST", 1000)
    some = permissions(grant(ALLOW))
    assert (await some.decide(CALLER, ask("uin/1"))).allowed
    with pytest.raises(Refused) as refused:
        await some.permit(CALLER, ask(*(f"uin/{number}" for number in range(50))))
    assert refused.value.reason is Reason.NOT_PERMITTED
    assert refused.value.facts == {"operation": "cam:Do", "resource": "qcs::cam::uin/100:uin/0"}
