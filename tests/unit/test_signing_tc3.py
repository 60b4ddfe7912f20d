"""TC3-HMAC-SHA256: every stage against vectors, the vendor's own signer, and the oddities of each client."""

from __future__ import annotations

import dataclasses
import time
from typing import Any

import pytest
from tencentcloud.common.sign import Sign
from tests.unit.vectors import Vectors, refused

from rolecall.domain.reasons import Reason, Refused
from rolecall.signing import host_candidates, tc3
from rolecall.values import Secret

VECTORS = Vectors("tc3")
KEY = Secret("Gu5t9xGARNpq86cd98joQYCN3EXAMPLE")
NOW = 1700000000


def _payload(case: dict[str, Any]) -> bytes:
    unsigned = case["headers"].get("x-tc-content-sha256") == tc3.UNSIGNED_PAYLOAD
    return (tc3.UNSIGNED_PAYLOAD if unsigned else case["body"]).encode()


def _received(case: dict[str, Any]) -> tc3.Signed:
    return tc3.Signed(
        case["method"],
        case["path"],
        case["query"],
        case["headers"],
        _payload(case),
        str(case["timestamp"]),
    )


def _claim(host: str = "127.0.0.1:7653", signed_host: str = "", **changes: object) -> tc3.Tc3Claim:
    """A claim signed over `signed_host` by a request that was sent with `host`."""
    extra = {"x-tc-action": "AddUser", "x-tc-version": "2019-01-16"}
    headers = {"content-type": "application/json", "host": signed_host or host, **extra}
    signed = tc3.Signed("POST", "/", "", headers, b"{}", str(NOW))
    proof = tc3.sign(signed, "AKID", KEY, "cam", ("content-type", "host"))
    sent = dataclasses.replace(signed, headers={**headers, "host": host})
    return tc3.Tc3Claim(proof, dataclasses.replace(sent, **changes))  # type: ignore[arg-type]


def _reason(claim: tc3.Tc3Claim, now: float = NOW, key: Secret = KEY) -> Reason:
    return refused(claim, key, now)


@pytest.mark.parametrize("name", VECTORS.cases)
def test_each_stage_agrees_with_the_vector(name: str) -> None:
    case = VECTORS.case(name)
    names = tuple(case["signed_headers"])
    values = {key: value.lower() if key.startswith("x-") else value for key, value in case["headers"].items()}
    lines = tc3.canonical_headers(names, values | {"host": case["signed_host"]})
    canonical = tc3.canonical_request(
        case["method"], case["signed_uri"], case["query"], lines, names, tc3.payload_hash(_payload(case))
    )
    assert canonical == VECTORS.text(name, "canonical-request")
    date = tc3.utc_date(case["timestamp"])
    text = tc3.string_to_sign(str(case["timestamp"]), tc3.credential_scope(date, case["service"]), canonical)
    assert text == VECTORS.text(name, "string-to-sign")
    derived = tc3.signing_key(Secret(case["secret_key"]), date, case["service"])
    assert derived.hex() == VECTORS.text(name, "signing-key")
    assert tc3.signature(derived, text) == VECTORS.text(name, "authorization")[-64:]


@pytest.mark.parametrize("name", VECTORS.cases)
def test_the_vendors_own_signer_agrees_with_ours(name: str) -> None:
    case = VECTORS.case(name)
    date = tc3.utc_date(case["timestamp"])
    theirs = Sign.sign_tc3(case["secret_key"], date, case["service"], VECTORS.text(name, "string-to-sign"))
    assert VECTORS.text(name, "authorization").endswith(f"Signature={theirs}")


@pytest.mark.parametrize("name", VECTORS.cases)
def test_a_request_as_received_is_proven(name: str) -> None:
    case = VECTORS.case(name)
    claim = tc3.claim(_received(case), VECTORS.text(name, "authorization"))
    claim.prove(Secret(case["secret_key"]), case["timestamp"] + 299)
    assert claim.access_key_id == case["access_key_id"]


@pytest.mark.parametrize("name", VECTORS.cases)
def test_another_key_or_another_body_proves_nothing(name: str) -> None:
    case = VECTORS.case(name)
    claim = tc3.claim(_received(case), VECTORS.text(name, "authorization"))
    assert _reason(claim, case["timestamp"], Secret("another")) is Reason.SIGNATURE_MISMATCH
    changed = dataclasses.replace(_received(case), payload=b"{}")
    claim = tc3.claim(changed, VECTORS.text(name, "authorization"))
    assert _reason(claim, case["timestamp"]) is Reason.SIGNATURE_MISMATCH


