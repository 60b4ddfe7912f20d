"""Replay protection: what was proven recently, so that a captured request is worth nothing.

- A nonce is good for one call (`NonceMemory`, Alibaba's signatures).
- A signature that covers no nonce may be sent again, as SDKs do when an answer is lost, but only to say the same
  (`SignatureMemory`, Tencent's): what it does not cover, such as the headers that name the action, is compared.

Both are asked after a claim was proven, so that only holders of a key can fill them or use up a nonce, and remember
only calls that were admitted:

    proven = await authenticator.authenticate(claim, now)
    replays.require_new(claim, now)
    await admission.admit(call, caller, action)
    is_repeated = replays.remember(claim, request, now, regional=regional)
    ...                                             # the parameters are right, and policies permit it
    if is_repeated:
        replays.require_same(claim, request, now, regional=regional, mints=action.mints_secret)

The workers of a server remember together: `Marks` in a file. Behind several replicas a request can be replayed once to
each, within the signature's window.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from hashlib import blake2b
from math import ceil
from pathlib import Path
from typing import Protocol, TypeGuard, runtime_checkable

from rolecall.domain.reasons import Reason, Refused
from rolecall.signing.marks import MARK, Marks
from rolecall.values import Claim, Request, conforms

MOST = 1_000_000
"""Nonces, and as many signatures, that a server remembers."""
PER_KEY = 200_000
"""Nonces of one access key that are remembered; more within the window are refused, not forgotten."""
PROVING = 60.0
"""Seconds for which a mark is kept beyond the window: a request that was proven in time may be looked for later, for
the store is asked for keys, and others for rates, meanwhile."""
SAME_SECOND = 2.0
"""Seconds within which two calls may share a signature; see `SignatureMemory`."""


@runtime_checkable
class Numbered(Protocol):
    """A claim that carries a nonce."""

    @property
    def access_key_id(self) -> str: ...
    @property
    def nonce(self) -> str: ...


@runtime_checkable
class Repeatable(Protocol):
    """A claim whose signature may be sent again."""

    @property
    def access_key_id(self) -> str: ...
    @property
    def proof(self) -> str:
        """The signature itself."""

    @property
    def good_until(self) -> float:
        """Unix time in seconds until which the signature is accepted."""

    def unsigned(self, request: Request, *, regional: bool) -> Iterable[bytes]:
        """What the request says that the signature does not cover, or not unmistakably."""


class NonceMemory:
    """`window`: seconds by which a timestamp may be off, so a request is good for twice that, and is remembered.

    The records: until when each is kept, and the digest of its key, whose nonces are counted.
    """

    def __init__(
        self, window: float, per_key: int = PER_KEY, most: int = MOST, file: Path | None = None
    ) -> None:
        self._kept = 2 * window + PROVING
        self._per_key = per_key
        self._marks = Marks("d4s", most, file)
        self._key = self._marks.key

    def __len__(self) -> int:
        return len(self._marks)

    def require_new(self, access_key_id: str, nonce: str, now: float) -> None:
        """NONCE_REUSED."""
        with self._marks.turn():
            self._require_new(self._mark(access_key_id, nonce), now)

    def check(self, access_key_id: str, nonce: str, now: float) -> None:
        """Remember a nonce. NONCE_REUSED, or RATE_EXCEEDED for a key, or for keys, that use too many."""
        marks, mark = self._marks, self._mark(access_key_id, nonce)
        owner = _short_digest(access_key_id, self._key)[:4]
        with marks.turn():
            self._forget(now)
            self._require_new(mark, now)
            if marks.counter(owner) >= self._per_key or marks.is_full():
                raise Refused(Reason.RATE_EXCEEDED, note="too many nonces are remembered")
            marks.counter(owner, 1)
            marks.keep(mark, now + self._kept, owner)

    def _require_new(self, mark: bytes, now: float) -> None:
        known = self._marks.find(mark)
        if known is not None and known[0] >= now:
            raise Refused(Reason.NONCE_REUSED, "SignatureNonce")

    def _forget(self, now: float) -> None:
        """Everything that is over, up to the first that is not."""
        while self._marks:
            until, owner = self._marks.oldest()
            if until >= now:
                return
            self._marks.forget_oldest()
            self._marks.counter(owner, -1)

    def _mark(self, access_key_id: str, nonce: str) -> bytes:
        return _digest((access_key_id, nonce), self._key)


class SignatureMemory:
    """A signature repeated must say the same as when it came first.

    Clients give each call its time in whole seconds, and the SDKs (Python 3.1.195, Go 1.3.164) sign neither action,
    version nor region. So two calls of one client with the same parameters have the same signature if they are
    signed within the same second: GetUser, and DeleteUser of the same name. Such a second call is taken from the
    same address within `SAME_SECOND` of the first, unless it is to mint a secret.

    At most `most` are remembered; beyond that the oldest is forgotten. The records are of first calls: until which
    second each is kept, when it came, and digests of the address that it came from and of what it said.
    """

    def __init__(self, most: int = MOST, file: Path | None = None) -> None:
        self._marks = Marks("Id8s16s", most, file)
        self._key = self._marks.key

    def __len__(self) -> int:
        return len(self._marks)

    def note(self, claim: Repeatable, request: Request, now: float, *, regional: bool = True) -> bool:
        """Remember a signature's call, if it is the first. Whether it is."""
        marks, mark = self._marks, self._mark(claim)
        with marks.turn():
            while marks and marks.oldest()[0] < now:
                marks.forget_oldest()
            known = marks.find(mark)
            if known is not None and known[0] >= now:
                return False
            while marks.is_full():
                marks.forget_oldest()
            until = ceil(claim.good_until + PROVING)
            marks.keep(
                mark,
                until,
                now,
                _short_digest(request.client, self._key),
                self._said(claim, request, regional=regional),
            )
        return True

    def require_same(
        self, claim: Repeatable, request: Request, now: float, *, mints: bool, regional: bool = True
    ) -> None:
        """SIGNATURE_MISMATCH. `mints`: the call's answer contains a secret."""
        mark = self._mark(claim)
        with self._marks.turn():
            known = self._marks.find(mark)
        if known is None:
            return
        until, at, client, said = known
        if until < now or said == self._said(claim, request, regional=regional):
            return
        same_second = now - at <= SAME_SECOND and client == _short_digest(request.client, self._key)
        if mints or not same_second:
            raise Refused(Reason.SIGNATURE_MISMATCH, note="the signature was used for another call")

    def _mark(self, claim: Repeatable) -> bytes:
        return _digest((claim.access_key_id, claim.proof), self._key)

    def _said(self, claim: Repeatable, request: Request, *, regional: bool) -> bytes:
        return _digest(claim.unsigned(request, regional=regional), self._key)


