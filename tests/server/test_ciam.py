"""User stores over the wire: the vendor page's example, what is shown of users, and their lives."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from typing import Any

import argon2
import pytest
from tests.conftest import Rolecall
from tests.server.ciam import FIRST_PAGE, NOBODY, Ciam, somebody
from tests.server.ciam_page import EXAMPLE, LATER_KEYS, USER_KEYS

Rows = Callable[..., list[tuple[Any, ...]]]
HEX = re.compile(r"[0-9a-f]{32}")
PASSWORD = "Right-Horse-42"


def test_the_pages_example_succeeds_as_printed_but_for_its_masked_ids(ciam: Ciam) -> None:
    group = ciam.group()
    before = time.time() * 1000 - 2000
    answer = ciam.call("CreateUser", EXAMPLE | {"UserStoreId": ciam.store, "UserGroup": [group]})
    assert answer.keys() == {"User", "RequestId"}
    user = answer["User"]
    assert [key for key in user if key not in LATER_KEYS] == list(USER_KEYS)
    assert user.keys() == set(USER_KEYS) | LATER_KEYS
    same = ("PhoneNumber", "Email", "Nickname", "Address", "Birthdate", "UserName", *(
        f"IndexedAttribute{number}" for number in range(1, 6)
    ))  # fmt: skip
    assert {key: user[key] for key in same} == {key: EXAMPLE[key] for key in same}
    assert user["CustomAttributes"] == EXAMPLE["CustomizationAttributes"]
    assert user["UserGroups"] == [group]
    assert HEX.fullmatch(user["UserId"])
    assert (user["UserStoreId"], user["Status"], user["UserDataSourceEnum"]) == (
        ciam.store,
        "NORMAL",
        "ADMIN",
    )
    assert user["TenantId"] == str(ciam.rolecall.ready["owner"]["uin"])
    assert user["Primary"] is True
    assert user["AlreadyFirstLogin"] is user["IdentityVerified"] is False
    assert before < user["CreatedDate"] == user["LastModifiedDate"]
    assert user["Version"] == 0
    nulls = {key for key in user if user[key] is None}
    assert nulls == {
        "LastSignOn", "ResidentIdentityCard", "QqOpenId", "QqUnionId", "WechatOpenId", "WechatUnionId",
        "AlipayUserId", "WeComUserId", "Description", "Name", "Locale", "Gender", "IdentityVerificationMethod", "Job",
        "Nationality", "Zone", "LockType", "LockTime",
    }  # fmt: skip
    assert ciam.shown(user["UserId"]) == user


def test_the_quickstart_store_is_the_default_one(rolecall: Rolecall) -> None:
    stores = Ciam(rolecall).call("ListUserStore", {})["UserStoreSet"]
    quickstart = stores[0]
    assert quickstart["UserStoreId"] == rolecall.tencent["user_store_id"]
    assert quickstart["DefaultStatus"] is True
    assert [store["DefaultStatus"] for store in stores[1:]] == [False] * (len(stores) - 1)


@pytest.mark.parametrize(
    "name",
    [
        "zhangsan", "张三", "شهرام", "אבי", "👩‍🚀 Ada", "👨‍👩‍👧‍👦", "❤️‍🔥", "🏳️‍🌈", "Ёлка", "a.b-c_d", "O'Brien \"x\"",
        "ada@example.com",
        "नमस्ते", "x" * 128, "{value} %s %(x)s", "名\u3000字",
    ],
)  # fmt: skip
def test_names_of_any_script_and_emoji_are_kept_as_they_are(ciam: Ciam, name: str) -> None:
    user = ciam.create(UserName=name, Nickname=name, Address=name)
    assert (user["UserName"], user["Nickname"], user["Address"]) == (name, name, name)
    assert ciam.shown(user["UserId"]) == user
    found = ciam.ok(
        "DescribeUser", Pageable=FIRST_PAGE, Filters=[{"PropertyKey": "userName", "PropertyValue": name}]
    )
    assert [one["UserId"] for one in found["Content"]] == [user["UserId"]]


@pytest.mark.parametrize(
    "phone",
    ["13800138000", "+86-13800138000", "+86 13800138000", "+8613800138000", "+1-2025550123", "10086", "132****0000"]
)  # fmt: skip
def test_phone_numbers_are_kept_as_they_are(ciam: Ciam, phone: str) -> None:
    assert ciam.create(PhoneNumber=phone)["PhoneNumber"] == phone


@pytest.mark.parametrize("mail", ["a@b.cd", "a.b+c@x-y.example.com", "用户@例子.中国", "132****@qq.com"])
def test_mail_addresses_are_kept_as_they_are(ciam: Ciam, mail: str) -> None:
    assert ciam.create(Email=mail)["Email"] == mail


def test_what_is_required_alone_makes_a_user(ciam: Ciam) -> None:
    user = ciam.create()
    assert user["UserGroups"] == user["UserGroupNames"] == user["CustomAttributes"] == []
    assert user["Nickname"] is user["Address"] is user["Birthdate"] is user["IndexedAttribute1"] is None


def test_null_is_as_absent_and_empty_is_kept(ciam: Ciam) -> None:
    user = ciam.create(Nickname=None, Address="", UserGroup=None, IndexedAttribute1="", Birthdate=None)
    assert (user["Nickname"], user["Address"], user["IndexedAttribute1"]) == (None, "", "")


def test_a_group_named_twice_is_one_and_groups_have_names(ciam: Ciam) -> None:
    first, second = ciam.group("first"), ciam.group("second")
    user = ciam.create(UserGroup=[second, first, second])
    assert user["UserGroups"] == [second, first]
    assert user["UserGroupNames"] == ["second", "first"]
    assert ciam.shown(user["UserId"])["UserGroupNames"] == ["first", "second"]  # as they were made


def test_numbers_may_come_as_text(ciam: Ciam) -> None:
    """The vendor's examples send integers so."""
    assert ciam.create(Birthdate="1706682491339")["Birthdate"] == 1706682491339
    assert ciam.create(Birthdate=-1)["Birthdate"] == -1


