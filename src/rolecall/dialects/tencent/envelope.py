"""The common parameters of a request, and the claim in it: from headers (TC3) or among the parameters (v1).

Source: "Common params" of the Tencent Cloud API documentation, and its size limits of "Request structure".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from rolecall.dialects.tencent.bodies import decode_json, decode_multipart
from rolecall.dialects.tencent.flatten import decode_pairs, unflatten
from rolecall.domain.reasons import Reason, Refused
from rolecall.signing import tc1, tc3
from rolecall.values import Claim, Language, Request, Secret

MAX_QUERY = 32 * 1024
MAX_FORM = 1024 * 1024
MAX_BODY = 10 * 1024 * 1024

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
_TC3_HEADERS = ("authorization", "x-tc-action", "x-tc-version", "x-tc-timestamp")
_TIMESTAMP = re.compile(r"[0-9]{1,12}", re.ASCII)
_NONCE = re.compile(r"0*[1-9][0-9]{0,38}", re.ASCII)
_LANGUAGE = re.compile(r"(?:^|&)Language=([A-Za-z-]+)(?:&|$)")
_SECRET_ID = re.compile(r"(?:^|&)SecretId=")
_ACTION = re.compile(r"(?:^|&)Action=")


@dataclass(frozen=True, slots=True)
class Trust:
    """How far a signature is believed: clock difference in seconds, and names clients may have signed as host.

    `signed_action`: a TC3 signature must cover the header that names the action. `v1`: the older signatures are taken.
    """

    clock_window: int
    public_hosts: tuple[str, ...]
    signed_action: bool = False
    v1: bool = True


@dataclass(frozen=True, slots=True)
class Common:
    """The common parameters of a request. `scope`: the service that a TC3 signature says it is for; v1 says none."""

    action: str
    version: str
    region: str
    claim: Claim
    scope: str = ""


@dataclass(frozen=True, slots=True)
class Params:
    """An action's own parameters; `flat` if every scalar arrived as text."""

    values: Mapping[str, object]
    flat: bool


def language(request: Request) -> Language:
    """The language to answer in. The default is English; anything unknown is English."""
    said = request.header("x-tc-language")
    if not said:
        found = _LANGUAGE.search(_form_text(request))
        said = found[1] if found else ""
    return Language.CHINESE if said.lower() == "zh-cn" else Language.ENGLISH


def is_tc3(request: Request) -> bool:
    """Whether the common parameters stand in headers. JSON without any of them is an unfinished TC3 request."""
    if any(request.header(name) for name in _TC3_HEADERS):
        return True
    return request.method == "POST" and _media_type(request.header("content-type")) not in ("", FORM)


def is_ours(request: Request) -> bool:
    """Whether a request can only have been meant for this dialect."""
    if request.header("authorization").startswith(tc3.ALGORITHM):
        return True
    if any(name.startswith("x-tc-") for name, _ in request.headers):
        return True
    text = _form_text(request)
    return _SECRET_ID.search(text) is not None and _ACTION.search(text) is not None


def check_shape(request: Request, *, tc3_family: bool) -> None:
    """Method and size. Refuses with METHOD_UNSUPPORTED or TOO_LARGE (``SignatureMethod`` for a v1 form)."""
    if request.method not in ("GET", "POST"):
        raise Refused(Reason.METHOD_UNSUPPORTED, facts={"value": request.method})
    if len(request.query) > MAX_QUERY or len(request.body) > MAX_BODY:
        raise Refused(Reason.TOO_LARGE)
    if not tc3_family and len(request.body) > MAX_FORM:
        raise Refused(Reason.TOO_LARGE, "SignatureMethod")


def single_headers(request: Request) -> dict[str, str]:
    """Headers by name. Refuses with MALFORMED_REQUEST if one that has meaning here stands twice."""
    headers = dict(request.headers)
    if len(headers) != len(request.headers):
        names = [name for name, _ in request.headers]
        for name in headers:
            telling = name in ("host", "content-type", "authorization") or name.startswith("x-tc-")
            if telling and names.count(name) > 1:
                raise Refused(Reason.MALFORMED_REQUEST, "header", note=f"{name} stands twice")
    return headers


