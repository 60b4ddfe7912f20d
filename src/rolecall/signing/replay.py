"""Nonces that were used: a signed request may be sent once.

Asked after a claim was proven, so that nobody without a key can fill it or burn another's nonce:

    await keys.prove(claim, now)
    if isinstance(claim, Numbered):
        nonces.check(claim.access_key_id, claim.nonce, now)

It remembers in this process alone: behind several replicas a request can be replayed once to each, within the
signature's window.
"""

from __future__ import annotations

from collections import OrderedDict
from hashlib import blake2b
from typing import Protocol, runtime_checkable

from rolecall.domain.reasons import Reason, Refused

PER_KEY = 200_000
"""Nonces of one access key that are remembered; more within the window are refused, not forgotten."""


@runtime_checkable
class Numbered(Protocol):
    """A claim that carries a nonce."""

    @property
    def access_key_id(self) -> str: ...
    @property
    def nonce(self) -> str: ...


class NonceMemory:
    """`window`: seconds by which a timestamp may be off, so a request is good for twice that, and is remembered."""

    def __init__(self, window: float, per_key: int = PER_KEY) -> None:
        self._kept = 2 * window
        self._per_key = per_key
        self._seen: dict[str, OrderedDict[bytes, float]] = {}
        """By access key: digests of nonces, which have no bound of their own, and when they came; oldest first.

        Ordered, not plain: taking from the front of a plain dict walks over what was taken before."""

    def check(self, access_key_id: str, nonce: str, now: float) -> None:
        """Remember a nonce. NONCE_REUSED, or RATE_EXCEEDED for a key that uses too many."""
        seen = self._seen.setdefault(access_key_id, OrderedDict())
        self._forget(seen, now)
        digest = blake2b(nonce.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        if digest in seen:
            raise Refused(Reason.NONCE_REUSED, "SignatureNonce")
        if len(seen) >= self._per_key:
            raise Refused(Reason.RATE_EXCEEDED, note="too many nonces of one access key")
        seen[digest] = now

    def _forget(self, seen: OrderedDict[bytes, float], now: float) -> None:
        while seen and now - seen[oldest := next(iter(seen))] > self._kept:
            del seen[oldest]
