"""AddUser and its siblings over the wire: every row of AddUser's page, every code by its real cause."""

from __future__ import annotations

import json
import re
import secrets
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from tests.conftest import Rolecall
from tests.server.cam import PASSWORD, Cam
from tests.server.replica import replica

from rolecall.signing import tc1
from rolecall.values import Secret

Until = Callable[[Callable[[], bool]], None]
CLASSES = ("[A-Z]", "[a-z]", "[0-9]", "[^A-Za-z0-9]")


@pytest.fixture
def cam(rolecall: Rolecall) -> Cam:
    return Cam(rolecall)


@pytest.fixture
def user(name: Callable[[str], str]) -> str:
    return name("u")


def openstack_token(rolecall: Rolecall, name: str, password: str) -> httpx.Response:
    """Identity v3, name and password."""
    user = {"name": name, "password": password, "domain": {"id": "default"}}
    body = {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}}}
    return httpx.post(rolecall.ready["openstack"]["auth_url"] + "/auth/tokens", json=body, timeout=60)


# every row of the page


def test_a_name_alone_makes_a_sub_user_with_nothing_generated(cam: Cam, user: str) -> None:
    """Terraform reads the three strings unseen: they are empty, never null."""
    added = cam.ok("AddUser", Name=user)
    assert added["Name"] == user
    assert [added[one] for one in ("Password", "SecretId", "SecretKey")] == ["", "", ""]
    assert isinstance(added["Uin"], int)
    assert isinstance(added["Uid"], int)
    assert added["Uid"] < added["Uin"]
    shown = cam.ok("GetUser", Name=user)
    assert (shown["Uin"], shown["Uid"], shown["ConsoleLogin"]) == (added["Uin"], added["Uid"], 0)
    assert (shown["Remark"], shown["PhoneNum"], shown["RecentlyLoginTime"]) == ("", "", "")


def test_every_parameter_of_the_page_is_kept(cam: Cam, user: str) -> None:
    """Numbers as strings, and the escaped at sign, as the page's example sends them."""
    added = cam.ok(
        "AddUser", Remark="test", Name=user, CountryCode="86", NeedResetPassword="0", PhoneNum="10086", UseApi="1",
        ConsoleLogin="1", Password=PASSWORD, Email="123%40qq.com",
    )  # fmt: skip
    assert added["Password"] == PASSWORD
    shown = cam.ok("GetUser", Name=user)
    told = ("Remark", "CountryCode", "PhoneNum", "ConsoleLogin", "Email")
    assert [shown[one] for one in told] == ["test", "86", "10086", 1, "123@qq.com"]


@pytest.mark.parametrize("yes", [1, "1"])
def test_with_use_api_a_key_is_made_that_signs_at_once(cam: Cam, user: str, yes: object) -> None:
    added = cam.ok("AddUser", Name=user, UseApi=yes)
    assert re.fullmatch(r"AKID[A-Za-z0-9]{32}", added["SecretId"])
    assert re.fullmatch(r"[A-Za-z0-9]{32}", added["SecretKey"])
    who = cam.as_user(added).ok("GetUserAppId")
    assert who["Uin"] == str(added["Uin"])
    assert who["OwnerUin"] == cam.ok("GetUserAppId")["Uin"]


def test_with_console_login_and_no_password_one_of_32_characters_is_made_that_signs_in(
    cam: Cam, rolecall: Rolecall, user: str
) -> None:
    for number, given in enumerate(({}, {"Password": ""})):
        added = cam.ok("AddUser", Name=f"{user}-{number}", ConsoleLogin=1, **given)
        assert len(added["Password"]) == 32
        assert all(re.search(one, added["Password"]) for one in CLASSES)
        assert openstack_token(rolecall, added["Name"], added["Password"]).status_code == 201


def test_a_password_without_console_login_is_ignored(cam: Cam, rolecall: Rolecall, user: str) -> None:
    assert cam.ok("AddUser", Name=user, Password=PASSWORD, ConsoleLogin=0)["Password"] == ""
    assert openstack_token(rolecall, user, PASSWORD).status_code == 401


