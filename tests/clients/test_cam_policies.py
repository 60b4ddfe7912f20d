"""The unmodified cam and postgres SDKs: a sub-user's key does what its policies say, at once and no longer."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from tests.clients.vendor_sdk import Sdk

pytestmark = pytest.mark.filterwarnings(
    # The SDK asks the clock by a function that Python 3.12 deprecates.
    "ignore:datetime.datetime.utcfromtimestamp:DeprecationWarning:tencentcloud"
)

REFUSED = "AuthFailure.UnauthorizedOperation"
WAYS = [
    pytest.param({}, id="TC3 POST"),
    pytest.param({"reqMethod": "GET"}, id="TC3 GET"),
    pytest.param({"signMethod": "HmacSHA256"}, id="HmacSHA256 POST"),
    pytest.param({"signMethod": "HmacSHA1", "reqMethod": "GET"}, id="HmacSHA1 GET"),
]


def document(*statements: dict[str, Any], **more: Any) -> str:
    return json.dumps({"version": "2.0", "statement": [*statements], **more})


def allow(action: Any, resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"effect": "allow", "action": action, "resource": resource, **more}


class World:
    """An owner, a sub-user of it, and the quickstart instance."""

    def __init__(self, rolecall: Any, name: Callable[[str], str], way: dict[str, str]) -> None:
        self.rolecall = rolecall
        self.name = name
        self.owner = Sdk.of_owner(rolecall, way)
        self.added = self.owner.call("cam", "AddUser", Name=name("u"), UseApi=1)
        self.user = self.owner.with_user(self.added)
        self.uin = self.added["Uin"]

    def policy(self, *statements: dict[str, Any]) -> int:
        made = self.owner.call(
            "cam", "CreatePolicy", PolicyName=self.name("p"), PolicyDocument=document(*statements)
        )
        return int(made["PolicyId"])

    def attach(self, policy: int) -> None:
        self.owner.call("cam", "AttachUserPolicy", PolicyId=policy, AttachUin=self.uin)

    def detach(self, policy: int) -> None:
        self.owner.call("cam", "DetachUserPolicy", PolicyId=policy, DetachUin=self.uin)

    def create(self, **changes: Any) -> str:
        """The code of the sub-user's CreateAccount; empty if the account was made."""
        params = {"DBInstanceId": self.rolecall.instance_id, "UserName": self.name("a"), "Type": "normal"}
        return self.user.code("postgres", "CreateAccount", **params | changes)


@pytest.fixture(params=WAYS[:1])
def world(rolecall: Any, name: Callable[[str], str], request: pytest.FixtureRequest) -> World:
    return World(rolecall, name, request.param)


@pytest.mark.parametrize("world", WAYS, indirect=True)
def test_a_sub_user_makes_a_database_account_once_it_is_permitted_and_not_after(world: World) -> None:
    assert world.create() == REFUSED
    account, password = world.name("made"), "p+A&9=%_x"
    policy = world.policy(allow("postgres:CreateAccount"))
    world.attach(policy)
    assert world.create(UserName=account, Password=password) == ""
    assert world.rolecall.can_log_in(account, password)
    on = {"DBInstanceId": world.rolecall.instance_id}
    assert world.user.code("postgres", "DescribeAccounts", **on) == REFUSED
    world.detach(policy)
    assert world.create() == REFUSED
    world.attach(policy)
    assert world.create() == ""
    world.owner.call("cam", "DeletePolicy", PolicyId=[policy])
    assert world.create() == REFUSED


def test_the_key_of_a_deleted_sub_user_signs_nothing(world: World) -> None:
    world.attach(1)
    assert world.create() == ""
    world.owner.call("cam", "DeleteUser", Name=world.added["Name"], Force=1)
    assert world.create() == "AuthFailure.SecretIdNotFound"


def test_a_preset_policy_permits_what_its_name_says(world: World) -> None:
    listed = world.owner.call("cam", "ListPolicies", Scope="QCS", Rp=200)["List"]
    presets = {one["PolicyName"]: one["PolicyId"] for one in listed}
    assert presets["AdministratorAccess"] == 1
    on = {"DBInstanceId": world.rolecall.instance_id}
    world.attach(presets["QcloudPostgreSQLReadOnlyAccess"])
    assert world.user.code("postgres", "DescribeAccounts", **on) == ""
    assert world.user.code("postgres", "DescribeDBInstances") == ""
    assert world.create() == REFUSED
    world.attach(presets["QcloudPostgreSQLFullAccess"])
    assert world.create() == ""
    assert world.user.code("cam", "ListUsers") == REFUSED
    world.attach(presets["AdministratorAccess"])
    assert world.user.code("cam", "ListUsers") == ""


def test_a_deny_of_one_instance_wins_over_an_allow_of_all(world: World) -> None:
    instance = world.rolecall.instance_id
    world.attach(world.policy(allow("*")))
    assert world.create() == ""
    denied = f"qcs::postgres:{world.owner.region}:uin/{world.rolecall.ready['owner']['uin']}:DBInstanceId/{instance}"
    policy = world.policy({"effect": "deny", "action": "postgres:CreateAccount", "resource": denied})
    world.attach(policy)
    assert world.create() == REFUSED
    assert world.create(DBInstanceId="postgres-notthere") == "OperationDenied.InstanceAccessDeniedError"
    assert world.user.code("postgres", "DescribeAccounts", DBInstanceId=instance) == ""


