"""A signature of Tencent's may be sent again, but only to say the same (A5, B9)."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from rolecall.domain.reasons import Reason, Refused
from rolecall.signing import tc1, tc3
from rolecall.signing.replay import PROVING, SAME_SECOND, Repeatable, Replays, SignatureMemory
from rolecall.signing.tc1 import Tc1Claim
from rolecall.signing.tc3 import Tc3Claim
from rolecall.values import Request, Secret

KEY = Secret("key")
NOW = 1_767_225_600


def tc3_request(action: str = "DescribeRegions", body: bytes = b"{}", **changes: str) -> Request:
    headers = tc3.post_headers(
        "AKID", KEY, service="127", version=changes.get("version", "2017-03-12"), action=action,
        region=changes.get("region", "ap-guangzhou"), timestamp=NOW, host="127.0.0.1:7653", payload=body,
    )  # fmt: skip
    if "token" in changes:
        headers["X-TC-Token"] = changes["token"]
    named = tuple((name.lower(), value) for name, value in headers.items())
    return Request("POST", "/", "", named, body, changes.get("client", "192.0.2.1"), False, NOW)


def tc3_claim(request: Request) -> Tc3Claim:
    headers = dict(request.headers)
    signed = tc3.Signed("POST", "/", "", headers, request.body, headers["x-tc-timestamp"])
    claim = tc3.claim(signed, headers["authorization"])
    claim.prove(KEY, NOW)
    return claim


def take(memory: SignatureMemory, claim: Repeatable, request: Request, now: float, *, mints: bool) -> None:
    memory.note(claim, request, now)
    memory.require_same(claim, request, now, mints=mints)


def send(memory: SignatureMemory, request: Request, after: float = 0, *, mints: bool = False) -> None:
    take(memory, tc3_claim(request), request, NOW + after, mints=mints)


def refused(memory: SignatureMemory, request: Request, after: float = 0, *, mints: bool = False) -> bool:
    with pytest.raises(Refused) as refusal:
        send(memory, request, after, mints=mints)
    return refusal.value.reason is Reason.SIGNATURE_MISMATCH


def test_only_the_first_call_of_a_signature_needs_no_comparison() -> None:
    replays, request = Replays(900), tc3_request()
    claim = tc3_claim(request)
    assert [replays.remember(claim, request, NOW, regional=True) for _ in range(3)] == [False, True, True]


def test_an_identical_repeat_is_taken_for_as_long_as_the_signature_is() -> None:
    memory = SignatureMemory()
    for after in (0, 1, 100, 299):
        send(memory, tc3_request(), after, mints=True)
    send(memory, tc3_request(client="192.0.2.9"), 299)
    assert len(memory) == 1


@pytest.mark.parametrize(
    "changed",
    [
        tc3_request("DescribeZones"),
        tc3_request(version="2019-01-16"),
        tc3_request(region="ap-beijing"),
        tc3_request(token="stolen"),
    ],
    ids=["action", "version", "region", "token"],
)
def test_a_captured_signature_says_nothing_else_later(changed: Request) -> None:
    memory = SignatureMemory()
    send(memory, tc3_request())
    assert tc3_claim(changed).proof == tc3_claim(tc3_request()).proof
    assert refused(memory, changed, SAME_SECOND + 1)


def test_nor_where_it_was_proven_in_time_and_is_looked_for_later() -> None:
    """Between the proof and the look the store and the rates are asked; the first call must not be forgotten then."""
    memory = SignatureMemory()
    send(memory, tc3_request())
    assert refused(memory, tc3_request("DeleteAccount"), tc3.CLOCK_WINDOW + 1)


def test_a_captured_signature_never_mints_a_secret() -> None:
    memory = SignatureMemory()
    send(memory, tc3_request())
    assert refused(memory, tc3_request("CreateAccessKey", version="2019-01-16"), mints=True)


def test_a_captured_signature_is_not_taken_from_elsewhere() -> None:
    memory = SignatureMemory()
    send(memory, tc3_request())
    assert refused(memory, tc3_request("DescribeZones", client="192.0.2.9"))


def test_a_client_may_make_two_calls_with_the_same_parameters_within_a_second() -> None:
    """SDKs sign whole seconds and no action: GetUser and DeleteUser of one name have one signature."""
    memory = SignatureMemory()
    send(memory, tc3_request())
    send(memory, tc3_request("DescribeZones"), 0.9)


def test_an_unsigned_body_is_part_of_what_was_said() -> None:
    memory = SignatureMemory()
    request = tc3_request(body=tc3.UNSIGNED_PAYLOAD.encode())
    claim = tc3_claim(request)
    take(memory, claim, replace(request, body=b'{"A":1}'), NOW, mints=False)
    take(memory, claim, replace(request, body=b'{"A":1}'), NOW + 9, mints=False)
    with pytest.raises(Refused):
        take(memory, claim, replace(request, body=b'{"A":2}'), NOW + 9, mints=False)


def test_a_v1_string_to_sign_is_not_split_in_another_way() -> None:
    first = (("Action", "A"), ("Name", "x"), ("Tag", "y"))
    other = (("Action", "A"), ("Name", "x&Tag=y"))
    assert tc1.string_to_sign("POST", "h", "/", first) == tc1.string_to_sign("POST", "h", "/", other)
    memory = SignatureMemory()
    for pairs, body, good in (
        (first, b"Action=A&Name=x&Tag=y", True),
        (first, b"Action=A&Name=x&Tag=y", True),
        (other, b"Action=A&Name=x%26Tag%3Dy", False),
    ):
        signed = tc1.Signed("POST", "h", "/", pairs)
        claim = Tc1Claim("AKID", signed, NOW, tc1.sign(signed, KEY))
        claim.prove(KEY, NOW)
        request = Request("POST", "/", "", (), body, "192.0.2.1", False, NOW)
        if good:
            take(memory, claim, request, NOW + 9, mints=False)
        else:
            with pytest.raises(Refused):
                take(memory, claim, request, NOW + 18, mints=False)


def test_signatures_are_forgotten_once_they_are_over_and_the_oldest_when_there_are_too_many() -> None:
    memory = SignatureMemory(most=10)
    for number in range(20):
        send(memory, tc3_request(body=b"%d" % number))
    assert len(memory) == 10
    send(memory, tc3_request(), 301 + PROVING)
    assert len(memory) == 1


def test_both_signatures_of_tencents_are_repeatable() -> None:
    assert isinstance(tc3_claim(tc3_request()), Repeatable)
    assert isinstance(Tc1Claim("a", tc1.Signed("GET", "h", "/", ()), 0, "s"), Repeatable)


def test_a_region_names_nothing_where_there_are_no_regions() -> None:
    """Clients of one key send the same call with and without a region in the same second."""
    memory = SignatureMemory()
    for region in ("ap-guangzhou", "", "ap-beijing"):
        request = tc3_request("GetFederationToken", region=region)
        memory.note(tc3_claim(request), request, NOW, regional=False)
        memory.require_same(tc3_claim(request), request, NOW, mints=True, regional=False)
    other = tc3_request("CreateAccessKey", region="")
    with pytest.raises(Refused):
        memory.require_same(tc3_claim(other), other, NOW, mints=True, regional=False)