def test_a_password_that_must_be_reset_buys_no_token(cam: Cam, rolecall: Rolecall, user: str) -> None:
    cam.ok("AddUser", Name=user, ConsoleLogin=1, Password=PASSWORD, NeedResetPassword=1)
    assert openstack_token(rolecall, user, PASSWORD).status_code == 401
    cam.ok("UpdateUser", Name=user, NeedResetPassword=0)
    assert openstack_token(rolecall, user, PASSWORD).status_code == 201


def test_a_form_signed_with_v1_makes_one_too(rolecall: Rolecall, cam: Cam, user: str) -> None:
    named = {
        "Action": "AddUser", "Version": "2019-01-16", "Timestamp": str(int(time.time())), "Nonce": "11886",
        "SecretId": rolecall.tencent["secret_id"], "SignatureMethod": "HmacSHA256", "Name": user, "UseApi": "1",
    }  # fmt: skip
    signed = tc1.Signed("POST", rolecall.netloc, "/", tuple(named.items()))
    signature = tc1.sign(signed, Secret(rolecall.tencent["secret_key"]), "HmacSHA256")
    answer = httpx.post(rolecall.endpoint + "/", data=named | {"Signature": signature}).json()["Response"]
    assert answer["SecretId"]
    assert cam.ok("GetUser", Name=user)["Uin"] == answer["Uin"]


def test_the_example_of_the_page_succeeds_as_printed_under_rules_that_its_password_keeps(cam: Cam) -> None:
    """Under the page's own default rules it cannot: ``test123456`` has no upper-case letter and no symbol."""
    example = {
        "Remark": "test", "Name": "test124", "CountryCode": "86", "NeedResetPassword": "0", "PhoneNum": "10086",
        "UseApi": "1", "ConsoleLogin": "1", "Password": "test123456", "Email": "123%40qq.com",
    }  # fmt: skip
    assert cam.code("AddUser", **example) == "InvalidParameter.PasswordViolatedRules"
    cam.ok("UpdatePasswordRules", Rules={"MustContain": "a1"})
    try:
        added = cam.ok("AddUser", **example)
        assert (added["Name"], added["Password"]) == ("test124", "test123456")
        assert added["SecretId"]
        assert added["SecretKey"]
    finally:
        cam.ok("UpdatePasswordRules", Rules={"MustContain": "Aa1!"})
        cam.ok("DeleteUser", Name="test124", Force=1)


# every code of the page


def test_code_unauthorized_operation_a_sub_user_without_a_policy(cam: Cam, user: str) -> None:
    clerk = cam.as_user(cam.add(UseApi=1))
    response = clerk.call("AddUser", Name=user)
    assert response["Error"]["Code"] == "AuthFailure.UnauthorizedOperation"
    assert "cam:AddUser" in response["Error"]["Message"]
    assert cam.code("GetUser", Name=user) == "ResourceNotFound.UserNotExist"


@pytest.fixture(scope="module")
def narrow(rolecall: Rolecall, until: Until) -> Iterator[Rolecall]:
    """A replica that hashes one password at a time and lets none wait."""
    with replica(rolecall, until, password_threads="1", password_queue="0") as running:
        yield running


def test_code_failed_operation_more_passwords_than_can_be_hashed(
    narrow: Rolecall, cam: Cam, user: str, until: Until
) -> None:
    there, codes = Cam(narrow), dict[str, str]()

    def add(name: str) -> None:
        codes[name] = there.code("AddUser", Name=name, ConsoleLogin=1)

    def refused() -> bool:
        """Whether two of a crowd met; where it is slow, another crowd is needed."""
        with ThreadPoolExecutor(12) as pool:
            list(pool.map(add, [f"{user}-{len(codes) + number}" for number in range(12)]))
        return "FailedOperation" in codes.values()

    until(refused)
    assert set(codes.values()) <= {"", "FailedOperation"}
    made = {one["Name"] for one in cam.ok("ListUsers")["Data"]}
    assert {name for name, code in codes.items() if code == ""} == made & codes.keys()


