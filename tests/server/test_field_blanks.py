"""Parameters that clients in Go send although nobody set them: empty texts and zeros (cases from public reports)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.clients.petadata_cloud import word
from tests.conftest import Rolecall
from tests.server.cam import Cam

ALLOW = json.dumps(
    {"version": "2.0", "statement": [{"effect": "allow", "action": "cam:GetUser", "resource": "*"}]}
)


@pytest.fixture
def cam(rolecall: Rolecall) -> Cam:
    return Cam(rolecall)


@pytest.fixture
def role(cam: Cam) -> Any:
    owner = cam.ok("GetUserAppId")["OwnerUin"]
    trust = {
        "effect": "allow",
        "action": "sts:AssumeRole",
        "principal": {"qcs": f"qcs::cam::uin/{owner}:root"},
    }
    name = word("r")
    made = cam.ok(
        "CreateRole", RoleName=name, PolicyDocument=json.dumps({"version": "2.0", "statement": [trust]})
    )
    yield {"id": made["RoleId"], "name": name, "arn": f"qcs::cam::uin/{owner}:role/{made['RoleId']}"}
    cam.ok("DeleteRole", RoleId=made["RoleId"])


def test_a_role_is_taken_without_an_external_id(cam: Cam, role: dict[str, str]) -> None:
    """Vault's plugin and the COS STS SDK."""
    ask = {
        "RoleArn": role["arn"],
        "RoleSessionName": "field",
        "ExternalId": "",
        "DurationSeconds": 0,
        "Policy": "",
    }
    assert cam.ok("AssumeRole", "sts", **ask)["Credentials"]["Token"]


def test_a_role_is_named_by_one_of_two_parameters(cam: Cam, role: dict[str, str]) -> None:
    assert cam.ok("GetRole", RoleId="", RoleName=role["name"])["RoleInfo"]["RoleId"] == role["id"]
    cam.ok("UpdateRoleDescription", RoleId="", RoleName=role["name"], Description="x")
    cam.ok("UpdateRoleConsoleLogin", RoleId=0, RoleName=role["name"], ConsoleLogin=0)
    cam.ok("ListAttachedRolePolicies", RoleId="", RoleName=role["name"], PolicyType="", Page=1, Rp=20)


def test_policies_are_listed_with_blanks(cam: Cam) -> None:
    """Terraform's data source ``cam_list_attached_user_policy`` sends ``StrategyType: 0``: any."""
    user, name = cam.add(), word("p")
    made = cam.ok("CreatePolicy", PolicyName=name, PolicyDocument=ALLOW)["PolicyId"]
    cam.ok("AttachUserPolicy", PolicyId=made, AttachUin=user["Uin"])
    ask = {"TargetUin": user["Uin"], "Page": 1, "Rp": 20, "AttachType": 0, "StrategyType": 0, "Keyword": ""}
    assert [each["PolicyId"] for each in cam.ok("ListAttachedUserAllPolicies", **ask)["PolicyList"]] == [
        str(made)
    ]
    assert cam.ok("ListPolicies", Scope="", Keyword=name, Page=0, Rp=0)["TotalNum"] == 1
    assert cam.ok("ListEntitiesForPolicy", PolicyId=made, EntityFilter="", Page=0, Rp=0)["TotalNum"] == 1
    cam.ok("UpdatePolicy", PolicyId=made, PolicyName="", Description="y")
    assert cam.ok("GetPolicy", PolicyId=made)["PolicyDocument"] == ALLOW
    assert cam.ok("UpdatePolicy", PolicyId=0, PolicyName=name, Description="z")["PolicyId"] == made
    cam.ok("DeleteUser", Name=user["Name"], Force=1)
    cam.ok("DeletePolicy", PolicyId=[made])


def test_a_principal_of_zero_is_the_caller(cam: Cam) -> None:
    own = cam.ok("ListAccessKeys")["AccessKeys"]
    assert cam.ok("ListAccessKeys", TargetUin=0)["AccessKeys"] == own
    assert len(cam.ok("QueryApiKey", "sts", TargetUin=0)["IdKeys"]) == len(own)
    user = cam.add(UseApi=1)
    mine = cam.as_user(user)
    key = mine.code("ListAccessKeys", TargetUin=0)
    assert key.startswith("AuthFailure"), "the permission that is asked for is the caller's own"
    cam.ok("DeleteUser", Name=user["Name"], Force=1)