def test_a_call_from_another_region_does_not_slip_past_a_policy_of_the_instances_own(
    rolecall: Any, world: World
) -> None:
    """An instance is reached from every region; in policies it has its own."""
    own, other = rolecall.tencent["region"], "ap-shanghai"
    assert own != other
    world.attach(world.policy(allow("postgres:*", f"qcs::postgres:{other}::*")))
    elsewhere = Sdk(world.user.netloc, world.user.credential, other, {})
    params = {"DBInstanceId": rolecall.instance_id, "UserName": world.name("a"), "Type": "normal"}
    assert elsewhere.code("postgres", "CreateAccount", **params) == REFUSED
    world.attach(world.policy(allow("postgres:*", f"qcs::postgres:{own}::*")))
    assert elsewhere.code("postgres", "CreateAccount", **params) == ""


def test_a_groups_policy_is_its_members(world: World) -> None:
    owner = world.owner
    group = owner.call("cam", "CreateGroup", GroupName=world.name("g"))["GroupId"]
    policy = world.policy(allow("postgres:*"))
    owner.call("cam", "AttachGroupPolicy", PolicyId=policy, AttachGroupId=group)
    assert world.create() == REFUSED
    member = [{"GroupId": group, "Uid": world.added["Uid"]}]
    owner.call("cam", "AddUserToGroup", Info=member)
    assert world.create() == ""
    listed = owner.call("cam", "ListAttachedGroupPolicies", TargetGroupId=group)
    assert [one["PolicyId"] for one in listed["List"]] == [policy]
    every = owner.call("cam", "ListAttachedUserAllPolicies", TargetUin=world.uin, Rp=20, Page=1, AttachType=0)
    assert [(one["PolicyId"], one["Groups"][0]["GroupId"]) for one in every["PolicyList"]] == [
        (str(policy), group)
    ]
    owner.call("cam", "RemoveUserFromGroup", Info=member)
    assert world.create() == REFUSED
    owner.call("cam", "AddUserToGroup", Info=member)
    assert world.create() == ""
    owner.call("cam", "DetachGroupPolicy", PolicyId=policy, DetachGroupId=group)
    assert world.create() == REFUSED


@pytest.mark.parametrize(
    ("condition", "permitted"),
    [
        ({"ip_equal": {"qcs:ip": ["127.0.0.0/8", "::1/128"]}}, True),
        ({"ip_equal": {"qcs:ip": "10.0.0.0/8"}}, False),
        ({"date_less_than": {"qcs:current_time": "2099-01-01T00:00:00Z"}}, True),
        ({"date_less_than": {"qcs:current_time": "2020-01-01T00:00:00Z"}}, False),
        ({"bool_equal": {"qcs:secure_transport": True}}, False),
        ({"string_equal": {"qcs:region": "ap-guangzhou"}}, True),
        ({"for_any_value:string_equal": {"qcs:region": ["ap-guangzhou", "x"]}}, True),
    ],
)
def test_a_condition_is_asked_of_the_call(world: World, condition: Any, permitted: bool) -> None:
    world.attach(world.policy(allow("postgres:*", condition=condition)))
    assert world.create() == ("" if permitted else REFUSED)


def test_a_policy_lives_its_life_through_the_sdk(world: World) -> None:
    """Every action on policies, and what each answers."""
    owner, name = world.owner, world.name("p")
    text = document(allow(["name/postgres:*"]))
    policy = owner.call("cam", "CreatePolicy", PolicyName=name, PolicyDocument=text, Description="d")[
        "PolicyId"
    ]
    shown = owner.call("cam", "GetPolicy", PolicyId=policy)
    assert (shown["PolicyName"], shown["PolicyDocument"], shown["Description"]) == (name, text, "d")
    assert (shown["Type"], shown["IsServiceLinkedRolePolicy"], shown["PresetAlias"]) == (1, 0, None)

    pretty = json.dumps(json.loads(document(allow("cam:Get*"))), indent=2)
    assert owner.call("cam", "UpdatePolicy", PolicyId=policy, PolicyDocument=pretty)["PolicyId"] is None
    by_name = owner.call("cam", "UpdatePolicy", PolicyName=name, Description="changed", Alias="other")
    assert by_name["PolicyId"] == policy
    shown = owner.call("cam", "GetPolicy", PolicyId=policy)
    assert (shown["PolicyDocument"], shown["Description"], shown["PresetAlias"]) == (
        pretty,
        "changed",
        "other",
    )
    renamed = world.name("renamed")
    owner.call("cam", "UpdatePolicy", PolicyId=policy, PolicyName=renamed)

    world.attach(policy)
    world.attach(policy)
    page = owner.call("cam", "ListPolicies", Scope="Local", Keyword=renamed[2:].upper())
    assert page["TotalNum"] == 1
    assert [page["List"][0][one] for one in ("PolicyId", "PolicyName", "Attachments")] == [policy, renamed, 1]
    attached = owner.call("cam", "ListAttachedUserPolicies", TargetUin=world.uin)
    assert attached["TotalNum"] == 1
    row = attached["List"][0]
    told = row["PolicyId"], row["PolicyType"], row["OperateUin"], row["Remark"]
    assert told == (policy, "User", str(world.rolecall.ready["owner"]["uin"]), "changed")
    entities = owner.call("cam", "ListEntitiesForPolicy", PolicyId=policy, EntityFilter="User")["List"]
    assert [(one["Id"], one["Uin"], one["RelatedType"]) for one in entities] == [
        (str(world.added["Uid"]), world.uin, 1)
    ]
    assert owner.call("cam", "ListEntitiesForPolicy", PolicyId=policy, EntityFilter="Role")["TotalNum"] == 0
    world.detach(policy)
    world.detach(policy)
    assert owner.call("cam", "ListAttachedUserPolicies", TargetUin=world.uin)["TotalNum"] == 0
    owner.call("cam", "DeletePolicy", PolicyId=[policy])
    assert owner.code("cam", "GetPolicy", PolicyId=policy) == "ResourceNotFound.PolicyIdNotFound"