@pytest.mark.parametrize(
    "wrong",
    [
        {"ConsoleLogin": 2},
        {"UseApi": -1},
        {"NeedResetPassword": 7},
        {"Email": "nobody"},
        {"Email": "two@at@signs"},
        {"PhoneNum": "132*****828"},
        {"PhoneNum": "+86 10086"},
        {"CountryCode": "eighty-six"},
        {"Remark": "x" * 257},
        {"Remark": "bell\u0007"},
    ],
    ids=str,
)
def test_code_param_error_a_value_that_cannot_be(cam: Cam, user: str, wrong: dict[str, Any]) -> None:
    assert cam.code("AddUser", Name=user, **wrong) == "InvalidParameter.ParamError"
    assert cam.code("GetUser", Name=user) == "ResourceNotFound.UserNotExist"


@pytest.mark.parametrize(
    "password", ["Short-1", "no-upper-case-1", "NO-LOWER-CASE-1", "No-digit-here", "NoSymbol123", "Aa1!" * 250_000],
    ids=lambda password: password[:20],
)  # fmt: skip
def test_code_password_violated_rules(cam: Cam, user: str, password: str) -> None:
    """A password of a megabyte is refused before it is hashed."""
    response = cam.call("AddUser", Name=user, ConsoleLogin=1, Password=password)
    assert response["Error"]["Code"] == "InvalidParameter.PasswordViolatedRules"
    assert password not in json.dumps(response)
    assert cam.code("GetUser", Name=user) == "ResourceNotFound.UserNotExist"


def test_code_sub_user_full_the_quota_is_used_up(
    rolecall: Rolecall, until: Until, cam: Cam, user: str
) -> None:
    cam.add()
    with replica(rolecall, until, sub_user_quota="1") as full:
        assert Cam(full).code("AddUser", Name=user) == "InvalidParameter.SubUserFull"
    cam.ok("AddUser", Name=user)


def test_code_sub_user_name_in_use(cam: Cam, user: str) -> None:
    first = cam.ok("AddUser", Name=user)
    assert cam.code("AddUser", Name=user, ConsoleLogin=1) == "InvalidParameter.SubUserNameInUse"
    assert cam.code("AddUser", Name=user, UseApi=1) == "InvalidParameter.SubUserNameInUse"
    assert cam.ok("GetUser", Name=user)["Uin"] == first["Uin"]


@pytest.mark.parametrize(
    "name",
    ["", " ", "two words", "slash/", "colon:", "x" * 65, "\U0001f600", "\u0645\u0631\u062d", "a\n"],
    ids=repr,
)
def test_code_user_name_illegal(cam: Cam, name: str) -> None:
    assert cam.code("AddUser", Name=name) == "InvalidParameter.UserNameIllegal"


@pytest.mark.parametrize("name", ["a", "A-Z_0=+,.@x", "x" * 64])
def test_names_may_have_what_the_rule_says(cam: Cam, name: str) -> None:
    cam.ok("AddUser", Name=name)
    cam.ok("DeleteUser", Name=name)


def test_code_create_user_made_too_often(rolecall: Rolecall, until: Until, cam: Cam, user: str) -> None:
    cam.add()
    with replica(rolecall, until, sub_user_rate="1") as slow:
        there = Cam(slow)
        assert there.code("AddUser", Name=user) == "RequestLimitExceeded.CreateUser"
        assert there.code("AddUser", Name=user, ConsoleLogin=1) == "RequestLimitExceeded.CreateUser"
    assert cam.code("GetUser", Name=user) == "ResourceNotFound.UserNotExist"


# the siblings