def test_a_password_is_kept_as_argon2id_and_stands_nowhere_else(ciam: Ciam, store: Rows) -> None:
    password = "Correct-Horse-77-\u00fc"
    user = ciam.create(Password=password)
    ((stored,),) = store("select password_hash from users where id = %s", user["UserId"])
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert argon2.PasswordHasher().verify(stored, password)
    everything = store(
        "select to_jsonb(e) from directory_events e union all select to_jsonb(o) from operations o where kind like"
        " 'user.%%'"
    )
    assert password not in json.dumps(everything, ensure_ascii=False)


def test_a_user_its_event_and_its_record_are_made_together(ciam: Ciam, store: Rows) -> None:
    answer = ciam.ok("CreateUser", **somebody())
    user = answer["User"]["UserId"]
    ((target, state, action, name),) = store(
        "select target, state, action, detail->>'name' from operations where request_id = %s",
        answer["RequestId"],
    )
    assert (target, state, action) == (user, "recorded", "CreateUser")
    assert name == answer["User"]["UserName"]
    assert store("select kind, user_id::text from directory_events where user_id = %s", user) == [
        ("user.create", f"{user[:8]}-{user[8:12]}-{user[12:16]}-{user[16:20]}-{user[20:]}")
    ]


# what is shown


def test_reads_are_masked_unless_the_original_is_asked_for(ciam: Ciam) -> None:
    user = ciam.create(PhoneNumber="+86-13812345678", Email="ada.lovelace@example.com", UserName="ada")
    reads = {
        "DescribeUserById": {"UserId": user["UserId"]},
        "ListUser": {"Pageable": FIRST_PAGE},
        "DescribeUser": {"Pageable": FIRST_PAGE},
        "ListUserByProperty": {"PropertyCode": "phoneNumber", "PropertyValue": "+86-13812345678"},
    }
    for action, params in reads.items():
        for original, expected in (
            ({}, ("+86-138****5678", "ada****@example.com")),
            ({"Original": False}, ("+86-138****5678", "ada****@example.com")),
            ({"Original": True}, (user["PhoneNumber"], user["Email"])),
        ):
            answer = ciam.ok(action, **params, **original)
            (found,) = answer.get("Content") or answer.get("Users") or [answer["User"]]
            assert (found["PhoneNumber"], found["Email"]) == expected
            assert found["UserName"] == "ada"


def test_nobody_is_shown_as_null(ciam: Ciam) -> None:
    for user_id in (NOBODY, "", "x", "A" * 32):
        assert ciam.ok("DescribeUserById", UserId=user_id)["User"] is None


def test_a_user_of_another_store_is_not_shown_changed_or_deleted(ciam: Ciam) -> None:
    other = Ciam(ciam.rolecall)
    user = other.create()["UserId"]
    assert ciam.shown(user) is None
    assert ciam.code("UpdateUser", UserId=user, Nickname="x") == "FailedOperation.UserNotFound"
    assert ciam.code("SetPassword", UserId=user, Password="x") == "FailedOperation.UserNotFound"
    assert ciam.code("UpdateUserStatus", UserId=user, Status="LOCK") == "FailedOperation.UserNotFound"
    ciam.ok("DeleteUsers", UserIds=[user])
    assert other.shown(user) is not None
    other.ok("DeleteUsers", UserIds=[user])


