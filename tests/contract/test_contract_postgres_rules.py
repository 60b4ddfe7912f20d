"""The rules of `postgres` 2017-03-12: values that pass, values that do not, and why."""

from __future__ import annotations

import string
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rolecall.contracts.tencent.postgres.contract import CONTRACT
from rolecall.contracts.tencent.postgres.reserved_words import RESERVED_KEYWORDS, ROLE_WORDS
from rolecall.domain.reasons import Reason, Refused
from rolecall.values import Secret

# The two requests that the page "CreateAccount" prints.
ORDINARY = {
    "DBInstanceId": "postgres-5cz25tr5",
    "UserName": "user_normal",
    "Password": "Test_password1",
    "Type": "normal",
    "Remark": "Ordinary account",
}
SUPER = {
    "DBInstanceId": "postgres-5cz25tr5",
    "UserName": "user_Super",
    "Password": "Test_password1",
    "Type": "tencentDBSuper",
    "Remark": "Super user",
}
SIBLING = {"DBInstanceId": "postgres-5cz25tr5", "UserName": "user_normal"}

MALFORMED, RESERVED = Reason.ACCOUNT_NAME_MALFORMED, Reason.ACCOUNT_NAME_RESERVED
TYPE_PATH = "ModifyPrivilegeSet.0.ModifyType"
BAD_DATABASE = (Reason.DATABASE_NAME_MALFORMED, "DatabaseName")
OBJECT_TYPE_PATH = "DatabaseObjectSet.0.ObjectType"


@pytest.fixture(scope="module")
def refusal(checked):
    def run(name, params, **how) -> tuple[Reason, str] | None:
        try:
            checked(name, params, **how)
        except Refused as refused:
            return refused.reason, refused.field
        return None

    return run


@pytest.mark.parametrize("sent", [ORDINARY, SUPER])
@pytest.mark.parametrize("flat", [False, True])
def test_the_examples_of_the_page_are_accepted_as_printed(checked, sent, flat) -> None:
    params = checked("CreateAccount", sent, flat=flat).params
    assert vars(params) == {**sent, "Password": Secret("Test_password1"), "OpenCam": False}


@pytest.mark.parametrize("field", ["DBInstanceId", "UserName", "Type"])
def test_create_account_misses_what_its_page_requires(refusal, field) -> None:
    sent = {key: value for key, value in ORDINARY.items() if key != field}
    assert refusal("CreateAccount", sent) == (Reason.PARAMETER_MISSING, field)


@pytest.mark.parametrize("field", ["Password", "Remark"])
def test_create_account_does_without_what_its_page_does_not_require(refusal, field) -> None:
    assert refusal("CreateAccount", {key: value for key, value in ORDINARY.items() if key != field}) is None


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("a", None),
        ("_", None),
        ("user_Super", None),
        ("A" * 63, None),
        ("pgadmin", None),
        ("tencentdb", None),
        ("postgres1", None),
        ("login", None),
        ("A" * 64, MALFORMED),
        ("", MALFORMED),
        ("1a", MALFORMED),
        ("a-b", MALFORMED),
        ("a b", MALFORMED),
        ("a\n", MALFORMED),
        ("a\x00", MALFORMED),
        ("ａ", MALFORMED),
        ("名", MALFORMED),
        ('a"; drop role b; --', MALFORMED),
        ("postgres", MALFORMED),
        ("PostGres", MALFORMED),
        ("pg_x", MALFORMED),
        ("PG_x", MALFORMED),
        ("tencentdb_x", MALFORMED),
        ("TencentDB_x", MALFORMED),
        ("select", MALFORMED),
        ("User", MALFORMED),
        ("ALL", MALFORMED),
        ("left", MALFORMED),
        ("system_user", MALFORMED),
        ("replication", RESERVED),
        ("SameUser", RESERVED),
        ("samerole", RESERVED),
        ("samegroup", RESERVED),
        ("public", RESERVED),
        ("None", RESERVED),
    ],
)
def test_names_of_new_accounts(refusal, name, reason) -> None:
    expected = None if reason is None else (reason, "UserName")
    assert refusal("CreateAccount", {**ORDINARY, "UserName": name}) == expected


