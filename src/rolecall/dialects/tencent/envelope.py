"""The common parameters of a request, and the claim in it: from headers (TC3) or among the parameters (v1).

Source: "Common params" of the Tencent Cloud API documentation, and its size limits of "Request structure".
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from msgspec import Struct

from rolecall.dialects.forms import PairDecoder, require_distinct
from rolecall.dialects.headers import by_name, required, token
from rolecall.dialects.marks import has_pair, match_pair
from rolecall.dialects.tencent.bodies import decode_json, decode_multipart
from rolecall.dialects.tencent.flatten import unflatten
from rolecall.domain.reasons import Reason, Refused
from rolecall.signing import host_candidates, tc1, tc3
from rolecall.values import Claim, Language, Mark, Request, SentParams

MAX_QUERY = 32 * 1024
MAX_FORM = 1024 * 1024
MAX_BODY = 10 * 1024 * 1024

DOMAIN = ".tencentcloudapi.com"

FORM = "application/x-www-form-urlencoded"

_COMMON_NAMES = frozenset(
    {
        "Action",
        "Version",
        "Region",
        "Timestamp",
        "Nonce",
        "SecretId",
        "Signature",
        "SignatureMethod",
        "Token",
        "Language",
        "RequestClient",
    }
)
_MEANINGFUL = frozenset({"host", "content-type", "authorization"})
_TC3_HEADERS = ("authorization", "x-tc-action", "x-tc-version", "x-tc-timestamp")
MAX_PAIRS = 10_000
"""Pairs of one query or form: a bound on work done before a signature is proven."""
_DECODER = PairDecoder(MAX_PAIRS)

_TIMESTAMP = re.compile(r"[0-9]{1,12}", re.ASCII)
_NONCE = re.compile(r"0*[1-9][0-9]{0,38}", re.ASCII)
_LANGUAGE = re.compile(rb"Language=([A-Za-z-]+)(?:&|$)")
_VERSION = re.compile(rb"Version=([0-9-]{1,20})(?:&|$)")
_MARKS = (b"SecretId=", b"Nonce=", b"RequestClient=", b"SignatureMethod=Hmac", b"SignatureMethod=TC3-")
"""Parameters that only clients of this vendor send."""


@dataclass(frozen=True, slots=True)
class Trust:
    """What a signature is accepted with: clock difference in seconds, and names that clients may sign as host.

    `signed_action`: a TC3 signature must cover the header that names the action. `v1`: accept the older signatures.
    """

    clock_window: int
    public_hosts: tuple[str, ...]
    signed_action: bool = False
    v1: bool = True


class Common(Struct, frozen=True):
    """The common parameters of a request. `scope`: the service that a TC3 signature says it is for; v1 says none."""

    action: str
    version: str
    region: str
    claim: Claim
    scope: str = ""


class Params(Struct, frozen=True):
    """An action's own parameters; `flat` if every scalar arrived as text."""

    values: SentParams
    flat: bool


def language(request: Request) -> Language:
    """The language to answer in. The default is English; anything unknown is English."""
    said = request.header("x-tc-language")
    if not said:
        found = match_pair(_form_text(request), b"Language=", _LANGUAGE)
        said = found[1].decode() if found else ""
    return Language.CHINESE if said.lower() == "zh-cn" else Language.ENGLISH


def is_tc3(request: Request) -> bool:
    """Whether the common parameters stand in headers. JSON without any of them is an unfinished TC3 request."""
    if any(request.header(name) for name in _TC3_HEADERS):
        return True
    return request.method == "POST" and _media_type(request.header("content-type")) not in ("", FORM)


def mark(request: Request, versions: Collection[str]) -> Mark:
    """How surely a request is meant for this dialect; `versions` are those of its contracts.

    A bare ``Action=`` counts a little: it is this form of call, of this vendor or the other one.
    """
    if request.header("authorization").startswith(tc3.ALGORITHM):
        return Mark.SIGNATURE
    if any(name.startswith("x-tc-") for name, _ in request.headers):
        return Mark.HEADER
    text = _form_text(request)
    if any(has_pair(text, mark) for mark in _MARKS):
        return Mark.PARAMETER
    found = match_pair(text, b"Version=", _VERSION)
    if found and found[1].decode() in versions:
        return Mark.NAME
    named = host_candidates(request.header("host"))[-1].lower().endswith(DOMAIN)
    return Mark.PLACE if named or has_pair(text, b"Action=") else Mark.NONE


def largest_body(head: Request) -> int:
    """The most bytes of body to read for a request with that head."""
    if head.header("authorization").startswith(tc3.ALGORITHM):
        return MAX_BODY
    return MAX_FORM if _media_type(head.header("content-type")) in ("", FORM) else 0


def check_shape(request: Request, *, tc3_family: bool) -> None:
    """Method and size. Refuses with METHOD_UNSUPPORTED or TOO_LARGE (``SignatureMethod`` for a v1 form)."""
    if request.method not in ("GET", "POST"):
        raise Refused(Reason.METHOD_UNSUPPORTED, facts={"value": request.method})
    if len(request.query) > MAX_QUERY or len(request.body) > MAX_BODY:
        raise Refused(Reason.TOO_LARGE)
    if not tc3_family and (request.too_large or len(request.body) > MAX_FORM):
        raise Refused(Reason.TOO_LARGE, "SignatureMethod")
    if request.too_large:
        raise Refused(Reason.TOO_LARGE)


