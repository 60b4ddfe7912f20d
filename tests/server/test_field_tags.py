"""Tags as Terraform's provider and Cloud Custodian read and write them (cases from public reports)."""

from __future__ import annotations

import json

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


def _trust(owner: str) -> str:
    statement = {
        "effect": "allow",
        "action": "sts:AssumeRole",
        "principal": {"qcs": f"qcs::cam::uin/{owner}:root"},
    }
    return json.dumps({"version": "2.0", "statement": [statement]})


def _ids(cam: Cam, prefix: str, resource: str) -> dict[str, str]:
    page = cam.ok(
        "DescribeResourceTagsByResourceIds",
        "tag",
        ServiceType="cam",
        ResourcePrefix=prefix,
        ResourceIds=[resource],
        ResourceRegion="",
    )
    return {tag["TagKey"]: tag["TagValue"] for tag in page["Tags"]}


def test_custodian_tags_a_sub_user_whatever_region_it_names(cam: Cam) -> None:
    owner, user = cam.ok("GetUserAppId")["OwnerUin"], cam.add()
    named = f"qcs::cam:ap-singapore:uin/{owner}:uin/{user['Uin']}"
    put = cam.ok("TagResources", "tag", ResourceList=[named], Tags=[{"TagKey": "owner", "TagValue": "dba"}])
    assert put["FailedResources"] == []
    found = cam.ok("GetResources", "tag", ResourceList=[named], MaxResults=200)
    (mapping,) = found["ResourceTagMappingList"]
    assert (found["PaginationToken"], mapping["Resource"]) == ("", f"qcs::cam::uin/{owner}:uin/{user['Uin']}")
    assert [(tag["TagKey"], tag["TagValue"]) for tag in mapping["Tags"]] == [("owner", "dba")]
    assert cam.ok("UnTagResources", "tag", ResourceList=[named], TagKeys=["owner"])["FailedResources"] == []
    assert cam.ok("GetResources", "tag", ResourceList=[named])["ResourceTagMappingList"] == []
    cam.ok("DeleteUser", Name=user["Name"], Force=1)


def test_a_roles_tags_are_one_thing_and_go_with_it(cam: Cam) -> None:
    owner = cam.ok("GetUserAppId")["OwnerUin"]
    tags = [{"Key": "team", "Value": "dba"}]
    role = cam.ok("CreateRole", RoleName=word("r"), PolicyDocument=_trust(owner), Tags=tags)["RoleId"]
    assert _ids(cam, "role", role) == {"team": "dba"}
    resource = f"qcs::cam::uin/:role/{role}"
    cam.ok("ModifyResourceTags", "tag", Resource=resource, ReplaceTags=[{"TagKey": "env", "TagValue": "t"}])
    shown = cam.ok("GetRole", RoleId=role)["RoleInfo"]["Tags"]
    assert shown == [{"Key": "env", "Value": "t"}, {"Key": "team", "Value": "dba"}]
    cam.ok("TagRole", RoleId=role, Tags=[{"Key": "env", "Value": "prod"}])
    cam.ok("UntagRole", RoleId=role, TagKeys=["team"])
    assert _ids(cam, "role", role) == {"env": "prod"}
    listed = cam.ok("DescribeRoleList", Page=1, Rp=20, Tags=[{"Key": "env", "Value": "prod"}])["List"]
    assert role in [each["RoleId"] for each in listed]
    cam.ok("DeleteRole", RoleId=role)
    assert _ids(cam, "role", role) == {}
    assert cam.code("TagRole", RoleId=role, Tags=tags) == "InvalidParameter.RoleNotExist"


def test_a_policys_tags_are_one_thing_and_go_with_it(cam: Cam) -> None:
    tags = [{"Key": "team", "Value": "dba"}]
    policy = cam.ok("CreatePolicy", PolicyName=word("p"), PolicyDocument=ALLOW, Tags=tags)["PolicyId"]
    resource = f"qcs::cam:ap-guangzhou:uin/:policy/{policy}"
    cam.ok("ModifyResourceTags", "tag", Resource=resource, ReplaceTags=[{"TagKey": "env", "TagValue": "t"}])
    assert cam.ok("GetPolicy", PolicyId=policy)["Tags"] == [{"Key": "env", "Value": "t"}, *tags]
    cam.ok("DeletePolicy", PolicyId=[policy])
    assert _ids(cam, "policy", str(policy)) == {}


def test_another_accounts_resource_has_no_tags_here(cam: Cam) -> None:
    foreign = "qcs::cam::uin/999999999999:uin/1"
    wrong = "InvalidParameterValue.ResourceDescriptionError"
    pair = {"TagKey": "a", "TagValue": "b"}
    assert cam.code("TagResources", "tag", ResourceList=[foreign], Tags=[pair]) == wrong
    assert cam.code("GetResources", "tag", ResourceList=[foreign]) == wrong
    assert cam.code("AddResourceTag", "tag", Resource=foreign, **pair) == wrong


def test_a_page_token_is_one_that_an_answer_had(cam: Cam) -> None:
    assert cam.code("GetTags", "tag", PaginationToken="nonsense") == "InvalidParameter.PaginationTokenInvalid"


def test_an_action_that_no_service_of_the_version_has_names_them_all(cam: Cam) -> None:
    error = cam.call("NoSuchAction", "tag")["Error"]
    assert error["Code"] == "InvalidAction"
    assert "`sts`" not in error["Message"]
