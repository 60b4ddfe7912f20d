"""Every error code that the vendor's page of ciam's CreateUser lists, each by its real cause, over the wire."""

from __future__ import annotations

import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from tests.conftest import Rolecall
from tests.server.cam import Cam
from tests.server.ciam import NOBODY, Ciam, somebody
from tests.server.ciam_page import GATEWAY, PAGE, REQUIRED
from tests.server.replica import replica
from tests.server.wire import Wire
from tests.waiting import PATIENCE

Rows = Callable[..., list[tuple[Any, ...]]]
Until = Callable[[Callable[[], bool]], None]

LIMITS = Path(__file__).parents[2] / "docs" / "limits.md"
PROVOKED: set[str] = set()


def provokes(*codes: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Marks a test as the one that provokes these codes of the page."""
    PROVOKED.update(codes)
    return lambda test: test


def refuse(ciam: Ciam, code: str, **params: Any) -> str:
    """CreateUser must be refused with this code and the documented wording, and make nobody; the message."""
    sent = {"UserStoreId": ciam.store} | somebody() | params
    response = ciam.call("CreateUser", {name: value for name, value in sent.items() if value is not ...})
    assert response.keys() == {"Error", "RequestId"}, response
    assert response["Error"]["Code"] == code, response
    if code not in GATEWAY:
        assert response["Error"]["Message"].startswith(PAGE[code])
    return str(response["Error"]["Message"])


@pytest.fixture
def nobody_made(ciam: Ciam, store: Rows) -> Iterator[None]:
    """Whatever is refused in the test leaves no user, event or record."""

    def kept() -> list[tuple[Any, ...]]:
        return store(
            "select (select count(*) from users), (select count(*) from directory_events),"
            " (select count(*) from operations), (select coalesce(sum(users), 0) from user_counts)"
        )

    before = kept()
    yield
    assert kept() == before


# the gateway


@provokes("MissingParameter")
@pytest.mark.parametrize("name", REQUIRED)
@pytest.mark.parametrize("value", [..., None])
@pytest.mark.usefixtures("nobody_made")
def test_what_is_required_is_missing_if_it_is_absent_or_null(ciam: Ciam, name: str, value: Any) -> None:
    assert f"`{name}`" in refuse(ciam, "MissingParameter", **{name: value})


def test_the_region_is_missing(ciam: Ciam) -> None:
    response = ciam.call("CreateUser", {"UserStoreId": ciam.store} | somebody(), region="")
    assert response["Error"]["Code"] == "MissingParameter"


@provokes("UnknownParameter")
@pytest.mark.parametrize("name", ["Username", "phoneNumber", "UserPoolId", "CustomAttributes", "UserGroups"])
def test_a_parameter_that_the_page_does_not_have_is_unknown(ciam: Ciam, name: str) -> None:
    assert f"`{name}`" in refuse(ciam, "UnknownParameter", **{name: "x"})


@provokes("InvalidParameter")
@pytest.mark.parametrize(
    "wrong",
    [
        {"UserName": 1},
        {"PhoneNumber": 13800138000},
        {"Password": ["x"]},
        {"Birthdate": "yesterday"},
        {"Birthdate": 1.5},
        {"UserGroup": "6cd22e51"},
        {"UserGroup": [1]},
        {"CustomizationAttributes": {"k": "v"}},
        {"CustomizationAttributes": [{"Name": "k", "Value": 1}]},
        {"DryRun": "perhaps"},
    ],
    ids=str,
)
def test_a_value_of_another_type_is_an_incorrect_parameter(ciam: Ciam, wrong: dict[str, Any]) -> None:
    refuse(ciam, "InvalidParameter", **wrong)


@provokes("InvalidParameterValue")
@pytest.mark.parametrize(
    "wrong",
    [
        {"Birthdate": 9 * 10**15},
        {"Birthdate": -9 * 10**15},
        {"CustomizationAttributes": [{"Name": "k", "Value": "v", "Type": "string"}]},
        {"Password": "with\x07bell"},
    ],
    ids=str,
)
def test_a_value_that_cannot_be_is_an_incorrect_value(ciam: Ciam, wrong: dict[str, Any]) -> None:
    refuse(ciam, "InvalidParameterValue", **wrong)


@provokes("InvalidParameter.ParameterIllegal")
@pytest.mark.usefixtures("nobody_made")
def test_what_no_user_may_have_is_illegal(ciam: Ciam) -> None:
    code = "InvalidParameter.ParameterIllegal"
    twice = [{"Name": "k", "Value": "v"}, {"Name": "k", "Value": "w"}]
    refuse(ciam, code, CustomizationAttributes=twice)
    assert "too long" in refuse(ciam, code, Password="x" * 1025)


@pytest.mark.parametrize("password", ["x" * 2**20, "é" * 513, "密码" * 300])
def test_a_password_of_a_megabyte_is_refused_before_it_is_hashed(ciam: Ciam, password: str) -> None:
    """Hashing would take the same time; that it is refused by a rule, `tests/contract` shows."""
    message = refuse(ciam, "InvalidParameter.ParameterIllegal", Password=password)
    assert password not in message


@provokes("LimitExceeded")
@pytest.mark.usefixtures("nobody_made")
def test_a_user_has_at_most_so_many_groups_and_attributes(ciam: Ciam) -> None:
    refuse(ciam, "LimitExceeded", UserGroup=[f"{number:032x}" for number in range(101)])
    many = [{"Name": f"k{number}", "Value": "v"} for number in range(101)]
    refuse(ciam, "LimitExceeded", CustomizationAttributes=many)


@provokes("UnsupportedOperation")
def test_a_user_can_be_in_no_organization(ciam: Ciam) -> None:
    refuse(ciam, "UnsupportedOperation", UserOrg=[NOBODY])
    assert ciam.create(UserOrg=[])["UserOrgs"] == []


# the attributes


@provokes(
    "FailedOperation.UserNameIsNull",
    "FailedOperation.PhoneNumberIsNull",
    "FailedOperation.EmailIsNull",
    "FailedOperation.PasswordIsNull",
)
@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("UserName", "UserNameIsNull"),
        ("PhoneNumber", "PhoneNumberIsNull"),
        ("Email", "EmailIsNull"),
        ("Password", "PasswordIsNull"),
    ],
)
@pytest.mark.usefixtures("nobody_made")
def test_what_is_required_must_not_be_empty(ciam: Ciam, name: str, code: str) -> None:
    refuse(ciam, f"FailedOperation.{code}", **{name: ""})


@provokes("FailedOperation.AttributeFormatError")
@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("UserName", value) for value in (
            " ada", "ada ", " ", "a\nb", "a\tb", "ad\u200ba", "ad\u200da", "\u202eada", "ada\u2066", "a\ufeffda",
            "ad\u00ada", "\u3164", "a" * 129,
        )),
        *(("PhoneNumber", value) for value in (
            "1", "1234", "13800138000a", "+86", "+86 13800138000 ", "+86--13800138000", "1380013800013800",
            "１３８００１３８０００",
            "138****", "****", "***********", "1**********", "138*0000", "138*****0000", "138xxxx0000",
            "138****0000****", "+8612345-13800138000",
        )),
        *(("Email", value) for value in (
            "ada", "ada@", "@example.com", "ada@example", "ada example@x.com", "a@b@c.com", "ada@x..com", "ada@-x.com",
            ".ada@x.com", "ada.@x.com", "ad\u200ba@x.com", "a" * 65 + "@x.com",
            "ada@" + "x" * 250 + ".com", "<a@x.com>",
        )),
        ("Nickname", "zero\u200bwidth"), ("Nickname", "n" * 513), ("Address", "line\nline"),
        ("Address", "\u202eleft"),
        ("IndexedAttribute1", "bell\x07"), ("CustomizationAttributes", [{"Name": "", "Value": "v"}]),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("nobody_made")
def test_an_attribute_without_its_format_is_refused(ciam: Ciam, name: str, value: Any) -> None:
    refuse(ciam, "FailedOperation.AttributeFormatError", **{name: value})


@provokes("FailedOperation.IndexedAttributeTooLong")
@pytest.mark.parametrize("number", range(1, 6))
@pytest.mark.usefixtures("nobody_made")
def test_an_indexed_attribute_has_at_most_512_characters(ciam: Ciam, number: int) -> None:
    refuse(ciam, "FailedOperation.IndexedAttributeTooLong", **{f"IndexedAttribute{number}": "字" * 513})


def test_an_indexed_attribute_may_have_512_characters(ciam: Ciam) -> None:
    made = ciam.create(IndexedAttribute5="🙂" * 512)
    assert made["IndexedAttribute5"] == "🙂" * 512


# what is there


@provokes(
    "FailedOperation.UserNameAlreadyExists",
    "FailedOperation.PhoneNumberAlreadyExists",
    "FailedOperation.EmailAlreadyExists",
)
@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("UserName", "UserNameAlreadyExists"),
        ("PhoneNumber", "PhoneNumberAlreadyExists"),
        ("Email", "EmailAlreadyExists"),
    ],
)
def test_name_phone_and_mail_are_each_ones_own_within_a_store(ciam: Ciam, name: str, code: str) -> None:
    there = ciam.create()
    refuse(ciam, f"FailedOperation.{code}", **{name: there[name]})
    assert ciam.ok("ListUser", Pageable={"PageSize": 10, "PageNumber": 1})["Total"] == 1
    elsewhere = Ciam(ciam.rolecall)  # another store
    again = elsewhere.create(**{name: there[name]})
    elsewhere.ok("DeleteUsers", UserIds=[again["UserId"]])


@provokes("FailedOperation.UserGroupNotFound")
@pytest.mark.usefixtures("nobody_made")
def test_groups_must_be_there(ciam: Ciam) -> None:
    for missing in (NOBODY, "x", "", "6cd22e51****************f6f7cb81"):
        refuse(ciam, "FailedOperation.UserGroupNotFound", UserGroup=[missing])


def test_a_group_of_another_store_is_not_there(ciam: Ciam) -> None:
    other = Ciam(ciam.rolecall)
    foreign = other.group()
    refuse(ciam, "FailedOperation.UserGroupNotFound", UserGroup=[ciam.group(), foreign])
    other.ok("DeleteUserGroups", UserGroupIds=[foreign])


@provokes("FailedOperation.InvalidUserStore")
@pytest.mark.usefixtures("nobody_made")
@pytest.mark.parametrize("store_id", [NOBODY, "", "x", "2c3aca3b****************a7efe88e", "F" * 32])
def test_a_store_that_is_not_there_is_invalid(ciam: Ciam, store_id: str) -> None:
    refuse(ciam, "FailedOperation.InvalidUserStore", UserStoreId=store_id)


@provokes("FailedOperation.InvalidTenant")
def test_the_store_of_another_owner_is_of_an_invalid_tenant(ciam: Ciam, store: Rows) -> None:
    number = secrets.randbelow(10**10) + 10**11
    ((owner,),) = store(
        "insert into owners (number, app_id) values (%s, %s) returning id", number, number % 10**9
    )
    foreign = secrets.token_hex(16)
    store("insert into user_stores (id, owner_id, name) values (%s, %s, 'theirs')", foreign, owner)
    try:
        refuse(ciam, "FailedOperation.InvalidTenant", UserStoreId=foreign)
        for action, params in {
            "DescribeUserById": {"UserId": NOBODY},
            "ListUser": {"Pageable": {"PageSize": 1, "PageNumber": 1}},
            "DeleteUsers": {"UserIds": [NOBODY]},
            "UpdateUserStatus": {"UserId": NOBODY, "Status": "LOCK"},
        }.items():
            assert ciam.code(action, UserStoreId=foreign, **params) == "FailedOperation.InvalidTenant"
    finally:
        store("delete from user_stores where id = %s", foreign)
        store("delete from owners where id = %s", owner)


@provokes("UnauthorizedOperation.TenantNotActivated")
@pytest.mark.usefixtures("nobody_made")
def test_an_owner_whose_directories_were_deactivated_has_none(ciam: Ciam, rolecall: Rolecall) -> None:
    code = "UnauthorizedOperation.TenantNotActivated"
    rolecall.cli("store", "deactivate")
    try:
        refuse(ciam, code)
        for action, params in {
            "CreateUserStore": {"UserPoolName": "x", "UserStoreId": ...},
            "ListUserStore": {"UserStoreId": ...},
            "DescribeUserById": {"UserId": NOBODY},
        }.items():
            sent = {k: v for k, v in ({"UserStoreId": ciam.store} | params).items() if v is not ...}
            assert ciam.call(action, sent)["Error"]["Code"] == code
    finally:
        rolecall.cli("store", "activate")


@provokes("UnauthorizedOperation")
def test_a_sub_user_without_a_policy_is_not_authorized(ciam: Ciam) -> None:
    cam = Cam(ciam.rolecall)
    added = cam.add(UseApi=1)
    try:
        caller = Ciam(ciam.rolecall, ciam.store, secret_id=added["SecretId"], secret_key=added["SecretKey"])
        message = refuse(caller, "UnauthorizedOperation")
        assert "ciam:CreateUser" in message
        assert f"userStoreId/{ciam.store}" in message
        assert ciam.ok("ListUser", Pageable={"PageSize": 1, "PageNumber": 1})["Total"] == 0
    finally:
        cam.ok("DeleteUser", Name=added["Name"], Force=1)


# how it goes


@provokes("DryRunOperation")
@pytest.mark.usefixtures("nobody_made")
def test_a_dry_run_says_what_the_call_would_have_met(ciam: Ciam) -> None:
    refuse(ciam, "DryRunOperation", DryRun=True)
    refuse(ciam, "FailedOperation.UserGroupNotFound", DryRun=True, UserGroup=[NOBODY])


@provokes("RequestLimitExceeded.RepeatRequest")
def test_the_same_request_at_once_is_repeated_and_makes_no_second_user(ciam: Ciam) -> None:
    sent = somebody() | {"UserGroup": [ciam.group()], "Birthdate": 1, "Nickname": "n"}
    made = ciam.create(**sent)
    refuse(ciam, "RequestLimitExceeded.RepeatRequest", **sent)
    refuse(ciam, "FailedOperation.UserNameAlreadyExists", **sent | {"Nickname": "m"})
    refuse(ciam, "FailedOperation.UserNameAlreadyExists", **sent | {"Password": "Another-Horse-42"})
    ciam.ok("DeleteUsers", UserIds=[made["UserId"]])
    assert ciam.create(**sent)["UserId"] != made["UserId"]


def test_of_the_same_request_from_many_at_once_one_is_carried_out(ciam: Ciam) -> None:
    sent = {"UserStoreId": ciam.store} | somebody()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: ciam.call("CreateUser", sent), range(8)))
    codes = sorted(answer.get("Error", {}).get("Code", "") for answer in answers)
    assert codes == [""] + ["RequestLimitExceeded.RepeatRequest"] * 7


def test_a_request_that_is_repeated_through_another_replica_is_known_there(
    ciam: Ciam, strict: Rolecall
) -> None:
    sent = somebody()
    ciam.create(**sent)
    refuse(Ciam(strict, ciam.store), "RequestLimitExceeded.RepeatRequest", **sent)


def test_later_than_that_the_same_request_meets_a_name_that_is_taken(ciam: Ciam, store: Rows) -> None:
    sent = somebody()
    made = ciam.create(**sent)
    store("update directory_events set at = at - interval '3 minutes' where user_id = %s", made["UserId"])
    refuse(ciam, "FailedOperation.UserNameAlreadyExists", **sent)


@provokes("RequestLimitExceeded")
def test_more_than_20_calls_in_a_second_exceed_the_limit(strict: Rolecall, until: Until) -> None:
    """Over one kept connection, and without parameters, so that the twenty-first comes within the second."""
    with httpx.Client(base_url=strict.endpoint, trust_env=False) as client:
        wire = Wire(strict, client)
        told: list[dict[str, str]] = []

        def exceeded() -> bool:
            for _ in range(25):
                headers = wire.headers(service="ciam", version="2022-03-31", action="CreateUser")
                told.append(client.post("/", content=b"{}", headers=headers).json()["Response"]["Error"])
            return "RequestLimitExceeded" in {one["Code"] for one in told}

        until(exceeded)
    assert {one["Code"] for one in told} == {"MissingParameter", "RequestLimitExceeded"}
    assert any("exceeds the frequency limit `20` for a second" in one["Message"] for one in told)


@pytest.fixture(scope="module")
def narrow(rolecall: Rolecall, until: Until) -> Iterator[Rolecall]:
    """A replica with room for little: three users in a store, five changes in a minute."""
    with replica(rolecall, until, rate_limit="100000", user_quota="3", user_rate="12") as running:
        yield running


@provokes("FailedOperation.QuotaLimitExceeded", "RequestLimitExceeded.FrequentRequest")
def test_a_store_has_its_quota_and_an_owner_its_changes_in_a_minute(ciam: Ciam, narrow: Rolecall) -> None:
    """One test, since the changes of a minute are counted together. A user that is deleted makes room."""
    caller = Ciam(narrow, ciam.store)
    ids = [caller.create()["UserId"] for _ in range(3)]
    refuse(caller, "FailedOperation.QuotaLimitExceeded")
    refuse(caller, "FailedOperation.QuotaLimitExceeded", DryRun=True)
    caller.ok("DeleteUsers", UserIds=ids[:1])
    caller.create()
    with ThreadPoolExecutor(4) as pool:
        taken = list(pool.map(lambda _: caller.code("CreateUser", **somebody()), range(4)))
    assert set(taken) == {"FailedOperation.QuotaLimitExceeded"}
    code = ""
    while not code or code == "FailedOperation.QuotaLimitExceeded":
        code = caller.code("CreateUser", **somebody())
    assert code == "RequestLimitExceeded.FrequentRequest"
    refuse(caller, code)
    assert caller.code("SetPassword", UserId=ids[1], Password="x") == code
    assert caller.shown(ids[1]) is not None


@provokes("ResourceInsufficient")
def test_more_passwords_than_may_wait_to_be_hashed_are_refused(
    ciam: Ciam, rolecall: Rolecall, until: Until
) -> None:
    with replica(rolecall, until, rate_limit="off", password_threads="1", password_queue="0") as running:
        caller = Ciam(running, ciam.store)
        seen: set[str] = set()

        def crowd() -> bool:
            with ThreadPoolExecutor(12) as pool:
                seen.update(pool.map(lambda _: caller.code("CreateUser", **somebody()), range(12)))
            return "ResourceInsufficient" in seen

        until(crowd)
        assert seen == {"", "ResourceInsufficient"}
        caller.create()


# the store behind it


@contextmanager
def held(rolecall: Rolecall, store_id: str) -> Iterator[None]:
    """The row of a user store, held by somebody else's transaction: by a long deletion, say."""
    dsn = json.loads((rolecall.data / "connection.json").read_text())["database_url"]
    with psycopg.connect(dsn, options="-c search_path=rolecall") as connection:
        connection.execute("select from user_stores where id = %s for update", (store_id,))
        yield
        connection.rollback()


@provokes("ResourceInUse")
@pytest.mark.usefixtures("nobody_made")
def test_a_user_store_that_another_operation_holds_is_in_use(ciam: Ciam) -> None:
    with held(ciam.rolecall, ciam.store):
        refuse(ciam, "ResourceInUse")


def test_users_of_other_stores_are_made_meanwhile(ciam: Ciam, until: Until) -> None:
    other, made = Ciam(ciam.rolecall), list[str]()
    with held(ciam.rolecall, ciam.store), ThreadPoolExecutor(1) as pool:

        def made_meanwhile() -> bool:
            """Before the other call has given up, which a busy machine may do first."""
            waiting = pool.submit(lambda: ciam.code("CreateUser", **somebody()))
            made.append(other.create()["UserId"])
            in_time = not waiting.done()
            assert waiting.result(PATIENCE) == "ResourceInUse"
            return in_time

        until(made_meanwhile)
    other.ok("DeleteUsers", UserIds=made)


@provokes("InternalError.UnknownError")
@pytest.mark.usefixtures("nobody_made")
def test_a_connection_that_is_lost_on_the_way_is_an_unknown_error(ciam: Ciam, store: Rows) -> None:
    ended = threading.Event()

    def cut() -> None:
        """End every session of the store that waits for the row."""
        while not ended.is_set():
            store(
                "select pg_terminate_backend(pid) from pg_stat_activity where wait_event_type = 'Lock'"
                " and application_name = 'rolecall-store' and query like '%%user_group_members%%'"
            )
            time.sleep(0.02)

    with held(ciam.rolecall, ciam.store), ThreadPoolExecutor(1) as pool:
        cutting = pool.submit(cut)
        try:
            refuse(ciam, "InternalError.UnknownError")
        finally:
            ended.set()
            cutting.result(PATIENCE)
    ciam.ok("DeleteUsers", UserIds=[])


@provokes("ResourceUnavailable")
@pytest.mark.usefixtures("nobody_made")
def test_a_store_that_can_only_be_read_is_unavailable(ciam: Ciam, store: Rows, until: Until) -> None:
    """As after a switch to a standby server."""
    store("alter system set default_transaction_read_only = on")
    try:
        store("select pg_reload_conf()")
        # A new session has what the postmaster read, and it has told the others before it starts one.
        until(lambda: store("show default_transaction_read_only") == [("on",)])
        refuse(ciam, "ResourceUnavailable")
    finally:
        store("alter system reset default_transaction_read_only")
        store("select pg_reload_conf()")
    until(lambda: ciam.code("DeleteUsers", UserIds=[NOBODY]) == "")


@provokes("FailedOperation")
@pytest.mark.usefixtures("nobody_made")
def test_a_row_that_the_store_does_not_take_fails(ciam: Ciam, store: Rows) -> None:
    word = f"refused-{secrets.token_hex(4)}"
    store(f"alter table users add constraint no_such_user check (nickname <> '{word}') not valid")
    try:
        assert word not in refuse(ciam, "FailedOperation", Nickname=word)
    finally:
        store("alter table users drop constraint no_such_user")


@provokes("InternalError")
@pytest.mark.usefixtures("nobody_made")
def test_a_crash_is_an_internal_error(ciam: Ciam, store: Rows) -> None:
    store("alter table user_group_members rename to lost")
    try:
        refuse(ciam, "InternalError")
    finally:
        store("alter table lost rename to user_group_members")


WITHOUT_A_CAUSE = {"AuthFailure", "OperationDenied", "ResourceNotFound", "ResourcesSoldOut"}


def test_every_code_of_the_page_is_provoked_or_named_in_the_limits() -> None:
    limits = LIMITS.read_text("utf-8")
    section = limits.partition("## Tencent CIAM: error codes without a cause here")[2].partition("\n## ")[0]
    assert PAGE.keys() - PROVOKED == WITHOUT_A_CAUSE
    assert all(f"`{code}`" in section for code in WITHOUT_A_CAUSE)