def test_users_and_groups_are_listed_and_changed_with_blanks(cam: Cam) -> None:
    group = cam.ok("CreateGroup", GroupName=word("g"))["GroupId"]
    user = cam.add()
    assert cam.ok("ListAccounts", MaxItems=0, Marker="", UserType="")["Users"]
    cam.ok("UpdateGroup", GroupId=group, GroupName="", Remark="new")
    assert cam.ok("GetGroup", GroupId=group)["Remark"] == "new"
    cam.ok("AddUserToGroup", Info=[{"GroupId": group, "Uin": user["Uin"], "Uid": 0}])
    assert cam.ok("ListGroupsForUser", SubUin=user["Uin"], Uid=0, Page=0, Rp=0)["TotalNum"] == 1
    assert cam.ok("ListUsersForGroup", GroupId=group, Page=0, Rp=0)["TotalNum"] == 1
    cam.ok("DeleteGroup", GroupId=group)
    cam.ok("DeleteUser", Name=user["Name"], Force=1)


def test_an_empty_group_name_is_not_too_long(cam: Cam) -> None:
    assert "too long" not in cam.call("CreateGroup", GroupName="")["Error"]["Message"]
    assert "too long" in cam.call("CreateGroup", GroupName="g" * 65)["Error"]["Message"]


def test_an_exact_name_stands_first_in_a_search(cam: Cam) -> None:
    name = word("p")
    names = [name, f"{name}-longer", f"a-{name}"]
    made = [cam.ok("CreatePolicy", PolicyName=each, PolicyDocument=ALLOW)["PolicyId"] for each in names]
    found = cam.ok("ListPolicies", Keyword=name)["List"]
    assert (found[0]["PolicyName"], len(found)) == (name, 3)
    cam.ok("DeletePolicy", PolicyId=made)


@pytest.mark.parametrize(
    ("action", "params", "code"),
    [
        ("GetPolicy", {"PolicyId": 999999999}, "ResourceNotFound.PolicyIdNotFound"),
        ("GetUser", {"Name": "nobody-of-that-name"}, "ResourceNotFound.UserNotExist"),
        ("GetGroup", {"GroupId": 999999999}, "ResourceNotFound.UserNotExist"),
        ("ListUsersForGroup", {"GroupId": 999999999}, "ResourceNotFound.GroupNotExist"),
        ("ListAttachedUserPolicies", {"TargetUin": 999999999}, "ResourceNotFound.UserNotExist"),
        ("ListAttachedGroupPolicies", {"TargetGroupId": 999999999}, "ResourceNotFound.GroupNotExist"),
        (
            "ListAttachedRolePolicies",
            {"RoleName": "no-role", "Page": 1, "Rp": 20},
            "InvalidParameter.RoleNotExist",
        ),
        (
            "ListAttachedUserAllPolicies",
            {"TargetUin": 999999999, "Page": 1, "Rp": 20, "AttachType": 0},
            "ResourceNotFound.UserNotExist",
        ),
    ],
)
def test_what_is_absent_is_told_as_terraforms_provider_reads_it(
    cam: Cam, action: str, params: dict[str, Any], code: str
) -> None:
    assert cam.code(action, **params) == code


def test_there_are_no_collaborators(cam: Cam) -> None:
    response = cam.ok("ListCollaborators", Limit=50, Offset=0)
    assert (response["TotalNum"], response["Data"]) == (0, [])


@pytest.mark.parametrize(
    ("password", "told"),
    [
        ("Aa1!", "at least `8` characters"),
        ("lower-case-1", "upper-case letter"),
        ("UPPER-CASE-1", "lower-case letter"),
        ("No-Digit-Here", "digit"),
        ("NoSymbol12345", "neither a letter nor a digit"),
    ],
)
def test_the_rule_that_a_password_breaks_is_told(cam: Cam, password: str, told: str) -> None:
    error = cam.call("AddUser", Name=word("u"), ConsoleLogin=1, Password=password)["Error"]
    assert error["Code"] == "InvalidParameter.PasswordViolatedRules"
    assert told in error["Message"]
    assert password not in error["Message"]


def test_an_order_may_be_left_blank(rolecall: Rolecall) -> None:
    response = rolecall.call(
        "DescribeAccounts",
        {"DBInstanceId": rolecall.instance_id, "OrderBy": "", "OrderByType": "", "Limit": 0, "Offset": 0},
    )
    assert "Error" not in response, response
