"""What every action of every contract asks of a caller's policies."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

import pytest

from rolecall.contracts.check import check
from rolecall.contracts.model import Action, Contract, Field, Kind, ListOf, Shape
from rolecall.contracts.permission import policy_request
from rolecall.domain.reasons import Reason, Refused
from rolecall.services import REGIONAL, SERVICES
from rolecall.values import Call, Caller, Checked, Envelope, Language, Request, SentParams

CALLER = Caller(1, 100, 125, 700, "AKID")
EVERY = [
    pytest.param(
        service.contract, action, id=f"{service.contract.service}-{service.contract.version}-{action.name}"
    )
    for service in SERVICES
    for action in service.contract.actions.values()
]
UNASKED = {
    ("cam", "GetUserAppId"),
    ("sts", "GetCallerIdentity"),
    ("database", "ListVersions"),
    ("database", "ShowVersion"),
    *(("database", f"List{one}") for one in ("Flavors", "Datastores", "DatastoreVersions", "Limits")),
    *(("database", f"Show{one}") for one in ("Flavor", "Datastore", "DatastoreVersion")),
    *(("identity", one) for one in ("ListVersions", "ShowVersion", "IssueToken", "ShowToken", "RevokeToken")),
}
"""What every caller, or anybody at all, may do: it tells callers of themselves, or what is no secret."""


def test_nothing_else_is_permitted_to_everybody() -> None:
    found = {
        (service.contract.service, action.name)
        for service in SERVICES
        for action in service.contract.actions.values()
        if action.free or action.public
    }
    assert found == UNASKED


def leads_to(fields: tuple[Field, ...], path: str) -> Kind | None:
    """The kind of a parameter that a hole names; lists and structures are walked through."""
    name, _, rest = path.partition(".")
    for field in fields:
        if field.name == name:
            if field.type is Kind.STRING and rest in ("service", "content"):
                return Kind.STRING  # a segment of the resource that it spells
            inner = field.type.item if isinstance(field.type, ListOf) else field.type
            if isinstance(inner, Shape):
                return leads_to(inner.fields, rest) if rest else None
            return inner if isinstance(inner, Kind) and not rest else None
    return None


@pytest.mark.parametrize(("contract", "action"), EVERY)
def test_resources_are_everything_or_six_segments_with_holes_for_parameters(
    contract: Contract, action: Action
) -> None:
    assert action.resources
    for template in action.resources:
        if template in ("*", "{RoleArn}", "{ResourceList.owned}"):
            continue
        qcs, project, service, region, account, content = template.removeprefix("?").split(":", 5)
        assert (qcs, project, account) == ("qcs", "", "uin/{owner}")
        if contract.service == "tag":  # what has tags is of any service
            assert service in ("{ServiceType}", "{Resource.service}")
            assert content in (
                "{ResourcePrefix}/{ResourceIds}",
                "{ResourcePrefix/}{ResourceIds}",
                "{ResourcePrefix}/{ResourceId}",
                "{Resource.content}",
            )
        else:
            assert service in (contract.policy_service or contract.service, "cam")
            assert re.match(r"[A-Za-z]+/[{*]", content), content
        assert region in ("", "{region}")
        for hole in re.findall(r"\{([^}]+)\}", service + content):
            for name in hole.removesuffix("/").split("|"):
                assert name == "caller" or leads_to(action.params, name) in (Kind.STRING, Kind.INTEGER), name


@pytest.mark.parametrize(("contract", "action"), EVERY)
def test_an_action_that_needs_an_instance_asks_for_it(contract: Contract, action: Action) -> None:
    named = [field.name for field in action.params if field.required and field.name in INSTANCES]
    if named:
        assert any(f"{{{named[0]}" in template for template in action.resources)


INSTANCES = ("DBInstanceId", "InstanceId", "DBInstanceIdSet", "instance_id", "ResourceId")


def test_services_by_region_are_those_whose_instances_policies_name() -> None:
    assert set(REGIONAL) == {"postgres", "petadata"}


NOTHING = Shape("Try", (), object)


def _params(given: Any) -> Any:
    """Nested dicts as objects with attributes."""
    if isinstance(given, list):
        return [_params(each) for each in given]
    if isinstance(given, dict):
        return SimpleNamespace(**{name: _params(value) for name, value in given.items()})
    return given


def asked(
    *resources: str, params: dict[str, Any] | None = None, region: str = "ap-guangzhou", **more: Any
) -> tuple[str, ...]:
    request = Request("POST", "/", "", (), b"", "10.1.2.3", True, 1_700_000_000.0)
    envelope = Envelope(request, "id", Language.ENGLISH)
    call = Call(envelope, "tencent", "try", "1", "Try", region, SentParams.parsed({}), False, None)  # type: ignore[arg-type]
    action = Action(NOTHING, "test", resources=resources)
    contract = Contract("tencent", "try", "1", {}, {}, **more)
    return policy_request(Checked(call, CALLER, _params(params or {})), contract, action).resources


def region_of(action: Action, region: str, *, ours: bool = False) -> str | None:
    request = Request("POST", "/", "", (), b"", "10.1.2.3", True, 1_700_000_000.0)
    call = Call(
        Envelope(request, "id", Language.ENGLISH),
        "d",
        "s",
        "1",
        "Try",
        region,
        SentParams.parsed({}),
        False,
        None,
    )  # type: ignore[arg-type]
    contract = Contract("d", "s", "1", {}, {}, region_is_ours=ours)
    return policy_request(Checked(call, CALLER, {}), contract, action).context["qcs:region"]


def test_policies_are_told_no_region_that_nobody_checked() -> None:
    """A8: an action with a list of regions was refused for any other; the others take whatever was sent."""
    assert region_of(Action(NOTHING, "test", regions=frozenset({"ap-x"})), "ap-x") == "ap-x"
    assert region_of(Action(NOTHING, "test", regions=None), "ap-x") is None
    assert region_of(Action(NOTHING, "test", regions=frozenset()), "ap-x") is None
    assert region_of(Action(NOTHING, "test", regions=frozenset()), "RegionOne", ours=True) == "RegionOne"


def test_holes_are_filled_by_the_call_and_its_parameters() -> None:
    template = "qcs::try:{region}:uin/{owner}:thing/{Id}/{caller}"
    assert asked(template, params={"Id": "x"}) == ("qcs::try:ap-guangzhou:uin/100:thing/x/700",)
    assert asked(template, params={"Id": 7}) == ("qcs::try:ap-guangzhou:uin/100:thing/7/700",)


def test_a_hole_without_a_value_names_everything() -> None:
    for params in ({}, {"Id": ""}, {"Id": []}, {"Id": True}):
        assert asked("qcs::try::uin/{owner}:thing/{Id}", params=params) == ("qcs::try::uin/100:thing/*",)


def test_a_hole_takes_the_first_of_its_names_that_was_sent() -> None:
    template = "qcs::try::uin/{owner}:thing/{A|B|caller}"
    assert asked(template, params={"A": "a", "B": "b"}) == ("qcs::try::uin/100:thing/a",)
    assert asked(template, params={"A": "", "B": "b"}) == ("qcs::try::uin/100:thing/b",)
    assert asked(template) == ("qcs::try::uin/100:thing/700",)


def test_a_template_that_may_be_left_out_is_asked_for_when_it_can_be_filled() -> None:
    templates = "?qcs::try::uin/{owner}:id/{Id}", "?qcs::try::uin/{owner}:name/{Name}"
    assert asked(*templates, params={"Name": "n*"}) == ("qcs::try::uin/100:name/n*",)
    both = asked(*templates, params={"Id": 1, "Name": "n"})
    assert both == ("qcs::try::uin/100:id/1", "qcs::try::uin/100:name/n")
    assert asked(*templates) == ("*",)


def test_a_list_asks_for_each_of_its_items_and_a_long_one_for_all_of_the_kind() -> None:
    template = "qcs::try::uin/{owner}:thing/{Info.Id}"
    params = {"Info": [{"Id": 1}, {"Id": 2}, {"Id": 1}]}
    assert asked(template, params=params) == ("qcs::try::uin/100:thing/1", "qcs::try::uin/100:thing/2")
    many = {"Info": [{"Id": one} for one in range(201)]}
    assert asked(template, params=many) == ("qcs::try::uin/100:thing/*",)


def test_a_region_cannot_reach_into_the_segments_behind_it() -> None:
    crafted = "x:uin/100:thing/allowed:"
    assert asked("qcs::try:{region}:uin/{owner}:thing/{Id}", params={"Id": "secret"}, region=crafted) == (
        "qcs::try:x_uin_100_thing_allowed_:uin/100:thing/secret",
    )
    assert asked("qcs::try:{region}::*", region="*") == ("qcs::try:_::*",)


def test_what_a_resource_spells_is_asked_with_the_houses_own_region_and_account() -> None:
    template = "qcs::{Resource.service}::uin/{owner}:{Resource.content}"
    for spelled in ("qcs::cam:ap-guangzhou:uin/:uin/7", "qcs::cam::uin/0100:uin/7", "qcs::cam:::uin/7"):
        assert asked(template, params={"Resource": spelled}) == ("qcs::cam::uin/100:uin/7",)
    assert asked(template, params={"Resource": "cam"}) == ("qcs::*::uin/100:*",)


@pytest.mark.parametrize(
    ("action", "params"),
    [
        ("sts:AssumeRole", {"RoleArn": "qcs::cam::uin/0100:roleName/r", "RoleSessionName": "test"}),
        ("sts:AssumeRole", {"RoleArn": "qcs::cam::uin/100:role/01", "RoleSessionName": "test"}),
        ("cam:GetRole", {"RoleId": "01"}),
        ("cam:AttachRolePolicy", {"AttachRoleId": "01", "PolicyId": 1}),
        ("cam:DetachRolePolicy", {"DetachRoleId": "01", "PolicyId": 1}),
    ],
)
def test_a_number_in_a_text_has_one_spelling(action: str, params: dict[str, Any]) -> None:
    """Else a policy that denies the number would not be asked about it."""
    service, name = action.split(":")
    contract = next(one.contract for one in SERVICES if one.contract.service == service)

    def checked(given: dict[str, Any]) -> Checked:
        request = Request("POST", "/", "", (), b"", "10.1.2.3", True, 1_700_000_000.0)
        envelope = Envelope(request, "id", Language.ENGLISH)
        call = Call(
            envelope, "tencent", service, contract.version, name, "", SentParams.parsed(given), False, None
        )  # type: ignore[arg-type]
        return check(call, CALLER, contract.actions[name])

    checked({key: one.replace("01", "1") if isinstance(one, str) else one for key, one in params.items()})
    with pytest.raises(Refused) as refused:
        checked(params)
    assert refused.value.reason is Reason.PARAMETER_VALUE


def test_membership_asks_for_the_group_and_for_the_members() -> None:
    contract = next(one.contract for one in SERVICES if one.contract.service == "cam")
    for name in ("AddUserToGroup", "RemoveUserFromGroup"):
        params = {"Info": [{"GroupId": 1, "Uin": 7}, {"GroupId": 1, "Uid": 9}, {"GroupId": 2, "Uin": 8}]}
        assert asked(*contract.actions[name].resources, params=params) == tuple(
            f"qcs::cam::uin/100:{one}" for one in ("groupid/1", "groupid/2", "uin/7", "uin/8")
        )


def test_a_segment_that_was_not_sent_is_left_out_with_its_slash() -> None:
    """A thing without a prefix is asked for by its own name, so that a deny of just that name is met."""
    template = "qcs::{Service}::uin/{owner}:{Prefix/}{Ids}"
    bare = asked(template, params={"Service": "cos", "Ids": ["a", "b"]})
    assert [each.rpartition(":")[2] for each in bare] == ["a", "b"]
    prefixed = asked(template, params={"Service": "cos", "Prefix": "p", "Ids": ["a"]})
    assert [each.rpartition(":")[2] for each in prefixed] == ["p/a"]
