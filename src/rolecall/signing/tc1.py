"""Signature v1 of Tencent Cloud API 3.0: HmacSHA1 and HmacSHA256 over the sorted parameters of a form or a query.

Sources: "Signature Method v1" of the Tencent Cloud API documentation; the Python (3.1.195), Go (1.3.164) and
Node (4.1.220) SDKs.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Iterator
from dataclasses import dataclass, field

from rolecall.domain.reasons import Reason, Refused
from rolecall.signing import host_candidates
from rolecall.signing.tc3 import CLOCK_WINDOW, check_clock
from rolecall.values import Request, Secret

DIGESTS = {"HmacSHA1": "sha1", "HmacSHA256": "sha256"}
DEFAULT_ALGORITHM = "HmacSHA1"

Pairs = tuple[tuple[str, str], ...]
"""Decoded parameters, name and value, in the order they were sent."""


@dataclass(frozen=True, slots=True)
class Signed:
    """What a v1 signature covers. `params` are decoded, with every parameter but Signature."""

    method: str
    host: str
    path: str
    params: Pairs = field(repr=False)  # may hold passwords and tokens


def sorted_query(params: Pairs) -> str:
    """``k=v`` joined by ``&``, sorted by name, values raw.

    Sorting by code point is sorting by UTF-8 byte.
    """
    return "&".join(f"{name}={value}" for name, value in sorted(params))


def string_to_sign(method: str, endpoint: str, path: str, params: Pairs) -> str:
    """``endpoint`` is the host, with its port if it has one."""
    return f"{method}{endpoint}{path}?{sorted_query(params)}"


def signature(key: Secret, text: str, algorithm: str) -> str:
    """Base64, not yet percent-encoded. `algorithm` is one of `DIGESTS`."""
    return base64.b64encode(hmac.digest(_octets(key.reveal()), _octets(text), DIGESTS[algorithm])).decode()


def sign(signed: Signed, key: Secret, algorithm: str = DEFAULT_ALGORITHM) -> str:
    """The Signature parameter of a request, as a client computes it."""
    text = string_to_sign(signed.method, signed.host, signed.path, signed.params)
    return signature(key, text, algorithm)


@dataclass(frozen=True, slots=True)
class Tc1Claim:
    """A form's or query's claim to have been signed by the holder of `access_key_id` (`rolecall.values.Claim`).

    `timestamp` is unix time in seconds.
    """

    access_key_id: str
    signed: Signed
    timestamp: int
    given: str = field(repr=False)
    algorithm: str = DEFAULT_ALGORITHM
    token: Secret | None = None
    clock_window: int = CLOCK_WINDOW
    public_hosts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.algorithm not in DIGESTS:
            raise Refused(Reason.AUTHORIZATION_MALFORMED, "SignatureMethod", note="no such signature method")

    @property
    def proof(self) -> str:
        return self.given

    @property
    def good_until(self) -> float:
        return self.timestamp + self.clock_window

    def unsigned(self, request: Request, *, regional: bool) -> tuple[bytes, ...]:  # noqa: ARG002 - it is signed
        """Everything as it was sent: ``a=1&b=2`` is also the string to sign of an ``a`` whose value is ``1&b=2``."""
        return (_octets(request.query), request.body)

    def prove(self, key: Secret, now: float) -> None:
        """Refuses with SIGNATURE_EXPIRED or SIGNATURE_MISMATCH."""
        check_clock(self.timestamp, now, self.clock_window)
        given = _octets(self.given)
        for text in self._strings_to_sign():
            if hmac.compare_digest(signature(key, text, self.algorithm).encode(), given):
                return
        raise Refused(Reason.SIGNATURE_MISMATCH)

    def _strings_to_sign(self) -> Iterator[str]:
        signed = self.signed
        for path in dict.fromkeys(("/", signed.path)):
            for host in host_candidates(signed.host, self.public_hosts):
                for params in dict.fromkeys((signed.params, _dotted(signed.params))):
                    yield string_to_sign(signed.method, host, path, params)


def _dotted(params: Pairs) -> Pairs:
    """The Python SDK writes ``_`` in a parameter's name as ``.`` in the string to sign, but not on the wire."""
    return tuple((name.replace("_", "."), value) for name, value in params)


def _octets(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
