"""Policies and roles over the wire: every refusal by its real cause, and that nothing was done."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from tests.clients.petadata_cloud import word
from tests.conftest import Rolecall
from tests.server.cam import Cam

Store = Callable[..., list[tuple[Any, ...]]]

ALLOW = {"effect": "allow", "action": "*", "resource": "*"}
TRUST = {"effect": "allow", "action": "sts:AssumeRole", "principal": {"qcs": "qcs::cam::uin/1:root"}}
LONGEST = 6144


def document(*statements: Any, **more: Any) -> str:
    return json.dumps({"version": "2.0", "statement": list(statements), **more})


@pytest.fixture
def cam(rolecall: Rolecall) -> Cam:
    return Cam(rolecall)


@pytest.fixture
def user(cam: Cam) -> Iterator[dict[str, Any]]:
    added = cam.add()
    yield added
    cam.ok("DeleteUser", Name=added["Name"], Force=1)


@pytest.fixture
def policy(cam: Cam) -> Iterator[int]:
    made = cam.ok("CreatePolicy", PolicyName=word("p"), PolicyDocument=document(ALLOW))["PolicyId"]
    yield made
    cam.call("DeletePolicy", PolicyId=[made])


BAD_DOCUMENTS = [
    ("{", "PolicyDocumentError"),
    ("", "PolicyDocumentError"),
    ("[]", "PolicyDocumentError"),
    (document(ALLOW, Id="x"), "PolicyDocumentError"),
    ('{"version":"2.0","version":"2.0","statement":[]}', "PolicyDocumentError"),
    ("[" * 4000, "PolicyDocumentError"),
    (document({**ALLOW, "resource": "qcs::x:::" + "x" * LONGEST}), "PolicyDocumentLengthOverLimit"),
    (document(ALLOW, version="1.0"), "VersionError"),
    (document(), "StatementError"),
    (document({**ALLOW, "sid": "1"}), "StatementError"),
    (document({**ALLOW, "effect": "Allow"}), "EffectError"),
    (document({**ALLOW, "action": "everything"}), "ActionError"),
    (document({"effect": "allow", "resource": "*"}), "ActionMiss"),
    (document({"effect": "allow", "action": "*"}), "ResourceError"),
    (document({**ALLOW, "resource": "qcs::x"}), "ResourceQcsError"),
    (document({**ALLOW, "resource": "qcs:1:x:::*"}), "ResourceProjectError"),
    (document({**ALLOW, "resource": "qcs::x y:::*"}), "ResourceServiceNotExist"),
    (document({**ALLOW, "resource": "qcs::x:a b::*"}), "ResourceRegionError"),
    (document({**ALLOW, "resource": "qcs::x::root:*"}), "ResourceUinError"),
    (document({**ALLOW, "resource": "qcs::x:::"}), "ResourceContentError"),
    (document({**ALLOW, "condition": []}), "ConditionError"),
    (document({**ALLOW, "condition": {"IpAddress": {"qcs:ip": "::"}}}), "ConditionTypeError"),
    (document({**ALLOW, "condition": {"ip_equal": {"qcs:ip": "10.0.0.999"}}}), "ConditionContentError"),
    (document({**ALLOW, "condition": {"bool_equal": {"qcs:mfa_present": "true"}}}), "ConditionError"),
    (document({**ALLOW, "principal": {}}), "PrincipalError"),
]


@pytest.mark.parametrize(("text", "code"), BAD_DOCUMENTS)
def test_a_document_is_refused_with_the_code_of_what_is_wrong(cam: Cam, text: str, code: str) -> None:
    name = word("p")
    assert cam.code("CreatePolicy", PolicyName=name, PolicyDocument=text) == f"InvalidParameter.{code}"
    assert cam.ok("ListPolicies", Keyword=name)["TotalNum"] == 0


def test_a_bad_document_leaves_the_policy_as_it_was(cam: Cam, policy: int) -> None:
    before = cam.ok("GetPolicy", PolicyId=policy)
    for text, code in BAD_DOCUMENTS:
        answered = cam.code("UpdatePolicy", PolicyId=policy, PolicyDocument=text, Description="changed")
        assert answered == f"InvalidParameter.{code}"
    after = cam.ok("GetPolicy", PolicyId=policy)
    assert before | {"RequestId": ""} == after | {"RequestId": ""}


def test_what_stood_there_is_told_and_no_more_of_it_than_is_short(cam: Cam) -> None:
    text = document({**ALLOW, "action": "x" * 5000})
    message = cam.call("CreatePolicy", PolicyName=word("p"), PolicyDocument=text)["Error"]["Message"]
    assert message.startswith("`Action` field of policy document invalid. It says `xxx")
    assert len(message) < 300


def test_a_document_is_kept_as_it_was_written(cam: Cam) -> None:
    text = json.dumps({"version": "2.0", "statement": [{**ALLOW, "resource": "qcs::cos:::桶/ü*"}]}, indent=4)
    for written in (text, json.dumps(json.loads(text), ensure_ascii=False)):
        made = cam.ok("CreatePolicy", PolicyName=word("p"), PolicyDocument=written)["PolicyId"]
        assert cam.ok("GetPolicy", PolicyId=made)["PolicyDocument"] == written
        cam.ok("DeletePolicy", PolicyId=[made])


@pytest.mark.parametrize("name", ["", "a b", "ü", "x" * 129, "a/b"])
def test_a_policys_name_has_its_characters(cam: Cam, name: str) -> None:
    code = cam.code("CreatePolicy", PolicyName=name, PolicyDocument=document(ALLOW))
    assert code == "InvalidParameter.PolicyNameError"


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"Description": "ü" * 151}, "InvalidParameter.DescriptionLengthOverlimit"),
        ({"Tags": [{"Key": "", "Value": "b"}]}, "InvalidParameter.ParamError"),
        ({"PolicyDocument": {}}, "InvalidParameter"),
        ({"PolicyDocument": "\x00"}, "InvalidParameterValue"),
        ({"Unknown": 1}, "UnknownParameter"),
    ],
)
def test_create_policy_keeps_its_contract(cam: Cam, params: dict[str, Any], code: str) -> None:
    good = {"PolicyName": word("p"), "PolicyDocument": document(ALLOW)}
    assert cam.code("CreatePolicy", **good | params) == code


def test_a_name_is_taken_once(cam: Cam, policy: int) -> None:
    name = cam.ok("GetPolicy", PolicyId=policy)["PolicyName"]
    taken = "FailedOperation.PolicyNameInUse"
    assert cam.code("CreatePolicy", PolicyName=name, PolicyDocument=document(ALLOW)) == taken
    assert cam.code("CreatePolicy", PolicyName="AdministratorAccess", PolicyDocument=document(ALLOW)) == taken
    other = cam.ok("CreatePolicy", PolicyName=word("p"), PolicyDocument=document(ALLOW))["PolicyId"]
    assert cam.code("UpdatePolicy", PolicyId=other, PolicyName=name) == taken
    assert cam.code("UpdatePolicy", PolicyId=other, PolicyName="ReadOnlyAccess") == taken
    cam.ok("DeletePolicy", PolicyId=[other])


def test_of_many_at_once_one_makes_the_policy(cam: Cam) -> None:
    name = word("p")

    def create(_: int) -> str:
        return cam.code("CreatePolicy", PolicyName=name, PolicyDocument=document(ALLOW))

    with ThreadPoolExecutor(8) as pool:
        codes = sorted(pool.map(create, range(8)))
    assert codes == ["", *["FailedOperation.PolicyNameInUse"] * 7]
    found = cam.ok("ListPolicies", Keyword=name)["List"]
    cam.ok("DeletePolicy", PolicyId=[one["PolicyId"] for one in found])


@pytest.mark.parametrize(
    ("action", "params"),
    [
        ("UpdatePolicy", {"PolicyId": 1, "Description": "x"}),
        ("UpdatePolicy", {"PolicyName": "AdministratorAccess", "PolicyDocument": document(ALLOW)}),
        ("UpdatePolicy", {"PolicyId": 1, "Alias": "x"}),
        ("DeletePolicy", {"PolicyId": [1]}),
    ],
)
def test_a_preset_is_not_changed(cam: Cam, action: str, params: dict[str, Any]) -> None:
    before = cam.ok("GetPolicy", PolicyId=1)
    assert cam.code(action, **params) == "InvalidParameter.PolicyIdError"
    assert cam.ok("GetPolicy", PolicyId=1) | {"RequestId": ""} == before | {"RequestId": ""}


def test_several_policies_are_deleted_all_or_none(cam: Cam, policy: int) -> None:
    gone = "ResourceNotFound.PolicyIdNotFound"
    assert cam.code("DeletePolicy", PolicyId=[policy, 10**15]) == gone
    assert cam.code("DeletePolicy", PolicyId=[policy, 1]) == "InvalidParameter.PolicyIdError"
    assert cam.code("GetPolicy", PolicyId=policy) == ""
    assert cam.code("DeletePolicy", PolicyId=[]) == "InvalidParameter.PolicyIdError"
    assert (
        cam.code("DeletePolicy", PolicyId=list(range(1, 40))) == "InvalidParameter.OperatePoliciesOverLimit"
    )
    cam.ok("DeletePolicy", PolicyId=[policy, policy])
    assert cam.code("GetPolicy", PolicyId=policy) == gone


@pytest.mark.parametrize(
    ("action", "params", "code"),
    [
        ("GetPolicy", {"PolicyId": 10**15}, "ResourceNotFound.PolicyIdNotFound"),
        ("GetPolicy", {"PolicyId": 0}, "InvalidParameter.PolicyIdError"),
        ("GetPolicy", {"PolicyId": "x"}, "InvalidParameter"),
        ("GetPolicy", {}, "MissingParameter"),
        ("UpdatePolicy", {"Description": "x"}, "MissingParameter"),
        ("UpdatePolicy", {"PolicyName": "nobody"}, "ResourceNotFound.PolicyIdNotFound"),
        ("ListPolicies", {"Scope": "Mine"}, "InvalidParameter.ScopeError"),
        ("ListPolicies", {"Keyword": "x" * 129}, "InvalidParameter.SearchKeywordLengthError"),
        ("ListPolicies", {"Rp": 201}, "InvalidParameter.ParamError"),
        ("ListPolicies", {"Page": -1}, "InvalidParameter.ParamError"),
        ("AttachUserPolicy", {"PolicyId": 1, "AttachUin": 10**15}, "ResourceNotFound.UserNotExist"),
        ("AttachUserPolicy", {"PolicyId": 10**15, "AttachUin": 1}, "ResourceNotFound.PolicyIdNotFound"),
        ("DetachUserPolicy", {"PolicyId": 1, "DetachUin": 10**15}, "ResourceNotFound.UserNotExist"),
        ("AttachGroupPolicy", {"PolicyId": 1, "AttachGroupId": 10**15}, "ResourceNotFound.GroupNotExist"),
        ("DetachGroupPolicy", {"PolicyId": 10**15, "DetachGroupId": 1}, "InvalidParameter.PolicyIdNotExist"),
        ("AttachRolePolicy", {"PolicyId": 1, "AttachRoleName": "nobody"}, "InvalidParameter.RoleNotExist"),
        ("AttachRolePolicy", {"PolicyId": 1, "AttachRoleId": "9" * 19}, "InvalidParameter.RoleNotExist"),
        ("AttachRolePolicy", {"PolicyId": 1}, "MissingParameter"),
        ("AttachRolePolicy", {"PolicyName": "x", "AttachRoleName": "y"}, "InvalidParameter.PolicyIdNotExist"),
        ("ListAttachedUserPolicies", {"TargetUin": 10**15}, "ResourceNotFound.UserNotExist"),
        (
            "ListAttachedUserAllPolicies",
            {"TargetUin": 10**15, "Rp": 1, "Page": 1, "AttachType": 0},
            "ResourceNotFound.UserNotExist",
        ),
        ("ListEntitiesForPolicy", {"PolicyId": 10**15}, "InvalidParameter.PolicyIdError"),
        ("ListEntitiesForPolicy", {"PolicyId": 1, "EntityFilter": "X"}, "InvalidParameter.EntityFilterError"),
        ("GetRole", {"RoleName": "nobody"}, "InvalidParameter.RoleNotExist"),
        ("GetRole", {}, "MissingParameter"),
        ("DeleteRole", {"RoleId": "1"}, "InvalidParameter.RoleNotExist"),
        ("UpdateRoleDescription", {"RoleId": "1", "Description": "x"}, "InvalidParameter.RoleNotExist"),
        ("DescribeRoleList", {"Page": 1}, "MissingParameter"),
        ("DescribeRoleList", {"Page": 1, "Rp": 201}, "InvalidParameter.ParamError"),
    ],
)
def test_what_is_not_there_or_not_right_has_its_code(
    cam: Cam, action: str, params: dict[str, Any], code: str
) -> None:
    assert cam.code(action, **params) == code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{", "InvalidParameter.ParamError"),
        (document(TRUST, version="1"), "InvalidParameter.VersionError"),
        (document(), "InvalidParameter.StatementError"),
        (document({**TRUST, "effect": "x"}), "InvalidParameter.EffectError"),
        (document({**TRUST, "action": 1}), "InvalidParameter.ActionError"),
        (document({**TRUST, "principal": "*"}), "InvalidParameter.PrincipalError"),
        (document({**TRUST, "principal": {"qcs": "root"}}), "InvalidParameter.PrincipalQcsError"),
        (document({**TRUST, "condition": {"x": {}}}), "InvalidParameter.ConditionTypeError"),
        (document({"effect": "allow", "principal": {"service": "x"}}), "InvalidParameter.ActionMiss"),
    ],
)
def test_a_trust_document_is_refused_with_the_code_of_what_is_wrong(cam: Cam, text: str, code: str) -> None:
    assert cam.code("CreateRole", RoleName=word("r"), PolicyDocument=text) == code


def test_a_role_has_a_name_of_its_own_and_its_bounds(cam: Cam) -> None:
    role, trust = word("r"), document(TRUST)
    cam.ok("CreateRole", RoleName=role, PolicyDocument=trust)
    create = {"RoleName": word("r"), "PolicyDocument": trust}
    wrong = {
        "InvalidParameter.RoleNameInUse": {"RoleName": role},
        "InvalidParameter.RoleNameError": {"RoleName": "a b"},
        "InvalidParameter.DescriptionLengthOverlimit": {"Description": "x" * 301},
        "InvalidParameter.TagLimitExceeded": {"Tags": [{"Key": str(one), "Value": ""} for one in range(51)]},
        "InvalidParameter.TagParamError": {"Tags": [{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}]},
        "InvalidParameter.ParamError": {"SessionDuration": 43201},
    }
    for code, params in wrong.items():
        assert cam.code("CreateRole", **create | params) == code
    cam.ok("DeleteRole", RoleName=role)


def test_an_owner_has_no_more_policies_than_its_quota(cam: Cam, store: Store) -> None:
    ((owner_id,),) = store("select id from owners where number = %s", cam.rolecall.ready["owner"]["uin"])
    store(
        "insert into policies (owner_id, name, document) select %s, 'quota-' || n, %s from generate_series(1, 1500) n",
        owner_id,
        document(ALLOW),
    )
    try:
        code = cam.code("CreatePolicy", PolicyName=word("p"), PolicyDocument=document(ALLOW))
        assert code == "FailedOperation.PolicyFull"
        page = cam.ok("ListPolicies", Scope="Local", Rp=200, Page=7, Keyword="quota-")
        assert (page["TotalNum"], len(page["List"])) == (1500, 200)
        assert len(cam.ok("ListPolicies", Scope="Local", Rp=200, Page=8, Keyword="quota-")["List"]) == 100
    finally:
        store("delete from policies where name like 'quota-%%' and owner_id = %s", owner_id)
    made = cam.ok("CreatePolicy", PolicyName=word("p"), PolicyDocument=document(ALLOW))
    cam.ok("DeletePolicy", PolicyId=[made["PolicyId"]])


def test_a_sub_user_has_no_more_policies_than_its_quota(
    cam: Cam, store: Store, user: dict[str, Any], policy: int
) -> None:
    ((owner_id,),) = store("select id from owners where number = %s", cam.rolecall.ready["owner"]["uin"])
    store(
        "insert into policy_attachments (owner_id, policy_id, sub_user, attached_by)"
        " select %s, 9000000 + n, %s, 0 from generate_series(1, 199) n",
        owner_id,
        user["Uin"],
    )
    cam.ok("AttachUserPolicy", PolicyId=policy, AttachUin=user["Uin"])
    assert cam.code("AttachUserPolicy", PolicyId=1, AttachUin=user["Uin"]) == "FailedOperation.PolicyFull"
    cam.ok("AttachUserPolicy", PolicyId=policy, AttachUin=user["Uin"])
    cam.ok("DetachUserPolicy", PolicyId=policy, DetachUin=user["Uin"])
    cam.ok("AttachUserPolicy", PolicyId=1, AttachUin=user["Uin"])


def test_every_change_is_recorded_and_what_changes_nothing_is_not(
    cam: Cam, user: dict[str, Any], store: Store
) -> None:
    name, role = word("p"), word("r")
    made = cam.ok("CreatePolicy", PolicyName=name, PolicyDocument=document(ALLOW))["PolicyId"]
    cam.ok("UpdatePolicy", PolicyId=made, Description="x")
    for _ in range(2):
        cam.ok("AttachUserPolicy", PolicyId=made, AttachUin=user["Uin"])
    for _ in range(2):
        cam.ok("DetachUserPolicy", PolicyId=made, DetachUin=user["Uin"])
    cam.ok("DeletePolicy", PolicyId=[made])
    trust = document(
        {**TRUST, "principal": {"qcs": f"qcs::cam::uin/{cam.rolecall.ready['owner']['uin']}:root"}}
    )
    cam.ok("CreateRole", RoleName=role, PolicyDocument=trust)
    arn = f"qcs::cam::uin/{cam.rolecall.ready['owner']['uin']}:roleName/{role}"
    lent = cam.ok("AssumeRole", "sts", RoleArn=arn, RoleSessionName="who")["Credentials"]
    cam.ok("DeleteRole", RoleName=role)
    rows = store(
        "select kind, target, detail::text from operations where target = any(%s) order by accepted_at",
        [name, role],
    )
    assert [(kind, target) for kind, target, _ in rows] == [
        ("policy.create", name),
        ("policy.update", name),
        ("policy.attach", name),
        ("policy.detach", name),
        ("policy.delete", name),
        ("role.create", role),
        ("role.assume", role),
        ("role.delete", role),
    ]
    kept = json.dumps(store("select * from operations where target = %s", role), default=str)
    assert lent["TmpSecretId"] in kept
    assert lent["TmpSecretKey"] not in kept
    assert lent["Token"] not in kept


def test_a_secret_of_temporary_credentials_is_in_no_log(cam: Cam) -> None:
    policy = document(ALLOW)
    lent = cam.ok("GetFederationToken", "sts", Name="SUN", Policy=policy)["Credentials"]
    cam.call("GetCallerIdentity", "sts")
    for log in cam.rolecall.data.parent.glob("*.log"):
        text = log.read_text(errors="replace")
        assert lent["TmpSecretKey"] not in text
        assert lent["Token"] not in text