def test_pages_hold_the_newest_first_and_each_user_once(ciam: Ciam) -> None:
    made = [ciam.create()["UserId"] for _ in range(5)][::-1]
    pages = [ciam.ok("ListUser", Pageable={"PageSize": 2, "PageNumber": number}) for number in (1, 2, 3, 4)]
    assert [[user["UserId"] for user in page["Content"]] for page in pages] == [
        made[:2], made[2:4], made[4:], [],
    ]  # fmt: skip
    assert {page["Total"] for page in pages} == {5}
    assert pages[1]["Pageable"] == {"PageSize": 2, "PageNumber": 2}


@pytest.mark.parametrize("page", [{"PageSize": 0, "PageNumber": 1}, {"PageSize": 1001, "PageNumber": 1},
                                  {"PageSize": 1, "PageNumber": 0}, {"PageSize": -1, "PageNumber": 1}])  # fmt: skip
def test_pages_count_from_one_and_are_bounded(ciam: Ciam, page: dict[str, int]) -> None:
    assert ciam.code("ListUser", Pageable=page) == "InvalidParameterValue"


def test_a_page_needs_both_its_numbers(ciam: Ciam) -> None:
    assert ciam.code("ListUser", Pageable={"PageSize": 1}) == "MissingParameter"
    assert ciam.code("ListUser") == "MissingParameter"


def ids(answer: dict[str, Any]) -> set[str]:
    assert answer["Total"] == len(answer["Content"])
    return {user["UserId"] for user in answer["Content"]}


def test_users_are_listed_by_a_part_of_what_names_them_and_by_group(ciam: Ciam) -> None:
    group, empty = ciam.group(), ciam.group()
    ada = ciam.create(UserName="Ada_100%", Email="lovelace@one.example", UserGroup=[group])
    eve = ciam.create(UserName="Eve", PhoneNumber="+86-13811112222", Nickname="昵称1")

    def listed(*filters: dict[str, Any]) -> set[str]:
        return ids(ciam.ok("ListUser", Pageable=FIRST_PAGE, Filters=list(filters)))

    both = {ada["UserId"], eve["UserId"]}
    for part in ("ada", "ADA_1", "a_100%", "LOVELACE", "one.example", ada["UserId"]):
        assert listed({"Key": "condition", "Values": [part]}) == {ada["UserId"]}
        assert listed({"Key": "condition", "Values": [part], "Logic": False}) == {eve["UserId"]}
    assert listed({"Key": "condition", "Values": ["1111"]}) == {eve["UserId"]}
    assert listed({"Key": "condition", "Values": ["ada", "eve"]}) == both
    assert listed({"Key": "condition", "Values": ["ada%"]}) == set()
    assert listed({"Key": "condition", "Values": []}) == both
    assert listed({"Key": "userGroup", "Values": [group]}) == {ada["UserId"]}
    assert listed({"Key": "userGroup", "Values": [group], "Logic": False}) == {eve["UserId"]}
    assert listed({"Key": "userGroup", "Values": [empty, group, "x"]}) == {ada["UserId"]}
    assert listed({"Key": "userGroup", "Values": ["x"]}) == set()
    assert listed({"Key": "nickname", "Values": ["昵称1"]}) == {eve["UserId"]}
    assert listed({"Key": "userOrg", "Values": ["x"]}) == set()
    assert listed({"Key": "condition", "Values": ["e"]}, {"Key": "userGroup", "Values": [group]}) == {
        ada["UserId"]
    }
    code = ciam.code("ListUser", Pageable=FIRST_PAGE, Filters=[{"Key": "shoe", "Values": ["1"]}])
    assert code == "InvalidParameterValue"


