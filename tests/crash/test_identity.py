"""Another replica slips in front of a change that is held up, or lost, and gives the name to a new account.

Whatever the first one does then, the new account stays as it was acknowledged, with its managed password.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
from tests.crash.test_crashes import OTHER_PASSWORD, PASSWORD, account, call, crash, ok

CREATE, DELETE, MANAGE = "account.create", "account.delete", "account.manage"


def made(bench: Any, endpoint: str, user: str, password: str = PASSWORD, remark: str = "") -> None:
    ok(bench, endpoint, "CreateAccount", UserName=user, Type="normal", Password=password, Remark=remark)


def made_and_managed(bench: Any, endpoint: str, user: str) -> None:
    """The account that is acknowledged, and must stay."""
    made(bench, endpoint, user, OTHER_PASSWORD, "newer")
    ok(bench, endpoint, "OpenAccountCAM", UserName=user)


def expect_managed(bench: Any, endpoint: str, user: str) -> None:
    found = account(bench, endpoint, user)
    assert found is not None
    assert (found["Remark"], found["OpenCam"]) == ("newer", True)
    assert found["CreateTime"] != "0000-00-00 00:00:00"
    ((oid,),) = bench.rolecall.sql("select oid from pg_roles where rolname = %s", user)
    query = "select identity, sealed_password is not null from rolecall.accounts where name = %s"
    with psycopg.connect(bench.store) as store:
        assert store.execute(query, (user,)).fetchall() == [(str(oid), True)]
    ok(bench, endpoint, "CloseAccountCAM", UserName=user, Password=PASSWORD)
    assert bench.rolecall.can_log_in(user, PASSWORD)


def test_a_late_record_of_a_deletion_leaves_the_newer_account(
    crash_bench: Any, name: Callable[[str], str]
) -> None:
    user = name("late")
    with crash_bench.server() as other:
        made(crash_bench, other, user)
        deleting = lambda endpoint: ok(crash_bench, endpoint, "DeleteAccount", UserName=user)  # noqa: E731
        with crash_bench.held_up("stop:applied", deleting):
            made_and_managed(crash_bench, other, user)
        expect_managed(crash_bench, other, user)
    assert (DELETE, "recorded") in crash_bench.operations(user)


def test_a_late_record_of_a_creation_leaves_the_newer_account(
    crash_bench: Any, name: Callable[[str], str]
) -> None:
    user = name("late")
    with crash_bench.server() as other:
        creating = lambda endpoint: made(crash_bench, endpoint, user, remark="older")  # noqa: E731
        with crash_bench.held_up("stop:applied", creating):
            ok(crash_bench, other, "DeleteAccount", UserName=user)
            made_and_managed(crash_bench, other, user)
        expect_managed(crash_bench, other, user)
    states = crash_bench.operations(user)
    assert states[:4] == [
        (CREATE, "recorded"),
        (DELETE, "recorded"),
        (CREATE, "recorded"),
        (MANAGE, "recorded"),
    ]


def test_a_late_record_of_a_creation_that_is_gone_leaves_no_row(
    crash_bench: Any, name: Callable[[str], str]
) -> None:
    user = name("late")
    with crash_bench.server() as other:
        creating = lambda endpoint: made(crash_bench, endpoint, user)  # noqa: E731
        with crash_bench.held_up("stop:applied", creating):
            ok(crash_bench, other, "DeleteAccount", UserName=user)
        assert account(crash_bench, other, user) is None
    assert crash_bench.operations(user) == [(CREATE, "recorded"), (DELETE, "recorded")]
    query = "select from rolecall.accounts where name = %s and not deleted"
    with psycopg.connect(crash_bench.store) as store:
        assert store.execute(query, (user,)).fetchall() == []


def test_the_second_try_of_a_deletion_leaves_the_newer_account(
    crash_bench: Any, name: Callable[[str], str]
) -> None:
    """The first DROP was committed and its answer lost."""
    user = name("lost")
    with crash_bench.server() as other:
        made(crash_bench, other, user)
        deleting = lambda endpoint: ok(crash_bench, endpoint, "DeleteAccount", UserName=user)  # noqa: E731
        with crash_bench.held_up("lose:drop_account", deleting):
            made_and_managed(crash_bench, other, user)
        expect_managed(crash_bench, other, user)
    assert (DELETE, "recorded") in crash_bench.operations(user)


def test_the_second_try_of_a_creation_makes_no_second_account(
    crash_bench: Any, name: Callable[[str], str]
) -> None:
    """The first try was committed and its answer lost; then the account was deleted. The audit tells both."""
    user = name("lost")
    with crash_bench.server() as other:
        making = {"UserName": user, "Type": "normal", "Password": PASSWORD}
        creating = lambda endpoint: call(crash_bench, endpoint, "CreateAccount", **making)  # noqa: E731
        with crash_bench.held_up("lose:create_account", creating) as answer:
            ok(crash_bench, other, "DeleteAccount", UserName=user)
        assert "Error" in answer.result()
        assert account(crash_bench, other, user) is None
    assert crash_bench.operations(user) == [(CREATE, "recorded"), (DELETE, "recorded")]
    assert crash_bench.rolecall.sql("select from pg_roles where rolname = %s", user) == []


def test_recovery_of_a_deletion_leaves_the_account_that_was_accepted_before_and_made_after(
    crash_bench: Any, name: Callable[[str], str]
) -> None:
    user = name("dead")
    with crash_bench.server() as first:
        made(crash_bench, first, user)
    creating = lambda endpoint: made(crash_bench, endpoint, user, OTHER_PASSWORD, "newer")  # noqa: E731
    with crash_bench.held_up("stop:accepted", creating):
        crash(crash_bench, "applied", "DeleteAccount", UserName=user)
    with crash_bench.server() as endpoint:  # which recovers before it serves
        found = account(crash_bench, endpoint, user)
    assert found is not None
    assert found["Remark"] == "newer"
    assert crash_bench.rolecall.can_log_in(user, OTHER_PASSWORD)
    assert sorted(crash_bench.operations(user)) == [(CREATE, "recorded")] * 2 + [(DELETE, "recorded")]


def test_a_change_of_an_account_whose_name_was_given_away_is_superseded(
    crash_bench: Any, name: Callable[[str], str]
) -> None:
    user = name("given")
    with crash_bench.server() as other:
        made(crash_bench, other, user)
        locking = lambda endpoint: call(crash_bench, endpoint, "LockAccount", UserName=user)  # noqa: E731
        with crash_bench.held_up("stop:accepted", locking) as answer:
            ok(crash_bench, other, "DeleteAccount", UserName=user)
            made(crash_bench, other, user, OTHER_PASSWORD)
        assert "does not exist" in answer.result()["Error"]["Message"]
    assert ("account.lock", "superseded") in crash_bench.operations(user)
    assert crash_bench.rolecall.can_log_in(user, OTHER_PASSWORD)
