"""The vendor's Terraform provider for policies, attachments and roles: its calls, in its order.

Source: terraform-provider-tencentcloud, tencentcloud/services/cam: resources tencentcloud_cam_policy,
tencentcloud_cam_user_policy_attachment, tencentcloud_cam_group_policy_attachment, tencentcloud_cam_role and
tencentcloud_cam_role_policy_attachment; connectivity: the provider's start with assume_role. It sends POST with
TC3-HMAC-SHA256 and `X-TC-Language: en-US`, and reads the fields named here without looking whether they are there.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

VERSIONS = {"cam": "2019-01-16", "sts": "2018-08-13"}
DOCUMENT = json.dumps(
    {
        "version": "2.0",
        "statement": [{"action": ["name/sts:AssumeRole"], "effect": "allow", "resource": ["*"]}],
    },
    indent=2,
)


def sent(rolecall: Any, action: str, service: str = "cam", **params: Any) -> dict[str, Any]:
    response: dict[str, Any] = rolecall.call(
        action, params, service=service, version=VERSIONS[service], headers={"X-TC-Language": "en-US"}
    )
    assert "Error" not in response, response
    return response


def code(rolecall: Any, action: str, **params: Any) -> str:
    response = rolecall.call(action, params, service="cam", version=VERSIONS["cam"])
    return str(response.get("Error", {}).get("Code", ""))


def test_a_policy_resource_lives_from_create_to_destroy(rolecall: Any, name: Callable[[str], str]) -> None:
    policy_name = name("cam-policy")
    policy = sent(
        rolecall, "CreatePolicy", PolicyName=policy_name, PolicyDocument=DOCUMENT, Description="tf_test"
    )["PolicyId"]
    state = sent(rolecall, "GetPolicy", PolicyId=policy)
    for read_unseen in ("PolicyName", "PolicyDocument", "Type", "AddTime", "UpdateTime"):
        assert state[read_unseen]
    # The provider compares the documents as JSON, and finds no difference.
    assert (state["PolicyName"], state["PolicyDocument"], state["Description"]) == (
        policy_name,
        DOCUMENT,
        "tf_test",
    )
    changed = DOCUMENT.replace("sts:AssumeRole", "sts:GetCallerIdentity")
    sent(
        rolecall,
        "UpdatePolicy",
        PolicyId=policy,
        PolicyName=policy_name,
        Description="x",
        PolicyDocument=changed,
    )
    assert sent(rolecall, "GetPolicy", PolicyId=policy)["PolicyDocument"] == changed
    sent(rolecall, "DeletePolicy", PolicyId=[policy])
    assert code(rolecall, "GetPolicy", PolicyId=policy) == "ResourceNotFound.PolicyIdNotFound"


def test_policy_attachments_live_from_create_to_destroy(rolecall: Any, name: Callable[[str], str]) -> None:
    user, group_name = name("cam-user"), name("cam-group")
    sent(rolecall, "AddUser", Name=user, UseApi=0, ConsoleLogin=0, NeedResetPassword=0)
    policy = sent(rolecall, "CreatePolicy", PolicyName=name("p"), PolicyDocument=DOCUMENT)["PolicyId"]

    uin = sent(rolecall, "GetUser", Name=user)["Uin"]
    sent(rolecall, "AttachUserPolicy", PolicyId=policy, AttachUin=uin)
    page = sent(rolecall, "ListAttachedUserPolicies", TargetUin=uin, Page=1, Rp=20)
    (found,) = (one for one in page["List"] if one["PolicyId"] == policy)
    for read_unseen in ("PolicyName", "PolicyType", "AddTime", "CreateMode"):
        assert found[read_unseen]
    sent(rolecall, "DetachUserPolicy", PolicyId=policy, DetachUin=uin)
    assert sent(rolecall, "ListAttachedUserPolicies", TargetUin=uin, Page=1, Rp=20)["List"] == []

    group = sent(rolecall, "CreateGroup", GroupName=group_name)["GroupId"]
    sent(rolecall, "AttachGroupPolicy", PolicyId=policy, AttachGroupId=group)
    page = sent(rolecall, "ListAttachedGroupPolicies", TargetGroupId=group, Page=1, Rp=20)
    assert [one["PolicyId"] for one in page["List"]] == [policy]
    sent(rolecall, "DetachGroupPolicy", PolicyId=policy, DetachGroupId=group)
    sent(rolecall, "DeleteGroup", GroupId=group)
    sent(rolecall, "DeletePolicy", PolicyId=[policy])
    sent(rolecall, "DeleteUser", Name=user, Force=1)


def test_a_role_resource_lives_from_create_to_destroy(rolecall: Any, name: Callable[[str], str]) -> None:
    owner = rolecall.ready["owner"]["uin"]
    role_name = name("cam-role")
    trust = json.dumps(
        {
            "version": "2.0",
            "statement": [
                {
                    "action": ["name/sts:AssumeRole"],
                    "effect": "allow",
                    "principal": {
                        "qcs": [f"qcs::cam::uin/{owner}:uin/{owner}", f"qcs::cam::uin/{owner}:root"]
                    },
                }
            ],
        }
    )
    role = sent(
        rolecall, "CreateRole", RoleName=role_name, PolicyDocument=trust, Description="d", ConsoleLogin=1,
        SessionDuration=7200,
    )["RoleId"]  # fmt: skip
    sent(rolecall, "GetRole", RoleId=role)
    (found,) = (
        one for one in sent(rolecall, "DescribeRoleList", Page=1, Rp=200)["List"] if one["RoleId"] == role
    )
    for read_unseen in ("RoleName", "PolicyDocument", "AddTime", "UpdateTime", "RoleArn"):
        assert found[read_unseen]
    assert (found["Description"], found["ConsoleLogin"], found["SessionDuration"]) == ("d", 1, 7200)
    sent(rolecall, "UpdateRoleDescription", RoleId=role, Description="changed")
    sent(rolecall, "UpdateAssumeRolePolicy", RoleId=role, PolicyDocument=trust)
    sent(rolecall, "UpdateRoleConsoleLogin", RoleId=int(role), ConsoleLogin=0)
    sent(rolecall, "UpdateRoleSessionDuration", RoleId=int(role), SessionDuration=3600)

    sent(rolecall, "AttachRolePolicy", PolicyId=2, AttachRoleId=role)
    page = sent(rolecall, "ListAttachedRolePolicies", RoleId=role, Page=1, Rp=200)
    assert [one["PolicyName"] for one in page["List"]] == ["ReadOnlyAccess"]
    sent(rolecall, "DetachRolePolicy", PolicyId=2, DetachRoleId=role)
    sent(rolecall, "DeleteRole", RoleId=role)
    assert code(rolecall, "GetRole", RoleId=role) == "InvalidParameter.RoleNotExist"


def test_a_provider_that_takes_a_role_works_with_its_credentials(
    rolecall: Any, name: Callable[[str], str]
) -> None:
    owner, role = rolecall.ready["owner"]["uin"], name("cam-role")
    principal = {"qcs": [f"qcs::cam::uin/{owner}:root"]}
    trust = {"action": "sts:AssumeRole", "effect": "allow", "principal": principal}
    sent(
        rolecall,
        "CreateRole",
        RoleName=role,
        PolicyDocument=json.dumps({"version": "2.0", "statement": [trust]}),
    )
    sent(rolecall, "AttachRolePolicy", PolicyName="QcloudCamReadOnlyAccess", AttachRoleName=role)
    taken = sent(
        rolecall, "AssumeRole", "sts", RoleArn=f"qcs::cam::uin/{owner}:roleName/{role}",
        RoleSessionName="terraform", DurationSeconds=7200,
    )["Credentials"]  # fmt: skip
    key = {"secret_id": taken["TmpSecretId"], "secret_key": taken["TmpSecretKey"]}
    headers = {"X-TC-Token": taken["Token"]}
    identity = rolecall.call(
        "GetCallerIdentity", {}, service="sts", version=VERSIONS["sts"], headers=headers, **key
    )
    assert (identity["AccountId"], identity["Type"]) == (str(owner), "CAMRole")
    listed = rolecall.call("ListUsers", {}, service="cam", version=VERSIONS["cam"], headers=headers, **key)
    assert "Error" not in listed
    refused = rolecall.call(
        "AddUser", {"Name": name("u")}, service="cam", version=VERSIONS["cam"], headers=headers, **key
    )
    assert refused["Error"]["Code"] == "AuthFailure.UnauthorizedOperation"
    sent(rolecall, "DeleteRole", RoleName=role)
