"""One life of policies, roles and temporary credentials, told through any client of the vendor.

A client is driven as `call(service, action, params, key=None) -> Response`, where a key is an id, a secret and, of
temporary credentials, a token; a refusal is a `ClientRefused`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from rolecall.contracts.tencent.cam import policies as cam_policies
from rolecall.contracts.tencent.cam import roles as cam_roles
from rolecall.contracts.tencent.sts import contract as sts

ACTIONS = frozenset(one.name for one in (*cam_policies.ACTIONS, *cam_roles.ACTIONS)) | frozenset(
    sts.CONTRACT.actions
)
REFUSED = "AuthFailure.UnauthorizedOperation"
STS = frozenset(sts.CONTRACT.actions)


def document(action: str, **more: Any) -> str:
    statement = {"effect": "allow", "action": action, "resource": "*", **more}
    return json.dumps({"version": "2.0", "statement": [statement]})


@dataclass
class PolicyLife:
    """Every action on policies, roles and sessions in a natural order. `lacks`: what the client does not know."""

    client: Callable[..., Mapping[str, Any]]
    refused: type[Exception]
    name: Callable[[str], str]
    owner: int
    instance: str
    lacks: frozenset[str] = frozenset()
    called: set[str] = field(default_factory=set)

    def run(self) -> None:
        self.added = self.call("AddUser", Name=self.name("u"), UseApi=1)
        self.uin, self.key = self.added["Uin"], (self.added["SecretId"], self.added["SecretKey"])
        self.policies()
        self.attachments()
        self.roles()
        self.sessions()
        self.database_token()
        self.removal()
        assert self.called & ACTIONS == ACTIONS - self.lacks

    def call(self, action: str, key: Any = None, **params: Any) -> Mapping[str, Any]:
        self.called.add(action)
        service = "sts" if action in STS else "postgres" if action in POSTGRES else "cam"
        response = self.client(service, action, params, key)
        assert len(response["RequestId"]) == 36
        return response

    def code(self, action: str, key: Any = None, **params: Any) -> str:
        with pytest.raises(self.refused) as refused:
            self.call(action, key=key, **params)
        assert len(refused.value.request_id) == 36  # type: ignore[attr-defined]
        return str(refused.value.code)  # type: ignore[attr-defined]

    def policies(self) -> None:
        named = self.name("p")
        self.policy = self.call("CreatePolicy", PolicyName=named, PolicyDocument=document("cam:Get*"))[
            "PolicyId"
        ]
        assert self.call("GetPolicy", PolicyId=self.policy)["PolicyName"] == named
        wider = document("cam:List*")
        self.call("UpdatePolicy", PolicyId=self.policy, PolicyDocument=wider, Description="changed")
        listed = self.call("ListPolicies", Scope="Local", Keyword=named)["List"]
        assert [(one["PolicyId"], one["Description"]) for one in listed] == [(self.policy, "changed")]
        bad = self.code("CreatePolicy", PolicyName=self.name("p"), PolicyDocument="{")
        assert bad == "InvalidParameter.PolicyDocumentError"

    def attachments(self) -> None:
        assert self.code("ListUsers", key=self.key) == REFUSED
        self.call("AttachUserPolicy", PolicyId=self.policy, AttachUin=self.uin)
        assert self.call("ListUsers", key=self.key)["Data"]
        attached = self.call("ListAttachedUserPolicies", TargetUin=self.uin)
        assert [one["PolicyId"] for one in attached["List"]] == [self.policy]
        every = self.call("ListAttachedUserAllPolicies", TargetUin=self.uin, Rp=10, Page=1, AttachType=0)
        assert [one["PolicyId"] for one in every["PolicyList"]] == [str(self.policy)]
        bearers = self.call("ListEntitiesForPolicy", PolicyId=self.policy)
        assert [one["Uin"] for one in bearers["List"]] == [self.uin]
        self.call("DetachUserPolicy", PolicyId=self.policy, DetachUin=self.uin)
        assert self.code("ListUsers", key=self.key) == REFUSED
        group = self.call("CreateGroup", GroupName=self.name("g"))["GroupId"]
        self.call("AddUserToGroup", Info=[{"GroupId": group, "Uid": self.added["Uid"]}])
        self.call("AttachGroupPolicy", PolicyId=self.policy, AttachGroupId=group)
        assert self.call("ListAttachedGroupPolicies", TargetGroupId=group)["TotalNum"] == 1
        assert self.call("ListUsers", key=self.key)["Data"]
        self.call("DetachGroupPolicy", PolicyId=self.policy, DetachGroupId=group)
        assert self.code("ListUsers", key=self.key) == REFUSED
        self.call("DeleteGroup", GroupId=group)

    def roles(self) -> None:
        self.role = self.name("r")
        principal = {"qcs": [f"qcs::cam::uin/{self.owner}:root"]}
        statement = {"effect": "allow", "action": "name/sts:AssumeRole", "principal": principal}
        trust = json.dumps({"version": "2.0", "statement": [statement]})
        role = {"RoleId": self.call("CreateRole", RoleName=self.role, PolicyDocument=trust)["RoleId"]}
        self.call("UpdateAssumeRolePolicy", **role, PolicyDocument=trust)
        self.call("UpdateRoleDescription", **role, Description="changed")
        self.call("UpdateRoleConsoleLogin", RoleId=int(role["RoleId"]), ConsoleLogin=1)
        if "UpdateRoleSessionDuration" not in self.lacks:
            self.call("UpdateRoleSessionDuration", RoleId=int(role["RoleId"]), SessionDuration=3600)
        self.call("TagRole", **role, Tags=[{"Key": "team", "Value": "dba"}, {"Key": "env", "Value": "t"}])
        self.call("UntagRole", **role, TagKeys=["env"])
        shown = self.call("GetRole", **role)["RoleInfo"]
        assert [(one["Key"], one["Value"]) for one in shown["Tags"]] == [("team", "dba")]
        assert (shown["RoleName"], shown["Description"], shown["ConsoleLogin"]) == (self.role, "changed", 1)
        names = [one["RoleName"] for one in self.call("DescribeRoleList", Page=1, Rp=200)["List"]]
        assert self.role in names
        self.call("AttachRolePolicy", PolicyId=self.policy, AttachRoleName=self.role)
        attached = self.call("ListAttachedRolePolicies", **role, Page=1, Rp=10)
        assert [one["PolicyId"] for one in attached["List"]] == [self.policy]

    def sessions(self) -> None:
        assert self.call("GetCallerIdentity", key=self.key)["UserId"] == str(self.uin)
        arn = f"qcs::cam::uin/{self.owner}:roleName/{self.role}"
        lent = self.call("AssumeRole", RoleArn=arn, RoleSessionName="life")["Credentials"]
        taken = lent["TmpSecretId"], lent["TmpSecretKey"], lent["Token"]
        assert self.call("GetCallerIdentity", key=taken)["Type"] == "CAMRole"
        assert self.call("ListUsers", key=taken)["Data"]
        self.call("DetachRolePolicy", PolicyId=self.policy, DetachRoleName=self.role)
        assert self.code("ListUsers", key=taken) == REFUSED
        lent = self.call("GetFederationToken", Name="SUN", Policy=document("cam:List*"))["Credentials"]
        federated = lent["TmpSecretId"], lent["TmpSecretKey"], lent["Token"]
        assert self.call("ListUsers", key=federated)["Data"]
        assert self.code("GetPolicy", key=federated, PolicyId=1) == REFUSED
        if "QueryApiKey" not in self.lacks:
            keys = self.call("QueryApiKey", TargetUin=self.uin)["IdKeys"]
            assert [one["SecretId"] for one in keys] == [self.key[0]]
        self.call("DeleteRole", RoleName=self.role)
        assert self.code("ListUsers", key=taken) == "AuthFailure.TokenFailure"

    def database_token(self) -> None:
        if "BuildDataFlowAuthToken" in self.lacks:
            return
        account = self.name("managed")
        on = {"DBInstanceId": self.instance, "UserName": account}
        self.call("CreateAccount", **on, Type="normal", OpenCam=True)
        asked = {"ResourceId": self.instance, "ResourceRegion": "ap-guangzhou", "ResourceAccount": account}
        assert len(self.call("BuildDataFlowAuthToken", **asked)["Credentials"]["Token"]) == 32
        assert self.code("BuildDataFlowAuthToken", key=self.key, **asked) == REFUSED
        self.call("DeleteAccount", **on)

    def removal(self) -> None:
        self.call("DeletePolicy", PolicyId=[self.policy])
        assert self.code("GetPolicy", PolicyId=self.policy) == "ResourceNotFound.PolicyIdNotFound"
        self.call("DeleteUser", Name=self.added["Name"], Force=1)


POSTGRES = frozenset({"CreateAccount", "DeleteAccount"})
