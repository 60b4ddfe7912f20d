"""The unmodified sts, cam and postgres SDKs: a role is taken, and its credentials sign what the role may do."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import pytest
from tests.clients.test_cam_policies import REFUSED, WAYS, World, allow, document
from tests.waiting import until

pytestmark = pytest.mark.filterwarnings(
    # The SDK asks the clock by a function that Python 3.12 deprecates.
    "ignore:datetime.datetime.utcfromtimestamp:DeprecationWarning:tencentcloud"
)

NO_TOKEN = "AuthFailure.TokenFailure"


class Stage(World):
    """And a role that trusts the whole account."""

    def __init__(self, rolecall: Any, name: Callable[[str], str], way: dict[str, str]) -> None:
        super().__init__(rolecall, name, way)
        self.uin_of_owner = rolecall.ready["owner"]["uin"]
        self.role = name("role")
        self.role_id = self.owner.call(
            "cam", "CreateRole", RoleName=self.role, PolicyDocument=quote(self.trust()), Description="d"
        )["RoleId"]
        self.arn = f"qcs::cam::uin/{self.uin_of_owner}:roleName/{self.role}"

    def trust(self, who: str = "root", **more: Any) -> str:
        principal = {"qcs": [f"qcs::cam::uin/{self.uin_of_owner}:{who}"]}
        return document({"effect": "allow", "action": "name/sts:AssumeRole", "principal": principal, **more})

    def attach_to_role(self, *statements: dict[str, Any]) -> int:
        policy = self.policy(*statements)
        self.owner.call("cam", "AttachRolePolicy", PolicyId=policy, AttachRoleId=self.role_id)
        return policy

    def taken(self, **params: Any) -> Any:
        """Whoever has the role's credentials, taken by the sub-user."""
        lent = self.user.call("sts", "AssumeRole", RoleArn=self.arn, RoleSessionName="test", **params)
        return self.user.with_lent(lent)

    def made_by(self, who: Any) -> str:
        params = {"DBInstanceId": self.rolecall.instance_id, "UserName": self.name("a"), "Type": "normal"}
        return str(who.code("postgres", "CreateAccount", **params))


@pytest.fixture(params=WAYS[:1])
def stage(rolecall: Any, name: Callable[[str], str], request: pytest.FixtureRequest) -> Iterator[Stage]:
    stage = Stage(rolecall, name, request.param)
    yield stage
    stage.owner.code("cam", "DeleteRole", RoleName=stage.role)


@pytest.mark.parametrize("stage", WAYS, indirect=True)
def test_temporary_credentials_sign_what_the_role_may_do_and_the_sub_user_may_not(stage: Stage) -> None:
    asked = {"RoleArn": stage.arn, "RoleSessionName": "test"}
    assert stage.user.code("sts", "AssumeRole", **asked) == REFUSED
    stage.attach(
        stage.policy(allow("sts:AssumeRole", f"qcs::cam::uin/{stage.uin_of_owner}:role/{stage.role_id}"))
    )
    role = stage.taken()
    assert stage.made_by(role) == REFUSED
    policy = stage.attach_to_role(allow("postgres:CreateAccount"))
    assert stage.made_by(role) == ""
    assert stage.create() == REFUSED
    assert role.code("postgres", "DescribeDBInstances") == REFUSED
    stage.owner.call("cam", "DetachRolePolicy", PolicyId=policy, DetachRoleName=stage.role)
    assert stage.made_by(role) == REFUSED


def test_credentials_are_answered_with_their_end(stage: Stage) -> None:
    before = time.time()
    lent = stage.owner.call(
        "sts", "AssumeRole", RoleArn=stage.arn, RoleSessionName="test", DurationSeconds=60
    )
    assert before - 1 <= lent["ExpiredTime"] - 60 <= time.time() + 1
    assert lent["Expiration"] == time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(lent["ExpiredTime"]))
    given = lent["Credentials"]
    assert given["TmpSecretId"].startswith("AKID")
    assert len(given["TmpSecretId"]) > 36