def tc3_common(request: Request, headers: Mapping[str, str], trust: Trust) -> Common:
    """Refuses with PARAMETER_MISSING, PARAMETER_TYPE (Timestamp) or AUTHORIZATION_MALFORMED."""
    action = _required(headers, "x-tc-action", "Action")
    version = _required(headers, "x-tc-version", "Version")
    timestamp = _required(headers, "x-tc-timestamp", "Timestamp")
    if not _TIMESTAMP.fullmatch(timestamp):
        raise Refused(Reason.PARAMETER_TYPE, "Timestamp")
    authorization = _required(headers, "authorization", "Authorization")
    is_get = request.method == "GET"
    payload = b"" if is_get else request.body
    if headers.get("x-tc-content-sha256") == tc3.UNSIGNED_PAYLOAD:
        payload = tc3.UNSIGNED_PAYLOAD.encode()
    signed = tc3.Signed(
        request.method, request.path, request.query if is_get else "", headers, payload, timestamp
    )
    claim = tc3.claim(
        signed,
        authorization,
        token=_token(headers.get("x-tc-token", "")),
        clock_window=trust.clock_window,
        public_hosts=trust.public_hosts,
    )
    if trust.signed_action and "x-tc-action" not in claim.authorization.signed_headers:
        raise Refused(Reason.AUTHORIZATION_MALFORMED, note="x-tc-action is not among the signed headers")
    return Common(action, version, headers.get("x-tc-region", ""), claim, claim.authorization.service)


def tc3_params(request: Request, headers: Mapping[str, str]) -> Params:
    """The parameters of a TC3 request: its flattened query for GET, else its JSON or multipart body."""
    if request.method == "GET":
        return Params(unflatten(_query_pairs(request)), flat=True)
    content_type = headers.get("content-type", "")
    media_type = _media_type(content_type)
    if media_type == "application/json":
        return Params(decode_json(request.body), flat=False)
    if media_type == "multipart/form-data":
        return Params(decode_multipart(request.body, content_type), flat=True)
    raise Refused(Reason.MALFORMED_REQUEST, "Content-Type", facts={"value": media_type})


def v1_pairs(request: Request) -> tc1.Pairs:
    """The decoded pairs of a v1 request: its query for GET, its form for POST."""
    if request.method == "GET":
        return _query_pairs(request)
    try:
        text = request.body.decode("utf-8")
    except UnicodeError:
        raise Refused(Reason.MALFORMED_REQUEST, "form", note="not UTF-8") from None
    return decode_pairs(text, "form")


def v1_common(request: Request, host: str, pairs: tc1.Pairs, trust: Trust) -> Common:
    """Refuses with PARAMETER_MISSING, PARAMETER_TYPE (Timestamp, Nonce) or AUTHORIZATION_MALFORMED."""
    if not trust.v1:
        raise Refused(
            Reason.AUTHORIZATION_MALFORMED, "SignatureMethod", note="v1 signatures are switched off"
        )
    named = dict(pairs)
    action = _required(named, "Action")
    version = _required(named, "Version")
    timestamp = _required(named, "Timestamp")
    if not _TIMESTAMP.fullmatch(timestamp):
        raise Refused(Reason.PARAMETER_TYPE, "Timestamp")
    if not _NONCE.fullmatch(_required(named, "Nonce")):
        raise Refused(Reason.PARAMETER_TYPE, "Nonce")
    claim = tc1.Tc1Claim(
        access_key_id=_required(named, "SecretId"),
        signed=tc1.Signed(request.method, host, request.path, _unsigned(pairs)),
        timestamp=int(timestamp),
        given=_required(named, "Signature"),
        algorithm=named.get("SignatureMethod") or tc1.DEFAULT_ALGORITHM,
        token=_token(named.get("Token", "")),
        clock_window=trust.clock_window,
        public_hosts=trust.public_hosts,
    )
    return Common(action, version, named.get("Region", ""), claim)


def v1_params(pairs: tc1.Pairs) -> Params:
    """The action's own parameters, nested again, without the common ones."""
    own = (pair for pair in pairs if pair[0] not in _COMMON_NAMES)
    return Params(unflatten(own), flat=True)


def _unsigned(pairs: tc1.Pairs) -> tc1.Pairs:
    return tuple(pair for pair in pairs if pair[0] != "Signature")


def _required(named: Mapping[str, str], key: str, field: str = "") -> str:
    value = named.get(key, "")
    if not value:
        raise Refused(Reason.PARAMETER_MISSING, field or key)
    return value


def _token(text: str) -> Secret | None:
    return Secret(text) if text else None


def _query_pairs(request: Request) -> tc1.Pairs:
    if not request.query.isascii():
        raise Refused(Reason.MALFORMED_REQUEST, "query", note="not ASCII")
    return decode_pairs(request.query, "query")


def _media_type(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()


def _form_text(request: Request) -> str:
    """The raw text a v1 request would stand in, for a first look; empty if there is none."""
    if request.method == "GET":
        return request.query
    if _media_type(request.header("content-type")) not in ("", FORM):
        return ""
    return request.body[:MAX_FORM].decode("latin-1")