def test_users_are_queried_by_property_and_operator(ciam: Ciam) -> None:
    group = ciam.group()
    first = ciam.create(IndexedAttribute1="a", IndexedAttribute2="x", UserName="aa", UserGroup=[group])
    second = ciam.create(
        IndexedAttribute1="b",
        UserName="bb",
        Nickname="n",
        CustomizationAttributes=[{"Name": "shoe", "Value": "42"}],
        Birthdate=5,
    )
    one, two = {first["UserId"]}, {second["UserId"]}

    def found(*asked: dict[str, Any]) -> set[str]:
        return ids(ciam.ok("DescribeUser", Pageable=FIRST_PAGE, Filters=list(asked)))

    def by(key: str, value: str, operator: str = "", **logic: bool) -> dict[str, Any]:
        said = {"OperateLogic": operator} if operator else {}
        return {"PropertyKey": key, "PropertyValue": value, **said, **logic}

    assert found() == one | two
    for key, value in {
        "id": first["UserId"],
        "userName": "aa",
        "phoneNumber": first["PhoneNumber"],
        "email": first["Email"],
        "userGroup": group,
        "indexedAttribute1": "a",
        "indexedAttribute2": "x",
        "lastModifiedDate": str(first["LastModifiedDate"]),
    }.items():
        if key != "lastModifiedDate":
            assert found(by(key, value)) == found(by(key, value, "=")) == one
            assert found(by(key, value, Logic=False)) == found(by(key, value, "!=")) == two
    assert found(by("indexedAttribute1", "a", ">")) == two
    assert found(by("indexedAttribute1", "a", ">=")) == one | two
    assert found(by("indexedAttribute1", "b", "<")) == one
    assert found(by("userName", "b", "<=")) == one
    assert found(by("indexedAttribute1", "a,az", "between")) == one
    assert found(by("lastModifiedDate", f"0,{first['LastModifiedDate'] + 10**9}", "BETWEEN")) == one | two
    assert found(by("lastModifiedDate", str(first["LastModifiedDate"] + 10**9), ">")) == set()
    assert found(by("userName", "a", ">"), by("shoe", "42")) == two
    assert found(by("userName", "a", ">"), by("nickname", "n")) == two
    assert found(by("userName", "a", ">"), by("birthdate", "4", ">")) == two
    assert found(by("userName", "a", ">"), by("status", "NORMAL")) == one | two
    assert found(by("userName", "a", ">"), by("status", "no such")) == set()
    assert found(by("id", "x")) == set()
    assert found(by("qqOpenId", "x")) == set()
    assert found(by("lastModifiedDate", "-9999999999999999", ">")) == one | two
    assert found(by("lastModifiedDate", "9999999999999999", "<")) == one | two


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ([{"PropertyKey": "nickname", "PropertyValue": "n"}], "QueryUsersParameterMustInWhitelist"),
        ([{"PropertyKey": "UserName", "PropertyValue": "n"}], "QueryUsersParameterMustInWhitelist"),
        ([{"PropertyValue": "n"}], "QueryUsersParameterMustInWhitelist"),
        (
            [{"PropertyKey": "email", "PropertyValue": "a"}, {"PropertyKey": "email", "PropertyValue": "b"}],
            "QueryUsersParameterRepeat",
        ),
    ],
)
def test_queries_must_name_something_of_the_whitelist_and_each_once(
    ciam: Ciam, asked: list[dict[str, str]], code: str
) -> None:
    assert ciam.code("DescribeUser", Pageable=FIRST_PAGE, Filters=asked) == f"FailedOperation.{code}"


@pytest.mark.parametrize(
    "wrong",
    [
        {"PropertyKey": "userName", "PropertyValue": "a", "OperateLogic": "~"},
        {"PropertyKey": "userName", "PropertyValue": "a", "OperateLogic": "between"},
        {"PropertyKey": "userGroup", "PropertyValue": "a", "OperateLogic": ">"},
        {"PropertyKey": "lastModifiedDate", "PropertyValue": "yesterday", "OperateLogic": ">"},
    ],
)
def test_operators_and_values_must_fit(ciam: Ciam, wrong: dict[str, str]) -> None:
    assert ciam.code("DescribeUser", Pageable=FIRST_PAGE, Filters=[wrong]) == "InvalidParameterValue"


@pytest.mark.parametrize(
    "key",
    ["id", "userName", "phoneNumber", "email", "userGroup", "alipayUserId", "wechatOpenId", "wechatUnionId", "qqOpenId",
     "qqUnionId", "lastModifiedDate", *(f"indexedAttribute{number}" for number in range(1, 6))],
)  # fmt: skip
def test_users_are_sorted_by_every_key_of_the_whitelist(ciam: Ciam, key: str) -> None:
    for letter in "bca":
        ciam.create(UserName=letter, IndexedAttribute1=letter, UserGroup=[ciam.group()])
    up, down = (
        ciam.ok("DescribeUser", Pageable=FIRST_PAGE, Sort={"PropertyKey": key, "Order": order})["Content"]
        for order in ("ASC", "desc")
    )
    assert up == down[::-1]
    if key in ("userName", "indexedAttribute1"):
        assert [user["UserName"] for user in up] == ["a", "b", "c"]


