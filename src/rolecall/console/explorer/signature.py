"""Why a signature is wrong: what the server computes of a pasted request, step by step, and the first difference.

The signature that would be right is not among it: with it, a session could sign calls without the key's secret.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import parse_qsl, quote_plus, unquote

from rolecall.domain.reasons import Refused
from rolecall.signing import acs1, tc3
from rolecall.values import Secret

HIDDEN = "***"
_TC3_LINES = ("line_method", "line_uri", "line_query")


@dataclass(frozen=True, slots=True)
class Finding:
    """`key` is that of a text with `facts`; `good` if it is as it should be."""

    key: str
    good: bool = False
    facts: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Step:
    """A text that the server computes; `title` is the key of its name."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """`key_id` is the key that the request names. The first finding that is not good is the reason."""

    key_id: str = ""
    steps: Sequence[Step] = ()
    findings: Sequence[Finding] = ()

    @property
    def reason(self) -> Finding | None:
        return next((finding for finding in self.findings if not finding.good), None)


@dataclass(frozen=True, slots=True)
class Pasted:
    """An HTTP request as text: names of headers in lower case; lines end with a line feed."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: str


class NotARequest(Exception):
    """The text does not begin with a request line and headers."""


def read_request(text: str) -> Pasted:
    """Raises `NotARequest`."""
    head, _, body = text.replace("\r\n", "\n").lstrip("\n").partition("\n\n")
    first, *lines = head.split("\n")
    words = first.split()
    if len(words) not in (2, 3) or not words[0].isalpha() or not words[1].startswith(("/", "http")):
        raise NotARequest
    target = words[1]
    if target.startswith("http"):
        target = "/" + target.split("://", 1)[-1].partition("/")[2]
    path, _, query = target.partition("?")
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon:
            raise NotARequest
        headers.setdefault(name.strip().lower(), value.strip())
    return Pasted(words[0].upper(), path or "/", query, headers, body)


def key_named(pasted: Pasted) -> str:
    """The key that the request claims to be signed with; empty if it names none."""
    authorization = pasted.headers.get("authorization", "")
    if authorization.startswith(tc3.ALGORITHM):
        return authorization.partition("Credential=")[2].partition("/")[0].strip()
    return dict(_pairs(pasted)).get("AccessKeyId", "")


def explain(
    pasted: Pasted,
    key: Secret | None,
    now: float,
    *,
    own: str = "",
    here: str = "",
    window: int = tc3.CLOCK_WINDOW,
    acs_window: int = acs1.CLOCK_WINDOW,
    secret_names: frozenset[str] = frozenset(),
) -> Explanation:
    """`own` is the canonical request (TC3) or the string to sign (Alibaba) that the client computed, `here` this
    server's host. Windows are seconds. `secret_names`: parameters whose values are not shown."""
    own = own.replace("\r\n", "\n")
    if pasted.headers.get("authorization", "").startswith(tc3.ALGORITHM):
        return _explain_tc3(pasted, key, now, own, here, window)
    return _explain_acs(pasted, key, now, own.strip(), acs_window, secret_names)


def _explain_tc3(
    pasted: Pasted, key: Secret | None, now: float, own: str, here: str, window: int
) -> Explanation:
    try:
        read = tc3.parse_authorization(pasted.headers["authorization"])
    except Refused as refusal:
        return Explanation(key_named(pasted), (), (Finding("why_malformed", facts={"why": refusal.note}),))
    absent = [name for name in read.signed_headers if name not in pasted.headers]
    if absent:
        return Explanation(read.access_key_id, (), (Finding("why_absent", facts={"name": absent[0]}),))
    stamp = pasted.headers.get("x-tc-timestamp", "")
    if not (stamp.isascii() and stamp.isdecimal() and len(stamp) < 12):
        return Explanation(read.access_key_id, (), (Finding("why_no_timestamp"),))
    body = "" if pasted.method == "GET" else pasted.body
    if (
        "content-length" not in pasted.headers
    ):  # of a text that was pasted, the last line's end is the editor's
        body = body.removesuffix("\n")
    query = pasted.query if pasted.method == "GET" else ""
    signed = tc3.Signed(pasted.method, pasted.path, query, pasted.headers, body.encode(), stamp)
    canonical = _canonical(signed, read.signed_headers)
    text = tc3.string_to_sign(stamp, read.scope, canonical)
    steps = (
        Step("body_hash", tc3.payload_hash(signed.payload)),
        Step("canonical_request", canonical),
        Step("string_to_sign", text),
    )
    findings = [_skew(int(stamp), now, window), _date(read, int(stamp))]
    if own:
        findings.append(_own_tc3(canonical, own))
    if key is not None:
        findings += _proof_tc3(signed, read, key, own, here)
    return Explanation(read.access_key_id, steps, findings)