def test_an_authorization_header_survives_reading_and_writing() -> None:
    text = VECTORS.text("documentation-action-signed", "authorization")
    assert str(tc3.parse_authorization(text)) == text


def test_our_client_signs_what_our_server_believes() -> None:
    now = int(time.time())
    headers = tc3.post_headers(
        "AKID",
        KEY,
        service="postgres",
        version="2017-03-12",
        action="CreateAccount",
        region="ap-guangzhou",
        timestamp=now,
        host="127.0.0.1:1",
        payload=b'{"a":1}',
    )
    lower = {name.lower(): value for name, value in headers.items()}
    signed = tc3.Signed("POST", "/", "", lower, b'{"a":1}', str(now))
    tc3.claim(signed, headers["Authorization"]).prove(KEY, now)


def test_a_get_is_signed_over_the_query_exactly_as_sent() -> None:
    """No order or escape of a client may be touched: Go sorts, Python keeps the order it was given."""
    query = "b=2&a=%E5%A4%87+x"
    kind = "application/x-www-form-urlencoded"
    proof = tc3.authorization(
        "AKID", KEY, service="cam", timestamp=NOW, host="h", method="GET", query=query, content_type=kind
    )
    signed = tc3.Signed("GET", "/", query, {"content-type": kind, "host": "h"}, b"", str(NOW))
    tc3.claim(signed, proof).prove(KEY, NOW)
    resorted = dataclasses.replace(signed, query="a=%E5%A4%87+x&b=2")
    assert _reason(tc3.claim(resorted, proof)) is Reason.SIGNATURE_MISMATCH


@pytest.mark.parametrize("skew", [-301, 301, -(10**6), 10**6, 10**11])
def test_a_clock_more_than_the_window_off_is_expired(skew: int) -> None:
    assert _reason(_claim(), NOW + skew) is Reason.SIGNATURE_EXPIRED


@pytest.mark.parametrize("skew", [-300, 0, 300])
def test_a_clock_inside_the_window_is_believed(skew: int) -> None:
    _claim().prove(KEY, NOW + skew)


def test_the_clock_window_can_be_set() -> None:
    claim = dataclasses.replace(_claim(), clock_window=5)
    assert _reason(claim, NOW + 6) is Reason.SIGNATURE_EXPIRED


def test_the_scopes_date_must_be_the_utc_date_of_the_timestamp() -> None:
    claim = _claim()
    signed = claim.signed
    key = tc3.signing_key(KEY, "2023-11-15", "cam")
    canonical = tc3.canonical_request(
        "POST",
        "/",
        "",
        tc3.canonical_headers(("content-type", "host"), signed.headers),
        ("content-type", "host"),
        tc3.payload_hash(signed.payload),
    )
    text = tc3.string_to_sign(str(NOW), "2023-11-15/cam/tc3_request", canonical)
    proof = tc3.Authorization("AKID", "2023-11-15", "cam", ("content-type", "host"), tc3.signature(key, text))
    assert tc3.utc_date(NOW) == "2023-11-14"
    assert _reason(tc3.Tc3Claim(proof, signed)) is Reason.SIGNATURE_MISMATCH


@pytest.mark.parametrize(
    ("sent", "signed"),
    [
        ("127.0.0.1:7653", "127.0.0.1:7653"),
        ("http://127.0.0.1:7653", "http://127.0.0.1:7653"),
        ("http://127.0.0.1:7653", "127.0.0.1:7653"),
        ("127.0.0.1:7653", "127.0.0.1"),
        ("http://127.0.0.1:7653", "127.0.0.1"),
        ("127.0.0.1:7653/tc", "127.0.0.1:7653/tc"),
        ("CAM.Example.test", "cam.example.test"),
        ("[::1]:7653", "[::1]"),
    ],
)
def test_the_hosts_that_real_clients_sign_are_believed(sent: str, signed: str) -> None:
    _claim(sent, signed).prove(KEY, NOW)


def test_a_host_the_request_did_not_name_is_not_believed() -> None:
    assert _reason(_claim("127.0.0.1:7653", "cam.tencentcloudapi.com")) is Reason.SIGNATURE_MISMATCH


