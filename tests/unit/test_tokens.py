"""Tokens of the OpenStack dialect: what they carry, who can make one, and when they stop being good."""

from __future__ import annotations

import base64
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rolecall.domain.reasons import Reason, Refused
from rolecall.signing.token import (
    AnonymousClaim,
    CredentialsClaim,
    IssuedToken,
    TokenClaim,
    derived_key,
    read,
    seal,
    verify,
)
from rolecall.values import Secret

KEY = Secret("the-secret-of-the-key")
NOW = 1_700_000_000.5
TENANT = 100000000001


def bought(lifetime: int = 3600, now: float = NOW, key_id: str = "AKIDx") -> IssuedToken:
    return CredentialsClaim(key_id, KEY, "password", lifetime).prove(KEY, now).issue(now, TENANT)


def reason(call: object, *arguments: object) -> Reason:
    with pytest.raises(Refused) as caught:
        call(*arguments)  # type: ignore[operator]
    return caught.value.reason


def test_a_token_says_whose_it_is_and_for_how_long() -> None:
    token = read(bought().text)
    assert (token.access_key_id, token.tenant) == ("AKIDx", TENANT)
    assert (token.issued_at, token.expires_at) == (int(NOW), int(NOW) + 3600)


def test_two_tokens_bought_in_the_same_second_differ() -> None:
    assert bought().text != bought().text
    assert bought().token.audit_id != bought().token.audit_id


def test_a_token_is_proven_by_the_key_that_sealed_it_and_no_other() -> None:
    claim = TokenClaim(bought().text)
    claim.prove(KEY, NOW)
    assert reason(claim.prove, Secret("another"), NOW) is Reason.TOKEN_INVALID


def test_a_token_is_good_until_the_second_it_expires() -> None:
    text = bought(60).text
    verify(text, KEY, int(NOW) + 59.999)
    assert reason(verify, text, KEY, int(NOW) + 60) is Reason.TOKEN_INVALID


@given(position=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_a_token_with_any_bit_turned_is_refused(position: int, bit: int) -> None:
    plain = bought().text.reveal()
    raw = bytearray(base64.urlsafe_b64decode(plain + "=" * (-len(plain) % 4)))
    raw[position % len(raw)] ^= 1 << bit
    turned = Secret(base64.urlsafe_b64encode(bytes(raw)).rstrip(b"=").decode())
    assert reason(lambda: TokenClaim(turned).prove(KEY, NOW)) is Reason.TOKEN_INVALID


@pytest.mark.parametrize("text", ["", "notused", "A" * 600, "á", "AAAA====", "A" * 100, "\x00"])
def test_what_is_no_token_is_refused_as_one(text: str) -> None:
    assert reason(TokenClaim, Secret(text)) is Reason.TOKEN_INVALID


def test_a_text_has_one_spelling() -> None:
    """Base64 leaves bits over; a token spelt with other ones is not taken."""
    plain = bought(key_id="AKIDxy").text.reveal()
    assert len(plain) % 4
    others = [plain[:-1] + one for one in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"]
    good = [one for one in others if not _refused(one)]
    assert good == [plain]


def _refused(text: str) -> bool:
    try:
        TokenClaim(Secret(text)).prove(KEY, NOW)
    except Refused:
        return True
    return False


def test_the_tenant_of_the_url_must_be_the_tokens_and_only_a_proven_token_is_told() -> None:
    claim = TokenClaim(bought().text, "1234")
    assert reason(claim.prove, Secret("another"), NOW) is Reason.TOKEN_INVALID
    assert reason(claim.prove, KEY, NOW) is Reason.TENANT_FOREIGN
    TokenClaim(bought().text, str(TENANT)).prove(KEY, NOW)


def test_credentials_are_the_keys_secret() -> None:
    assert reason(CredentialsClaim("AKIDx", Secret("no"), "apikey").prove, KEY, NOW) is (
        Reason.CREDENTIALS_INVALID
    )


def test_a_token_bought_with_a_token_expires_no_later() -> None:
    first = bought(60)
    claim = TokenClaim(first.text, lifetime=3600)
    assert claim.prove(KEY, NOW + 30).issue(NOW + 30, TENANT).token.expires_at == first.token.expires_at


def test_nobody_can_prove_to_be_nobody() -> None:
    assert AnonymousClaim().token is None
    assert reason(AnonymousClaim().prove, KEY, NOW) is Reason.TOKEN_INVALID


def test_the_mac_key_is_not_the_secret() -> None:
    assert KEY.reveal().encode() not in derived_key(KEY)
    assert derived_key(KEY) != derived_key(Secret("another"))


def test_claims_and_tokens_do_not_show_their_secrets() -> None:
    issued = bought()
    shown = repr(issued) + repr(TokenClaim(issued.text)) + repr(CredentialsClaim("AKIDx", KEY, "password"))
    assert issued.text.reveal() not in shown
    assert KEY.reveal() not in shown
    with pytest.raises(TypeError):
        pickle.dumps(issued)


def test_a_token_says_what_bought_it() -> None:
    assert read(bought().text).method == "password"
    claim = TokenClaim(bought().text)
    assert read(claim.prove(KEY, NOW).issue(NOW, TENANT).text).method == "token"


def test_a_token_is_known_by_its_id() -> None:
    first = bought()
    claim = TokenClaim(first.text)
    assert (claim.token_id, claim.expires_at) == (first.token.id, first.token.expires_at)


@pytest.mark.parametrize("head", [b"\x01\x01", b"\x03\x01", b"\x02\x00", b"\x02\x05"])
def test_a_token_of_an_unknown_version_or_method_is_refused(head: bytes) -> None:
    packed = head + read(bought().text).packed()[2:] + bytes(32)
    text = base64.urlsafe_b64encode(packed).rstrip(b"=").decode()
    assert reason(TokenClaim, Secret(text)) is Reason.TOKEN_INVALID


def test_sealing_is_a_function_of_the_token_and_the_key() -> None:
    token = read(bought().text)
    assert seal(token, KEY) == seal(token, KEY)
