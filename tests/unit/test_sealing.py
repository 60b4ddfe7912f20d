"""Sealed values open only with their key, in their place, and whole."""

from __future__ import annotations

import hashlib

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from rolecall import ambient
from rolecall.domain.secrets.sealing import SealBroken, Sealer, new_master_key, parse_master_keys
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


def format_1(key: str, text: str, purpose: str) -> bytes:
    """As values were sealed at first: by the master key itself."""
    (master,) = parse_master_keys(key)
    tag = hashlib.sha256(b"rolecall master key tag" + master).digest()[:4]
    return b"\x01" + tag + bytes(12) + AESGCM(master).encrypt(bytes(12), text.encode(), purpose.encode())


def test_a_value_that_the_master_key_itself_sealed_still_opens_and_is_resealed() -> None:
    key = new_master_key()
    sealed = format_1(key, "x", "key:1")
    one = sealer(key)
    assert one.open(sealed, "key:1") == Secret("x")
    assert not one.is_current(sealed)
    assert one.is_current(one.seal(one.open(sealed, "key:1"), "key:1"))
    with pytest.raises(SealBroken):
        one.open(sealed, "key:2")


def test_the_master_key_itself_encrypts_nothing() -> None:
    key = new_master_key()
    sealed = sealer(key).seal(Secret("x"), "key:1")
    with pytest.raises(InvalidTag):
        AESGCM(parse_master_keys(key)[0]).decrypt(sealed[21:33], sealed[33:], b"key:1")


def test_each_kind_of_purpose_and_each_value_has_its_own_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Under one key, values with the same nonce would have the same key stream (B1)."""
    one = sealer(new_master_key())
    salts = iter([b"a" * 16, b"b" * 16, b"a" * 16])
    monkeypatch.setattr(ambient, "random_bytes", lambda count: next(salts) if count == 16 else bytes(count))
    first, second, other = (
        one.seal(Secret("same"), purpose)[33:37] for purpose in ("token:1", "token:1", "fact:1")
    )
    assert len({first, second, other}) == 3


@pytest.mark.parametrize("cut", [0, 1, 5, 21, 30, 33])
def test_a_value_that_is_cut_off_does_not_open(cut: int) -> None:
    one = sealer(new_master_key())
    with pytest.raises(SealBroken):
        one.open(one.seal(Secret("x"), "p")[:cut], "p")


@pytest.mark.parametrize("text", ["", "# only a comment", "c2hvcnQ=", "not base64!", "AAAA\n"])
def test_what_is_no_master_key_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="master key"):
        parse_master_keys(text)