def test_updating_changes_what_is_sent_and_nothing_else(cam: Cam, rolecall: Rolecall, user: str) -> None:
    cam.ok("AddUser", Name=user, ConsoleLogin=1, Password=PASSWORD, Remark="old", Email="a@b.example")
    before = cam.ok("GetUser", Name=user)
    cam.ok("UpdateUser", Name=user, Remark="", PhoneNum="123")
    after = cam.ok("GetUser", Name=user)
    assert {k for k in after if after[k] != before[k]} == {"Remark", "PhoneNum", "RequestId"}
    cam.ok("UpdateUser", Name=user, Password="Other-Horse-43")
    assert openstack_token(rolecall, user, PASSWORD).status_code == 401
    assert openstack_token(rolecall, user, "Other-Horse-43").status_code == 201
    assert cam.code("UpdateUser", Name=user, Password="short") == "InvalidParameter.PasswordViolatedRules"
    assert cam.code("UpdateUser", Name=user, ConsoleLogin=2) == "InvalidParameter"
    assert cam.code("UpdateUser", Name=user + "x", Remark="") == "ResourceNotFound.UserNotExist"


def test_a_sub_user_with_keys_is_deleted_by_force_alone_and_its_key_dies_on_every_replica(
    cam: Cam, strict: Rolecall, user: str
) -> None:
    added = cam.ok("AddUser", Name=user, UseApi=1)
    here, there = cam.as_user(added), Cam(strict, added["SecretId"], added["SecretKey"])
    assert there.code("GetUserAppId") == here.code("GetUserAppId") == ""
    assert cam.code("DeleteUser", Name=user) == "OperationDenied.HaveKeys"
    cam.ok("DeleteUser", Name=user, Force=1)
    assert there.code("GetUserAppId") == here.code("GetUserAppId") == "AuthFailure.SecretIdNotFound"
    assert cam.code("DeleteUser", Name=user) == "ResourceNotFound.UserNotExist"


def test_a_token_dies_with_its_sub_user(cam: Cam, rolecall: Rolecall, user: str) -> None:
    cam.ok("AddUser", Name=user, ConsoleLogin=1, Password=PASSWORD)
    bought = openstack_token(rolecall, user, PASSWORD)
    headers = {"X-Auth-Token": bought.headers["x-subject-token"]}
    url = rolecall.ready["openstack"]["database_url"] + "/instances"
    assert httpx.get(url, headers=headers).status_code == 403, "a sub-user without a policy"
    cam.ok("DeleteUser", Name=user)
    assert httpx.get(url, headers=headers).status_code == 401


def test_wrong_names_and_wrong_passwords_are_answered_alike(cam: Cam, rolecall: Rolecall, user: str) -> None:
    cam.ok("AddUser", Name=user, ConsoleLogin=1, Password=PASSWORD)
    nobody, wrong = (openstack_token(rolecall, one, "Wrong-Horse-1") for one in (user + "x", user))
    assert nobody.status_code == wrong.status_code == 401
    assert nobody.json()["error"]["message"] == wrong.json()["error"]["message"]


def test_lists_hold_the_sub_users_of_the_owner(cam: Cam) -> None:
    first, second = cam.add(Remark="one"), cam.add()
    data = {one["Uin"]: one for one in cam.ok("ListUsers")["Data"]}
    assert data[first["Uin"]]["Remark"] == "one"
    assert data[first["Uin"]]["NickName"] == first["Name"]
    asked = [str(first["Uin"]), second["Uin"], 12345]
    found = cam.ok("DescribeSubAccounts", FilterSubAccountUin=asked)["SubAccounts"]
    assert [one["Uin"] for one in found] == [first["Uin"], second["Uin"]]
    assert (found[0]["UserType"], found[0]["LastLoginIp"], found[0]["LastLoginTime"]) == (2, "", None)
    assert cam.code("DescribeSubAccounts", FilterSubAccountUin=list(range(51))) == "InvalidParameter"


