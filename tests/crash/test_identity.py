"""Another replica slips in front of a change that is held up, or lost, and gives the name to a new account.

Whatever the first one does then, the new account stays as it was acknowledged, with its managed password.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from tests.clients.petadata_cloud import MariaDb
from tests.crash.kinds import Kind, Lost, OnMariaDb, OnPostgres, keep, row

CREATE, DELETE, MANAGE = "account.create", "account.delete", "account.manage"


@pytest.fixture(params=["postgresql", "mariadb"])
def kind(crash_bench: Any, request: pytest.FixtureRequest) -> Iterator[Kind]:
    if request.param == "postgresql":
        yield OnPostgres(crash_bench)
        return
    server = MariaDb(crash_bench.rolecall)
    yield OnMariaDb(crash_bench, request.getfixturevalue("mariadb_instance"), server)
    server.close()


def operations(kind: Kind, user: str) -> list[tuple[str, str]]:
    return list(kind.bench.operations(kind.target(user)))


def late_record_of_a_deletion(kind: Kind) -> None:
    user = kind.new_name()
    with kind.bench.server() as other:
        kind.make(other, user)
        with kind.bench.held_up("stop:applied", lambda endpoint: kind.delete(endpoint, user)):
            kind.make_newer(other, user)
        kind.expect_newer(other, user)
    assert (DELETE, "recorded") in operations(kind, user)


def late_record_of_a_creation(kind: Kind) -> None:
    user = kind.new_name()
    with kind.bench.server() as other:
        with kind.bench.held_up("stop:applied", lambda endpoint: kind.make(endpoint, user)):
            kind.delete(other, user)
            kind.make_newer(other, user)
        kind.expect_newer(other, user)
    states = [(CREATE, "recorded"), (DELETE, "recorded"), (CREATE, "recorded")]
    assert operations(kind, user)[:3] == states


def second_try_of_a_deletion(kind: Kind) -> None:
    """The first DROP was committed and its answer lost."""
    user = kind.new_name()
    with kind.bench.server() as other:
        kind.make(other, user)
        with kind.bench.held_up("lose:drop_account", lambda endpoint: kind.delete(endpoint, user)):
            kind.make_newer(other, user)
        kind.expect_newer(other, user)
    assert (DELETE, "recorded") in operations(kind, user)


def deletion_that_recovery_repeats(kind: Kind) -> None:
    """Of an account whose name was given to one that was accepted before and made after."""
    user = kind.new_name()
    with kind.bench.server() as first:
        kind.make(first, user)
    with (
        kind.bench.held_up("stop:accepted", lambda endpoint: kind.make(endpoint, user, "newer")),
        kind.bench.server("applied") as endpoint,
        pytest.raises(httpx.TransportError),
    ):
        kind.delete(endpoint, user)
    with kind.bench.server():  # which recovers before it serves
        keep(kind.is_there(user), "the account is gone")
    found = row(kind.bench, user)
    keep(found and found[1:3] == ("newer", True), found)
    assert sorted(operations(kind, user)) == [(CREATE, "recorded")] * 2 + [(DELETE, "recorded")]


CASES = [
    late_record_of_a_deletion,
    second_try_of_a_deletion,
    deletion_that_recovery_repeats,
    late_record_of_a_creation,
]


@pytest.mark.parametrize("case", CASES)
def test_the_newer_account_stays(kind: Kind, case: Callable[[Kind], None]) -> None:
    case(kind)


@pytest.mark.parametrize("case", CASES)
def test_the_same_fault_as_before_is_found(kind: Kind, case: Callable[[Kind], None]) -> None:
    """Each is planted back into the processes of Rolecall: a change is bound to a name again."""
    with kind.bench.planted(case.__name__), pytest.raises(Lost):
        case(kind)


def test_a_late_record_of_a_creation_that_is_gone_leaves_no_row(kind: Kind) -> None:
    user = kind.new_name()
    with kind.bench.server() as other:
        with kind.bench.held_up("stop:applied", lambda endpoint: kind.try_to_make(endpoint, user)):
            kind.delete(other, user)
        assert not kind.is_there(user)
    assert operations(kind, user) == [(CREATE, "recorded"), (DELETE, "recorded")]
    assert row(kind.bench, user) is None


def test_the_second_try_of_a_creation_makes_no_second_account(kind: Kind) -> None:
    """The first try was committed and its answer lost; then the account was deleted. The audit tells both."""
    user = kind.new_name()
    with kind.bench.server() as other:
        creating = lambda endpoint: kind.try_to_make(endpoint, user)  # noqa: E731
        with kind.bench.held_up("lose:create_account", creating) as answer:
            kind.delete(other, user)
        assert answer.result() is False
    assert operations(kind, user) == [(CREATE, "recorded"), (DELETE, "recorded")]
    assert not kind.is_there(user)


def test_a_change_of_an_account_whose_name_was_given_away_is_superseded(kind: Kind) -> None:
    user = kind.new_name()
    with kind.bench.server() as other:
        kind.make(other, user)
        changing = lambda endpoint: kind.change_missing(endpoint, user)  # noqa: E731
        with kind.bench.held_up("stop:accepted", changing) as answer:
            kind.delete(other, user)
            kind.make_newer(other, user)
        assert (answer.result(), "superseded") in operations(kind, user)
        kind.expect_newer(other, user)


def test_what_a_process_applied_after_it_was_taken_for_dead_is_recorded(kind: Kind) -> None:
    """It is stopped, its creation is undone by the other one; it goes on, applies it, and is killed."""
    user = kind.new_name()

    def making(endpoint: str) -> None:
        with pytest.raises(httpx.TransportError):
            kind.make(endpoint, user, "newer")

    with kind.bench.server() as other:
        with kind.bench.held_up("stop:accepted+applied", making):
            kind.bench.take_for_dead(kind.target(user))
            kind.bench.await_state(kind.target(user), "undone")
        kind.bench.await_state(kind.target(user), "recorded")
        assert kind.is_there(user)
        found = row(kind.bench, user)
        assert found is not None
        assert found[1:3] == ("newer", True)
        kind.delete(other, user)
