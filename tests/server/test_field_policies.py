"""Policies as Terraform's provider, the vendor's SDKs and people write them (cases from public reports)."""

from __future__ import annotations

import json
import urllib.parse
from typing import Any

import pytest
from tests.clients.petadata_cloud import word
from tests.conftest import Rolecall
from tests.server.cam import Cam

RULE = {"effect": "allow", "action": ["name/cam:GetUser"], "resource": ["*"]}


def document(*statements: Any) -> str:
    return json.dumps({"version": "2.0", "statement": list(statements)})


@pytest.fixture
def cam(rolecall: Rolecall) -> Cam:
    return Cam(rolecall)


def test_a_policy_escaped_as_a_form_is_read(cam: Cam) -> None:
    """Terraform's ``assume_role.policy`` and the COS STS SDK use Go's ``url.QueryEscape``."""
    text = json.dumps({"version": "2.0", "statement": [RULE]}, indent=2)
    escaped = urllib.parse.quote_plus(text)
    assert "+" in escaped
    assert cam.ok("GetFederationToken", "sts", Name="field", DurationSeconds=1800, Policy=escaped)[
        "Credentials"
    ]


@pytest.mark.parametrize("action", ["*:*", ["*:*"], "name/*:*"])
def test_every_operation_of_every_service_is_permitted(cam: Cam, action: object) -> None:
    rule = {"effect": "allow", "action": action, "resource": "*"}
    made = cam.ok("CreatePolicy", PolicyName=word("p"), PolicyDocument=document(rule))["PolicyId"]
    user = cam.add(UseApi=1)
    cam.ok("AttachUserPolicy", PolicyId=made, AttachUin=user["Uin"])
    assert cam.as_user(user).ok("GetUser", Name=user["Name"])["Uin"] == user["Uin"]
    cam.ok("DeleteUser", Name=user["Name"], Force=1)
    cam.ok("DeletePolicy", PolicyId=[made])


def test_indentation_does_not_count_towards_the_length(cam: Cam) -> None:
    names = [f"qcs::cos:ap-guangzhou:uid/1250000000:field-{n:03d}-1250000000/*" for n in range(60)]
    rule = {"effect": "allow", "action": ["cos:GetObject"], "resource": names}
    text = json.dumps({"version": "2.0", "statement": [rule]}, indent=24)
    assert len(text) == 10271
    made = cam.ok("CreatePolicy", PolicyName=word("p"), PolicyDocument=text)["PolicyId"]
    assert cam.ok("GetPolicy", PolicyId=made)["PolicyDocument"] == text
    cam.ok("DeletePolicy", PolicyId=[made])


def test_a_condition_on_the_caller_holds_for_that_sub_user_alone(cam: Cam) -> None:
    one, other = cam.add(UseApi=1), cam.add(UseApi=1)
    condition = {"string_equal": {"qcs:uin": str(one["Uin"])}, "string_like": {"qcs:owner_uin": "1*"}}
    rule = {"effect": "allow", "action": "cam:GetUser", "resource": "*", "condition": condition}
    made = cam.ok("CreatePolicy", PolicyName=word("p"), PolicyDocument=document(rule))["PolicyId"]
    for user in (one, other):
        cam.ok("AttachUserPolicy", PolicyId=made, AttachUin=user["Uin"])
    assert cam.as_user(one).code("GetUser", Name=one["Name"]) == ""
    assert cam.as_user(other).code("GetUser", Name=one["Name"]).startswith("AuthFailure.Unauthorized")
    for user in (one, other):
        cam.ok("DeleteUser", Name=user["Name"], Force=1)
    cam.ok("DeletePolicy", PolicyId=[made])


def test_a_role_may_be_trusted_by_an_identity_provider(cam: Cam) -> None:
    owner = cam.ok("GetUserAppId")["OwnerUin"]
    trust = {
        "effect": "allow",
        "action": "name/sts:AssumeRoleWithWebIdentity",
        "principal": {"federated": [f"qcs::cam::uin/{owner}:oidc-provider/field"]},
        "condition": {"string_equal": {"oidc:iss": "https://idp.example", "oidc:aud": ["sts.example"]}},
    }
    made = cam.ok("CreateRole", RoleName=word("r"), PolicyDocument=document(trust))["RoleId"]
    arn = f"qcs::cam::uin/{owner}:role/{made}"
    assert cam.code("AssumeRole", "sts", RoleArn=arn, RoleSessionName="field") == "UnauthorizedOperation"
    cam.ok("DeleteRole", RoleId=made)


def test_another_accounts_resource_is_not_handed_out(cam: Cam) -> None:
    app = cam.ok("GetUserAppId")["AppId"]

    def code(account: str, effect: str = "allow") -> str:
        resource = f"qcs::cos:ap-guangzhou:{account}:field/*"
        rule = {"effect": effect, "action": ["name/cos:PutObject"], "resource": [resource]}
        return cam.code("GetFederationToken", "sts", Name="field", Policy=document(rule))

    assert code("uid/1259999999") == "InvalidParameter.GrantOtherResource"
    assert code("uin/999999999999") == "InvalidParameter.GrantOtherResource"
    assert code(f"uid/{app}") == ""
    assert code("uid/1259999999", "deny") == ""


@pytest.mark.parametrize("principal", [{"qcs": "*"}, {"qcs": ["*"]}])
def test_a_session_policy_may_name_everybody_as_principal(cam: Cam, principal: object) -> None:
    """The vendor's COS STS client for Node sends it."""
    text = document({**RULE, "principal": principal})
    made = cam.ok("GetFederationToken", "sts", Name="field", Policy=text)["Credentials"]
    assert made["Token"]


def test_a_malformed_document_is_refused_with_the_place(cam: Cam) -> None:
    error = cam.call(
        "CreatePolicy", PolicyName=word("p"), PolicyDocument='{"version": "2.0",\n "statement" []}'
    )["Error"]
    assert error["Code"] == "InvalidParameter.PolicyDocumentError"
    assert "line 2 column 14" in error["Message"]