def test_a_token_is_good_with_its_own_key_only(stage: Stage) -> None:
    stage.attach_to_role(allow("*"))
    one, other = (
        stage.owner.call("sts", "AssumeRole", RoleArn=stage.arn, RoleSessionName="test")["Credentials"]
        for _ in range(2)
    )
    mine = one["TmpSecretId"], one["TmpSecretKey"]
    assert stage.owner.with_key(*mine, one["Token"]).code("postgres", "DescribeDBInstances") == ""
    for token in (
        None,
        other["Token"],
        one["Token"][:-2],
        one["Token"] + "AA",
        "x",
        "ß".encode().hex() * 9000,
    ):
        assert stage.owner.with_key(*mine, token).code("postgres", "DescribeDBInstances") == NO_TOKEN
    wrong = stage.owner.with_key(one["TmpSecretId"], other["TmpSecretKey"], one["Token"])
    assert wrong.code("postgres", "DescribeDBInstances") == "AuthFailure.SignatureFailure"
    permanent = stage.owner.credential
    borrowed = stage.owner.with_key(permanent.secret_id, permanent.secret_key, one["Token"])
    assert borrowed.code("postgres", "DescribeDBInstances") == NO_TOKEN


def test_credentials_end_with_the_role_and_with_the_key_that_took_them(stage: Stage) -> None:
    stage.attach(1)
    stage.attach_to_role(allow("*"))
    role = stage.taken()
    assert stage.made_by(role) == ""
    key = {"AccessKeyId": stage.added["SecretId"], "TargetUin": stage.uin}
    stage.owner.call("cam", "UpdateAccessKey", **key, Status="Inactive")
    assert stage.made_by(role) == NO_TOKEN
    stage.owner.call("cam", "UpdateAccessKey", **key, Status="Active")
    assert stage.made_by(role) == ""
    stage.owner.call("cam", "DeleteRole", RoleId=stage.role_id)
    assert stage.made_by(role) == NO_TOKEN
    stage.owner.call("cam", "CreateRole", RoleName=stage.role, PolicyDocument=stage.trust())
    assert stage.made_by(role) == NO_TOKEN


def test_credentials_expire(stage: Stage) -> None:
    stage.attach(1)
    stage.attach_to_role(allow("*"))

    def good_once() -> Any:
        role = stage.taken(DurationSeconds=2)
        return role if stage.made_by(role) == "" else None

    role = until(good_once)
    until(lambda: stage.made_by(role) == NO_TOKEN)


def test_a_session_is_narrowed_by_its_own_policy_and_never_widened(stage: Stage) -> None:
    stage.attach(1)
    stage.attach_to_role(allow("postgres:*"))
    narrow = stage.taken(Policy=quote(document(allow("postgres:Describe*"))))
    assert narrow.code("postgres", "DescribeDBInstances") == ""
    assert stage.made_by(narrow) == REFUSED
    wide = stage.taken(Policy=document(allow("*")))
    assert stage.made_by(wide) == ""
    assert wide.code("cam", "ListUsers") == REFUSED


def test_a_deny_of_a_role_holds_however_it_is_spelled(stage: Stage) -> None:
    stage.attach(1)
    deny = {**allow("sts:AssumeRole", f"qcs::cam:::roleName/{stage.role}"), "effect": "deny"}
    stage.owner.call("cam", "AttachUserPolicy", PolicyId=stage.policy(deny), AttachUin=stage.uin)
    place = f"qcs::cam::uin/{stage.uin_of_owner}"
    for arn, code in (
        (stage.arn, REFUSED),
        (f"{place}:role/{stage.role_id}", REFUSED),
        (stage.arn.replace("uin/", "uin/0"), "InvalidParameter.ParamError"),
        (f"{place}:role/0{stage.role_id}", "InvalidParameter.ParamError"),
    ):
        assert stage.user.code("sts", "AssumeRole", RoleArn=arn, RoleSessionName="test") == code