@pytest.mark.parametrize("name", ["postgres", "pg_monitor", "select", "public", "root"])
def test_names_of_accounts_that_exist_need_only_the_form(refusal, name) -> None:
    assert refusal("LockAccount", {**SIBLING, "UserName": name}) is None
    assert refusal("LockAccount", {**SIBLING, "UserName": name + "-"}) == (MALFORMED, "UserName")


LETTERS = string.ascii_letters + "_"


def is_good_name(name: str) -> bool:
    """The page's prose, written without the regular expression."""
    lower = name.lower()
    return (
        0 < len(name) <= 63
        and name[0] in LETTERS
        and all(character in LETTERS + string.digits for character in name)
        and lower != "postgres"
        and not lower.startswith("pg_")
        and not lower.startswith("tencentdb_")
        and lower not in RESERVED_KEYWORDS | ROLE_WORDS
    )


NAMES = (
    st.text(alphabet=LETTERS + string.digits, max_size=66)
    | st.text(max_size=5)
    | st.sampled_from(sorted(RESERVED_KEYWORDS | ROLE_WORDS)).flatmap(
        lambda word: st.sampled_from([word, word.upper(), word.title(), word + "_", "_" + word])
    )
    | st.sampled_from(["pg_", "PG_", "tencentdb_", "TENCENTDB_", "tencentdb", "pg"]).map(
        lambda start: start + "a"
    )
)


@given(NAMES)
@example("ſelect")
@example("\u212a")
def test_exactly_the_names_of_the_prose_are_accepted(refusal, name) -> None:
    assert (refusal("CreateAccount", {**ORDINARY, "UserName": name}) is None) == is_good_name(name)


LENGTH, CONTENT = Reason.PASSWORD_LENGTH, Reason.PASSWORD_CONTENT
SYMBOLS = "()`~!@#$%^&*-+=_|{}[]:<>,.?/;'"


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("Abcdef1!", None),
        ("Aa1" + "!" * 29, None),
        ("Aa1/aaaa", None),
        ("Aa1;aaaa", None),
        ("Aa1'aaaa", None),
        ("Aa1_aaaa", None),
        ("Abcde1!", LENGTH),
        ("", LENGTH),
        ("Aa1" + "!" * 30, LENGTH),
        ("/Abcdef1!", CONTENT),
        ("abcdef1!", CONTENT),
        ("ABCDEF1!", CONTENT),
        ("Abcdefg!", CONTENT),
        ("Abcdefg1", CONTENT),
        ("Abcdef1! ", CONTENT),
        ('Abcdef1!"', CONTENT),
        ("Abcdef1!\\", CONTENT),
        ("Abcdef1!ü", CONTENT),
        ("Abcdef1!\n", CONTENT),
        ("Abcdef1!\x00", CONTENT),
        ("{RSA-OAEP}", None),
        ("{RSA-OAEP}" + "A" * 684, None),
        ("{RSA-OAEP}" + "A" * 4096, Reason.PASSWORD_UNDECIPHERABLE),
        ("{rsa-oaep}" + "A" * 40, LENGTH),
    ],
)
@pytest.mark.parametrize("action", ["CreateAccount", "ResetAccountPassword"])
def test_passwords(refusal, action, password, reason) -> None:
    sent = ORDINARY if action == "CreateAccount" else SIBLING
    assert refusal(action, {**sent, "Password": password}) == (
        None if reason is None else (reason, "Password")
    )


def is_good_password(password: str) -> bool:
    """The page's prose, written without regular expressions."""
    classes = (string.ascii_lowercase, string.ascii_uppercase, string.digits, SYMBOLS)
    return (
        8 <= len(password) <= 32
        and not password.startswith("/")
        and all(any(character in one for character in password) for one in classes)
        and all(any(character in one for one in classes) for character in password)
    )


