"""Rows of a file of users: what each column holds, and the reason for which a row is refused."""

from __future__ import annotations

import contextlib
import json
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rolecall.contracts.tencent.ciam.rules import PROFILE_KEYS
from rolecall.domain.directories.model import CustomAttribute, UserStatus
from rolecall.domain.directories.rows import COLUMNS, NewUser, RowReader, RowRefused, unknown_columns

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
STAFF, GUESTS = uuid4(), uuid4()
READER = RowReader({"staff": STAFF, "guests": GUESTS}, NOW, PROFILE_KEYS)
BCRYPT = "$2b$04$cVWp4XaNU8a4v1uMRum2SO026BWLIoQMD/TXg5uZV.0P.uO8m3YEm"


def read(**row: object) -> NewUser:
    return READER.read(7, {"user_name": "ada", **row})


def refused(**row: object) -> str:
    with pytest.raises(RowRefused) as refusal:
        read(**row)
    return str(refusal.value)


def test_a_row_with_every_column_becomes_a_user() -> None:
    user = read(
        phone="+86-13800138000",
        email="ada@example.com",
        password_hash=f"{{CRYPT}}{BCRYPT}",
        must_reset="yes",
        status="Frozen",
        groups="staff; guests;staff",
        nickname="阿达 👩‍💻",
        address="1 Main Street",
        birthdate="1990-05-17",
        created_at="2020-01-02T03:04:05+01:00",
        indexed_1="a",
        indexed_5="e",
        **{
            "custom.department": "math",
            "custom.empty": "",
            "profile.name": "Ada King",
            "profile.gender": "female",
        },
    )
    assert (user.line, user.name, user.phone, user.email) == (7, "ada", "+86-13800138000", "ada@example.com")
    assert (user.password_hash, user.password, user.must_reset) == (BCRYPT, None, True)
    assert (user.status, user.groups) == (UserStatus.FROZEN, (STAFF, GUESTS))
    assert (user.nickname, user.address) == ("阿达 👩‍💻", "1 Main Street")
    assert user.birthdate == 642902400000
    assert user.created_at == datetime(2020, 1, 2, 2, 4, 5, tzinfo=UTC)
    assert user.indexed == ("a", None, None, None, "e")
    assert user.custom == (CustomAttribute("department", "math"),)
    assert user.profile == {"name": "Ada King", "gender": "FEMALE"}
    assert BCRYPT not in repr(user)


def test_what_json_has_of_its_own_is_taken_as_it_is() -> None:
    user = read(
        must_reset=True,
        groups=["guests"],
        birthdate=642902400000,
        phone=None,
        password="s3cret, \n",
        status=None,
    )
    assert (user.must_reset, user.groups, user.birthdate, user.phone) == (True, (GUESTS,), 642902400000, None)
    assert user.password is not None
    assert user.password.reveal() == "s3cret, \n"
    assert "s3cret" not in repr(user)


def test_a_row_that_says_little_gets_defaults() -> None:
    user = READER.read(1, {"email": "ada@example.com", "user_name": ""})
    assert (user.name, user.password_hash, user.password, user.must_reset) == (None, None, None, False)
    assert (user.status, user.groups, user.custom) == (UserStatus.NORMAL, (), ())
    assert user.created_at == NOW


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"user_name": ""}, "needs a user_name, a phone or an email"),
        ({"user_name": "a\u202eb"}, "user_name"),
        ({"user_name": " ada"}, "user_name"),
        ({"user_name": "x" * 129}, "user_name"),
        ({"user_name": "a\0b"}, "user_name"),
        ({"user_name": 7}, "user_name is not a text"),
        ({"phone": "call me"}, "phone"),
        ({"phone": "132****0000"}, "phone"),
        ({"phone": 13800138000}, "phone is not a text"),
        ({"email": "ada"}, "email"),
        ({"password_hash": "secret"}, "password_hash: the hash is of no known form"),
        ({"password_hash": "$2b$31$" + BCRYPT[7:]}, "cost"),
        ({"password_hash": 5}, "password_hash is not a text"),
        ({"password_hash": BCRYPT, "password": "secret"}, "a password and a password_hash"),
        ({"must_reset": "perhaps"}, "must_reset"),
        ({"status": "gone"}, "status"),
        ({"groups": "nobody"}, "group"),
        ({"groups": [1]}, "groups"),
        ({"groups": {"staff": 1}}, "groups"),
        ({"nickname": "x" * 513}, "nickname"),
        ({"birthdate": "yesterday"}, "birthdate"),
        ({"birthdate": 2**60}, "birthdate"),
        ({"birthdate": True}, "birthdate"),
        ({"created_at": "2026-11-22T12:00:01Z"}, "future"),
        ({"created_at": "9999-99-99"}, "created_at"),
        ({"indexed_3": "x" * 513}, "indexed_3"),
        ({"profile.gender": "f"}, "profile.gender"),
        ({"profile.size": "XL"}, "profile.size"),
        ({"custom.a": "\x07"}, "custom.a"),
        ({f"custom.{number}": "x" for number in range(65)}, "64"),
        ({"nick_name": "ada"}, "nick_name"),
    ],
)
def test_a_row_that_breaks_a_rule_is_refused_by_the_columns_name(row: dict[str, object], reason: str) -> None:
    told = refused(**row)
    assert reason in told
    assert "secret" not in told


def test_a_keycloak_credential_may_be_a_json_object() -> None:
    data = {
        "secretData": {
            "value": "JsfNbCOIdZUbyBJ+BT+VoGI91Ec2rWLOvkLPDaX8e9k=",
            "salt": "P5rtFkGtPfoaryJ6PizUJw==",
        },
        "credentialData": {"hashIterations": 27500, "algorithm": "pbkdf2-sha256"},
    }
    assert str(read(password_hash=data).password_hash).startswith("$pbkdf2-sha256$27500$")
    assert str(read(password_hash=json.dumps(data)).password_hash).startswith("$pbkdf2-sha256$27500$")


def test_columns_that_are_not_known_are_named() -> None:
    assert (
        unknown_columns([*COLUMNS, "custom.x", *(f"profile.{key}" for key in PROFILE_KEYS)], PROFILE_KEYS)
        == []
    )
    assert unknown_columns(["custom.", "Email", "custom." + "x" * 65, "profile.x", "name"], PROFILE_KEYS) == [
        "custom.",
        "Email",
        "custom." + "x" * 65,
        "profile.x",
        "name",
    ]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=4,
)


@given(st.dictionaries(st.sampled_from([*COLUMNS, "custom.x"]), json_values, max_size=5))
def test_no_row_does_anything_but_become_a_user_or_be_refused(row: dict[str, object]) -> None:
    with contextlib.suppress(RowRefused):
        assert isinstance(READER.read(1, row), NewUser)


def test_a_name_that_does_not_show_is_not_repeated() -> None:
    for name in ("a\0b", "\x1b[2J", "\u202ex"):
        assert name not in refused(**{name: "x"})
