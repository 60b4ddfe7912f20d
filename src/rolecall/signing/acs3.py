"""ACS3-HMAC-SHA256: signature V3 of Alibaba Cloud RPC APIs, stage by stage.

Sources: "Request syntax and signature method V3" of the Alibaba Cloud documentation; alibabacloud-tea-openapi 0.4.6
and @alicloud/openapi-client 0.4.15 wherever they differ from it. ACS3-HMAC-SM3 and ACS3-RSA-SHA256 are not served.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from rolecall.domain.reasons import Reason, Refused
from rolecall.signing import host_candidates
from rolecall.signing.acs1 import CLOCK_WINDOW, Pairs, canonical_query, check_clock, parse_timestamp
from rolecall.values import Secret

ALGORITHM = "ACS3-HMAC-SHA256"
FAMILY = "ACS3-"

MUST_BE_SIGNED = frozenset(
    {"host", "x-acs-action", "x-acs-version", "x-acs-date", "x-acs-signature-nonce", "x-acs-content-sha256"}
)
"""Headers whose signing V3 requires; beside them, Content-Type where there is a body."""

_AUTHORIZATION = re.compile(
    rf"{ALGORITHM} +Credential=(?P<id>[^\s,]{{1,1024}}), *SignedHeaders=(?P<names>[a-z0-9;_-]+)"
    r", *Signature=(?P<signature>[0-9a-f]{64})",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Authorization:
    """The Authorization header, read."""

    access_key_id: str
    signed_headers: tuple[str, ...]
    signature: str

    def __str__(self) -> str:
        names = ";".join(self.signed_headers)
        return f"{ALGORITHM} Credential={self.access_key_id},SignedHeaders={names},Signature={self.signature}"


@dataclass(frozen=True, slots=True)
class Signed:
    """The parts of a request that the signature covers.

    `query` is the decoded query; a form's parameters are covered by the hash of `payload`. `headers` has lower-case
    names. `hashed` is the payload's SHA-256 in hex, if it was computed as the payload came.
    """

    method: str
    query: Pairs = field(repr=False)  # the query, the headers and the payload may hold passwords and tokens
    headers: Mapping[str, str] = field(repr=False)
    payload: bytes = field(repr=False)
    hashed: str = field(default="", repr=False)


def parse_authorization(text: str) -> Authorization:
    """Read an Authorization header. Refuses with AUTHORIZATION_MALFORMED (SignatureMethod for another algorithm)."""
    if text.startswith(FAMILY) and text.partition(" ")[0] != ALGORITHM:
        raise Refused(Reason.AUTHORIZATION_MALFORMED, "SignatureMethod", note="no such signature algorithm")
    found = _AUTHORIZATION.fullmatch(text)
    if found is None:
        raise Refused(Reason.AUTHORIZATION_MALFORMED, note="not of the ACS3-HMAC-SHA256 form")
    names = tuple(found["names"].split(";"))
    if len(set(names)) != len(names) or not set(names) >= MUST_BE_SIGNED:
        raise Refused(Reason.AUTHORIZATION_MALFORMED, note="signed headers repeat, or one is missing")
    return Authorization(found["id"], names, found["signature"])


def payload_hash(payload: bytes) -> str:
    return hashlib.sha256(payload).hexdigest()


def canonical_headers(names: tuple[str, ...], headers: Mapping[str, str]) -> str:
    """One ``name:value`` line for each signed header, in the order given."""
    return "".join(f"{name}:{headers[name].strip()}\n" for name in names)


def canonical_request(
    method: str, query: Pairs, header_lines: str, names: tuple[str, ...], hashed_payload: str
) -> str:
    """The URI of an RPC API is always ``/``."""
    return "\n".join((method, "/", canonical_query(query), header_lines, ";".join(names), hashed_payload))


def string_to_sign(canonical: str) -> str:
    return f"{ALGORITHM}\n{hashlib.sha256(_octets(canonical)).hexdigest()}"


def signature(key: Secret, text: str) -> str:
    """The key is the AccessKeySecret alone, without the ``&`` of the older signature."""
    return hmac.digest(_octets(key.reveal()), _octets(text), "sha256").hex()


def sign(signed: Signed, access_key_id: str, key: Secret, names: tuple[str, ...]) -> Authorization:
    """Sign a request as a client does; `names` are the headers to sign, sorted, all of them in `signed.headers`."""
    lines = canonical_headers(names, signed.headers)
    canonical = canonical_request(signed.method, signed.query, lines, names, payload_hash(signed.payload))
    return Authorization(access_key_id, names, signature(key, string_to_sign(canonical)))


@dataclass(frozen=True, slots=True)
class Acs3Claim:
    """A request's claim to have been signed by the holder of `access_key_id` (`rolecall.values.Claim`).

    `timestamp` is unix time in seconds. `nonce` may be used once: see `rolecall.signing.replay`.
    """

    authorization: Authorization
    signed: Signed
    timestamp: int
    nonce: str
    token: Secret | None = None
    clock_window: int = CLOCK_WINDOW
    public_hosts: tuple[str, ...] = ()

    @property
    def access_key_id(self) -> str:
        return self.authorization.access_key_id

    def prove(self, key: Secret, now: float) -> None:
        """Refuses with SIGNATURE_EXPIRED or SIGNATURE_MISMATCH."""
        check_clock(self.timestamp, now, self.clock_window)
        given = self.authorization.signature.encode()
        if self.signed.headers["x-acs-content-sha256"] != payload_hash(self.signed.payload):
            raise Refused(Reason.SIGNATURE_MISMATCH, note="the body is not the one that was signed")
        for canonical in self._canonical_requests():
            if hmac.compare_digest(signature(key, string_to_sign(canonical)).encode(), given):
                return
        raise Refused(Reason.SIGNATURE_MISMATCH)

    def signed_text(self) -> tuple[str, str]:
        """String to sign and canonical request, which go back to the caller of a mismatch and nowhere else."""
        canonical = next(self._canonical_requests())
        return string_to_sign(canonical), canonical

    def _canonical_requests(self) -> Iterator[str]:
        """What the client may have signed, likeliest first: the Host header as it came, which may have a scheme.

        alibabacloud-tea-openapi 0.4.6 sends, and signs, its whole configured endpoint as Host.
        """
        signed, names = self.signed, self.authorization.signed_headers
        hashed = signed.hashed or payload_hash(signed.payload)
        for host in host_candidates(signed.headers["host"], self.public_hosts):
            lines = canonical_headers(names, {**signed.headers, "host": host})
            yield canonical_request(signed.method, signed.query, lines, names, hashed)


def claim(
    signed: Signed,
    authorization_header: str,
    *,
    token: Secret | None = None,
    clock_window: int = CLOCK_WINDOW,
    public_hosts: tuple[str, ...] = (),
) -> Acs3Claim:
    """The claim of a received request.

    Refuses with AUTHORIZATION_MALFORMED, also if a signed header is absent, or with PARAMETER_TYPE (Timestamp).
    """
    read = parse_authorization(authorization_header)
    if any(name not in signed.headers for name in read.signed_headers):
        raise Refused(Reason.AUTHORIZATION_MALFORMED, note="a signed header is not in the request")
    if signed.payload and "content-type" in signed.headers and "content-type" not in read.signed_headers:
        raise Refused(Reason.AUTHORIZATION_MALFORMED, note="the content type of the body is not signed")
    return Acs3Claim(
        read,
        signed,
        parse_timestamp(signed.headers["x-acs-date"]),
        signed.headers["x-acs-signature-nonce"],
        token,
        clock_window,
        public_hosts,
    )


def _octets(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