def test_all_accounts_can_be_walked_through_page_by_page(cam: Cam, rolecall: Rolecall) -> None:
    for _ in range(3):
        cam.add()
    walked, marker = [], ""
    while True:
        page = cam.ok("ListAccounts", MaxItems=2, Marker=marker)
        walked += page["Users"]
        marker = page["Marker"]
        if not page["IsTruncated"]:
            break
    assert walked[0]["UserType"] == "Owner"
    uins = [one["Uin"] for one in walked[1:]]
    assert uins == sorted({one["Uin"] for one in cam.ok("ListUsers")["Data"]})
    assert {one["UserType"] for one in walked[1:]} == {"SubUser"}
    assert cam.ok("ListAccounts", UserType="CICUser")["Users"] == []
    assert len(cam.ok("ListAccounts", UserType="Owner")["Users"]) == 1


def test_keys_live_from_making_to_deleting(cam: Cam, strict: Rolecall) -> None:
    uin = cam.add()["Uin"]
    made = cam.ok("CreateAccessKey", TargetUin=uin, Description="ci:build")["AccessKey"]
    assert (made["Status"], made["Description"]) == ("Active", "ci:build")
    callers = [Cam(each, made["AccessKeyId"], made["SecretAccessKey"]) for each in (cam.rolecall, strict)]
    named = {"TargetUin": uin, "AccessKeyId": made["AccessKeyId"]}

    def codes() -> set[str]:
        return {each.code("GetUserAppId") for each in callers}

    assert codes() == {""}
    cam.ok("UpdateAccessKey", **named, Status="Inactive")
    assert codes() == {"AuthFailure.SecretIdNotFound"}
    cam.ok("UpdateAccessKey", **named, Status="Active")
    assert codes() == {""}
    cam.ok("CreateAccessKey", TargetUin=uin)
    assert cam.code("CreateAccessKey", TargetUin=uin) == "OperationDenied.AccessKeyOverLimit"
    listed = cam.ok("ListAccessKeys", TargetUin=uin)["AccessKeys"]
    assert listed[0]["AccessKeyId"] == made["AccessKeyId"]
    assert "SecretAccessKey" not in listed[0]
    cam.ok("DeleteAccessKey", **named)
    assert codes() == {"AuthFailure.SecretIdNotFound"}
    assert cam.code("DeleteAccessKey", **named) == "ResourceNotFound.SecretNotExist"


def test_keys_are_told_apart_by_whose_they_are(cam: Cam, rolecall: Rolecall) -> None:
    first, second = cam.add(UseApi=1), cam.add(UseApi=1)
    foreign = {"TargetUin": first["Uin"], "AccessKeyId": second["SecretId"]}
    assert cam.code("DeleteAccessKey", **foreign) == "OperationDenied.UinNotMatch"
    assert cam.code("ListAccessKeys", TargetUin=1) == "InvalidParameter.UserNotExist"
    own = [one["AccessKeyId"] for one in cam.ok("ListAccessKeys")["AccessKeys"]]
    assert rolecall.tencent["secret_id"] in own


def test_when_a_key_was_used_last_can_be_asked(cam: Cam) -> None:
    added = cam.add(UseApi=1)
    row = cam.ok("GetSecurityLastUsed", SecretIdList=[added["SecretId"]])["SecretIdLastUsedRows"][0]
    assert (row["LastUsedDate"], row["LastSecretUsedDate"]) == (None, None)
    before = int(time.time() * 1000)
    cam.as_user(added).ok("GetUserAppId")
    row = cam.ok("GetSecurityLastUsed", SecretIdList=[added["SecretId"]])["SecretIdLastUsedRows"][0]
    assert row["LastSecretUsedDate"] >= before - 1000
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", row["LastUsedDate"])
    assert cam.code("GetSecurityLastUsed", SecretIdList=["x"] * 11) == "InvalidParameter"