def test_a_trust_document_may_ask_for_https(stage: Stage) -> None:
    """It is asked with the same keys as policies are."""
    asked = {"RoleArn": stage.arn, "RoleSessionName": "test"}
    for text, code in (("true", "UnauthorizedOperation"), ("false", "")):
        trust = stage.trust(condition={"bool_equal": {"qcs:secure_transport": text}})
        stage.owner.call("cam", "UpdateAssumeRolePolicy", RoleName=stage.role, PolicyDocument=trust)
        assert stage.owner.code("sts", "AssumeRole", **asked) == code
    unknown = stage.trust(condition={"bool_equal": {"qcs:mfa_present": "true"}})
    changed = {"RoleName": stage.role, "PolicyDocument": unknown}
    assert stage.owner.code("cam", "UpdateAssumeRolePolicy", **changed) == "InvalidParameter.ConditionError"


def test_only_those_whom_the_trust_document_names_take_a_role(stage: Stage) -> None:
    stage.attach(1)
    asked = {"RoleArn": stage.arn, "RoleSessionName": "test"}

    def trust(text: str) -> None:
        stage.owner.call("cam", "UpdateAssumeRolePolicy", RoleName=stage.role, PolicyDocument=text)

    trust(stage.trust(f"uin/{stage.uin}"))
    assert stage.user.code("sts", "AssumeRole", **asked) == ""
    trust(stage.trust(f"uin/{stage.uin + 1}"))
    assert stage.user.code("sts", "AssumeRole", **asked) == "UnauthorizedOperation"
    assert stage.owner.code("sts", "AssumeRole", **asked) == "UnauthorizedOperation"
    trust(stage.trust(condition={"ip_equal": {"qcs:ip": "10.0.0.0/8"}}))
    assert stage.user.code("sts", "AssumeRole", **asked) == "UnauthorizedOperation"
    trust(stage.trust(condition={"string_equal": {"sts:external_id": "x1"}}))
    assert stage.user.code("sts", "AssumeRole", **asked) == "UnauthorizedOperation"
    assert stage.user.code("sts", "AssumeRole", **asked, ExternalId="x1") == ""
    trust(
        document({"effect": "allow", "action": "sts:AssumeRole", "principal": {"service": "cls.cloud.com"}})
    )
    assert stage.user.code("sts", "AssumeRole", **asked) == "UnauthorizedOperation"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"RoleArn": "qcs::cam::uin/1:roleName/nobody"}, "ResourceNotFound.RoleNotFound"),
        ({"RoleArn": "arn:aws:iam::1:role/x"}, "InvalidParameter.ParamError"),
        ({"RoleSessionName": "x"}, "InvalidParameter.ParamError"),
        ({"DurationSeconds": 7201}, "InvalidParameter.OverTimeError"),
        ({"DurationSeconds": -1}, "InvalidParameter.ParamError"),
        ({"Policy": "{"}, "InvalidParameter.StrategyFormatError"),
        ({"Policy": "x" * 6145}, "InvalidParameter.PolicyTooLong"),
        ({"Policy": document(allow("*", "qcs::x"))}, "InvalidParameter.ResouceError"),
        ({"Policy": document({**allow("*"), "principal": {}})}, "InvalidParameter.StrategyInvalid"),
        ({"SerialNumber": "qcs::cam:uin/1::mfa/softToken", "TokenCode": "1"}, "InvalidParameter.ParamError"),
    ],
)
def test_a_role_is_not_taken_for_these_reasons(stage: Stage, changes: dict[str, Any], code: str) -> None:
    asked = {"RoleArn": stage.arn, "RoleSessionName": "test"} | changes
    assert stage.owner.code("sts", "AssumeRole", **asked) == code


def test_a_federated_session_has_its_callers_permissions_narrowed(stage: Stage) -> None:
    policy = quote(quote(document(allow(["postgres:*", "sts:*"]))))
    federated = stage.owner.with_lent(
        stage.owner.call("sts", "GetFederationToken", Name="SUN", Policy=policy)
    )
    assert stage.made_by(federated) == ""
    assert federated.code("cam", "ListUsers") == REFUSED
    nested = {"Name": "MOON", "Policy": policy}
    assert federated.code("sts", "GetFederationToken", **nested) == "UnsupportedOperation"
    stage.attach(stage.policy(allow(["sts:GetFederationToken", "postgres:Describe*"])))
    of_user = stage.user.with_lent(stage.user.call("sts", "GetFederationToken", Name="SUN", Policy=policy))
    assert of_user.code("postgres", "DescribeDBInstances") == ""
    assert stage.made_by(of_user) == REFUSED
    longest = {"Name": "SUN", "Policy": policy}
    assert stage.owner.code("sts", "GetFederationToken", **longest, DurationSeconds=7201) == (
        "InvalidParameter.OverTimeError"
    )
    assert stage.user.code("sts", "GetFederationToken", **longest, DurationSeconds=129600) == ""
    assert stage.user.code("sts", "GetFederationToken", **longest, DurationSeconds=129601) == (
        "InvalidParameter.OverTimeError"
    )