def _canonical(signed: tc3.Signed, names: tuple[str, ...]) -> str:
    lines = tc3.canonical_headers(names, signed.headers)
    hashed = tc3.payload_hash(signed.payload)
    return tc3.canonical_request(signed.method, signed.path, signed.query, lines, names, hashed)


def _skew(stamp: int, now: float, window: int) -> Finding:
    seconds = round(now - stamp)
    return Finding(
        "why_skew" if abs(seconds) > window else "ok_skew", abs(seconds) <= window, {"seconds": seconds}
    )


def _date(read: tc3.Authorization, stamp: int) -> Finding:
    right = tc3.utc_date(stamp)
    facts = {"date": read.date, "right": right}
    return Finding("ok_date" if read.date == right else "why_date", read.date == right, facts)


def _own_tc3(canonical: str, own: str) -> Finding:
    """The first line in which the client's canonical request differs."""
    mine, theirs = canonical.split("\n"), own.split("\n")
    for number, line in enumerate(mine):
        given = theirs[number] if number < len(theirs) else ""
        if line != given:
            name = _TC3_LINES[number] if number < len(_TC3_LINES) else "line_header"
            if number == len(mine) - 1:
                name = "line_hash"
            elif number == len(mine) - 2:
                name = "line_names"
            elif not line:
                name = "line_blank"
            return Finding(
                "why_line", facts={"line": number + 1, "part": name, "mine": line, "theirs": given}
            )
    return Finding("ok_own", good=True) if len(theirs) == len(mine) else Finding("why_longer")


def _proof_tc3(
    signed: tc3.Signed, read: tc3.Authorization, key: Secret, own: str, here: str
) -> Iterator[Finding]:
    def fits(each: tc3.Signed) -> bool:
        try:
            tc3.Tc3Claim(read, each).prove(key, int(each.timestamp))
        except Refused:
            return False
        return True

    if fits(signed):
        yield Finding("ok_signature", good=True)
        return
    for reason, variant in _variants(signed, here):
        if fits(variant):
            yield Finding(reason, facts={"host": variant.headers.get("host", "")})
            return
    derived = tc3.signing_key(key, read.date, read.service)
    if own and _same(
        tc3.signature(derived, tc3.string_to_sign(signed.timestamp, read.scope, own)), read.signature
    ):
        yield Finding("why_own_signed")
        return
    yield Finding("why_secret")


def _variants(signed: tc3.Signed, here: str) -> Iterator[tuple[str, tc3.Signed]]:
    """What clients sign in error: the key of the reason, and the request as it was signed."""
    host = signed.headers.get("host", "")
    for other in dict.fromkeys((here, host.partition(":")[0], here.partition(":")[0])):
        if other and other != host:
            yield "why_host", replace(signed, headers={**signed.headers, "host": other})
    body = signed.payload
    for payload in (body + b"\n", body.strip(), body.replace(b"\n", b"\r\n"), b""):
        if payload != body:
            yield "why_body", replace(signed, payload=payload)
    kind = signed.headers.get("content-type", "")
    for other in ("application/json", "application/json; charset=utf-8"):
        if other != kind:
            yield "why_content_type", replace(signed, headers={**signed.headers, "content-type": other})
    for method in ("GET", "POST"):
        if method != signed.method:
            yield "why_method", replace(signed, method=method)


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode("utf-8", "surrogatepass"))


def _pairs(pasted: Pasted) -> list[tuple[str, str]]:
    body = pasted.body.strip() if pasted.method == "POST" else ""
    return parse_qsl(pasted.query, keep_blank_values=True) + parse_qsl(body, keep_blank_values=True)


