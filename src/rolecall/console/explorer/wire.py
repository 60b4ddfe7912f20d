"""The signed request as it goes over the wire, and what its signature covers.

No stored secret is signed with: the key is a placeholder, or one that the visitor typed for this page.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlencode

from rolecall.console.explorer.calls import DescribedCall, Hole, flat_text, json_text
from rolecall.signing import acs1, tc3
from rolecall.values import Secret

PLACEHOLDER_ID, PLACEHOLDER_KEY = "SECRET_ID", "SECRET_KEY"
"""They sign where no other key is given."""


@dataclass(frozen=True, slots=True)
class Part:
    """A text of the signature's computation. `title` and `covers` are keys of texts."""

    title: str
    covers: str
    text: str


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """`text` is the request in HTTP/1.1; `body` begins behind its headers. `lines` says of each part of the request
    whether the signature covers it: the part, the key of a text, and whether it does."""

    text: str
    parts: Sequence[Part]
    lines: Sequence[tuple[str, str, bool]]


def signed_request(call: DescribedCall, key_id: str, key: Secret, now: float, nonce: str) -> SignedRequest:
    if call.dialect == "tencent":
        return _tencent(call, key_id, key, int(now))
    if call.dialect == "aliyun":
        return _aliyun(call, key_id, key, int(now), nonce)
    return _openstack(call)


def _http(method: str, path: str, headers: Sequence[tuple[str, str]], body: str) -> str:
    lines = "".join(f"{name}: {value}\n" for name, value in headers)
    return f"{method} {path} HTTP/1.1\n{lines}\n{body}"


def _tencent(call: DescribedCall, key_id: str, key: Secret, now: int) -> SignedRequest:
    body = json_text(dict(call.params))
    payload, host, names = body.encode(), call.host, ("content-type", "host")
    signed = tc3.Signed(
        "POST", "/", "", {"content-type": "application/json", "host": host}, payload, str(now)
    )
    proof = tc3.sign(signed, key_id, key, call.service, names)
    canonical = tc3.canonical_request(
        "POST", "/", "", tc3.canonical_headers(names, signed.headers), names, tc3.payload_hash(payload)
    )
    region = [("X-TC-Region", call.region)] if call.region else []
    headers = [
        ("Host", host),
        ("Content-Type", "application/json"),
        ("X-TC-Action", call.action),
        ("X-TC-Version", call.version),
        *region,
        ("X-TC-Timestamp", str(now)),
        ("Authorization", str(proof)),
    ]
    return SignedRequest(
        _http("POST", "/", headers, body),
        (
            Part("canonical_request", "covers_tc3_canonical", canonical),
            Part("string_to_sign", "covers_tc3_string", tc3.string_to_sign(str(now), proof.scope, canonical)),
            Part("signature", "covers_tc3_signature", proof.signature),
        ),
        (
            ("POST /", "covered_method", True),
            ("Host, Content-Type", "covered_headers", True),
            ("X-TC-Timestamp", "covered_timestamp", True),
            ("X-TC-Action, X-TC-Version, X-TC-Region", "not_covered_naming", False),
            ("Authorization", "covered_scope", True),
            ("{...}", "covered_body", True),
        ),
    )


def _aliyun(call: DescribedCall, key_id: str, key: Secret, now: int, nonce: str) -> SignedRequest:
    given = {name: str(flat_text(value)) for name, value in call.params.items()}
    params = {
        "Action": call.action,
        "Version": call.version,
        "Format": "JSON",
        "AccessKeyId": key_id,
        "SignatureMethod": acs1.DEFAULT_METHOD,
        "SignatureVersion": acs1.VERSION,
        "SignatureNonce": nonce,
        "Timestamp": datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        **({"RegionId": call.region} if call.region else {}),
        **given,
    }
    canonical = acs1.canonical_query(params.items())
    text = acs1.string_to_sign("POST", params.items())
    signature = acs1.signature(key, text)
    headers = (("Host", call.host), ("Content-Type", "application/x-www-form-urlencoded"))
    return SignedRequest(
        _http("POST", "/", headers, urlencode({**params, "Signature": signature})),
        (
            Part("canonical_query", "covers_acs_canonical", canonical),
            Part("string_to_sign", "covers_acs_string", text),
            Part("signature", "covers_acs_signature", signature),
        ),
        (
            ("POST /", "covered_method", True),
            ("Host, Content-Type", "not_covered_headers", False),
            ("Timestamp, SignatureNonce", "covered_nonce", True),
            ("Action=...&...", "covered_params", True),
            ("Signature", "signature_itself", False),
        ),
    )


def _openstack(call: DescribedCall) -> SignedRequest:
    rest = call.rest
    path = "".join(map(str, rest.path))
    headers = [("Host", call.host), ("Accept", "application/json")]
    if not rest.public:
        headers.append(("X-Auth-Token", str(Hole("OS_TOKEN"))))
    headers += [(name, str(hole)) for name, hole in rest.headers.items()]
    body = ""
    if rest.body is not None:
        headers.append(("Content-Type", "application/json"))
        body = json_text(rest.body)
    token = () if rest.public else (("X-Auth-Token", "token_is_proof", False),)
    return SignedRequest(
        _http(rest.method, path, headers, body), (), (*token, (f"{rest.method} {path}", "not_signed", False))
    )