def test_callers_are_told_who_they_are(stage: Stage) -> None:
    def identity(who: Any) -> tuple[str, ...]:
        told = who.call("sts", "GetCallerIdentity")
        return tuple(told[one] for one in ("Type", "AccountId", "UserId", "PrincipalId", "Arn"))

    owner, user = str(stage.uin_of_owner), str(stage.uin)
    assert identity(stage.owner) == ("CAMUser", owner, owner, owner, f"qcs::cam:{owner}:uin/{owner}")
    assert identity(stage.user) == ("CAMUser", owner, user, user, f"qcs::cam:{owner}:uin/{user}")
    stage.attach(1)
    role = stage.role_id
    assert identity(stage.taken()) == (
        "CAMRole", owner, f"{role}:test", user, f"qcs::sts:{owner}:assumed-role/{role}",
    )  # fmt: skip
    policy = document(allow("*"))
    federated = stage.user.with_lent(stage.user.call("sts", "GetFederationToken", Name="SUN", Policy=policy))
    assert identity(federated) == (
        "CAMUser", owner, f"{user}:SUN", user, f"qcs::sts:{owner}:federated-user/{user}",
    )  # fmt: skip


def test_a_callers_own_keys_are_listed(stage: Stage) -> None:
    stage.attach(stage.policy(allow("sts:QueryApiKey", "qcs::cam::uin/${owner_uin}:uin/${uin}")))
    keys = stage.user.call("sts", "QueryApiKey")["IdKeys"]
    assert [(one["SecretId"], one["Status"]) for one in keys] == [(stage.added["SecretId"], 2)]
    assert keys[0]["CreateTime"] == pytest.approx(time.time(), abs=60)
    assert stage.user.code("sts", "QueryApiKey", TargetUin=stage.uin_of_owner) == REFUSED
    assert stage.owner.call("sts", "QueryApiKey", TargetUin=stage.uin)["IdKeys"] == keys


def test_a_role_lives_its_life_through_the_sdk(stage: Stage) -> None:
    """Every action on roles, and what each answers."""
    owner, role = stage.owner, {"RoleId": stage.role_id}
    shown = owner.call("cam", "GetRole", RoleName=stage.role)["RoleInfo"]
    assert {one: shown[one] for one in ("RoleId", "RoleName", "Description", "RoleType", "SessionDuration")} == {
        "RoleId": stage.role_id, "RoleName": stage.role, "Description": "d", "RoleType": "user",
        "SessionDuration": 7200,
    }  # fmt: skip
    assert (shown["PolicyDocument"], shown["RoleArn"]) == (stage.trust(), stage.arn)
    owner.call("cam", "UpdateRoleDescription", **role, Description="changed")
    owner.call("cam", "UpdateRoleConsoleLogin", RoleId=int(stage.role_id), ConsoleLogin=1)
    owner.call("cam", "UpdateRoleSessionDuration", RoleName=stage.role, SessionDuration=43200)
    shown = owner.call("cam", "GetRole", **role)["RoleInfo"]
    assert [shown[one] for one in ("Description", "ConsoleLogin", "SessionDuration")] == ["changed", 1, 43200]
    listed = owner.call("cam", "DescribeRoleList", Page=1, Rp=200)
    assert stage.role in [one["RoleName"] for one in listed["List"]]
    policy = stage.attach_to_role(allow("cam:*"))
    owner.call("cam", "AttachRolePolicy", PolicyName="ReadOnlyAccess", AttachRoleName=stage.role)
    attached = owner.call("cam", "ListAttachedRolePolicies", **role, Page=1, Rp=20)
    assert attached["TotalNum"] == 2
    own = owner.call("cam", "ListAttachedRolePolicies", **role, Page=1, Rp=20, PolicyType="User")["List"]
    assert [(one["PolicyId"], one["PolicyType"]) for one in own] == [(policy, "User")]
    entities = owner.call("cam", "ListEntitiesForPolicy", PolicyId=policy)["List"]
    assert [(one["Id"], one["Name"], one["RelatedType"]) for one in entities] == [
        (stage.role_id, stage.role, 3)
    ]
    owner.call("cam", "DetachRolePolicy", PolicyName="ReadOnlyAccess", DetachRoleId=stage.role_id)
    owner.call("cam", "DeleteRole", **role)
    assert owner.code("cam", "GetRole", **role) == "InvalidParameter.RoleNotExist"


