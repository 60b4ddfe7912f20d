"""How many messages to the store a call sends in all, once its caller is known: reads, the change and its record."""

from __future__ import annotations

import json
import secrets
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from tests.store.counted_calls import Calls, counted_calls

from rolecall.values import Secret


@pytest.fixture(scope="module")
async def calls(module_dsn: Secret) -> AsyncIterator[Calls]:
    with pytest.MonkeyPatch.context() as patched:
        async with counted_calls(module_dsn, patched) as made:
            yield made


def fresh() -> str:
    return f"n{secrets.token_hex(6)}"


ALLOW = json.dumps(
    {"version": "2.0", "statement": [{"effect": "allow", "action": ["cam:*"], "resource": ["*"]}]}
)


def trust(owner: str) -> str:
    principal = {"qcs": [f"qcs::cam::uin/{owner}:root"]}
    allowed = {"effect": "allow", "action": "name/sts:AssumeRole", "principal": principal}
    return json.dumps({"version": "2.0", "statement": [allowed]})


@dataclass(frozen=True)
class Scene:
    """What there is before the call that is counted."""

    owner: str
    user: Mapping[str, Any]
    key: str
    group: int
    policy: int
    role: str
    tag: str

    @property
    def resource(self) -> str:
        return f"qcs::cam::uin/{self.owner}:uin/{self.user['Uin']}"


async def scene(calls: Calls) -> Scene:
    user = await calls.ok("AddUser", {"Name": fresh(), "UseApi": 1})
    group = (await calls.ok("CreateGroup", {"GroupName": fresh()}))["GroupId"]
    policy = (await calls.ok("CreatePolicy", {"PolicyName": fresh(), "PolicyDocument": ALLOW}))["PolicyId"]
    owner, tag = (await calls.ok("GetUserAppId"))["OwnerUin"], fresh()
    role = (await calls.ok("CreateRole", {"RoleName": fresh(), "PolicyDocument": trust(owner)}))["RoleId"]
    await calls.ok("CreateTag", {"TagKey": tag, "TagValue": "v"}, "tag")
    return Scene(owner, user, user["SecretId"], group, policy, role, tag)


Params = Callable[[Scene], Mapping[str, object]]

PASSWORD = "Right-Horse-42"