def single_headers(request: Request) -> dict[str, str]:
    """Headers by name. MALFORMED_REQUEST if a header of this dialect occurs twice with different values."""
    return by_name(request, _MEANINGFUL, "x-tc-")


def tc3_common(request: Request, headers: Mapping[str, str], trust: Trust) -> Common:
    """Refuses with PARAMETER_MISSING, PARAMETER_TYPE (Timestamp) or AUTHORIZATION_MALFORMED."""
    action = required(headers, "x-tc-action", "Action")
    version = required(headers, "x-tc-version", "Version")
    timestamp = required(headers, "x-tc-timestamp", "Timestamp")
    if not _TIMESTAMP.fullmatch(timestamp):
        raise Refused(Reason.PARAMETER_TYPE, "Timestamp")
    authorization = required(headers, "authorization", "Authorization")
    is_get = request.method == "GET"
    payload = b"" if is_get else request.body
    if headers.get("x-tc-content-sha256") == tc3.UNSIGNED_PAYLOAD:
        payload = tc3.UNSIGNED_PAYLOAD.encode()
    query = request.query if is_get else ""
    hashed = request.sha256 if payload is request.body else ""
    signed = tc3.Signed(request.method, request.path, query, headers, payload, timestamp, hashed)
    claim = tc3.claim(
        signed,
        authorization,
        token=token(headers.get("x-tc-token", "")),
        clock_window=trust.clock_window,
        public_hosts=trust.public_hosts,
    )
    if trust.signed_action and "x-tc-action" not in claim.authorization.signed_headers:
        raise Refused(Reason.AUTHORIZATION_MALFORMED, note="x-tc-action is not among the signed headers")
    return Common(action, version, headers.get("x-tc-region", ""), claim, claim.authorization.service)


def tc3_params(request: Request, headers: Mapping[str, str]) -> Params:
    """The parameters of a TC3 request, unread: its flattened query for GET, else its JSON or multipart body."""
    if request.method == "GET":
        return Params(SentParams(lambda: unflatten(_query_pairs(request))), flat=True)
    content_type = headers.get("content-type", "")
    media_type = _media_type(content_type)
    if media_type == "application/json":
        return Params(SentParams(lambda: decode_json(request.body)), flat=False)
    if media_type == "multipart/form-data":
        return Params(SentParams(lambda: decode_multipart(request.body, content_type)), flat=True)
    raise Refused(Reason.MALFORMED_REQUEST, "Content-Type", facts={"value": media_type})


def v1_pairs(request: Request) -> tc1.Pairs:
    """The decoded pairs of a v1 request: its query for GET, its form for POST."""
    if request.method == "GET":
        return _query_pairs(request)
    return require_distinct(_DECODER.form(request.body))


def v1_common(request: Request, host: str, pairs: tc1.Pairs, trust: Trust) -> Common:
    """Refuses with PARAMETER_MISSING, PARAMETER_TYPE (Timestamp, Nonce) or AUTHORIZATION_MALFORMED."""
    if not trust.v1:
        raise Refused(
            Reason.AUTHORIZATION_MALFORMED, "SignatureMethod", note="v1 signatures are switched off"
        )
    named = dict(pairs)
    action = required(named, "Action")
    version = required(named, "Version")
    timestamp = required(named, "Timestamp")
    if not _TIMESTAMP.fullmatch(timestamp):
        raise Refused(Reason.PARAMETER_TYPE, "Timestamp")
    if not _NONCE.fullmatch(required(named, "Nonce")):
        raise Refused(Reason.PARAMETER_TYPE, "Nonce")
    claim = tc1.Tc1Claim(
        access_key_id=required(named, "SecretId"),
        signed=tc1.Signed(request.method, host, request.path, _unsigned(pairs)),
        timestamp=int(timestamp),
        given=required(named, "Signature"),
        algorithm=named.get("SignatureMethod") or tc1.DEFAULT_ALGORITHM,
        token=token(named.get("Token", "")),
        clock_window=trust.clock_window,
        public_hosts=trust.public_hosts,
    )
    return Common(action, version, named.get("Region", ""), claim)


def v1_params(pairs: tc1.Pairs) -> Params:
    """The action's own parameters, without the common ones; they are nested when they are read."""
    own = [pair for pair in pairs if pair[0] not in _COMMON_NAMES]
    return Params(SentParams(lambda: unflatten(own)), flat=True)


def _unsigned(pairs: tc1.Pairs) -> tc1.Pairs:
    return tuple(pair for pair in pairs if pair[0] != "Signature")


def _query_pairs(request: Request) -> tc1.Pairs:
    return require_distinct(_DECODER.query(request.query))


def _media_type(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()


def _form_text(request: Request) -> bytes:
    """The raw text that may hold a v1 request, undecoded; empty if there is none."""
    if request.method == "GET":
        return request.query.encode("utf-8", "surrogatepass")
    if _media_type(request.header("content-type")) not in ("", FORM):
        return b""
    return request.body
