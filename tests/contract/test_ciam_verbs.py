"""Verbs of `ciam` 2022-03-31: from checked parameters to commands, and from users to the vendor's answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from msgspec import structs
from tencentcloud.ciam.v20220331 import models
from tests.contract.conftest import CALLER, make_call
from tests.contract.vendor_models import sdk_types
from tests.server.ciam_page import EXAMPLE

from rolecall.contracts.check import check
from rolecall.contracts.tencent.ciam.contract import CONTRACT
from rolecall.domain.directories import commands, views
from rolecall.domain.directories.model import CustomAttribute, User, UserGroup, UserStatus, UserStore
from rolecall.domain.directories.queries import Condition, Operator, Order, UserField
from rolecall.domain.directories.views import DirectoryEvent, UserView
from rolecall.domain.messages import Page
from rolecall.domain.reasons import Reason, Refused
from rolecall.values import Checked, Secret
from rolecall.verbs import Verb
from rolecall.verbs.ciam.queries import WHITELIST
from rolecall.verbs.ciam.verbs import VERBS

STORE, USER, GROUP = (UUID(int=number) for number in (1, 2, 3))
IDS = {"UserStoreId": STORE.hex}
PAGE = {"Pageable": {"PageSize": 10, "PageNumber": 3}}
NOW = datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)
MILLISECONDS = 1767323045678


def checked(action: str, params: Mapping[str, object]) -> Checked:
    call = structs.replace(make_call(action, params), service="ciam", version="2022-03-31")
    return check(call, CALLER, CONTRACT.actions[action])


def verb(action: str) -> Verb:
    found = VERBS[action]
    assert isinstance(found, Verb)
    return found


def command(action: str, **params: object) -> Any:
    return verb(action).command(checked(action, params), lambda secret: secret)


def answer(action: str, outcome: object, **params: object) -> dict[str, Any]:
    return verb(action).answer(checked(action, params), outcome)


def refused(action: str, **params: object) -> tuple[Reason, str]:
    with pytest.raises(Refused) as refusal:
        command(action, **params)
    return refusal.value.reason, refusal.value.field


def user(**changes: Any) -> User:
    plain = User(
        id=USER, store_id=STORE, name="ada", phone="+86-13812345678", email="lovelace@b.cd", password_hash="$hash",
        must_reset=False, status=UserStatus.NORMAL, source="admin", nickname=None, address=None, birthdate=None,
        custom=(), indexed=(None,) * 5, profile={}, is_primary=True, groups=(), last_sign_in_at=None,
        signed_in_before=False, failed_sign_ins=0, locked_until=None, locked_at=None, version=0, created_at=NOW,
        modified_at=NOW,
    )  # fmt: skip
    return replace(plain, **changes)


def test_the_pages_example_becomes_a_command() -> None:
    made = command("CreateUser", **EXAMPLE | IDS | {"UserGroup": [GROUP.hex]})
    assert made == commands.CreateUser(
        STORE,
        commands.Attributes(
            name="zhangsan",
            phone="132****0000",
            email="132****@qq.com",
            nickname="nick name",
            address="address",
            birthdate=1706682491339,
            custom=(CustomAttribute("k", "v", "STRING"),),
            indexed=("value1", "value2", "value3", "value4", "value5"),
            groups=(GROUP,),
        ),
        Secret("password"),
    )


def test_what_an_update_does_not_name_is_not_given() -> None:
    of = IDS | {"UserId": USER.hex}
    assert command("UpdateUser", **of) == commands.ChangeUser(STORE, USER, commands.Attributes())
    given = command("UpdateUser", **of, UserGroup=[], CustomizationAttributes=[], Address="", DryRun=True)
    assert given == commands.ChangeUser(
        STORE, USER, commands.Attributes(groups=(), custom=(), address=""), True
    )


def test_the_type_of_a_custom_attribute_is_a_string_unless_said() -> None:
    given = [{"Name": "a", "Value": "b"}, {"Name": "c", "Value": "d", "Type": "NUMBER"}]
    made = command("UpdateUser", **IDS, UserId=USER.hex, CustomizationAttributes=given)
    assert [one.type for one in made.attributes.custom] == ["STRING", "NUMBER"]


def test_pages_become_offsets() -> None:
    listed = command("ListUser", **IDS, **PAGE)
    assert (listed.offset, listed.limit, listed.conditions, listed.order) == (20, 10, (), None)
    log = command("ListLogMessageByCondition", **IDS, **PAGE, StartTime=MILLISECONDS)
    assert (log.since, log.offset, log.limit, log.kinds) == (NOW, 20, 10, ())


@pytest.mark.parametrize("start", [0, 8_640_000_000_000_000])
def test_any_moment_may_be_the_start_of_the_log(start: int) -> None:
    assert command("ListLogMessageByCondition", **IDS, **PAGE, StartTime=start).since.tzinfo is UTC


def test_the_whitelist_is_that_of_the_vendors_message() -> None:
    row = CONTRACT.row("DescribeUser", Reason.QUERY_FIELD_UNKNOWN)
    assert row is not None
    listed = row.chinese.partition("包含")[2].partition("重的")[0].replace(" ", "").split(",")
    assert set(WHITELIST) == set(listed)


@pytest.mark.parametrize(
    ("asked", "condition"),
    [
        (
            {"PropertyKey": "userName", "PropertyValue": "a"},
            Condition(UserField.NAME, Operator.EQUAL, ("a",)),
        ),
        (
            {"PropertyKey": "userName", "PropertyValue": "a", "Logic": False},
            Condition(UserField.NAME, Operator.UNEQUAL, ("a",)),
        ),
        (
            {"PropertyKey": "userName", "PropertyValue": "a", "Logic": False, "OperateLogic": "="},
            Condition(UserField.NAME, Operator.UNEQUAL, ("a",)),
        ),
        (
            {"PropertyKey": "userName", "PropertyValue": "a", "Logic": True, "OperateLogic": "!="},
            Condition(UserField.NAME, Operator.UNEQUAL, ("a",)),
        ),
        (
            {"PropertyKey": "indexedAttribute2", "PropertyValue": "a , b", "OperateLogic": "Between"},
            Condition(UserField.INDEXED_2, Operator.BETWEEN, ("a", "b")),
        ),
        (
            {"PropertyKey": "lastModifiedDate", "PropertyValue": str(MILLISECONDS), "OperateLogic": ">="},
            Condition(UserField.MODIFIED, Operator.GREATER_OR_EQUAL, (NOW,)),
        ),
        ({"PropertyKey": "id", "PropertyValue": USER.hex}, Condition(UserField.ID, Operator.EQUAL, (USER,))),
        ({"PropertyKey": "id", "PropertyValue": "x"}, Condition(UserField.ID, Operator.EQUAL, ())),
        (
            {"PropertyKey": "qqOpenId", "PropertyValue": "q"},
            Condition(UserField.PROFILE, Operator.EQUAL, ("q",), "qqOpenId"),
        ),
    ],
)
def test_filters_become_conditions(asked: dict[str, Any], condition: Condition) -> None:
    assert command("DescribeUser", **IDS, **PAGE, Filters=[asked]).conditions == (condition,)


@pytest.mark.parametrize("operator", ["<", "<=", ">", ">=", "between"])
@pytest.mark.parametrize("value", ["NORMAL", "nonsense"])
def test_no_status_comes_before_another(operator: str, value: str) -> None:
    status = {"PropertyKey": "status", "PropertyValue": value, "OperateLogic": operator}
    beside = {"PropertyKey": "userName", "PropertyValue": "a"}
    told = refused("DescribeUser", **IDS, **PAGE, Filters=[beside, status])
    assert told == (Reason.PARAMETER_VALUE, "Filters.1.OperateLogic")


def test_a_sort_becomes_an_order() -> None:
    sorts = command("DescribeUser", **IDS, **PAGE, Sort={"PropertyKey": "qqUnionId", "Order": "DESC"})
    assert sorts.order == Order(UserField.PROFILE, True, "qqUnionId")
    assert command("DescribeUser", **IDS, **PAGE, Sort={"PropertyKey": "email"}).order == Order(
        UserField.EMAIL, False
    )
    assert command("DescribeUser", **IDS, **PAGE, Sort={}).order is None


def test_an_organization_is_refused() -> None:
    assert refused("UpdateUser", **IDS, UserId=USER.hex, UserOrg=["x"]) == (Reason.ENGINE_UNSUITED, "UserOrg")


def test_ids_of_another_form_name_nobody() -> None:
    assert command("DescribeUserById", **IDS, UserId="x").user is None
    assert command("DeleteUsers", **IDS, UserIds=["x", USER.hex, USER.hex]).users == (USER,)


SHAPES = {
    "CreateUser": ("User", UserView(user())),
    "ListUser": ("User", Page((UserView(user()),), 1)),
    "ListUserStore": ("UserStore", [UserStore(STORE, 1, "s", "", "", True, NOW, NOW, 3, 2)]),
    "ListUserGroups": ("UserGroup", Page((UserGroup(GROUP, STORE, "g", "", NOW, NOW),), 1)),
    "ListLogMessageByCondition": (
        "LogMessage",
        Page((DirectoryEvent(USER, STORE, views.USER_SIGNED_IN, None, "", NOW, "::1"),), 1),
    ),
}


@pytest.mark.parametrize("action", SHAPES)
def test_every_structure_has_the_keys_of_the_sdk_in_their_order_and_types(action: str) -> None:
    name, outcome = SHAPES[action]
    params: dict[str, object] = {
        "CreateUser": EXAMPLE | IDS | {"UserGroup": []},
        "ListUserStore": {},
        "ListLogMessageByCondition": IDS | PAGE | {"StartTime": 0},
    }.get(action, IDS | PAGE)  # type: ignore[assignment, arg-type]
    told = answer(action, outcome, **params)
    content: Any = next(value for key, value in told.items() if key not in ("Total", "Pageable"))
    row: dict[str, Any] = content[0] if isinstance(content, list) else content
    declared = sdk_types(models, name)
    assert list(row) == list(declared)
    kinds = {"str": str, "int": int, "bool": bool}
    for key, value in row.items():
        assert value is None or isinstance(value, kinds.get(declared[key], list))


def test_times_are_milliseconds_and_ids_are_hexadecimal() -> None:
    seen = user(last_sign_in_at=NOW, signed_in_before=True, groups=(GROUP,), version=4)
    told = answer("DescribeUserById", UserView(seen, ("g",)), **IDS, UserId=USER.hex)["User"]
    times = ("LastSignOn", "CreatedDate", "LastModifiedDate")
    assert [told[key] for key in times] == [MILLISECONDS] * 3
    assert (told["UserId"], told["UserGroups"], told["UserGroupNames"]) == (USER.hex, [GROUP.hex], ["g"])
    assert (told["AlreadyFirstLogin"], told["Version"], told["TenantId"]) == (
        True,
        4,
        str(CALLER.owner_number),
    )


def test_a_lock_is_told_with_its_kind_and_time_until_it_has_passed() -> None:
    def lock(**changes: Any) -> tuple[str, str | None, int | None]:
        told = answer("DescribeUserById", UserView(user(**changes)), **IDS, UserId=USER.hex)["User"]
        return told["Status"], told["LockType"], told["LockTime"]

    later = datetime.now(UTC) + timedelta(minutes=1)
    assert lock() == ("NORMAL", None, None)
    assert lock(status=UserStatus.LOCKED, locked_at=NOW) == ("LOCK", "ADMIN_LOCK", MILLISECONDS)
    assert lock(status=UserStatus.FROZEN, locked_at=NOW) == ("FREEZE", "ADMIN_LOCK", MILLISECONDS)
    assert lock(locked_until=later, locked_at=NOW) == ("LOCK", "POLICY_LOCK", MILLISECONDS)
    assert lock(locked_until=NOW, locked_at=NOW) == ("NORMAL", None, None)


def test_what_is_seldom_given_is_shown_and_the_card_masked() -> None:
    profile = {
        "residentIdentityCard": "123456789012345678", "qqOpenId": "q", "gender": "MALE", "identityVerified": True,
        "job": "j", "zone": "z",
    }  # fmt: skip
    view = UserView(user(profile=profile, source="import", is_primary=False))
    masked = answer("DescribeUserById", view, **IDS, UserId=USER.hex)["User"]
    clear = answer("DescribeUserById", view, **IDS, UserId=USER.hex, Original=True)["User"]
    assert (masked["ResidentIdentityCard"], clear["ResidentIdentityCard"]) == (
        "123****5678",
        "123456789012345678",
    )
    for told in (masked, clear):
        assert (told["QqOpenId"], told["Gender"], told["IdentityVerified"]) == ("q", "MALE", True)
        assert (told["Job"], told["Zone"], told["UserDataSourceEnum"], told["Primary"]) == (
            "j",
            "z",
            "IMPORT",
            False,
        )


def test_a_user_without_number_and_address_shows_null() -> None:
    told = answer(
        "DescribeUserById", UserView(user(name=None, phone=None, email=None)), **IDS, UserId=USER.hex
    )
    assert [told["User"][key] for key in ("UserName", "PhoneNumber", "Email")] == [None] * 3


def test_an_attribute_that_is_named_twice_is_refused() -> None:
    """The rule of a list of structures is given what the check made of them."""
    attributes = [{"Name": "k", "Value": "v"}, {"Name": "l", "Value": "v"}]
    command("UpdateUser", **IDS, UserId=USER.hex, CustomizationAttributes=attributes)
    twice = [*attributes, {"Name": "k", "Value": "w"}]
    assert refused("UpdateUser", **IDS, UserId=USER.hex, CustomizationAttributes=twice) == (
        Reason.PARAMETER_CHARACTERS,
        "CustomizationAttributes",
    )