def test_a_sort_must_be_by_the_whitelist_and_up_or_down(ciam: Ciam) -> None:
    def code(**sort: str) -> str:
        return ciam.code("DescribeUser", Pageable=FIRST_PAGE, Sort=sort)

    assert code(PropertyKey="nickname") == "FailedOperation.QueryUsersSortParameterMustInWhitelist"
    assert code(PropertyKey="email", Order="decs") == "InvalidParameterValue"


def test_a_user_is_found_by_the_whole_phone_or_mail(ciam: Ciam) -> None:
    user = ciam.create()
    for code, key in (("phoneNumber", "PhoneNumber"), ("email", "Email")):
        found = ciam.ok("ListUserByProperty", PropertyCode=code, PropertyValue=user[key], Original=True)
        assert found["Users"] == [user]
        assert ciam.ok("ListUserByProperty", PropertyCode=code, PropertyValue=user[key][:-1])["Users"] == []
    assert (
        ciam.code("ListUserByProperty", PropertyCode="userName", PropertyValue="x") == "InvalidParameterValue"
    )


# what changes


def test_a_change_leaves_what_it_does_not_name(ciam: Ciam) -> None:
    group, other = ciam.group("one"), ciam.group("other")
    user = ciam.create(
        Nickname="n", UserGroup=[group], CustomizationAttributes=[{"Name": "k", "Value": "v"}], Birthdate=1
    )
    of = {"UserId": user["UserId"]}
    changed = ciam.ok("UpdateUser", **of, Nickname="m", IndexedAttribute3="i")["User"]
    assert changed == user | {
        "Nickname": "m", "IndexedAttribute3": "i", "Version": 1, "LastModifiedDate": changed["LastModifiedDate"],
    }  # fmt: skip
    assert changed["LastModifiedDate"] >= user["LastModifiedDate"]
    moved = ciam.ok(
        "UpdateUser", **of, UserGroup=[other], CustomizationAttributes=[], Birthdate=2, UserName="new name",
        PhoneNumber="+1-2025550123", Email="new@example.com", Address="",
    )["User"]  # fmt: skip
    assert (moved["UserGroups"], moved["UserGroupNames"]) == ([other], ["other"])
    assert (moved["CustomAttributes"], moved["Birthdate"], moved["Address"]) == ([], 2, "")
    assert (moved["UserName"], moved["PhoneNumber"], moved["Email"]) == (
        "new name", "+1-2025550123", "new@example.com",
    )  # fmt: skip
    assert ciam.ok("UpdateUser", **of, UserGroup=[])["User"]["UserGroups"] == []
    assert ciam.shown(user["UserId"])["Version"] == 3


def test_what_is_read_masked_and_sent_back_changes_nothing(ciam: Ciam) -> None:
    user = ciam.create(PhoneNumber="+86-13812345678", Email="lovelace@example.com")
    read = ciam.shown(user["UserId"], original=False)
    assert read is not None
    back = {key: read[key] for key in ("UserName", "PhoneNumber", "Email", "UserGroups")}
    back["UserGroup"] = back.pop("UserGroups")
    after = ciam.ok("UpdateUser", UserId=user["UserId"], **back)["User"]
    assert (after["PhoneNumber"], after["Email"]) == (user["PhoneNumber"], user["Email"])
    for wrong in ({"PhoneNumber": "+86-139****5678"}, {"Email": "abc****@example.com"}):
        assert (
            ciam.code("UpdateUser", UserId=user["UserId"], **wrong) == "FailedOperation.AttributeFormatError"
        )


def test_a_change_is_refused_for_what_is_taken_missing_or_malformed(ciam: Ciam) -> None:
    there, user = ciam.create(), ciam.create()
    of = {"UserId": user["UserId"]}
    for wrong, code in (
        ({"UserName": there["UserName"]}, "UserNameAlreadyExists"),
        ({"PhoneNumber": there["PhoneNumber"]}, "PhoneNumberAlreadyExists"),
        ({"Email": there["Email"]}, "EmailAlreadyExists"),
        ({"UserGroup": [NOBODY]}, "UserGroupNotFound"),
        ({"UserName": " x"}, "AttributeFormatError"),
        ({"Email": "x"}, "AttributeFormatError"),
        ({"IndexedAttribute1": "x" * 513}, "IndexedAttributeTooLong"),
    ):
        assert ciam.code("UpdateUser", **of, Nickname="n", **wrong) == f"FailedOperation.{code}"
        assert ciam.code("UpdateUser", **of, DryRun=True, **wrong) == f"FailedOperation.{code}"
    assert ciam.code("UpdateUser", UserId=NOBODY, Nickname="n") == "FailedOperation.UserNotFound"
    assert ciam.code("UpdateUser", **of, Nickname="n", DryRun=True) == "DryRunOperation"
    assert ciam.shown(user["UserId"]) == user
    assert ciam.ok("UpdateUser", **of, UserName=user["UserName"])["User"]["UserName"] == user["UserName"]