def test_password_rules_are_kept_and_asked_for(cam: Cam, rolecall: Rolecall, user: str) -> None:
    default = cam.ok("GetPasswordRules")["Rules"]
    wanted = {
        "MinimumLength": 12, "MustContain": "a1", "ForcePasswordChange": 90, "ReusePasswordLimit": 3,
        "RetryPasswordLimit": 5, "PasswordExpirationInvalidation": 1,
    }  # fmt: skip
    cam.ok("UpdatePasswordRules", Rules=wanted)
    try:
        told = cam.ok("GetPasswordRules")
        assert told["Rules"] == wanted
        assert told["Modifier"] == cam.ok("GetUserAppId")["Uin"]
        assert told["UpdateTime"]
        assert cam.code("AddUser", Name=user, ConsoleLogin=1, Password="abcdefgh123") != ""
        cam.ok("AddUser", Name=user, ConsoleLogin=1, Password="abcdefgh1234")
        assert cam.code("UpdateUser", Name=user, Password="abcdefgh1234") != ""
        for broken in (
            {"MinimumLength": 7},
            {"MinimumLength": 33},
            {"MustContain": "x"},
            {"RetryPasswordLimit": 11},
        ):
            assert cam.code("UpdatePasswordRules", Rules=broken) == "InvalidParameter.PasswordRuleError"
        assert cam.ok("GetPasswordRules")["Rules"] == wanted
    finally:
        cam.ok("UpdatePasswordRules", Rules=default)
    cam.ok("UpdatePasswordRules", Rules={"MinimumLength": 0})
    assert cam.ok("GetPasswordRules")["Rules"] == default


def test_nobody_is_asked_for_a_second_factor(cam: Cam) -> None:
    flags = cam.ok("DescribeSafeAuthFlagColl", SubUin=cam.add()["Uin"])
    assert set(flags["LoginFlag"].values()) == set(flags["ActionFlag"].values()) == {0}
    assert cam.code("DescribeSafeAuthFlagColl", SubUin=1) == "ResourceNotFound.UserNotExist"


def test_groups_live_from_making_to_deleting(cam: Cam, name: Callable[[str], str]) -> None:
    title, user = name("Group"), cam.add()
    group = cam.ok("CreateGroup", GroupName=title, Remark="first")["GroupId"]
    assert cam.code("CreateGroup", GroupName=title) == "InvalidParameter.GroupNameInUse"
    cam.ok("AddUserToGroup", Info=[{"GroupId": str(group), "Uid": str(user["Uid"])}])
    cam.ok("AddUserToGroup", Info=[{"GroupId": group, "Uin": user["Uin"]}])
    told = cam.ok("GetGroup", GroupId=group)
    assert (told["GroupName"], told["Remark"], told["GroupNum"]) == (title, "first", 1)
    assert [one["Uin"] for one in told["UserInfo"]] == [user["Uin"]]
    cam.ok("UpdateGroup", GroupId=str(group), GroupName=title + "2")
    assert cam.ok("ListGroups", Keyword=title.upper())["GroupInfo"][0]["GroupName"] == title + "2"
    of = cam.ok("ListGroupsForUser", Uid=str(user["Uid"]))
    assert (of["TotalNum"], of["GroupInfo"][0]["GroupId"]) == (1, group)
    assert cam.ok("ListUsersForGroup", GroupId=group, Rp=200)["TotalNum"] == 1
    assert cam.ok("ListUsersForGroup", GroupId=group, Page=2, Rp=1)["UserInfo"] == []
    summary = cam.ok("GetAccountSummary")
    assert min(summary["User"], summary["Group"], summary["Member"]) >= 1
    cam.ok("RemoveUserFromGroup", Info=[{"GroupId": group, "Uin": user["Uin"]}])
    assert cam.ok("ListUsersForGroup", GroupId=group)["TotalNum"] == 0
    cam.ok("DeleteGroup", GroupId=group)
    assert cam.code("GetGroup", GroupId=group) == "ResourceNotFound.UserNotExist"
    assert cam.code("UpdateGroup", GroupId=group, Remark="x") == "ResourceNotFound.GroupNotExist"
    missing = [{"GroupId": group, "Uin": user["Uin"]}]
    assert cam.code("AddUserToGroup", Info=missing) == "InvalidParameter.GroupNotExist"
    assert cam.code("AddUserToGroup", Info=[{"GroupId": group}]) == "InvalidParameter.UserUinAndUinNotAllNull"


