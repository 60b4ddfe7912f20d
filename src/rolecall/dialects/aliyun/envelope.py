"""The common parameters of a request, and the claim in it: among the parameters (V2) or from headers (V3).

Sources: "Common parameters" of the PetaData API manual; "Request syntax and signature method" V2 and V3 of the
Alibaba Cloud documentation; aliyun-python-sdk-core 2.16.1, alibabacloud-tea-openapi 0.4.6, pop-core 1.8.0.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from rolecall.dialects.aliyun.parameters import (
    FORM,
    JSON,
    MAX_TEXT,
    body_pairs,
    json_pairs,
    media_type,
    query_pairs,
    union,
)
from rolecall.dialects.headers import by_name, required, token
from rolecall.dialects.marks import has_pair, match_pair
from rolecall.domain.reasons import Reason, Refused
from rolecall.signing import acs1, acs3, host_candidates
from rolecall.values import Claim, Mark, Request

DOMAIN = ".aliyuncs.com"

COMMON_NAMES = frozenset(
    {
        "Action",
        "Version",
        "Format",
        "AccessKeyId",
        "Signature",
        "SignatureMethod",
        "SignatureVersion",
        "SignatureType",
        "SignatureNonce",
        "Timestamp",
        "SecurityToken",
        "BearerToken",
        "RegionId",
    }
)
"""Parameters that do not belong to an action. A contract may declare one nevertheless (CreateInstance: RegionId)."""

_V3_HEADERS = ("x-acs-signature-nonce", "x-acs-content-sha256", "x-acs-date")
_VERSION = re.compile(rb"Version=([0-9-]{1,20})(?:&|$)")
_FORMAT = re.compile(rb"Format=([A-Za-z]{1,20})(?:&|$)")
_MARKS = (
    b"AccessKeyId=",
    b"SignatureNonce=",
    b"SignatureVersion=",
    b"SignatureType=",
    b"SignatureMethod=HMAC-",
    b"SecurityToken=",
    b"BearerToken=",
)
"""Parameters that only clients of this vendor send."""

_MEANINGFUL = frozenset({"host", "content-type", "authorization", "accept"})


@dataclass(frozen=True, slots=True)
class Trust:
    """What a signature is accepted with: clock difference in seconds, and names that clients may sign as host."""

    clock_window: int
    public_hosts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Opened:
    """A parsed request. `params` holds every parameter, the common ones included; `is_v3`: those are headers.

    `document`: a JSON body holds further parameters, which are read after the proof.
    """

    request: Request
    headers: Mapping[str, str] = field(repr=False)
    query: acs1.Pairs = field(repr=False)
    params: Mapping[str, str] = field(repr=False)
    is_v3: bool
    document: bool = False


def mark(request: Request, versions: Collection[str]) -> Mark:
    """How surely a request is meant for this dialect; `versions` are those of its contracts."""
    if request.header("authorization").startswith(acs3.FAMILY):
        return Mark.SIGNATURE
    if any(name.startswith("x-acs-") for name, _ in request.headers):
        return Mark.HEADER
    texts = _texts(request)
    if any(has_pair(text, pair) for text in texts for pair in _MARKS):
        return Mark.PARAMETER
    found = (match_pair(text, b"Version=", _VERSION) for text in texts)
    if any(pair is not None and pair[1].decode() in versions for pair in found):
        return Mark.NAME
    return Mark.PLACE if named_service(request) else Mark.NONE


def largest_body(head: Request) -> int:
    """The most bytes of body to read for a request with that head."""
    signed = head.header("authorization").startswith(acs3.FAMILY)
    return MAX_TEXT if signed or media_type(head) in ("", FORM) else 0


def host_of(request: Request) -> str:
    """The requested host, without scheme and path: some clients send their whole endpoint."""
    header = request.header("host")
    return (header.partition("://")[2] or header).partition("/")[0]


def wants_json(request: Request) -> bool:
    """The format of the answer: XML unless JSON is asked for, by ``Format`` or (V3) by Accept.

    Anything else is XML: aliyun-python-sdk-core 2.16.1 can send ``Format=None``.
    """
    for text in _texts(request):
        if found := match_pair(text, b"Format=", _FORMAT):
            return found[1].upper() == b"JSON"
    return _is_v3(request) and "json" in request.header("accept").lower()


def take_apart(request: Request) -> Opened:
    """Refuses with METHOD_UNSUPPORTED, ROUTE_UNKNOWN, TOO_LARGE or MALFORMED_REQUEST."""
    if request.method not in ("GET", "POST"):
        raise Refused(Reason.METHOD_UNSUPPORTED, facts={"value": request.method})
    if request.path not in ("/", ""):
        raise Refused(Reason.ROUTE_UNKNOWN)
    if request.too_large:
        raise Refused(Reason.TOO_LARGE)
    query, is_v3 = query_pairs(request), _is_v3(request)
    document = is_v3 and request.method == "POST" and bool(request.body) and media_type(request) == JSON
    if document and len(request.body) > MAX_TEXT:
        raise Refused(Reason.TOO_LARGE)
    params = union(query, () if document else body_pairs(request))
    return Opened(request, _single_headers(request), query, params, is_v3, document)


def api(opened: Opened) -> tuple[str, str]:
    """Version and action. Refuses with PARAMETER_MISSING.

    V2: the headers ``x-acs-action`` and ``x-acs-version`` of aliyun-python-sdk-core are not signed, so not read.
    """
    if opened.is_v3:
        return (
            required(opened.headers, "x-acs-version", "Version"),
            required(opened.headers, "x-acs-action", "Action"),
        )
    return required(opened.params, "Version"), required(opened.params, "Action")


def claim(opened: Opened, trust: Trust) -> Claim:
    """Refuses with PARAMETER_MISSING, PARAMETER_TYPE (Timestamp) or AUTHORIZATION_MALFORMED."""
    return _v3_claim(opened, trust) if opened.is_v3 else _v2_claim(opened, trust)


def own_params(opened: Opened, declared: Collection[str]) -> dict[str, str]:
    """The action's own parameters. A blank one is absent ("leave the value blank means the default value").

    Reads a JSON body: only after the proof. Refuses as `json_pairs` and `union` do.
    """
    params = opened.params
    if opened.document:
        params = union(tuple(params.items()), json_pairs(opened.request.body))
    return {
        name: value
        for name, value in params.items()
        if value and (name in declared or name not in COMMON_NAMES)
    }


def _v2_claim(opened: Opened, trust: Trust) -> acs1.Acs1Claim:
    named = opened.params
    access_key_id = required(named, "AccessKeyId")
    given = required(named, "Signature")
    timestamp = acs1.parse_timestamp(required(named, "Timestamp"))
    nonce = required(named, "SignatureNonce")
    algorithm = required(named, "SignatureMethod")
    if required(named, "SignatureVersion") != acs1.VERSION:
        raise Refused(Reason.PARAMETER_VALUE, "SignatureVersion")
    if named.get("SignatureType"):  # PRIVATEKEY and BEARERTOKEN need what no access key has
        raise Refused(Reason.AUTHORIZATION_MALFORMED, "SignatureType", note="no such signature type")
    return acs1.Acs1Claim(
        access_key_id=access_key_id,
        method=opened.request.method,
        params=tuple(pair for pair in named.items() if pair[0] != "Signature"),
        timestamp=timestamp,
        nonce=nonce,
        given=given,
        algorithm=algorithm,
        token=token(named.get("SecurityToken", "")),
        clock_window=trust.clock_window,
    )


def _v3_claim(opened: Opened, trust: Trust) -> acs3.Acs3Claim:
    headers = opened.headers
    authorization = required(headers, "authorization", "AccessKeyId")
    required(headers, "x-acs-date", "Timestamp")
    required(headers, "x-acs-signature-nonce", "SignatureNonce")
    return acs3.claim(
        acs3.Signed(opened.request.method, opened.query, headers, opened.request.body, opened.request.sha256),
        authorization,
        token=token(headers.get("x-acs-security-token", "")),
        clock_window=trust.clock_window,
        public_hosts=trust.public_hosts,
    )


def _is_v3(request: Request) -> bool:
    if request.header("authorization").startswith(acs3.FAMILY):
        return True
    return any(request.header(name) for name in _V3_HEADERS)


def _single_headers(request: Request) -> dict[str, str]:
    """Headers by name. MALFORMED_REQUEST if a header of this dialect occurs twice with different values."""
    return by_name(request, _MEANINGFUL, "x-acs-")


def _texts(request: Request) -> tuple[bytes, ...]:
    """The raw texts that may hold parameters, undecoded."""
    query = request.query.encode("utf-8", "surrogatepass")
    if request.method != "POST" or media_type(request) not in ("", FORM):
        return (query,)
    return (query, request.body)


def named_service(request: Request) -> str:
    """The product in a host name of the vendor's (``petadata.aliyuncs.com``, ``petadata.<region>...``), or empty."""
    name = host_candidates(request.header("host"))[-1].lower()
    return name.partition(".")[0] if name.endswith(DOMAIN) else ""
