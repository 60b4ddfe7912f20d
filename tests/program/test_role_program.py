"""`rolecall account limit` and `expire`, `membership`, `defaults` and `public` beside a serving Rolecall."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.conftest import Rolecall

from rolecall.cli.account_limits import expiry
from rolecall.cli.errors import CommandError

PASSWORD = "Given_password1"


@pytest.fixture
def made(rolecall: Rolecall, name: Callable[[str], str]) -> Iterator[Callable[[], str]]:
    """Makes an account on PostgreSQL."""
    users: list[str] = []

    def make() -> str:
        users.append(f"{name('role')}{len(users)}")
        rolecall.ok("CreateAccount", UserName=users[-1], Type="normal", Password=PASSWORD)
        return users[-1]

    yield make
    for user in users:
        rolecall.ok("DeleteAccount", UserName=user)


@pytest.fixture
def database(
    rolecall: Rolecall, name: Callable[[str], str], made: Callable[[], str]
) -> Iterator[tuple[str, str]]:
    """A database and its owner."""
    place, owner = name("roledb"), made()
    rolecall.ok("CreateDatabase", DatabaseName=place, DatabaseOwner=owner)
    yield place, owner
    rolecall.ok("DeleteDatabase", DatabaseName=place)


def cli(
    rolecall: Rolecall, words: str, *arguments: str, check: bool = True
) -> subprocess.CompletedProcess[str]:
    return rolecall.cli(*words.split(), *arguments, "--instance", rolecall.instance_id, check=check)


def rows(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    return list(json.loads(done.stdout))


def shown(rolecall: Rolecall, user: str) -> dict[str, Any]:
    (row,) = rows(cli(rolecall, "account show", user, "--json"))
    (listed,) = [one for one in rows(cli(rolecall, "account list", "--json")) if one["name"] == user]
    assert {key: row[key] for key in listed} == listed
    return row


def test_limit_and_expiry_are_set_shown_and_taken_back(rolecall: Rolecall, made: Callable[[], str]) -> None:
    user = made()
    cli(rolecall, "account limit", user, "0")
    assert not rolecall.can_log_in(user, PASSWORD)
    assert shown(rolecall, user)["connection_limit"] == 0
    assert "has no limit" in cli(rolecall, "account limit", user, "none").stdout
    assert rolecall.can_log_in(user, PASSWORD)
    assert "has expired" in cli(rolecall, "account expire", user, "now").stdout
    assert not rolecall.can_log_in(user, PASSWORD)
    assert shown(rolecall, user)["expired"] is True
    (row,) = rows(cli(rolecall, "account expire", user, "30d", "--json"))
    assert rolecall.can_log_in(user, PASSWORD)
    found = shown(rolecall, user)
    assert (found["valid_until"], found["expired"]) == (row["valid_until"], False)
    cli(rolecall, "account expire", user, "never")
    assert shown(rolecall, user)["valid_until"] is None


def test_a_reset_password_does_not_log_an_expired_account_in(
    rolecall: Rolecall, made: Callable[[], str]
) -> None:
    user = made()
    cli(rolecall, "account expire", user, "now")
    rolecall.ok("ResetAccountPassword", UserName=user, Password="Other_password1")
    assert not rolecall.can_log_in(user, "Other_password1")
    cli(rolecall, "account expire", user, "never")
    assert rolecall.can_log_in(user, "Other_password1")


def test_a_membership_is_granted_listed_and_revoked(rolecall: Rolecall, made: Callable[[], str]) -> None:
    user, role = made(), made()
    assert "is a member of" in cli(rolecall, "membership grant", user, "--role", role).stdout
    membership = {"role": role, "inherit": True, "set": False, "admin": False}
    assert shown(rolecall, user)["memberships"] == [membership]
    listed = rows(cli(rolecall, "membership list", "--json", "--filter", user))
    assert listed == [{"instance": rolecall.instance_id, "account": user, **membership}]
    circular = cli(rolecall, "membership grant", role, "--role", user, check=False)
    assert circular.stderr.startswith("rolecall: a role would become a member of itself")
    cli(rolecall, "membership revoke", user, "--role", role)
    again = cli(rolecall, "membership revoke", user, "--role", role, check=False)
    assert again.stderr == f"rolecall: there is no grant of `{role}` to revoke\n"


def test_a_call_joins_and_leaves_roles_as_the_command_does(
    rolecall: Rolecall, made: Callable[[], str]
) -> None:
    user, role = made(), made()

    def modify(how: str, *roles: str) -> dict[str, Any]:
        account = {"ObjectType": "account", "ObjectName": user}
        privilege = {"Object": account, "PrivilegeSet": list(roles)}
        entry = {"ModifyType": how, "DatabasePrivilege": privilege}
        instance = {"DBInstanceId": rolecall.instance_id, "UserName": user}
        return rolecall.call("ModifyAccountPrivileges", {**instance, "ModifyPrivilegeSet": [entry]})

    assert "Error" not in modify("grantRole", "pg_monitor", role)
    assert [one["role"] for one in shown(rolecall, user)["memberships"]] == sorted(["pg_monitor", role])
    assert "Error" not in modify("revokeRole", "pg_monitor", "pg_checkpoint")
    assert [one["role"] for one in shown(rolecall, user)["memberships"]] == [role]
    for refused in ("pg_execute_server_program", "postgres", "no_such_role", user):
        assert "Error" in modify("grantRole", "pg_monitor", refused)
    assert [one["role"] for one in shown(rolecall, user)["memberships"]] == [role]


def test_default_privileges_are_granted_listed_and_revoked(
    rolecall: Rolecall, made: Callable[[], str], database: tuple[str, str]
) -> None:
    place, owner = database
    user = made()
    on = ("--owner", owner, "--database", place, "--on", "tables", "--privilege", "select")
    cli(rolecall, "defaults grant", user, *on, "--privilege", "insert")
    (row,) = rows(cli(rolecall, "defaults list", "--json", "--filter", place))
    assert row == {
        "instance": rolecall.instance_id, "database": place, "schema": None, "owner": owner, "on": "tables",
        "account": user, "privileges": ["INSERT", "SELECT"],
    }  # fmt: skip
    assert "is revoked from" in cli(rolecall, "defaults revoke", user, *on).stdout
    (row,) = rows(cli(rolecall, "defaults list", "--json", "--database", place))
    assert row["privileges"] == ["INSERT"]


def test_what_everyone_may_do_is_revoked_after_a_question_and_granted_back(
    rolecall: Rolecall, made: Callable[[], str], database: tuple[str, str]
) -> None:
    place, owner = database
    user = made()
    asked = cli(rolecall, "public revoke", place, check=False)
    assert (asked.returncode, "--yes confirms" in asked.stderr) == (1, True)
    cli(rolecall, "public revoke", place, "--privilege", "create")  # of which no access depends
    (row,) = rows(cli(rolecall, "public list", "--database", place, "--json"))
    assert row["privileges"] == ["CONNECT", "TEMPORARY"]
    assert (user in row["dependents"], owner in row["dependents"]) == (True, False)
    cli(rolecall, "public revoke", place, "--yes")
    assert rolecall.can_log_in(owner, PASSWORD, place)
    assert not rolecall.can_log_in(user, PASSWORD, place)
    cli(rolecall, "public grant", place, "--privilege", "connect")
    assert rolecall.can_log_in(user, PASSWORD, place)
    assert "connect" in cli(rolecall, "public list", "--filter", place).stdout


@pytest.mark.parametrize(
    ("words", "arguments", "told"),
    [
        ("account limit", ("x", "-1"), "No such option"),
        ("account limit", ("x", "many"), "is not a number of connections"),
        ("account limit", ("x", "2147483648"), "is not a number of connections"),
        ("account expire", ("x", "soon"), "is not a time"),
        ("account limit", ("nobody_is_there", "1"), "there is no account `nobody_is_there`"),
        ("membership grant", ("nobody_is_there", "--role", "postgres"), "`postgres` is protected"),
        ("public revoke", ("no_such_db", "--yes"), "there is no database `no_such_db`"),
        ("public revoke", ("x", "--privilege", "read"), "`read` is not connect, temporary or create"),
        ("public grant", ("x",), "--privilege says what to grant"),
        (
            "defaults grant",
            (
                "x",
                "--owner",
                "x",
                "--database",
                "x",
                "--on",
                "schemas",
                "--privilege",
                "usage",
                "--schema",
                "s",
            ),
            "schemas are not in a schema",
        ),
    ],
)
def test_what_cannot_be_is_one_line(
    rolecall: Rolecall, words: str, arguments: tuple[str, ...], told: str
) -> None:
    done = cli(rolecall, words, *arguments, check=False)
    assert done.returncode != 0
    assert told in done.stderr


def test_servers_without_roles_are_passed_over_or_refused(rolecall: Rolecall) -> None:
    if "aliyun" not in rolecall.ready:
        pytest.skip("no MariaDB on this system")
    on = ("--instance", rolecall.ready["aliyun"]["instance_id"])
    for words in (("account", "limit", "x", "1"), ("membership", "list"), ("public", "list")):
        refused = rolecall.cli(*words, *on, check=False)
        assert refused.stderr.startswith("rolecall: this kind of server does not have that feature"), words
    assert rolecall.cli("membership", "list", "--json").returncode == 0


NOW = datetime(2026, 11, 28, 12, 0, 0, 5, UTC)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("never", None),
        ("now", NOW.replace(microsecond=0)),
        ("90m", datetime(2026, 11, 28, 13, 30, tzinfo=UTC)),
        ("2w", NOW.replace(microsecond=0) + timedelta(days=14)),
        ("2027-01-31T12:00:00Z", datetime(2027, 1, 31, 12, tzinfo=UTC)),
        ("2027-01-31T12:00:00.5+02:00", datetime(2027, 1, 31, 10, 0, 0, 500000, tzinfo=UTC)),
    ],
)
def test_the_end_of_an_account_is_a_time_or_a_duration(text: str, at: datetime | None) -> None:
    assert expiry(text, NOW) == at


@pytest.mark.parametrize(
    "text",
    [
        "",
        "30",
        "d",
        "-1d",
        "999999999w",
        "2027-01-31T12:00:00",
        "2027-13-01T00:00:00Z",
        "0001-01-01T00:00:00+14:00",
    ],
)
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(CommandError):
        expiry(text, NOW)
