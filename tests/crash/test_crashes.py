"""Killed between any two steps, a change is whole and recorded after the next start, or it never was."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from tests.waiting import until

STEPS = ("accepted", "applied", "recorded")
PASSWORD, OTHER_PASSWORD = "Test_password1", "Other_password2"


def call(bench: Any, endpoint: str, action: str, **params: Any) -> dict[str, Any]:
    """A signed call on the crash bench's instance."""
    return dict(
        bench.rolecall.call(
            action,
            {"DBInstanceId": bench.instance_id, **params},
            endpoint=endpoint,
            secret_id=bench.secret_id,
            secret_key=bench.secret_key,
        )
    )


def ok(bench: Any, endpoint: str, action: str, **params: Any) -> dict[str, Any]:
    response = call(bench, endpoint, action, **params)
    assert "Error" not in response, response
    return response


def crash(bench: Any, step: str, action: str, **params: Any) -> None:
    """Make one call on a server that dies at `step`: it is never answered."""
    with bench.server(step) as endpoint, pytest.raises(httpx.TransportError):
        call(bench, endpoint, action, **params)


def account(bench: Any, endpoint: str, user: str) -> dict[str, Any] | None:
    """Wherever it is listed: other tests leave more on the server than a page shows."""
    seen = 0
    while page := ok(bench, endpoint, "DescribeAccounts", Limit=100, Offset=seen)["Details"]:
        if found := next((one for one in page if one["UserName"] == user), None):
            return dict(found)
        seen += len(page)
    return None


def last_operation(bench: Any, target: str) -> tuple[str, str]:
    return bench.operations(target)[-1]


@pytest.fixture
def existing(crash_bench: Any, name: Callable[[str], str]) -> str:
    """An account that is there before the crash."""
    user = name("crash")
    with crash_bench.server() as endpoint:
        ok(
            crash_bench,
            endpoint,
            "CreateAccount",
            UserName=user,
            Type="normal",
            Password=PASSWORD,
            Remark="old",
        )
    return user


@pytest.mark.parametrize("step", STEPS)
def test_a_crash_while_creating_leaves_the_account_whole_and_recorded_or_absent(
    crash_bench: Any, name: Callable[[str], str], step: str
) -> None:
    user = name("crash")
    crash(crash_bench, step, "CreateAccount", UserName=user, Type="normal", Password=PASSWORD, Remark="mine")
    with crash_bench.server() as endpoint:
        found = account(crash_bench, endpoint, user)
        if step == "accepted":
            assert found is None
            assert last_operation(crash_bench, user) == ("account.create", "undone")
            ok(crash_bench, endpoint, "CreateAccount", UserName=user, Type="normal", Password=PASSWORD)
        else:
            assert found is not None
            assert found["Remark"] == "mine"
            assert found["CreateTime"] != "0000-00-00 00:00:00"
            assert last_operation(crash_bench, user) == ("account.create", "recorded")
    assert crash_bench.rolecall.can_log_in(user, PASSWORD)


@pytest.mark.parametrize("step", STEPS)
def test_a_crash_while_resetting_a_password_leaves_one_password_and_says_which(
    crash_bench: Any, existing: str, step: str
) -> None:
    crash(crash_bench, step, "ResetAccountPassword", UserName=existing, Password=OTHER_PASSWORD)
    with crash_bench.server() as endpoint:
        found = account(crash_bench, endpoint, existing)
    changed = step != "accepted"
    assert found is not None
    assert crash_bench.rolecall.can_log_in(existing, OTHER_PASSWORD) is changed
    assert crash_bench.rolecall.can_log_in(existing, PASSWORD) is not changed
    assert (found["PasswordUpdateTime"] != "0000-00-00 00:00:00") is changed
    state = "recorded" if changed else "undone"
    assert last_operation(crash_bench, existing) == ("account.password", state)


@pytest.mark.parametrize("step", STEPS)
def test_a_crash_while_deleting_ends_in_the_account_gone(crash_bench: Any, existing: str, step: str) -> None:
    crash(crash_bench, step, "DeleteAccount", UserName=existing)
    with crash_bench.server() as endpoint:
        assert account(crash_bench, endpoint, existing) is None
    assert last_operation(crash_bench, existing) == ("account.delete", "recorded")
    assert crash_bench.rolecall.sql("select from pg_roles where rolname = %s", existing) == []


@pytest.mark.parametrize("step", STEPS[:2])
def test_a_crash_while_locking_leaves_the_account_locked_or_as_it_was(
    crash_bench: Any, existing: str, step: str
) -> None:
    crash(crash_bench, step, "LockAccount", UserName=existing)
    with crash_bench.server() as endpoint:
        found = account(crash_bench, endpoint, existing)
    assert found is not None
    assert found["Status"] == (2 if step == "accepted" else 5)
    assert crash_bench.rolecall.can_log_in(existing, PASSWORD) is (step == "accepted")


