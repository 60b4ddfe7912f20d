"""Secrets keep silent, and reasons say whose fault they are."""

from __future__ import annotations

import copy
import pickle

import pytest

from rolecall.domain.reasons import Fault, Reason, Refused
from rolecall.values import Secret


def test_a_secret_prints_as_stars_in_every_form() -> None:
    secret = Secret("hunter2")
    assert [str(secret), repr(secret), f"{secret}", f"{secret:>9}", "%s" % secret] == ["***"] * 5  # noqa: UP031
    assert "hunter2" not in repr({"password": secret})


def test_a_secret_does_not_pickle_or_copy_deeply() -> None:
    for leak in (pickle.dumps, copy.deepcopy):
        with pytest.raises(TypeError):
            leak(Secret("hunter2"))


def test_secrets_compare_by_content_and_are_no_keys() -> None:
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert Secret("\ud800") == Secret("\ud800")
    assert Secret("\ud800") != Secret("a")  # A21: it raised UnicodeEncodeError
    with pytest.raises(TypeError):
        hash(Secret("a"))


def test_what_is_derived_of_a_secret_is_kept_for_the_last_purpose_alone() -> None:
    secret, made = Secret("hunter2"), list[str]()

    def derive(purpose: str) -> bytes:
        def make(given: Secret) -> bytes:
            made.append(purpose)
            return f"{purpose} {given.reveal()}".encode()

        return secret.derived((purpose,), make)

    assert [derive(purpose) for purpose in "aabba"] == [f"{purpose} hunter2".encode() for purpose in "aabba"]
    assert made == ["a", "b", "a"]
    assert "hunter2" not in repr(secret)


def test_every_reason_has_a_fault_and_its_own_value() -> None:
    assert len({reason.value for reason in Reason}) == len(Reason)
    assert all(isinstance(reason.fault, Fault) for reason in Reason)


def test_a_refusal_shows_its_reason_and_note_only() -> None:
    refusal = Refused(
        Reason.PASSWORD_LENGTH, "Password", facts={"value": Secret("hunter2")}, note="too short"
    )
    assert str(refusal) == "password-length: too short"
    assert "hunter2" not in repr(refusal)