CALLS: Mapping[tuple[str, str], tuple[int, Params]] = {
    ("AddUser", ""): (1, lambda _: {"Name": fresh()}),
    ("AddUser", "with a key"): (1, lambda _: {"Name": fresh(), "UseApi": 1}),
    ("AddUser", "with a password"): (2, lambda _: {"Name": fresh(), "ConsoleLogin": 1, "Password": PASSWORD}),
    ("UpdateUser", ""): (2, lambda s: {"Name": s.user["Name"], "Remark": "new"}),
    ("UpdateUser", "with a password"): (
        2,
        lambda s: {"Name": s.user["Name"], "ConsoleLogin": 1, "Password": PASSWORD},
    ),
    ("DeleteUser", "with its keys"): (2, lambda s: {"Name": s.user["Name"], "Force": 1}),
    ("UpdatePasswordRules", ""): (2, lambda _: {"Rules": {"MinimumLength": 9}}),
    ("CreateAccessKey", ""): (1, lambda s: {"TargetUin": s.user["Uin"]}),
    ("UpdateAccessKey", ""): (
        1,
        lambda s: {"TargetUin": s.user["Uin"], "AccessKeyId": s.key, "Status": "Inactive"},
    ),
    ("DeleteAccessKey", ""): (1, lambda s: {"TargetUin": s.user["Uin"], "AccessKeyId": s.key}),
    ("CreateGroup", ""): (1, lambda _: {"GroupName": fresh()}),
    ("UpdateGroup", ""): (1, lambda s: {"GroupId": s.group, "GroupName": fresh()}),
    ("DeleteGroup", ""): (1, lambda s: {"GroupId": s.group}),
    ("AddUserToGroup", ""): (2, lambda s: {"Info": [{"GroupId": s.group, "Uin": s.user["Uin"]}]}),
    ("RemoveUserFromGroup", ""): (2, lambda s: {"Info": [{"GroupId": s.group, "Uin": s.user["Uin"]}]}),
    ("CreatePolicy", "with tags"): (
        1,
        lambda s: {"PolicyName": fresh(), "PolicyDocument": ALLOW, "Tags": [{"Key": fresh(), "Value": "v"}]},
    ),
    ("UpdatePolicy", ""): (2, lambda s: {"PolicyId": s.policy, "Description": "new"}),
    ("DeletePolicy", ""): (2, lambda s: {"PolicyId": [s.policy]}),
    ("AttachUserPolicy", ""): (2, lambda s: {"PolicyId": s.policy, "AttachUin": s.user["Uin"]}),
    ("AttachUserPolicy", "a preset"): (2, lambda s: {"PolicyId": 1, "AttachUin": s.user["Uin"]}),
    ("DetachUserPolicy", ""): (2, lambda s: {"PolicyId": s.policy, "DetachUin": s.user["Uin"]}),
    ("AttachGroupPolicy", ""): (2, lambda s: {"PolicyId": s.policy, "AttachGroupId": s.group}),
    ("AttachRolePolicy", ""): (2, lambda s: {"PolicyId": s.policy, "AttachRoleId": s.role}),
    ("CreateRole", "with tags"): (
        1,
        lambda s: {
            "RoleName": fresh(),
            "PolicyDocument": trust(s.owner),
            "Tags": [{"Key": fresh(), "Value": "v"}],
        },
    ),
    ("UpdateRoleDescription", ""): (2, lambda s: {"RoleId": s.role, "Description": "new"}),
    ("TagRole", ""): (2, lambda s: {"RoleId": s.role, "Tags": [{"Key": fresh(), "Value": "v"}]}),
    ("DeleteRole", ""): (2, lambda s: {"RoleId": s.role}),
    ("sts:AssumeRole", ""): (
        2,
        lambda s: {"RoleArn": f"qcs::cam::uin/{s.owner}:role/{s.role}", "RoleSessionName": "session"},
    ),
    ("sts:GetFederationToken", ""): (1, lambda _: {"Name": "session", "Policy": ALLOW}),
    ("tag:CreateTag", ""): (1, lambda _: {"TagKey": fresh(), "TagValue": "v"}),
    ("tag:DeleteTag", ""): (1, lambda s: {"TagKey": s.tag, "TagValue": "v"}),
    ("tag:AttachResourcesTag", ""): (
        1,
        lambda s: {
            "ServiceType": "cam",
            "ResourcePrefix": "uin",
            "ResourceIds": [str(s.user["Uin"])],
            "TagKey": s.tag,
            "TagValue": "v",
        },
    ),
    ("tag:ModifyResourceTags", ""): (
        1,
        lambda s: {"Resource": s.resource, "ReplaceTags": [{"TagKey": s.tag, "TagValue": "w"}]},
    ),
    ("tag:AddProject", ""): (1, lambda _: {"ProjectName": fresh(), "Info": "i"}),
}
"""By action and case: the most messages, and the parameters."""


@dataclass(frozen=True)
class Directory:
    """A user store with two users of one mail address each, and a group."""

    store: str
    users: Sequence[str]
    group: str


async def directory(calls: Calls) -> Directory:
    store = (await calls.ok("CreateUserStore", {"UserPoolName": fresh()}, "ciam"))["UserStoreId"]
    users = [await calls.ok("CreateUser", new_user(store), "ciam") for _ in range(2)]
    group = await calls.ok("CreateUserGroup", {"UserStoreId": store, "DisplayName": fresh()}, "ciam")
    return Directory(store, [user["User"]["UserId"] for user in users], group["UserGroupId"])


def new_user(store: str) -> dict[str, object]:
    number, name = secrets.randbelow(10**9), fresh()
    return {
        "UserStoreId": store, "UserName": name, "PhoneNumber": f"+86-13{number:09}",
        "Email": f"{name}@example.com", "Password": PASSWORD,
    }  # fmt: skip