@pytest.mark.parametrize("step", STEPS[:2])
def test_a_crash_while_taking_over_a_password_never_loses_it(
    crash_bench: Any, existing: str, step: str
) -> None:
    crash(crash_bench, step, "OpenAccountCAM", UserName=existing)
    with crash_bench.server() as endpoint:
        found = account(crash_bench, endpoint, existing)
        assert found is not None
        assert found["OpenCam"] is (step == "applied")
        if step == "applied":
            ok(crash_bench, endpoint, "CloseAccountCAM", UserName=existing, Password=OTHER_PASSWORD)
    assert crash_bench.rolecall.can_log_in(existing, PASSWORD if step == "accepted" else OTHER_PASSWORD)


@pytest.mark.parametrize("step", STEPS[:2])
def test_a_crash_while_granting_ends_in_the_grant(
    crash_bench: Any, existing: str, name: Callable[[str], str], step: str
) -> None:
    database = name("db")
    crash_bench.rolecall.sql(f"create role {database} login")
    crash_bench.rolecall.sql(f"create database {database} owner {database}")
    grant = {
        "DatabasePrivilege": {
            "Object": {"ObjectType": "database", "ObjectName": database},
            "PrivilegeSet": ["CREATE"],
        },
        "ModifyType": "grantObject",
    }
    crash(crash_bench, step, "ModifyAccountPrivileges", UserName=existing, ModifyPrivilegeSet=[grant])
    with crash_bench.server():
        pass
    asked = "select has_database_privilege(%s, %s, 'CREATE')"
    assert crash_bench.rolecall.sql(asked, existing, database) == [(True,)]
    assert last_operation(crash_bench, existing) == ("account.privileges", "recorded")


@pytest.mark.parametrize("step", STEPS[:2])
def test_a_crash_while_creating_a_database_leaves_it_recorded_or_absent(
    crash_bench: Any, existing: str, name: Callable[[str], str], step: str
) -> None:
    database = name("db")
    crash(crash_bench, step, "CreateDatabase", DatabaseName=database, DatabaseOwner=existing)
    with crash_bench.server():
        pass
    found = crash_bench.rolecall.sql("select from pg_database where datname = %s", database)
    state = last_operation(crash_bench, database)
    assert (len(found), state) in ((0, ("database.create", "undone")), (1, ("database.create", "recorded")))
    assert bool(found) is (step == "applied")


def test_a_change_by_another_replica_does_not_hide_that_a_dead_one_had_created_the_account(
    crash_bench: Any, name: Callable[[str], str]
) -> None:
    user = name("crash")
    with crash_bench.server() as alive:
        crash(
            crash_bench,
            "applied",
            "CreateAccount",
            UserName=user,
            Type="normal",
            Password=PASSWORD,
            Remark="r",
        )
        ok(crash_bench, alive, "LockAccount", UserName=user)
        until(lambda: ("account.create", "accepted") not in crash_bench.operations(user))
        found = account(crash_bench, alive, user)
    assert crash_bench.operations(user)[0] == ("account.create", "recorded")
    assert found is not None
    assert (found["Remark"], found["Status"]) == ("r", 5)
    assert found["CreateTime"] != "0000-00-00 00:00:00"


def test_a_process_killed_at_any_moment_leaves_no_account_half_made(
    crash_bench: Any, name: Callable[[str], str]
) -> None:
    """Accounts are created in a loop while the process is killed at a random time; every one is whole or absent."""
    users = [name("loop") for _ in range(60)]
    answered: list[str] = []
    with crash_bench.server() as endpoint:
        killer = threading.Timer(random.uniform(0, 0.35), crash_bench.kill)
        try:
            for user in users:
                ok(crash_bench, endpoint, "CreateAccount", UserName=user, Type="normal", Password=PASSWORD)
                answered.append(user)
                if user == users[0]:
                    killer.start()
        except httpx.TransportError:
            pass
        killer.join()
    with crash_bench.server() as endpoint:
        for user in users:
            states = crash_bench.operations(user)
            if not states:
                assert user not in answered
                continue
            assert len(states) == 1
            present = bool(crash_bench.rolecall.sql("select from pg_roles where rolname = %s", user))
            assert states[0][1] == ("recorded" if present else "undone")
            assert present or user not in answered
    assert answered, "nothing was created before the process was killed"
    assert all(crash_bench.rolecall.can_log_in(user, PASSWORD) for user in answered[-3:])
