"""The state of an account as it is recorded: later values stay, whatever the order of recording."""

from __future__ import annotations

from rolecall.domain.engine.states import (
    AccountState,
    Recorded,
    digest_of,
    fingerprint,
    merged,
    new_state,
    to_record,
)
from rolecall.values import Secret

KEY = Secret("key")


def after(before: Recorded | None, order: int, applied: int, state: AccountState | None) -> Recorded:
    return merged(before, "7", applied, to_record(state, "7", order))


def test_a_change_keeps_what_it_does_not_set() -> None:
    made = to_record(new_state("normal", {"shop": "read-only"}, (), "p"), "7", 0)
    locked = after(made, 5, 0, AccountState(login=False))
    assert locked["login"] == (False, 5)
    assert locked["password"] == ("p", 0)
    assert locked["grant:shop"] == ("read-only", 0)
    assert locked["of"] == ("7", 5)


def test_an_earlier_change_that_is_recorded_later_undoes_nothing() -> None:
    made = to_record(new_state("normal", {}, (), "p"), "7", 0)
    unlocked = after(made, 6, 0, AccountState(login=True))
    late = after(unlocked, 5, 6, AccountState(login=False, grants={"shop": "read-only"}))
    assert late["login"] == (True, 6)
    assert late["grant:shop"] == ("read-only", 5)
    assert late["of"] == ("7", 6)


def test_a_creation_that_is_recorded_last_fills_in_the_rest() -> None:
    locked = to_record(AccountState(login=False), "7", 5)
    made = after(locked, 0, 5, new_state("normal", {}, (), "p"))
    assert (made["login"], made["password"], made["of"]) == ((False, 5), ("p", 0), ("7", 5))


def test_what_an_earlier_release_may_have_changed_since_does_not_count() -> None:
    """It applied a change of order 8 and recorded no state."""
    made = to_record(new_state("normal", {}, (), "p"), "7", 0)
    assert after(made, 9, 8, AccountState(login=False)) == {"login": (False, 9), "of": ("7", 9)}
    assert merged(made, "8", 0, to_record(None, "8", 3)) == {"of": ("8", 3)}


def test_fingerprints_are_of_one_account_and_one_key() -> None:
    digest = digest_of(Secret("verifier"))
    one = fingerprint(KEY, 1, "7", digest)
    assert one == fingerprint(KEY, 1, "7", digest)
    others = {fingerprint(KEY, 1, "8", digest), fingerprint(KEY, 2, "7", digest)}
    others |= {fingerprint(Secret("other"), 1, "7", digest), digest}
    assert one not in others
    assert len(others) == 4
    assert fingerprint(KEY, 1, "7", digest_of(None)) == ""