def test_tags_are_read_and_written_as_terraform_does(cam: Cam) -> None:
    uin = cam.add()["Uin"]
    resource = f"qcs::cam:ap-guangzhou:uin/:uin/{uin}"
    read = {
        "ServiceType": "cam",
        "ResourcePrefix": "uin",
        "ResourceRegion": "ap-guangzhou",
        "ResourceIds": [str(uin)],
    }
    assert cam.ok("DescribeResourceTagsByResourceIds", "tag", **read)["TotalCount"] == 0
    put = [{"TagKey": "team", "TagValue": "数据"}, {"TagKey": "env", "TagValue": ""}]
    cam.ok("ModifyResourceTags", "tag", Resource=resource, ReplaceTags=put)
    cam.ok("ModifyResourceTags", "tag", Resource=resource, DeleteTags=[{"TagKey": "env"}])
    page = cam.ok("DescribeResourceTagsByResourceIds", "tag", **read, Limit=20, Offset=0)
    assert [(one["TagKey"], one["TagValue"], one["ResourceId"]) for one in page["Tags"]] == [
        ("team", "数据", str(uin))
    ]
    assert cam.ok("DescribeResourceTagsByResourceIds", "tag", **read, Category="System")["Tags"] == []


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"ReplaceTags": [{"TagKey": "", "TagValue": "v"}]}, "InvalidParameterValue.TagKeyEmpty"),
        (
            {"ReplaceTags": [{"TagKey": "k" * 128, "TagValue": "v"}]},
            "InvalidParameterValue.TagKeyLengthExceeded",
        ),
        (
            {"ReplaceTags": [{"TagKey": "a<b", "TagValue": "v"}]},
            "InvalidParameterValue.TagKeyCharacterIllegal",
        ),
        ({"ReplaceTags": [{"TagKey": "Tencent-x", "TagValue": "v"}]}, "InvalidParameter.ReservedTagKey"),
        (
            {"ReplaceTags": [{"TagKey": "k", "TagValue": "v" * 256}]},
            "InvalidParameterValue.TagValueLengthExceeded",
        ),
        (
            {"ReplaceTags": [{"TagKey": "k", "TagValue": "v"}], "DeleteTags": [{"TagKey": "k"}]},
            "InvalidParameterValue.DeleteTagsParamError",
        ),
        (
            {"ReplaceTags": [{"TagKey": "k", "TagValue": "1"}, {"TagKey": "k", "TagValue": "2"}]},
            "InvalidParameter.Tag",
        ),
        (
            {"DeleteTags": [{"TagKey": "k"}], "Resource": "x"},
            "InvalidParameterValue.ResourceDescriptionError",
        ),
        (
            {"DeleteTags": [{"TagKey": "k"}], "Resource": "qcs::cam::uin/1:uin/2"},
            "InvalidParameterValue.ResourceDescriptionError",
        ),
        ({}, "MissingParameter"),
    ],
)
def test_a_wrong_tag_is_refused_with_its_own_code(cam: Cam, wrong: dict[str, Any], code: str) -> None:
    resource = {"Resource": f"qcs::cam::uin/:uin/{secrets.randbelow(10**6)}"}
    assert cam.code("ModifyResourceTags", "tag", **resource | wrong) == code


def test_a_secret_is_shown_once_and_stands_in_no_row_and_no_log(
    cam: Cam, rolecall: Rolecall, user: str
) -> None:
    added = cam.ok("AddUser", Name=user, ConsoleLogin=1, UseApi=1)
    told = json.dumps([cam.ok("GetUser", Name=user), cam.ok("ListUsers"), cam.ok("ListAccessKeys")])
    logs = "".join(path.read_text(errors="replace") for path in rolecall.data.parent.glob("*.log"))
    listed = rolecall.cli("operation", "list", "--json").stdout
    for secret in (added["Password"], added["SecretKey"]):
        assert secret not in told
        assert secret not in logs
        assert secret not in listed
    assert user in listed