def test_status_goes_from_normal_to_locked_and_frozen_and_back(ciam: Ciam) -> None:
    user = ciam.create()["UserId"]
    for status in ("LOCK", "FREEZE", "NORMAL"):
        ciam.ok("UpdateUserStatus", UserId=user, Status=status)
        shown = ciam.shown(user)
        assert shown is not None
        assert shown["Status"] == status
        assert (shown["LockType"] is None) == (shown["LockTime"] is None) == (status == "NORMAL")
    code = "FailedOperation."
    assert ciam.code("UpdateUserStatus", UserId=user, Status="") == code + "UserStatusRequired"
    assert ciam.code("UpdateUserStatus", UserId=user, Status="normal") == code + "InvalidUserStatusEnum"
    assert ciam.code("UpdateUserStatus", UserId=NOBODY, Status="LOCK") == code + "UserNotFound"
    assert ciam.code("UpdateUserStatus", UserId=user, Status="LOCK", DryRun=True) == "DryRunOperation"


def verifies(store: Rows, user: str, password: str) -> bool:
    ((stored,),) = store("select password_hash from users where id = %s", user)
    try:
        return argon2.PasswordHasher().verify(stored, password)
    except argon2.exceptions.VerifyMismatchError:
        return False


def test_passwords_are_set_and_reset_but_not_of_the_frozen(ciam: Ciam, store: Rows) -> None:
    user = ciam.create()["UserId"]
    ciam.ok("SetPassword", UserId=user, Password="password")
    assert verifies(store, user, "password")
    fresh = ciam.ok("ResetPassword", UserId=user)["Password"]
    assert verifies(store, user, fresh)
    assert not verifies(store, user, "password")
    assert re.fullmatch(r"(?=.*[a-z])(?=.*[A-Z])(?=.*\d)(?=.*[^A-Za-z0-9])\S{16}", fresh)
    assert ciam.code("SetPassword", UserId=user, Password="") == "FailedOperation.PasswordIsNull"
    assert ciam.code("SetPassword", UserId=user, Password="x" * 2**20) == "InvalidParameter.ParameterIllegal"
    assert ciam.code("ResetPassword", UserId=NOBODY) == "FailedOperation.UserNotFound"
    assert ciam.code("ResetPassword", UserId=user, DryRun=True) == "DryRunOperation"
    ciam.ok("UpdateUserStatus", UserId=user, Status="FREEZE")
    assert ciam.code("SetPassword", UserId=user, Password="x") == "FailedOperation.UserIsFreeze"
    assert ciam.code("ResetPassword", UserId=user) == "FailedOperation.UserIsFreeze"
    assert verifies(store, user, fresh)
    ciam.ok("UpdateUserStatus", UserId=user, Status="LOCK")
    ciam.ok("SetPassword", UserId=user, Password="x")


def test_deleting_is_idempotent_and_frees_what_was_the_users_own(ciam: Ciam) -> None:
    sent = somebody()
    user = ciam.create(**sent)["UserId"]
    assert ciam.code("DeleteUsers", UserIds=[user], DryRun=True) == "DryRunOperation"
    ciam.ok("DeleteUsers", UserIds=[user, NOBODY, "x", user])
    ciam.ok("DeleteUsers", UserIds=[user])
    ciam.ok("DeleteUsers", UserIds=[])
    assert ciam.shown(user) is None
    assert ciam.ok("ListUser", Pageable=FIRST_PAGE)["Total"] == 0
    assert ciam.create(**sent)["UserId"] != user
    assert ciam.code("DeleteUsers", UserIds=[NOBODY] * 101) == "LimitExceeded"


def test_accounts_are_linked_once(ciam: Ciam) -> None:
    first, second, third = (ciam.create()["UserId"] for _ in range(3))

    def link(primary: str, secondary: str, on: str = "EMAIL", **more: Any) -> str:
        params = {"PrimaryUserId": primary, "SecondaryUserId": secondary, "UserLinkedOnAttribute": on}
        return ciam.code("LinkAccount", **params, **more)

    assert link(NOBODY, second) == "FailedOperation.PrimaryUserNotFound"
    assert link("x", second) == "FailedOperation.PrimaryUserNotFound"
    assert link(first, NOBODY) == "FailedOperation.SecondaryUserNotFound"
    assert link(first, second, "SHOE") == "FailedOperation.InvalidUserStatusEnum"
    assert link(first, first) == "FailedOperation.AccountAlreadyBeLinked"
    assert link(first, second, DryRun=True) == "DryRunOperation"
    assert link(first, second, "PHONENUMBER") == ""
    assert [ciam.shown(one)["Primary"] for one in (first, second)] == [True, False]
    for primary, secondary in ((first, second), (third, second), (second, third), (third, first)):
        assert link(primary, secondary) == "FailedOperation.AccountAlreadyBeLinked"
    ciam.ok("DeleteUsers", UserIds=[first])
    assert ciam.shown(second)["Primary"] is True