@given(
    st.text(alphabet=string.ascii_letters + string.digits + SYMBOLS, min_size=6, max_size=34)
    | st.text(max_size=34)
    | st.text(alphabet="aA1!/ ü", min_size=7, max_size=12)
)
def test_exactly_the_passwords_of_the_prose_are_accepted(refusal, password) -> None:
    accepted = refusal("CreateAccount", {**ORDINARY, "Password": password}) is None
    assert accepted == (is_good_password(password) or password.startswith("{RSA-OAEP}"))


@pytest.mark.parametrize(
    ("remark", "reason"),
    [
        ("", None),
        ("Ordinary account", None),
        ("a-b_C9", None),
        ("普通账号", None),
        ("𠮷", None),
        ("字" * 60, None),
        ("a" * 61, Reason.PARAMETER_LENGTH),
        ("a.b", Reason.PARAMETER_CHARACTERS),
        ("a\tb", Reason.PARAMETER_CHARACTERS),
        ("a\x00b", Reason.PARAMETER_CHARACTERS),
        ("é", Reason.PARAMETER_CHARACTERS),
        ("。", Reason.PARAMETER_CHARACTERS),
        ("'; drop", Reason.PARAMETER_CHARACTERS),
    ],
)
@pytest.mark.parametrize("action", ["CreateAccount", "ModifyAccountRemark"])
def test_remarks(refusal, action, remark, reason) -> None:
    sent = ORDINARY if action == "CreateAccount" else SIBLING
    assert refusal(action, {**sent, "Remark": remark}) == (None if reason is None else (reason, "Remark"))


INSTANCE = {"DBInstanceId": "postgres-5cz25tr5"}
NEW_DATABASE = {**INSTANCE, "DatabaseName": "mydatabase", "DatabaseOwner": "data_team"}