def test_a_public_name_is_believed_where_a_gateway_replaced_the_host() -> None:
    claim = _claim("10.0.0.7", "cam.example.test")
    dataclasses.replace(claim, public_hosts=("cam.example.test",)).prove(KEY, NOW)


def test_candidates_for_the_host_are_few_and_without_repeats() -> None:
    assert host_candidates("cam.example.test") == ("cam.example.test",)
    assert host_candidates("http://h:1/p", ("h",)) == ("http://h:1/p", "h:1/p", "h")


@pytest.mark.parametrize("style", ["raw", "lower", "mixed"])
def test_header_values_are_believed_raw_or_lower_cased(style: str) -> None:
    """The documentation lower-cases values; the SDKs sign Content-Type raw."""
    names = ("content-type", "host", "x-tc-action", "x-tc-version")
    kind = "multipart/form-data; boundary=AbC"
    sent = {"content-type": kind, "host": "h", "x-tc-action": "AddUser", "x-tc-version": "2019-01-16"}
    lower = {name: value.lower() for name, value in sent.items()}
    spelled = {"raw": sent, "lower": lower, "mixed": lower | {"content-type": kind}}[style]
    request = tc3.Signed("POST", "/", "", spelled, b"", str(NOW))
    proof = str(tc3.sign(request, "AKID", KEY, "cam", names))
    tc3.claim(dataclasses.replace(request, headers=sent), proof).prove(KEY, NOW)


def test_under_a_path_prefix_both_the_root_and_the_real_path_are_believed() -> None:
    _claim(path="/tc").prove(KEY, NOW)
    claim = _claim()
    signed = dataclasses.replace(claim.signed, path="/tc")
    proof = tc3.sign(signed, "AKID", KEY, "127", ("content-type", "host"))
    tc3.Tc3Claim(proof, signed).prove(KEY, NOW)


@pytest.mark.parametrize("service", ["127", "localhost:7653", "postgres", "anything"])
def test_the_scopes_service_is_used_as_it_stands(service: str) -> None:
    """Node and Java sign the first label of the endpoint: ``127``."""
    signed = _claim().signed
    proof = tc3.sign(signed, "AKID", KEY, service, ("content-type", "host"))
    tc3.claim(signed, str(proof)).prove(KEY, NOW)


HEX = "0" * 64
GOOD = f"TC3-HMAC-SHA256 Credential=A/2023-11-14/cam/tc3_request, SignedHeaders=content-type;host, Signature={HEX}"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "SKIP",
        "Bearer x",
        GOOD + " ",
        GOOD + "\n",
        GOOD[:-1],
        GOOD + "0",
        GOOD.replace("tc3_request", "aws4_request"),
        GOOD.replace("A/", "/"),
        GOOD.replace("cam/", "/"),
        GOOD.replace("2023-11-14", "20231114"),
        GOOD.replace("2023", "２０２３"),
        GOOD.replace("content-type;host", "host"),
        GOOD.replace("content-type;host", "content-type"),
        GOOD.replace("content-type;host", "content-type;host;host"),
        GOOD.replace("content-type;host", "content-type;host;x-tc-action"),
        GOOD.replace("content-type;host", "Content-Type;Host"),
        GOOD.replace("Credential=", "Credential="[::-1]),
        GOOD.replace("HMAC", "hmac"),
        GOOD.replace("A/", "A" * 1025 + "/"),
    ],
)
def test_a_malformed_authorization_is_refused(text: str) -> None:
    signed = tc3.Signed("POST", "/", "", {"content-type": "a", "host": "h"}, b"", str(NOW))
    with pytest.raises(Refused) as refused:
        tc3.claim(signed, text)
    assert refused.value.reason is Reason.AUTHORIZATION_MALFORMED


def test_a_claim_never_shows_the_payload_or_the_token() -> None:
    claim = dataclasses.replace(_claim(), token=Secret("tok-planted"))
    assert "planted" not in repr(dataclasses.replace(claim, signed=_claim(payload=b"planted").signed))


def test_text_no_encoding_knows_ends_as_a_mismatch() -> None:
    claim = _claim("h\udc80")
    signed = dataclasses.replace(claim.signed, headers={**claim.signed.headers, "content-type": "\ud800"})
    assert _reason(dataclasses.replace(claim, signed=signed)) is Reason.SIGNATURE_MISMATCH