def _explain_acs(
    pasted: Pasted, key: Secret | None, now: float, own: str, window: int, secret_names: frozenset[str]
) -> Explanation:
    params = dict(_pairs(pasted))
    given = params.pop("Signature", "")
    key_id = params.get("AccessKeyId", "")
    for name in ("AccessKeyId", "SignatureNonce", "Timestamp", "Version", "Action"):
        if not params.get(name):
            return Explanation(key_id, (), (Finding("why_no_parameter", facts={"name": name}),))
    if not given:
        return Explanation(key_id, (), (Finding("why_no_parameter", facts={"name": "Signature"}),))
    method = params.get("SignatureMethod", acs1.DEFAULT_METHOD).upper()
    if method not in acs1.METHODS:
        return Explanation(key_id, (), (Finding("why_algorithm", facts={"name": method}),))
    try:
        stamp = acs1.parse_timestamp(params["Timestamp"])
    except Refused:
        return Explanation(key_id, (), (Finding("why_timestamp_form"),))
    shown = {name: HIDDEN if name in secret_names else value for name, value in params.items()}
    steps = (
        Step("canonical_query", acs1.canonical_query(shown.items())),
        Step("string_to_sign", acs1.string_to_sign(pasted.method, shown.items())),
    )
    findings = [_skew(stamp, now, window)]
    text = acs1.string_to_sign(pasted.method, params.items())
    if own:
        findings.append(_own_acs(text, own, secret_names))
    if key is not None:
        findings.append(_proof_acs(pasted.method, params, given, key, method, own))
    return Explanation(key_id, steps, findings)


def _own_acs(text: str, own: str, secret_names: frozenset[str]) -> Finding:
    """The first part in which the client's string to sign differs."""
    if text == own:
        return Finding("ok_own", good=True)
    mine, theirs = text.split("&"), own.split("&")
    for number, part in enumerate(("line_method", "line_uri")):
        if mine[number] != (theirs[number] if number < len(theirs) else ""):
            facts = {"line": number + 1, "part": part, "mine": mine[number]}
            return Finding(
                "why_line", facts={**facts, "theirs": theirs[number] if number < len(theirs) else ""}
            )
    ours, yours = (unquote("&".join(each[2:])).split("&") for each in (mine, theirs))
    for number, pair in enumerate([*ours, ""]):
        other = yours[number] if number < len(yours) else ""
        if pair != other:
            hidden = {pair.partition("=")[0], other.partition("=")[0]} & secret_names
            facts = {"line": number + 1, "part": "line_parameter"}
            return Finding(
                "why_line",
                facts={**facts, "mine": HIDDEN if hidden else pair, "theirs": HIDDEN if hidden else other},
            )
    return Finding("why_encoded")


def _proof_acs(
    method: str, params: Mapping[str, str], given: str, key: Secret, algorithm: str, own: str
) -> Finding:
    text = acs1.string_to_sign(method, params.items())
    if _same(acs1.signature(key, text, algorithm), given):
        return Finding("ok_signature", good=True)
    other = "GET" if method == "POST" else "POST"
    plus = "&".join(f"{quote_plus(name)}={quote_plus(value)}" for name, value in sorted(params.items()))
    tried = (
        ("why_method", acs1.string_to_sign(other, params.items())),
        ("why_plus", f"{method}&%2F&{acs1.percent_encode(plus)}"),
        ("why_unsorted", f"{method}&%2F&{acs1.percent_encode(_in_order(params))}"),
        ("why_encoded", f"{method}&%2F&{acs1.canonical_query(params.items())}"),
        *((("why_own_signed", own),) if own else ()),
    )
    for reason, variant in tried:
        if _same(acs1.signature(key, variant, algorithm), given):
            return Finding(reason)
    for name in acs1.METHODS:
        if _same(acs1.signature(key, text, name), given):
            return Finding("why_algorithm_other", facts={"name": name})
    return Finding("why_secret")


def _in_order(params: Mapping[str, str]) -> str:
    return "&".join(
        f"{acs1.percent_encode(name)}={acs1.percent_encode(value)}" for name, value in params.items()
    )