class Replays:
    """Both memories, as the pipeline asks them. `nonce_window` in seconds; `directory`: that of a server's workers."""

    def __init__(self, nonce_window: float, directory: Path | None = None) -> None:
        self.nonces = NonceMemory(nonce_window, file=directory and directory / "nonces")
        self.signatures = SignatureMemory(file=directory and directory / "signatures")

    def require_new(self, claim: Claim, now: float) -> None:
        """NONCE_REUSED; remembers nothing."""
        if _is_numbered(claim):
            self.nonces.require_new(claim.access_key_id, claim.nonce, now)

    def remember(self, claim: Claim, request: Request, now: float, *, regional: bool) -> bool:
        """Of a call that was admitted. `regional` says that its region decides anything.

        Whether an earlier call has the same signature, so that `require_same` has something to compare.
        NONCE_REUSED (another may have come meanwhile), RATE_EXCEEDED.
        """
        if _is_numbered(claim):
            self.nonces.check(claim.access_key_id, claim.nonce, now)
        elif _is_repeatable(claim):
            return not self.signatures.note(claim, request, now, regional=regional)
        return False

    def require_same(
        self, claim: Claim, request: Request, now: float, *, mints: bool, regional: bool
    ) -> None:
        """SIGNATURE_MISMATCH, for a call that is permitted otherwise."""
        if _is_repeatable(claim):
            self.signatures.require_same(claim, request, now, mints=mints, regional=regional)


def _is_numbered(claim: Claim) -> TypeGuard[Numbered]:
    return conforms(claim, Numbered)


def _is_repeatable(claim: Claim) -> TypeGuard[Repeatable]:
    return conforms(claim, Repeatable)


@lru_cache(maxsize=4096)
def _short_digest(text: str, key: bytes) -> bytes:
    """8 bytes, of what comes again with many calls."""
    return _digest((text,), key, size=8)


def _digest(parts: Iterable[str | bytes], key: bytes, size: int = MARK) -> bytes:
    """Each part's length is counted too, so that no two lists of parts are alike."""
    octets = [part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part for part in parts]
    counted = b"".join(len(part).to_bytes(8, "big") + part for part in octets)
    return blake2b(counted, digest_size=size, key=key).digest()
