"""The vendor's Terraform provider for sub-users, keys and groups: its calls, in its order, with its odd parameters.

Source: terraform-provider-tencentcloud, tencentcloud/services/cam and tag: resources tencentcloud_cam_user,
tencentcloud_cam_access_key, tencentcloud_cam_group and tencentcloud_cam_group_membership, data sources
tencentcloud_cam_users and tencentcloud_user_info. It sends POST with TC3-HMAC-SHA256, `X-TC-Language: en-US`, and reads
the fields named here without looking whether they are there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

PASSWORD, OTHER = "Gail@1234", "Gail@5678"
VERSIONS = {"cam": "2019-01-16", "tag": "2018-08-13"}


def sent(rolecall: Any, action: str, service: str = "cam", **params: Any) -> dict[str, Any]:
    response: dict[str, Any] = rolecall.call(
        action, params, service=service, version=VERSIONS[service], headers={"X-TC-Language": "en-US"}
    )
    assert "Error" not in response, response
    return response


def read_tags(rolecall: Any, uin: int) -> dict[str, str]:
    page = sent(
        rolecall, "DescribeResourceTagsByResourceIds", "tag", ServiceType="cam", ResourcePrefix="uin",
        ResourceRegion=rolecall.tencent["region"], ResourceIds=[str(uin)], Limit=20, Offset=0,
    )  # fmt: skip
    assert page["TotalCount"] == len(page["Tags"])
    return {one["TagKey"]: one["TagValue"] for one in page["Tags"] if one["ResourceId"] == str(uin)}


def test_a_user_resource_lives_from_create_to_destroy(rolecall: Any, name: Callable[[str], str]) -> None:
    user, region = name("cam-user"), rolecall.tencent["region"]
    added = sent(
        rolecall, "AddUser", Name=user, Remark="test", ConsoleLogin=1, UseApi=1, NeedResetPassword=0, Password=PASSWORD,
        PhoneNum="13631555963", CountryCode="86", Email="1234@qq.com",
    )  # fmt: skip
    for read_unseen in ("Uid", "Uin", "Name", "Password", "SecretId", "SecretKey"):
        assert added[read_unseen]
    state = sent(rolecall, "GetUser", Name=user)
    resource = f"qcs::cam:{region}:uin/:uin/{state['Uin']}"
    sent(
        rolecall,
        "ModifyResourceTags",
        "tag",
        Resource=resource,
        ReplaceTags=[{"TagKey": "a", "TagValue": "b"}],
    )
    assert state["Uid"] == added["Uid"]
    assert (state["ConsoleLogin"], state["Remark"], state["Email"]) == (1, "test", "1234@qq.com")
    assert read_tags(rolecall, state["Uin"]) == {"a": "b"}

    sent(rolecall, "UpdateUser", Name=user, Remark="changed", Password=OTHER, ConsoleLogin=0)
    state = sent(rolecall, "GetUser", Name=user)
    assert (state["Remark"], state["ConsoleLogin"], state["PhoneNum"]) == ("changed", 0, "13631555963")
    sent(
        rolecall, "ModifyResourceTags", "tag", Resource=resource, ReplaceTags=[], DeleteTags=[{"TagKey": "a"}]
    )
    assert read_tags(rolecall, state["Uin"]) == {}

    listed = sent(rolecall, "ListUsers")["Data"]
    assert user in [one["Name"] for one in listed]
    sent(rolecall, "DeleteUser", Name=user, Force=1)
    gone = rolecall.call("GetUser", {"Name": user}, service="cam", version=VERSIONS["cam"])
    assert gone["Error"]["Code"] == "ResourceNotFound.UserNotExist"


def test_a_user_without_key_and_password_has_all_that_the_provider_reads(
    rolecall: Any, name: Callable[[str], str]
) -> None:
    user = name("cam-user")
    added = sent(rolecall, "AddUser", Name=user, UseApi=0, ConsoleLogin=0, NeedResetPassword=0)
    assert [added[one] for one in ("Password", "SecretId", "SecretKey")] == ["", "", ""]
    sent(rolecall, "DeleteUser", Name=user, Force=0)


def test_an_access_key_resource_lives_from_create_to_destroy(
    rolecall: Any, name: Callable[[str], str]
) -> None:
    user = name("cam-user")
    uin = sent(rolecall, "AddUser", Name=user)["Uin"]
    made = sent(rolecall, "CreateAccessKey", TargetUin=uin)["AccessKey"]
    key = {"TargetUin": uin, "AccessKeyId": made["AccessKeyId"]}
    for status in ("Inactive", "Active"):
        sent(rolecall, "UpdateAccessKey", **key, Status=status)
        rows = sent(rolecall, "ListAccessKeys", TargetUin=uin)["AccessKeys"]
        assert [(one["AccessKeyId"], one["Status"]) for one in rows] == [(key["AccessKeyId"], status)]
    sent(rolecall, "DeleteAccessKey", **key)
    assert sent(rolecall, "ListAccessKeys", TargetUin=uin)["AccessKeys"] == []


def test_a_group_and_its_membership_live_from_create_to_destroy(
    rolecall: Any, name: Callable[[str], str]
) -> None:
    users = [name("cam-user") for _ in range(2)]
    for user in users:
        sent(rolecall, "AddUser", Name=user)
    group = sent(rolecall, "CreateGroup", GroupName=name("cam-group"), Remark="test")["GroupId"]
    uids = [sent(rolecall, "GetUser", Name=user)["Uid"] for user in users]
    sent(rolecall, "AddUserToGroup", Info=[{"GroupId": group, "Uid": uid} for uid in uids])
    members = sent(rolecall, "ListUsersForGroup", GroupId=group, Rp=200)
    assert {one["Name"] for one in members["UserInfo"]} == set(users)
    sent(rolecall, "RemoveUserFromGroup", Info=[{"GroupId": group, "Uid": uids[0]}])
    assert [
        one["Name"] for one in sent(rolecall, "ListUsersForGroup", GroupId=group, Rp=200)["UserInfo"]
    ] == users[1:]
    sent(rolecall, "UpdateGroup", GroupId=group, GroupName=name("cam-group"), Remark="")
    sent(rolecall, "DeleteGroup", GroupId=group)


def test_user_info_reads_the_caller(rolecall: Any) -> None:
    me = sent(rolecall, "GetUserAppId")
    assert me["Uin"] == me["OwnerUin"]
    assert me["AppId"] > 0
    # The root account is no sub-user: the provider takes its name from what is found, if anything is.
    assert sent(rolecall, "DescribeSubAccounts", FilterSubAccountUin=[int(me["Uin"])])["SubAccounts"] == []