# sub-users that are permitted something


@pytest.fixture
def permitted(cam: Cam, name: Callable[[str], str]) -> Iterator[Callable[..., tuple[Cam, dict[str, Any]]]]:
    """Makes a sub-user with a key and one policy: (actions, resources) that it allows."""
    made: list[int] = []

    def make(actions: list[str], resources: list[str]) -> tuple[Cam, dict[str, Any]]:
        added = cam.add(UseApi=1)
        statement = {"effect": "allow", "action": actions, "resource": resources}
        document = json.dumps({"version": "2.0", "statement": [statement]})
        policy = cam.ok("CreatePolicy", PolicyName=name("p"), PolicyDocument=document)["PolicyId"]
        made.append(policy)
        cam.ok("AttachUserPolicy", PolicyId=policy, AttachUin=added["Uin"])
        return cam.as_user(added), added

    yield make
    if made:
        cam.ok("DeletePolicy", PolicyId=made)


def test_a_sub_user_may_be_let_manage_its_own_keys_and_no_others(cam: Cam, permitted: Any) -> None:
    root = cam.ok("GetUserAppId")["OwnerUin"]
    clerk, added = permitted(["cam:*AccessKey*"], [f"qcs::cam::uin/{root}:uin/${{uin}}"])
    other = cam.add(UseApi=1)
    assert [one["AccessKeyId"] for one in clerk.ok("ListAccessKeys")["AccessKeys"]] == [added["SecretId"]]
    second = clerk.ok("CreateAccessKey", TargetUin=added["Uin"])["AccessKey"]["AccessKeyId"]
    clerk.ok("DeleteAccessKey", AccessKeyId=second)
    for target in (other["Uin"], int(root)):
        assert clerk.code("ListAccessKeys", TargetUin=target) == "AuthFailure.UnauthorizedOperation"
    assert clerk.code("DeleteAccessKey", AccessKeyId=other["SecretId"]) == "OperationDenied.UinNotMatch"


def test_a_sub_user_that_may_do_everything_still_does_not_touch_the_roots_keys(
    cam: Cam, permitted: Any
) -> None:
    clerk, _ = permitted(["cam:*"], ["*"])
    root = int(cam.ok("GetUserAppId")["OwnerUin"])
    for action, more in (
        ("CreateAccessKey", {}),
        ("ListAccessKeys", {}),
        ("DeleteAccessKey", {"AccessKeyId": cam.rolecall.tencent["secret_id"]}),
    ):
        assert clerk.code(action, TargetUin=root, **more) == "OperationDenied.SubUin"


def test_force_takes_the_permission_to_delete_keys(cam: Cam, permitted: Any) -> None:
    clerk, _ = permitted(["cam:DeleteUser"], ["*"])
    chief, _ = permitted(["cam:DeleteUser", "cam:DeleteApiKey"], ["*"])
    keyed, bare = cam.add(UseApi=1), cam.add()
    assert clerk.code("DeleteUser", Name=keyed["Name"], Force=1) == "UnauthorizedOperation.DeleteApiKey"
    assert cam.as_user(keyed).code("GetUserAppId") == ""
    clerk.ok("DeleteUser", Name=bare["Name"], Force=1)
    chief.ok("DeleteUser", Name=keyed["Name"], Force=1)


def test_a_permission_for_one_name_is_for_no_other(cam: Cam, permitted: Any, user: str) -> None:
    root = cam.ok("GetUserAppId")["OwnerUin"]
    clerk, _ = permitted(["cam:AddUser", "cam:GetUser"], [f"qcs::cam::uin/{root}:name/{user}-*"])
    clerk.ok("AddUser", Name=f"{user}-1")
    assert clerk.ok("GetUser", Name=f"{user}-1")["Name"] == f"{user}-1"
    assert clerk.code("AddUser", Name=user) == "AuthFailure.UnauthorizedOperation"
