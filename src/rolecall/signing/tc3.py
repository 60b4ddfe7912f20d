"""TC3-HMAC-SHA256: the signature of Tencent Cloud API 3.0, stage by stage.

Sources: "Signature Method v3" of the Tencent Cloud API documentation; the Python (3.1.195), Go (1.3.164),
Node (4.1.220) and Java SDKs wherever they differ from it.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from msgspec import Struct

from rolecall.domain.reasons import Reason, Refused
from rolecall.signing import host_candidates
from rolecall.values import Request, Secret

ALGORITHM = "TC3-HMAC-SHA256"
UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"
CLOCK_WINDOW = 300
"""Seconds by which a timestamp may differ from our clock ("no more than five minutes", documentation)."""

_REGION = "x-tc-region"
NAMING = ("x-tc-action", "x-tc-version", _REGION, "x-tc-token")
"""Headers that say what is called, and as who; no client need sign them, and most do not."""

_AUTHORIZATION = re.compile(
    rf"{ALGORITHM} +Credential=(?P<id>[^/\s,]{{1,1024}})/(?P<date>\d{{4}}-\d\d-\d\d)/(?P<service>[^/\s,]+)/tc3_request"
    r", *SignedHeaders=(?P<names>[a-z0-9;_-]+), *Signature=(?P<signature>[0-9a-f]{64})",
    re.ASCII,
)


class Authorization(Struct, frozen=True):
    """The Authorization header, read. `service` is the client's own word for the service and is only hashed.

    The Node and Java SDKs put the first label of the endpoint there: ``127`` for ``127.0.0.1:7653``.
    """

    access_key_id: str
    date: str
    service: str
    signed_headers: tuple[str, ...]
    signature: str

    @property
    def scope(self) -> str:
        return credential_scope(self.date, self.service)

    def __str__(self) -> str:
        return (
            f"{ALGORITHM} Credential={self.access_key_id}/{self.scope}, "
            f"SignedHeaders={';'.join(self.signed_headers)}, Signature={self.signature}"
        )


@dataclass(frozen=True, slots=True)
class Signed:
    """The parts of a request that the signature covers.

    `query` is the text behind ``?`` exactly as sent for GET (no client's order or escapes may be touched), empty
    for POST. `headers` has lower-case names. `payload` is empty for GET. `timestamp` is the text of X-TC-Timestamp.
    `hashed` is the payload's SHA-256 in hex, if it was computed as the payload came.
    """

    method: str
    path: str
    query: str = field(repr=False)  # the query, the headers and the payload may hold passwords and tokens
    headers: Mapping[str, str] = field(repr=False)
    payload: bytes = field(repr=False)
    timestamp: str
    hashed: str = field(default="", repr=False)


def parse_authorization(text: str) -> Authorization:
    """Read an Authorization header. Refuses with AUTHORIZATION_MALFORMED, also the SDKs' ``SKIP``."""
    found = _AUTHORIZATION.fullmatch(text)
    if found is None:
        raise Refused(Reason.AUTHORIZATION_MALFORMED, note="not of the TC3-HMAC-SHA256 form")
    names = tuple(found["names"].split(";"))
    if len(set(names)) != len(names) or not {"content-type", "host"} <= set(names):
        raise Refused(
            Reason.AUTHORIZATION_MALFORMED, note="signed headers repeat, or lack content-type or host"
        )
    return Authorization(found["id"], found["date"], found["service"], names, found["signature"])


def payload_hash(payload: bytes) -> str:
    return hashlib.sha256(payload).hexdigest()


def canonical_headers(names: tuple[str, ...], headers: Mapping[str, str]) -> str:
    """One ``name:value`` line for each signed header, in the order given."""
    return "".join(f"{name}:{headers[name].strip()}\n" for name in names)


def canonical_request(
    method: str, uri: str, query: str, header_lines: str, names: tuple[str, ...], hashed_payload: str
) -> str:
    return "\n".join((method, uri, query, header_lines, ";".join(names), hashed_payload))


def credential_scope(date: str, service: str) -> str:
    return f"{date}/{service}/tc3_request"


def string_to_sign(timestamp: str, scope: str, canonical: str) -> str:
    digest = hashlib.sha256(_octets(canonical)).hexdigest()
    return f"{ALGORITHM}\n{timestamp}\n{scope}\n{digest}"


def signing_key(key: Secret, date: str, service: str) -> bytes:
    by_date = hmac.digest(_octets("TC3" + key.reveal()), _octets(date), "sha256")
    by_service = hmac.digest(by_date, _octets(service), "sha256")
    return hmac.digest(by_service, b"tc3_request", "sha256")


def signature(derived_key: bytes, text: str) -> str:
    return hmac.digest(derived_key, _octets(text), "sha256").hex()


def utc_date(timestamp: int) -> str:
    """The UTC date of a unix time, ``YYYY-MM-DD``."""
    return _date_of_day(timestamp // 86_400)


@lru_cache(maxsize=8)
def _date_of_day(day: int) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(day * 86_400))


def sign(
    signed: Signed, access_key_id: str, key: Secret, service: str, names: tuple[str, ...]
) -> Authorization:
    """Sign a request as a client does; `names` are the headers to sign, all of them in `signed.headers`."""
    date = utc_date(int(signed.timestamp))
    canonical = canonical_request(
        signed.method,
        signed.path,
        signed.query,
        canonical_headers(names, signed.headers),
        names,
        payload_hash(signed.payload),
    )
    text = string_to_sign(signed.timestamp, credential_scope(date, service), canonical)
    return Authorization(
        access_key_id, date, service, names, signature(signing_key(key, date, service), text)
    )


def authorization(
    access_key_id: str,
    key: Secret,
    *,
    service: str,
    timestamp: int,
    host: str,
    payload: bytes = b"",
    method: str = "POST",
    query: str = "",
    content_type: str = "application/json",
) -> str:
    """The Authorization header of a request to ``/`` with exactly the headers signed that the SDKs sign."""
    headers = {"content-type": content_type, "host": host}
    signed = Signed(method, "/", query, headers, payload, str(timestamp))
    return str(sign(signed, access_key_id, key, service, ("content-type", "host")))


def post_headers(
    access_key_id: str,
    key: Secret,
    *,
    service: str,
    version: str,
    action: str,
    region: str,
    timestamp: int,
    host: str,
    payload: bytes,
) -> dict[str, str]:
    """Every header of a signed JSON call, ready to send with `payload` as its body."""
    proof = authorization(
        access_key_id, key, service=service, timestamp=timestamp, host=host, payload=payload
    )
    return {
        "Host": host,
        "Content-Type": "application/json",
        "X-TC-Action": action,
        "X-TC-Version": version,
        "X-TC-Region": region,
        "X-TC-Timestamp": str(timestamp),
        "Authorization": proof,
    }


@dataclass(frozen=True, slots=True)
class Tc3Claim:
    """A request's claim to have been signed by the holder of `access_key_id` (see `rolecall.values.Claim`)."""

    authorization: Authorization
    signed: Signed
    token: Secret | None = None
    clock_window: int = CLOCK_WINDOW
    public_hosts: tuple[str, ...] = ()

    @property
    def access_key_id(self) -> str:
        return self.authorization.access_key_id

    @property
    def proof(self) -> str:
        return self.authorization.signature

    @property
    def good_until(self) -> float:
        return int(self.signed.timestamp) + self.clock_window

    def unsigned(self, request: Request, *, regional: bool) -> tuple[bytes, ...]:
        """The headers that name the call, and the body if no hash of it was signed (`rolecall.signing.replay`).

        Clients of a service without regions send one or none: there it names nothing.
        """
        naming = NAMING if regional else tuple(name for name in NAMING if name != _REGION)
        loose = [_octets(f"{name}:{self.signed.headers.get(name, '')}") for name in naming]
        if self.signed.payload == UNSIGNED_PAYLOAD.encode():
            loose.append(request.body)
        return tuple(loose)

    def prove(self, key: Secret, now: float) -> None:
        """Refuses with SIGNATURE_EXPIRED or SIGNATURE_MISMATCH."""
        timestamp = int(self.signed.timestamp)
        check_clock(timestamp, now, self.clock_window)
        claimed = self.authorization
        if utc_date(timestamp) != claimed.date:
            raise Refused(Reason.SIGNATURE_MISMATCH, note="the scope's date is not the timestamp's")
        scope = (ALGORITHM, claimed.date, claimed.service)
        derived = key.derived(scope, lambda key: signing_key(key, claimed.date, claimed.service))
        given = claimed.signature.encode()
        for canonical in self._canonical_requests():
            text = string_to_sign(self.signed.timestamp, claimed.scope, canonical)
            if hmac.compare_digest(signature(derived, text).encode(), given):
                return
        raise Refused(Reason.SIGNATURE_MISMATCH)

    def _canonical_requests(self) -> Iterator[str]:
        """What the client may have signed, likeliest first: the SDKs' own reading comes first of all.

        The URI is ``/`` even where the endpoint has a path (Go, Java, Python), or that path (Node).
        """
        signed, names = self.signed, self.authorization.signed_headers
        hashed = signed.hashed or payload_hash(signed.payload)
        for uri in dict.fromkeys(("/", signed.path)):
            for lines in self._header_lines():
                yield canonical_request(signed.method, uri, signed.query, lines, names, hashed)

    def _header_lines(self) -> Iterator[str]:
        """Header blocks a client may have signed.

        The documentation lower-cases values (``x-tc-action:adduser``); the SDKs sign Content-Type raw.
        """
        names, headers = self.authorization.signed_headers, self.signed.headers
        as_sent = canonical_headers(names, headers)
        yield as_sent
        seen = {as_sent}
        for host in host_candidates(headers["host"], self.public_hosts):
            raw = {name: headers[name] for name in names} | {"host": host}
            lower = {name: value.lower() for name, value in raw.items()}
            for spelling in (raw, lower, lower | {"content-type": raw["content-type"]}):
                lines = canonical_headers(names, spelling)
                if lines not in seen:
                    seen.add(lines)
                    yield lines


def claim(
    signed: Signed,
    authorization_header: str,
    *,
    token: Secret | None = None,
    clock_window: int = CLOCK_WINDOW,
    public_hosts: tuple[str, ...] = (),
) -> Tc3Claim:
    """The claim of a received request. Refuses with AUTHORIZATION_MALFORMED, also if a signed header is absent."""
    read = parse_authorization(authorization_header)
    if any(name not in signed.headers for name in read.signed_headers):
        raise Refused(Reason.AUTHORIZATION_MALFORMED, note="a signed header is not in the request")
    return Tc3Claim(read, signed, token, clock_window, public_hosts)


def check_clock(timestamp: int, now: float, window: int) -> None:
    """Refuse with SIGNATURE_EXPIRED if a unix time is more than `window` seconds off, in the past or the future."""
    if abs(now - timestamp) > window:
        raise Refused(
            Reason.SIGNATURE_EXPIRED, note=f"the timestamp is {now - timestamp:+.0f} s from our clock"
        )


def _octets(text: str) -> bytes:
    # surrogatepass: a header the server could not decode must end as a mismatch, not as a crash.
    return text.encode("utf-8", "surrogatepass")
