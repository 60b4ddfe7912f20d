"""Signature v1: vectors, the vendor's own signer, and what clients do differently."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from tencentcloud.common.sign import Sign
from tests.unit.vectors import Vectors, refused

from rolecall.domain.reasons import Reason, Refused
from rolecall.signing import tc1
from rolecall.values import Secret

VECTORS = Vectors("tc1")
KEY = Secret("Gu5t9xGARNpq86cd98joQYCN3EXAMPLE")
NOW = 1700000000


def _signed(case: dict[str, Any]) -> tc1.Signed:
    params = tuple((name, value) for name, value in case["params"])
    return tc1.Signed(case["method"], case["host"], case["path"], params)


def _claim(signed: tc1.Signed, given: str, algorithm: str = "HmacSHA1") -> tc1.Tc1Claim:
    return tc1.Tc1Claim("AKID", signed, NOW, given, algorithm)


def _reason(claim: tc1.Tc1Claim, now: float = NOW) -> Reason:
    return refused(claim, KEY, now)


@pytest.mark.parametrize("name", VECTORS.cases)
def test_each_stage_agrees_with_the_vector(name: str) -> None:
    case = VECTORS.case(name)
    signed = _signed(case)
    text = tc1.string_to_sign(signed.method, signed.host, signed.path, signed.params)
    expected = VECTORS.text(name, "string-to-sign")
    assert text == expected or name == "python-sdk-underscore"
    assert tc1.signature(KEY, expected, case["algorithm"]) == VECTORS.text(name, "signature")
    assert Sign.sign(case["secret_key"], expected, case["algorithm"]) == VECTORS.text(name, "signature")


@pytest.mark.parametrize("name", VECTORS.cases)
def test_a_request_as_received_is_proven(name: str) -> None:
    case = VECTORS.case(name)
    _claim(_signed(case), VECTORS.text(name, "signature"), case["algorithm"]).prove(KEY, NOW)


@pytest.mark.parametrize("name", VECTORS.cases)
def test_a_changed_parameter_proves_nothing(name: str) -> None:
    case = VECTORS.case(name)
    signed = dataclasses.replace(_signed(case), params=(*_signed(case).params, ("Extra", "1")))
    claim = _claim(signed, VECTORS.text(name, "signature"), case["algorithm"])
    assert _reason(claim) is Reason.SIGNATURE_MISMATCH


PARAMS = (("b_b", "True"), ("B", ""), ("a", "x y+z=&"), ("Ab", "备"))


def test_names_are_sorted_by_byte_and_values_stay_raw() -> None:
    assert tc1.sorted_query(PARAMS) == "Ab=备&B=&a=x y+z=&&b_b=True"


@pytest.mark.parametrize("algorithm", ["HmacSHA1", "HmacSHA256"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_our_client_signs_what_our_server_believes(algorithm: str, method: str) -> None:
    signed = tc1.Signed(method, "127.0.0.1:7653", "/", PARAMS)
    _claim(signed, tc1.sign(signed, KEY, algorithm), algorithm).prove(KEY, NOW)


def test_the_algorithms_are_not_taken_for_each_other() -> None:
    signed = tc1.Signed("GET", "h", "/", PARAMS)
    assert (
        _reason(_claim(signed, tc1.sign(signed, KEY, "HmacSHA256"), "HmacSHA1")) is Reason.SIGNATURE_MISMATCH
    )


@pytest.mark.parametrize(
    ("host", "path"), [("http://127.0.0.1:7653", "/"), ("127.0.0.1:7653", "/tc/"), ("127.0.0.1", "/")]
)
def test_the_endpoints_that_clients_sign_are_believed(host: str, path: str) -> None:
    """The Python SDK signs the endpoint as configured; the Go SDK signs the endpoint's path too."""
    sent = tc1.Signed("GET", host if "://" in host else "127.0.0.1:7653", "/tc/", PARAMS)
    proof = tc1.sign(dataclasses.replace(sent, host=host, path=path), KEY)
    _claim(sent, proof).prove(KEY, NOW)


def test_a_public_name_is_believed() -> None:
    signed = tc1.Signed("GET", "cam.example.test", "/", PARAMS)
    claim = _claim(dataclasses.replace(signed, host="10.0.0.7"), tc1.sign(signed, KEY))
    assert _reason(claim) is Reason.SIGNATURE_MISMATCH
    dataclasses.replace(claim, public_hosts=("cam.example.test",)).prove(KEY, NOW)


@pytest.mark.parametrize("skew", [-301, 301])
def test_a_clock_more_than_the_window_off_is_expired(skew: int) -> None:
    signed = tc1.Signed("GET", "h", "/", PARAMS)
    assert _reason(_claim(signed, tc1.sign(signed, KEY)), NOW + skew) is Reason.SIGNATURE_EXPIRED


def test_an_unknown_signature_method_is_refused() -> None:
    with pytest.raises(Refused) as refused:
        _claim(tc1.Signed("GET", "h", "/", ()), "x", "HmacMD5")
    assert (refused.value.reason, refused.value.field) == (Reason.AUTHORIZATION_MALFORMED, "SignatureMethod")


def test_a_claim_never_shows_parameters_or_signature() -> None:
    claim = _claim(tc1.Signed("GET", "h", "/", (("Password", "planted"),)), "planted-too")
    assert "planted" not in repr(claim)
    assert _reason(claim) is Reason.SIGNATURE_MISMATCH
