"""ACS3-HMAC-SHA256: every stage against vectors, the vendor's own signer, and what is no proof."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace
from typing import Any

import pytest
from alibabacloud_tea_openapi.utils import Utils
from tests.unit.vectors import Vectors, refused

from rolecall.domain.reasons import Reason, Refused
from rolecall.signing import acs1, acs3
from rolecall.values import Secret

VECTORS = Vectors("acs3")
KEY = Secret("testsecret")
NOW = 1704164645  # 2024-01-02T03:04:05Z


def _signed(case: dict[str, Any]) -> acs3.Signed:
    query = tuple((name, value) for name, value in case["query"])
    return acs3.Signed(case["method"], query, case["headers"], case["body"].encode())


def _claim(name: str = "create-account-form", **changes: object) -> acs3.Acs3Claim:
    """The claim of a case, with parts of what was signed replaced."""
    signed = dataclasses.replace(_signed(VECTORS.case(name)), **changes)  # type: ignore[arg-type]
    return acs3.claim(signed, VECTORS.text(name, "authorization"))


def _mismatch(claim: acs3.Acs3Claim, now: float = NOW, key: Secret = KEY) -> Reason:
    return refused(claim, key, now)


@pytest.mark.parametrize("name", VECTORS.cases)
def test_each_stage_agrees_with_the_vector(name: str) -> None:
    case = VECTORS.case(name)
    signed, names = _signed(case), tuple(case["signed_headers"])
    lines = acs3.canonical_headers(names, signed.headers)
    hashed = acs3.payload_hash(signed.payload)
    assert hashed == signed.headers["x-acs-content-sha256"]
    canonical = acs3.canonical_request(signed.method, signed.query, lines, names, hashed)
    assert canonical == VECTORS.text(name, "canonical-request")
    assert acs3.string_to_sign(canonical) == VECTORS.text(name, "string-to-sign")
    key = Secret(case["access_key_secret"])
    assert str(acs3.sign(signed, case["access_key_id"], key, names)) == VECTORS.text(name, "authorization")


@pytest.mark.parametrize("name", VECTORS.cases)
def test_the_vendors_own_signer_agrees_with_ours(name: str) -> None:
    case = VECTORS.case(name)
    headers = {key: case["headers"][key] for key in case["signed_headers"]}
    request = SimpleNamespace(method=case["method"], pathname="/", query=dict(case["query"]), headers=headers)
    payload = case["headers"]["x-acs-content-sha256"]
    theirs = Utils.get_authorization(
        request, acs3.ALGORITHM, payload, case["access_key_id"], case["access_key_secret"]
    )
    assert theirs == VECTORS.text(name, "authorization")


@pytest.mark.parametrize("name", VECTORS.cases)
def test_a_request_as_received_is_proven(name: str) -> None:
    case = VECTORS.case(name)
    claim = _claim(name)
    moment = acs1.parse_timestamp(case["headers"]["x-acs-date"]) + 900
    claim.prove(Secret(case["access_key_secret"]), moment)
    assert (claim.access_key_id, claim.nonce) == (
        case["access_key_id"],
        case["headers"]["x-acs-signature-nonce"],
    )


def test_an_authorization_header_survives_reading_and_writing() -> None:
    text = VECTORS.text("documentation-sample", "authorization")
    assert str(acs3.parse_authorization(text)) == text
    assert acs3.parse_authorization(text.replace(",", ", ")) == acs3.parse_authorization(text)


def test_another_key_is_a_mismatch() -> None:
    assert _mismatch(_claim(), key=Secret("testsecret&")) is Reason.SIGNATURE_MISMATCH


def test_another_body_is_a_mismatch_though_its_hash_be_right() -> None:
    assert _mismatch(_claim(payload=b"other")) is Reason.SIGNATURE_MISMATCH
    headers = {
        **VECTORS.case("create-account-form")["headers"],
        "x-acs-content-sha256": acs3.payload_hash(b"other"),
    }
    assert _mismatch(_claim(payload=b"other", headers=headers)) is Reason.SIGNATURE_MISMATCH


def test_another_query_or_method_is_a_mismatch() -> None:
    assert _mismatch(_claim("create-account-query", query=(("A", "b"),))) is Reason.SIGNATURE_MISMATCH
    assert _mismatch(_claim(method="GET")) is Reason.SIGNATURE_MISMATCH


def test_a_host_may_lose_its_scheme_on_the_way_or_be_replaced_by_a_public_name() -> None:
    headers = VECTORS.case("endpoint-is-url")["headers"]
    _claim("endpoint-is-url", headers=headers).prove(KEY, NOW)
    replaced = {**VECTORS.case("create-account-form")["headers"], "host": "inner:1"}
    signed = dataclasses.replace(_signed(VECTORS.case("create-account-form")), headers=replaced)
    text = VECTORS.text("create-account-form", "authorization")
    acs3.claim(signed, text, public_hosts=("127.0.0.1:8080",)).prove(KEY, NOW)
    assert _mismatch(acs3.claim(signed, text)) is Reason.SIGNATURE_MISMATCH


@pytest.mark.parametrize("seconds", [-901, 901])
def test_fifteen_minutes_either_side_are_allowed_and_no_more(seconds: int) -> None:
    assert _mismatch(_claim(), NOW + seconds) is Reason.SIGNATURE_EXPIRED


NAMES = "host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version"
SIGNATURE = "0" * 64


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("", ""),
        ("Basic x", ""),
        ("ACS3-HMAC-SHA256", ""),
        (f"ACS3-HMAC-SHA256 Credential=,SignedHeaders={NAMES},Signature={SIGNATURE}", ""),
        (f"ACS3-HMAC-SHA256 Credential=a,SignedHeaders={NAMES},Signature={SIGNATURE[1:]}", ""),
        (f"ACS3-HMAC-SHA256 Credential=a,SignedHeaders={NAMES.upper()},Signature={SIGNATURE}", ""),
        (f"ACS3-HMAC-SHA256 Credential=a,SignedHeaders={NAMES};host,Signature={SIGNATURE}", ""),
        (f"ACS3-HMAC-SHA256 Credential=a,SignedHeaders={NAMES[5:]},Signature={SIGNATURE}", ""),
        (f"ACS3-HMAC-SHA256 Credential=a,SignedHeaders={NAMES},Signature={SIGNATURE}\n", ""),
        (f"ACS3-HMAC-SM3 Credential=a,SignedHeaders={NAMES},Signature={SIGNATURE}", "SignatureMethod"),
        (f"ACS3-RSA-SHA256 Credential=a,SignedHeaders={NAMES},Signature={SIGNATURE}", "SignatureMethod"),
    ],
)
def test_any_other_authorization_is_malformed(text: str, field: str) -> None:
    with pytest.raises(Refused) as refused:
        acs3.parse_authorization(text)
    assert (refused.value.reason, refused.value.field) == (Reason.AUTHORIZATION_MALFORMED, field)


def test_a_signed_header_that_is_not_there_is_malformed() -> None:
    headers = {**VECTORS.case("create-account-form")["headers"]}
    del headers["accept"]
    with pytest.raises(Refused) as refused:
        _claim(headers=headers)
    assert refused.value.reason is Reason.AUTHORIZATION_MALFORMED


def test_the_content_type_of_a_body_must_be_signed() -> None:
    case = VECTORS.case("create-account-query")
    headers = {**case["headers"], "content-type": "application/json"}
    with pytest.raises(Refused) as refused:
        _claim("create-account-query", payload=b"{}", headers=headers)
    assert refused.value.reason is Reason.AUTHORIZATION_MALFORMED


def test_a_claim_shows_no_parameter_and_tells_both_texts() -> None:
    claim = _claim("create-account-query")
    assert "P~w" not in repr(claim)
    assert claim.signed_text() == (
        VECTORS.text("create-account-query", "string-to-sign"),
        VECTORS.text("create-account-query", "canonical-request"),
    )