@pytest.mark.parametrize(
    ("action", "sent", "expected"),
    [
        ("CreateAccount", {**ORDINARY, "Type": "super"}, (Reason.PARAMETER_VALUE, "Type")),
        ("CreateAccount", {**ORDINARY, "Type": "NORMAL"}, (Reason.PARAMETER_VALUE, "Type")),
        ("CreateAccount", {**ORDINARY, "DBInstanceId": "x" * 65}, (Reason.PARAMETER_VALUE, "DBInstanceId")),
        ("CreateAccount", {**ORDINARY, "DBInstanceId": "a'b"}, (Reason.PARAMETER_VALUE, "DBInstanceId")),
        ("CreateAccount", {**ORDINARY, "DBInstanceId": "postgres-0"}, None),
        ("CreateAccount", {**ORDINARY, "OpenCam": "true"}, (Reason.PARAMETER_TYPE, "OpenCam")),
        ("DescribeAccounts", INSTANCE, None),
        ("DescribeAccounts", {**INSTANCE, "Limit": 0}, None),
        ("DescribeAccounts", {**INSTANCE, "Limit": 101}, (Reason.PARAMETER_RANGE, "Limit")),
        ("DescribeAccounts", {**INSTANCE, "Offset": -1}, (Reason.PARAMETER_RANGE, "Offset")),
        ("DescribeAccounts", {**INSTANCE, "OrderBy": "size"}, (Reason.PARAMETER_VALUE, "OrderBy")),
        ("DescribeAccounts", {**INSTANCE, "OrderByType": "up"}, (Reason.PARAMETER_VALUE, "OrderByType")),
        ("DescribeDatabases", {**INSTANCE, "Limit": 0}, None),
        ("DescribeDatabases", {**INSTANCE, "Filters": [{"Name": "x"}]}, (Reason.PARAMETER_VALUE, "Filters.0.Name")),
        ("DescribeDBInstances", {"Filters": [{"Name": "database-name"}]}, (Reason.PARAMETER_VALUE, "Filters.0.Name")),
        ("DescribeDBInstances", {"OrderBy": "EndTime", "Limit": 0}, None),
        ("CreateDatabase", NEW_DATABASE, None),
        ("CreateDatabase", {**NEW_DATABASE, "Encoding": "UTF8", "Collate": "zh_CN.utf8", "Ctype": "zh_CN.utf8"}, None),
        ("CreateDatabase", {**NEW_DATABASE, "Encoding": "EBCDIC"}, (Reason.ENCODING_UNSUPPORTED, "Encoding")),
        ("CreateDatabase", {**NEW_DATABASE, "Collate": "C'"}, (Reason.LOCALE_UNSUPPORTED, "Collate")),
        ("CreateDatabase", {**NEW_DATABASE, "DatabaseName": "postgres"}, BAD_DATABASE),
        ("CreateDatabase", {**NEW_DATABASE, "DatabaseName": "Table"}, BAD_DATABASE),
        ("CreateDatabase", {**NEW_DATABASE, "DatabaseOwner": "a b"}, (MALFORMED, "DatabaseOwner")),
        ("DeleteDatabase", {**INSTANCE, "DatabaseName": "postgres"}, None),
        ("DeleteDatabase", {**INSTANCE, "DatabaseName": 'a"b'}, BAD_DATABASE),
        ("DescribeDatabaseObjects", {**INSTANCE, "ObjectType": "account"}, (Reason.PARAMETER_VALUE, "ObjectType")),
        ("DescribeZones", {"StorageType": "CLOUD_TAPE"}, (Reason.PARAMETER_VALUE, "StorageType")),
        ("DescribeZones", {}, None),
        ("DescribeRegions", {}, None),
        ("DescribeAccountPrivileges", SIBLING, (Reason.PARAMETER_MISSING, "DatabaseObjectSet")),
        (
            "DescribeAccountPrivileges",
            {**SIBLING, "DatabaseObjectSet": [{"ObjectType": "role", "ObjectName": "a"}]},
            (Reason.PARAMETER_VALUE, OBJECT_TYPE_PATH),
        ),
        (
            "DescribeAccountPrivileges",
            {**SIBLING, "DatabaseObjectSet": [{"ObjectName": "a"}]},
            (Reason.PARAMETER_MISSING, OBJECT_TYPE_PATH),
        ),
        (
            "ModifyAccountPrivileges",
            {**SIBLING, "ModifyPrivilegeSet": [{"ModifyType": "give"}]},
            (Reason.PARAMETER_VALUE, TYPE_PATH),
        ),
        (
            "ModifyAccountPrivileges",
            {**SIBLING, "ModifyPrivilegeSet": [{"Foo": 1}]},
            (Reason.PARAMETER_UNKNOWN, "ModifyPrivilegeSet.0.Foo"),
        ),
        (
            "ModifyAccountPrivileges",
            {**SIBLING, "ModifyPrivilegeSet": [{}] * 51},
            (Reason.PARAMETER_RANGE, "ModifyPrivilegeSet"),
        ),
    ],
)  # fmt: skip
def test_the_other_fields(refusal, action, sent, expected) -> None:
    assert refusal(action, sent) == expected


@pytest.mark.parametrize("action", ["OpenAccountCAM", "RefreshAccountPassword"])
def test_cam_verification_is_offered_in_two_regions(refusal, action) -> None:
    assert refusal(action, SIBLING, region="ap-guangzhou") is None
    assert refusal(action, SIBLING, region="ap-shanghai") is None
    assert refusal(action, SIBLING, region="ap-tokyo") == (Reason.REGION_UNSUPPORTED, "Region")


def test_describe_regions_is_answered_without_a_region(refusal) -> None:
    assert refusal("DescribeRegions", {}, region="") is None
    assert refusal("DescribeZones", {}, region="") == (Reason.PARAMETER_MISSING, "Region")


def test_keywords_are_the_reserved_ones_of_postgresql() -> None:
    """78 words of category R and 23 of category T stand in PostgreSQL 18, and no version before has others."""
    assert len(RESERVED_KEYWORDS) == 78 + 23
    assert not RESERVED_KEYWORDS & ROLE_WORDS


def test_checking_create_account_costs_far_less_than_a_millisecond(checked) -> None:
    """The aim is 40 microseconds; the bound leaves room for a busy machine."""
    sent = {**ORDINARY, "OpenCam": False}
    assert CONTRACT.actions["CreateAccount"].params
    best = min(_elapsed(checked, sent) for _ in range(20))
    assert best < 0.001


def _elapsed(checked, sent) -> float:
    start = time.perf_counter()
    checked("CreateAccount", sent)
    return time.perf_counter() - start
