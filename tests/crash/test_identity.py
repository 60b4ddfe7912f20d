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
from tests.crash.test_crashes import OTHER_PASSWORD, PASSWORD

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


def test_a_deletion_that_is_cut_short_and_overtaken_is_brought_to_its_end(kind: Kind) -> None:
    """Login is gone, and another change of the account is acknowledged."""
    user = kind.new_name()
    with kind.bench.server() as other:
        kind.make(other, user)
        with kind.bench.held_up("stop:cut off", lambda endpoint: kind.try_to_delete(endpoint, user)):
            kind.change(other, user)
            kind.bench.take_for_dead(kind.target(user))
            kind.bench.await_operation(kind.target(user), (DELETE, "recorded"))
            assert not kind.is_there(user)
        assert row(kind.bench, user) is None


def test_a_deletion_that_was_superseded_is_not_begun_by_the_process_that_was_held_up(kind: Kind) -> None:
    user = kind.new_name()
    with kind.bench.server() as other:
        kind.make(other, user)
        with kind.bench.held_up("stop:accepted", lambda endpoint: kind.try_to_delete(endpoint, user)):
            kind.change(other, user)
            kind.bench.take_for_dead(kind.target(user))
            kind.bench.await_operation(kind.target(user), (DELETE, "superseded"))
        assert kind.can_log_in(user, OTHER_PASSWORD)
    assert (DELETE, "superseded") in operations(kind, user)


@pytest.mark.parametrize("at", ["accepted", "asked"])
def test_a_client_token_makes_one_account_though_its_first_call_is_held_up(
    crash_bench: Any, mariadb_instance: str, at: str
) -> None:
    """Before it asks whether the operation is still its own, it makes nothing; after, it holds the account's lock."""
    server = MariaDb(crash_bench.rolecall)
    kind = OnMariaDb(crash_bench, mariadb_instance, server)
    user = kind.new_name()

    def making(endpoint: str) -> httpx.Response:
        return kind.ask(endpoint, "CreateAccount", user, AccountPassword=PASSWORD, ClientToken=user)

    with crash_bench.server() as other:
        with crash_bench.held_up(f"stop:{at}", making) as first:
            crash_bench.take_for_dead(kind.target(user))
            if at == "accepted":
                crash_bench.await_state(kind.target(user), "undone")
                assert making(other).status_code == 200
        assert (first.result().status_code == 200) == (at == "asked")
        assert making(other).status_code == 200
        crash_bench.await_state(kind.target(user), "recorded")
    undone = [(CREATE, "undone")] if at == "accepted" else []
    assert operations(kind, user) == [*undone, (CREATE, "recorded")]
    assert server.can_log_in(user, PASSWORD)
    server.close()