CIAM_CALLS: Mapping[str, tuple[int, Callable[[Directory], Mapping[str, object]]]] = {
    "CreateUserStore": (3, lambda _: {"UserPoolName": fresh()}),
    "UpdateUserStore": (1, lambda d: {"UserPoolId": d.store, "UserPoolName": fresh()}),
    "DeleteUserStore": (1, lambda d: {"UserPoolId": d.store}),
    "CreateUser": (1, lambda d: new_user(d.store)),
    "UpdateUser": (2, lambda d: _of(d) | {"Nickname": "n", "UserGroup": [d.group]}),
    "UpdateUserStatus": (1, lambda d: _of(d) | {"Status": "FREEZE"}),
    "SetPassword": (1, lambda d: _of(d) | {"Password": PASSWORD}),
    "ResetPassword": (1, lambda d: _of(d)),
    "DeleteUsers": (1, lambda d: {"UserStoreId": d.store, "UserIds": list(d.users)}),
    "LinkAccount": (
        3,
        lambda d: {
            "UserStoreId": d.store,
            "PrimaryUserId": d.users[0],
            "SecondaryUserId": d.users[1],
            "UserLinkedOnAttribute": "EMAIL",
        },
    ),
    "CreateUserGroup": (1, lambda d: {"UserStoreId": d.store, "DisplayName": fresh()}),
    "UpdateUserGroup": (
        1,
        lambda d: {"UserStoreId": d.store, "UserGroupId": d.group, "DisplayName": fresh()},
    ),
    "DeleteUserGroups": (1, lambda d: {"UserStoreId": d.store, "UserGroupIds": [d.group]}),
}
"""The same of user stores."""


def _of(there: Directory) -> dict[str, object]:
    return {"UserStoreId": there.store, "UserId": there.users[0]}


@pytest.mark.parametrize("action", CIAM_CALLS)
async def test_a_call_on_a_user_store_sends_no_more_messages_than_that(calls: Calls, action: str) -> None:
    most, params = CIAM_CALLS[action]
    asked = params(await directory(calls))
    await calls.settled()
    before = calls.sent
    await calls.ok(action, asked, "ciam")
    assert 0 < calls.sent - before <= most


@pytest.mark.parametrize(("action", "case"), CALLS, ids=lambda word: word.replace(" ", "-") or "bare")
async def test_a_call_sends_no_more_messages_than_that(calls: Calls, action: str, case: str) -> None:
    most, params = CALLS[action, case]
    service, _, action = action.rpartition(":")
    asked = params(await scene(calls))
    await calls.settled()
    await calls.ok("GetUserAppId")  # whose caller is cached then
    before = calls.sent
    await calls.ok(action, asked, service or "cam")
    assert 0 < calls.sent - before <= most


async def test_a_change_of_others_leaves_the_caller_cached(calls: Calls) -> None:
    for action, params in (
        ("AddUser", {"Name": fresh(), "UseApi": 1}),
        ("CreateGroup", {"GroupName": fresh()}),
    ):
        await calls.settled()
        await calls.ok("GetUserAppId")
        await calls.ok(action, params)
        await calls.settled()
        before = calls.sent
        await calls.ok("GetUserAppId")
        assert calls.sent == before


async def test_a_sub_users_policies_are_cached_while_it_makes_others(calls: Calls) -> None:
    """Its permission names the new sub-user, which has no number yet: that is looked up each time."""
    clerk = await calls.ok("AddUser", {"Name": fresh(), "UseApi": 1})
    await calls.ok("AttachUserPolicy", {"PolicyId": 1, "AttachUin": clerk["Uin"]})
    as_clerk = calls.as_user(clerk)
    await calls.settled()
    await as_clerk.ok("AddUser", {"Name": fresh(), "UseApi": 1})
    await calls.settled()
    before = calls.sent
    await as_clerk.ok("AddUser", {"Name": fresh(), "UseApi": 1})
    assert calls.sent - before <= 2
