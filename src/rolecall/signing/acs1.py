"""Signature version 1.0 of Alibaba Cloud RPC APIs: HMAC-SHA1 over the sorted parameters of query and form.

Sources: "Request syntax and signature method V2 for RPC APIs" of the Alibaba Cloud documentation;
aliyun-python-sdk-core 2.16.1, alibabacloud-tea-openapi 0.4.6, pop-core 1.8.0. HMAC-SHA256 is an extension of ours:
the vendor documents no other method than HMAC-SHA1, and "SHA256withRSA" for key pairs, which are not served.
"""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import quote

from rolecall.domain.reasons import Reason, Refused
from rolecall.values import Secret

METHODS = {"HMAC-SHA1": "sha1", "HMAC-SHA256": "sha256"}
DEFAULT_METHOD = "HMAC-SHA1"
VERSION = "1.0"
CLOCK_WINDOW = 900
"""Seconds by which a timestamp may differ from our clock ("more than 15 minutes", InvalidTimeStamp.Expired)."""

_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)

_PLAIN = re.compile(r"[A-Za-z0-9_.~-]*", re.ASCII)

Pairs = tuple[tuple[str, str], ...]
"""Decoded parameters, name and value; those of the query and those of a form together."""


def percent_encode(text: str) -> str:
    """UTF-8, everything escaped in upper-case hex but ``A-Z a-z 0-9 - _ . ~``."""
    if _PLAIN.fullmatch(text):  # as most are, and there are dozens in each request
        return text
    return quote(text, safe="-_.~", errors="surrogatepass")


def canonical_query(params: Iterable[tuple[str, str]]) -> str:
    """``name=value`` joined by ``&``, sorted by name, both encoded again: clients differ in what they escape."""
    return "&".join(f"{percent_encode(name)}={percent_encode(value)}" for name, value in sorted(params))


def string_to_sign(method: str, params: Iterable[tuple[str, str]]) -> str:
    """`method` as it was used, also where a POST carries everything in its query. The path is always ``/``."""
    return f"{method}&%2F&{percent_encode(canonical_query(params))}"


def signature(key: Secret, text: str, method: str = DEFAULT_METHOD) -> str:
    """Base64, not yet percent-encoded. The key is the AccessKeySecret with ``&`` behind it."""
    digest = hmac.digest(_octets(key.reveal() + "&"), _octets(text), METHODS[method])
    return base64.b64encode(digest).decode()


def sign(method: str, params: Iterable[tuple[str, str]], key: Secret, algorithm: str = DEFAULT_METHOD) -> str:
    """The Signature parameter of a request, as a client computes it."""
    return signature(key, string_to_sign(method, params), algorithm)


def parse_timestamp(text: str) -> int:
    """``2016-02-23T12:46:24Z`` -> unix time in seconds. Refuses with PARAMETER_TYPE (Timestamp)."""
    try:
        if _TIMESTAMP.fullmatch(text):
            return int(datetime.fromisoformat(text).timestamp())
    except ValueError:  # a 13th month
        pass
    raise Refused(Reason.PARAMETER_TYPE, "Timestamp")


def check_clock(timestamp: int, now: float, window: int) -> None:
    """Refuse with SIGNATURE_EXPIRED if a unix time is more than `window` seconds off, in the past or the future."""
    if abs(now - timestamp) > window:
        raise Refused(
            Reason.SIGNATURE_EXPIRED,
            "Timestamp",
            note=f"the timestamp is {now - timestamp:+.0f} s from our clock",
        )


@dataclass(frozen=True, slots=True)
class Acs1Claim:
    """A request's claim to have been signed by the holder of `access_key_id` (`rolecall.values.Claim`).

    `params` are all but Signature. `timestamp` is unix time in seconds. `nonce` may be used once: see
    `rolecall.signing.replay`.
    """

    access_key_id: str
    method: str
    params: Pairs = field(repr=False)  # may hold passwords and tokens
    timestamp: int
    nonce: str
    given: str = field(repr=False)
    algorithm: str = DEFAULT_METHOD
    token: Secret | None = None
    clock_window: int = CLOCK_WINDOW

    def __post_init__(self) -> None:
        if self.algorithm not in METHODS:
            raise Refused(Reason.AUTHORIZATION_MALFORMED, "SignatureMethod", note="no such signature method")

    def prove(self, key: Secret, now: float) -> None:
        """Refuses with SIGNATURE_EXPIRED or SIGNATURE_MISMATCH."""
        check_clock(self.timestamp, now, self.clock_window)
        expected = signature(key, string_to_sign(self.method, self.params), self.algorithm)
        if not hmac.compare_digest(expected.encode(), _octets(self.given)):
            raise Refused(Reason.SIGNATURE_MISMATCH)

    def signed_text(self) -> str:
        """The string to sign, which goes back to the caller of a mismatch and nowhere else: it holds passwords.

        aliyun-python-sdk-core 2.16.1 and the Go SDK compare it with their own to tell a wrong secret.
        """
        return string_to_sign(self.method, self.params)


def _octets(text: str) -> bytes:
    # surrogatepass: what the server could not decode must end as a mismatch, not as a crash.
    return text.encode("utf-8", "surrogatepass")