def test_a_tagged_role_is_found_by_its_tags(stage: Stage) -> None:
    tags = [{"Key": "team", "Value": stage.name("t")}, {"Key": "x", "Value": ""}]
    name = stage.name("tagged")
    stage.owner.call("cam", "CreateRole", RoleName=name, PolicyDocument=stage.trust(), Tags=tags)
    found = stage.owner.call("cam", "DescribeRoleList", Page=1, Rp=20, Tags=tags[:1])
    assert [(one["RoleName"], one["Tags"]) for one in found["List"]] == [(name, tags)]
    stage.owner.call("cam", "DeleteRole", RoleName=name)


@pytest.mark.parametrize("stage", WAYS[:1], indirect=True)
def test_a_verified_accounts_token_logs_in(stage: Stage) -> None:
    """BuildDataFlowAuthToken answers the account's password of the moment to who is permitted, and to nobody else."""
    account = stage.name("managed")
    on = {"DBInstanceId": stage.rolecall.instance_id, "UserName": account}
    stage.owner.call("postgres", "CreateAccount", **on, Type="normal", OpenCam=True)
    asked = {
        "ResourceId": stage.rolecall.instance_id,
        "ResourceRegion": stage.owner.region,
        "ResourceAccount": account,
    }
    assert stage.user.code("cam", "BuildDataFlowAuthToken", **asked) == REFUSED
    of_account = f"qcs::cam::uin/{stage.uin_of_owner}:resourceUser/{stage.rolecall.instance_id}/{account}"
    stage.attach(stage.policy(allow("cam:BuildDataFlowAuthToken", of_account)))
    first = stage.user.call("cam", "BuildDataFlowAuthToken", **asked)["Credentials"]
    assert stage.rolecall.can_log_in(account, first["Token"])
    assert (first["RotationStatus"], first["RotationMessage"]) == ("success", "success")
    assert first["LastRotationTimeCost"] >= 0
    assert first["CurrentTime"] == pytest.approx(time.time() * 1000, abs=60_000)
    assert first["NextRotationTime"] == pytest.approx((time.time() + 43200) * 1000, abs=60_000)
    assert stage.user.code("cam", "BuildDataFlowAuthToken", **asked | {"ResourceAccount": "other"}) == REFUSED

    stage.owner.call("postgres", "RefreshAccountPassword", **on)
    second = stage.user.call("cam", "BuildDataFlowAuthToken", **asked)["Credentials"]["Token"]
    assert stage.rolecall.can_log_in(account, second)
    assert not stage.rolecall.can_log_in(account, first["Token"])

    stage.owner.call("postgres", "CloseAccountCAM", **on, Password="p+A&9=%_x")
    code = stage.user.code("cam", "BuildDataFlowAuthToken", **asked)
    assert code == "ResourceNotFound.DataFlowAuthClose"
    stage.owner.call("postgres", "DeleteAccount", **on)
    assert stage.owner.code("cam", "BuildDataFlowAuthToken", **asked) == "InvalidParameter.ParamError"
    elsewhere = asked | {"ResourceId": "postgres-notthere"}
    assert stage.owner.code("cam", "BuildDataFlowAuthToken", **elsewhere) == "InvalidParameter.ParamError"
