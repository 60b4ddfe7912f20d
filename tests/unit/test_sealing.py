"""Sealed values open only with their key, in their place, and whole."""

from __future__ import annotations

import pytest

from rolecall.domain.sealing import SealBroken, Sealer, new_master_key, parse_master_keys
from rolecall.values import Secret


def sealer(*texts: str) -> Sealer:
    return Sealer(parse_master_keys("\n".join(texts)))


def test_a_sealed_secret_opens_and_shows_nothing() -> None:
    one = sealer(new_master_key())
    sealed = one.seal(Secret("hunter2"), "key:1")
    assert b"hunter2" not in sealed
    assert one.open(sealed, "key:1") == Secret("hunter2")


def test_the_same_secret_never_seals_alike() -> None:
    one = sealer(new_master_key())
    assert one.seal(Secret("x"), "p") != one.seal(Secret("x"), "p")


def test_a_sealed_secret_opens_for_its_own_purpose_only() -> None:
    one = sealer(new_master_key())
    sealed = one.seal(Secret("x"), "key:1")
    with pytest.raises(SealBroken):
        one.open(sealed, "key:2")


def test_every_damaged_byte_is_noticed() -> None:
    one = sealer(new_master_key())
    sealed = one.seal(Secret("x"), "p")
    for place in range(len(sealed)):
        damaged = sealed[:place] + bytes([sealed[place] ^ 1]) + sealed[place + 1 :]
        with pytest.raises(SealBroken):
            one.open(damaged, "p")


def test_a_rotated_key_still_opens_and_no_longer_seals() -> None:
    old, new = new_master_key(), new_master_key()
    sealed = sealer(old).seal(Secret("x"), "p")
    rotated = sealer(new, old)
    assert rotated.open(sealed, "p") == Secret("x")
    assert not rotated.is_current(sealed)
    assert rotated.is_current(rotated.seal(Secret("x"), "p"))
    with pytest.raises(SealBroken):
        sealer(new).open(sealed, "p")


@pytest.mark.parametrize("text", ["", "# only a comment", "c2hvcnQ=", "not base64!", "AAAA\n"])
def test_what_is_no_master_key_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="master key"):
        parse_master_keys(text)