# stores, groups, the log


def test_a_store_lives_from_creation_to_deletion(rolecall: Rolecall) -> None:
    owner = Ciam(rolecall)

    def call(action: str, **params: Any) -> Any:
        answer = owner.call(action, params)
        return answer.get("Error", {}).get("Code") or answer

    def row(pool: str) -> dict[str, Any] | None:
        rows = call("ListUserStore")["UserStoreSet"]
        return next((one for one in rows if one["UserStoreId"] == pool), None)

    name = f"目录 {time.time_ns()}"
    pool = call("CreateUserStore", UserPoolName=name, UserPoolLogo="https://x.example/y.png")["UserStoreId"]
    assert HEX.fullmatch(pool)
    assert call("CreateUserStore", UserPoolName=name) == "FailedOperation.UserStoreAlreadyExists"
    assert call("CreateUserStore", UserPoolName="") == "InvalidParameter.ParameterIllegal"
    assert call("CreateUserStore", UserPoolName="x" * 129) == "InvalidParameter.ParameterIllegal"
    assert call("CreateUserStore", UserPoolName="other", DryRun=True) == "DryRunOperation"
    inside = Ciam(rolecall, pool)
    inside.create(UserGroup=[inside.group()])
    made = row(pool)
    assert made is not None
    assert list(made) == [
        "TenantId", "UserStoreLogo", "UserStoreDesc", "UserStoreName", "UserNum", "UserStoreId", "AppNum", "LastStatus",
        "DefaultStatus", "CreateDate", "LastStatusTime", "UserStoreProtocolHost",
    ]  # fmt: skip
    assert (made["UserStoreName"], made["UserNum"], made["UserStoreDesc"]) == (name, 1, None)
    call("UpdateUserStore", UserPoolId=pool, UserPoolDesc="d")
    assert call("UpdateUserStore", UserPoolId=pool, UserPoolName="quickstart") == (
        "FailedOperation.UserStoreAlreadyExists"
    )
    assert row(pool) == made | {"UserStoreDesc": "d"}
    for action in ("UpdateUserStore", "DeleteUserStore"):
        assert call(action, UserPoolId=NOBODY) == "FailedOperation.UserStoreNotExist"
        assert call(action, UserStoreId=pool) == "MissingParameter"  # the id is called UserPoolId here
        assert call(action, UserPoolId=pool, DryRun=True) == "DryRunOperation"
    call("DeleteUserStore", UserPoolId=pool)
    assert row(pool) is None
    assert inside.code("ListUser", Pageable=FIRST_PAGE) == "FailedOperation.InvalidUserStore"
    assert call("DeleteUserStore", UserPoolId=pool) == "FailedOperation.UserStoreNotExist"


def test_a_group_lives_from_creation_to_deletion(ciam: Ciam) -> None:
    group = ciam.ok("CreateUserGroup", DisplayName="组", Description="d")["UserGroupId"]
    second = ciam.group("second")

    def listed(**filters: Any) -> list[str]:
        asked = {"Filters": [filters]} if filters else {}
        page = ciam.ok("ListUserGroups", Pageable=FIRST_PAGE, **asked)
        assert page["Total"] == len(page["Content"])
        return [one["UserGroupId"] for one in page["Content"]]

    assert listed() == [group, second]
    assert listed(Key="condition", Values=["组"]) == listed(Key="condition", Values=[group]) == [group]
    assert listed(Key="UserGroupId", Values=[second]) == [second]
    assert listed(Key="UserGroupId", Values=["x"]) == []
    assert listed(Key="condition", Values=["SEC"], Logic=False) == [group]
    assert ciam.code("ListUserGroups", Pageable=FIRST_PAGE, Filters=[{"Key": "x"}]) == "InvalidParameterValue"
    code = "FailedOperation.UserGroupNameAlreadyExists"
    assert ciam.code("CreateUserGroup", DisplayName="组") == code
    assert ciam.code("CreateUserGroup", DisplayName="组", DryRun=True) == code
    assert ciam.code("UpdateUserGroup", UserGroupId=second, DisplayName="组") == code
    assert (
        ciam.code("UpdateUserGroup", UserGroupId=NOBODY, DisplayName="x")
        == "FailedOperation.UserGroupNotFound"
    )
    ciam.ok("UpdateUserGroup", UserGroupId=group, DisplayName="renamed")
    page = ciam.ok("ListUserGroups", Pageable={"PageSize": 1, "PageNumber": 1})
    assert list(page["Content"][0]) == [
        "UserGroupId", "DisplayName", "Description", "UserStoreId", "TenantId", "CreatedDate", "LastModifyDate",
    ]  # fmt: skip
    assert (page["Content"][0]["DisplayName"], page["Content"][0]["Description"]) == ("renamed", "d")
    user = ciam.create(UserGroup=[group])["UserId"]
    deleted = ciam.ok("DeleteUserGroups", UserGroupIds=[group, NOBODY, "x"])
    assert deleted["UserGroupDeletedInfo"] == {"ErrorMessage": "", "AppAssociatedUserGroupIds": []}
    assert listed() == [second]
    assert ciam.shown(user)["UserGroups"] == []


