"""RPC signature 1.0: every stage against vectors, the vendor's own signers, and what is no proof."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from alibabacloud_tea_openapi.utils import Utils
from aliyunsdkcore.auth.composer import rpc_signature_composer as composer
from tests.unit.vectors import Vectors, refused

from rolecall.domain.reasons import Reason, Refused
from rolecall.signing import acs1
from rolecall.values import Secret

VECTORS = Vectors("acs1")
KEY = Secret("testsecret")
NOW = 1704164645  # 2024-01-02T03:04:05Z


def _pairs(case: dict[str, Any]) -> acs1.Pairs:
    return tuple((name, value) for name, value in case["params"])


def _claim(name: str = "create-account-post", **changes: object) -> acs1.Acs1Claim:
    case = VECTORS.case(name)
    named = dict(case["params"])
    claim = acs1.Acs1Claim(
        access_key_id=named["AccessKeyId"],
        method=case["method"],
        params=_pairs(case),
        timestamp=acs1.parse_timestamp(named["Timestamp"]),
        nonce=named["SignatureNonce"],
        given=VECTORS.text(name, "signature"),
        algorithm=case["algorithm"],
    )
    return dataclasses.replace(claim, **changes)  # type: ignore[arg-type]


def _reason(claim: acs1.Acs1Claim, now: float = NOW, key: Secret = KEY) -> Reason:
    return refused(claim, key, now)


@pytest.mark.parametrize("name", VECTORS.cases)
def test_each_stage_agrees_with_the_vector(name: str) -> None:
    case = VECTORS.case(name)
    assert acs1.canonical_query(_pairs(case)) == VECTORS.text(name, "canonical-query")
    text = acs1.string_to_sign(case["method"], _pairs(case))
    assert text == VECTORS.text(name, "string-to-sign")
    key = Secret(case["access_key_secret"])
    assert acs1.signature(key, text, case["algorithm"]) == VECTORS.text(name, "signature")
    assert acs1.sign(case["method"], _pairs(case), key, case["algorithm"]) == VECTORS.text(name, "signature")


@pytest.mark.parametrize("name", VECTORS.cases)
def test_the_vendors_signers_agree_with_ours(name: str) -> None:
    case = VECTORS.case(name)
    theirs = getattr(composer, "__compose_string_to_sign")(case["method"], dict(case["params"]))
    assert theirs == VECTORS.text(name, "string-to-sign")
    if case["algorithm"] == "HMAC-SHA1":
        secret = case["access_key_secret"]
        assert getattr(composer, "__get_signature")(theirs, secret) == VECTORS.text(name, "signature")
        signature = Utils.get_rpcsignature(dict(case["params"]), case["method"], secret)
        assert signature == VECTORS.text(name, "signature")


@pytest.mark.parametrize("name", VECTORS.cases)
def test_a_request_as_received_is_proven_whatever_the_order_of_its_parameters(name: str) -> None:
    claim = _claim(name)
    moment = claim.timestamp + acs1.CLOCK_WINDOW
    claim.prove(KEY, moment)
    dataclasses.replace(claim, params=claim.params[::-1]).prove(KEY, moment)


def test_the_vendors_own_password_encoding_is_ours() -> None:
    part = "AccountPassword%3DP~w%252A1%2520%252B%252F%253D%25E4%25B8%25AD%2527%2528%2529%2521"
    assert part in VECTORS.text("create-account-post", "string-to-sign")


@pytest.mark.parametrize(
    "changes",
    [
        {"given": "owt8X3SXU1ruBOciXaazztyHn/g="},  # the signature of the GET
        {"method": "GET"},
        {"params": ()},
        {"given": ""},
        {"given": "\udcff"},
        {"algorithm": "HMAC-SHA256"},
    ],
)
def test_anything_else_is_a_mismatch(changes: dict[str, object]) -> None:
    assert _reason(_claim(**changes)) is Reason.SIGNATURE_MISMATCH


def test_another_key_is_a_mismatch() -> None:
    assert _reason(_claim(), key=Secret("testsecret&")) is Reason.SIGNATURE_MISMATCH


@pytest.mark.parametrize("seconds", [-901, 901])
def test_fifteen_minutes_either_side_are_allowed_and_no_more(seconds: int) -> None:
    assert _reason(_claim(), NOW + seconds) is Reason.SIGNATURE_EXPIRED
    _claim().prove(KEY, NOW + seconds * 900 / 901)
    _claim(clock_window=1000).prove(KEY, NOW + seconds)


def test_an_unknown_method_is_refused_before_anything_is_computed() -> None:
    with pytest.raises(Refused) as refused:
        _claim(algorithm="SHA256withRSA")
    assert (refused.value.reason, refused.value.field) == (Reason.AUTHORIZATION_MALFORMED, "SignatureMethod")


def test_a_claim_shows_no_parameter() -> None:
    assert "P~w" not in repr(_claim())
    assert _claim().signed_text() == VECTORS.text("create-account-post", "string-to-sign")


def test_a_timestamp_is_read() -> None:
    assert acs1.parse_timestamp("2024-01-02T03:04:05Z") == NOW


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1704164645",
        "2024-1-2T03:04:05Z",
        "2024-01-02 03:04:05Z",
        "2024-01-02T03:04:05",
        "2024-01-02T03:04:05.000Z",
        "2024-01-02T03:04:05+00:00",
        "2024-13-02T03:04:05Z",
        "2024-02-30T03:04:05Z",
        "2024-01-02T25:04:05Z",
        "٢٠٢٤-01-02T03:04:05Z",
        "2024-01-02T03:04:05Z\n",
    ],
)
def test_any_other_timestamp_is_of_the_wrong_type(text: str) -> None:
    with pytest.raises(Refused) as refused:
        acs1.parse_timestamp(text)
    assert (refused.value.reason, refused.value.field) == (Reason.PARAMETER_TYPE, "Timestamp")