def test_the_version_before_lists_groups_too(ciam: Ciam) -> None:
    first, _ = ciam.group("first"), ciam.group("second")
    sent = {"UserStoreId": ciam.store, "Page": 1, "Size": 1}
    answer = ciam.call("ListUserGroups", sent, version="2021-04-20")
    assert (answer["Total"], answer["Pageable"]) == (2, {"PageSize": 1, "PageNumber": 1})
    assert answer["Content"][0]["UserGroupId"] == first
    answer = ciam.call("ListUserGroups", sent | {"Condition": "seco"}, version="2021-04-20")
    assert [one["DisplayName"] for one in answer["Content"]] == ["second"]
    assert ciam.call("ListUser", {}, version="2021-04-20")["Error"]["Code"] == "InvalidAction"


def test_the_log_tells_what_happened_the_newest_first(ciam: Ciam) -> None:
    start = int(time.time() * 1000) - 5000
    first, second = ciam.create()["UserId"], ciam.create()["UserId"]
    ciam.ok("UpdateUser", UserId=first, Nickname="n")
    ciam.ok("LinkAccount", PrimaryUserId=first, SecondaryUserId=second, UserLinkedOnAttribute="EMAIL")
    ciam.ok("DeleteUsers", UserIds=[second])

    def log(*codes: str, since: int = start, **page: int) -> list[tuple[str, str]]:
        filters = [{"Key": "events", "Values": list(codes)}] if codes else []
        answer = ciam.ok(
            "ListLogMessageByCondition", StartTime=since, Filters=filters, Pageable=FIRST_PAGE | page
        )
        return [(one["EventCode"], one["UserId"]) for one in answer["Content"]]

    everything = [
        ("USER_DELETE", second), ("ACCOUNT_LINKING", second), ("USER_UPDATE", first), ("USER_CREATE", second),
        ("USER_CREATE", first),
    ]  # fmt: skip
    assert log() == everything
    assert log("USER_CREATE", "USER_DELETE") == [
        one for one in everything if one[0] in ("USER_CREATE", "USER_DELETE")
    ]
    assert log("SIGNUP") == []
    assert log(since=start + 10**7) == []
    assert log(PageSize=2, PageNumber=2) == everything[2:4]
    (message,) = ciam.ok(
        "ListLogMessageByCondition", StartTime=start, Pageable={"PageSize": 1, "PageNumber": 1}
    )["Content"]
    assert (message["Participant"], message["ActionResult"], message["Ip"]) == (
        "TENANT",
        "SUCCESS",
        "127.0.0.1",
    )
    wrong = [{"Key": "events", "Values": ["BIRTHDAY"]}]
    code = ciam.code("ListLogMessageByCondition", StartTime=0, Pageable=FIRST_PAGE, Filters=wrong)
    assert code == "InvalidParameterValue"


# the command line


def test_stores_are_made_and_listed_by_the_command_line(rolecall: Rolecall) -> None:
    name = f"cli {time.time_ns()}"
    made = json.loads(rolecall.cli("store", "add", name, "--json").stdout)[0]
    assert HEX.fullmatch(made["store"])
    assert rolecall.cli("store", "add", name, check=False).returncode == 1
    listed = json.loads(rolecall.cli("store", "list", "--json").stdout)
    assert made["store"] in {one["store"] for one in listed}
    assert Ciam(rolecall, made["store"]).create()["UserStoreId"] == made["store"]
    Ciam(rolecall).call("DeleteUserStore", {"UserPoolId": made["store"]})
