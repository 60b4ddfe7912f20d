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

They remember in this process alone: behind several replicas a request can be replayed once to each, within the
signature's window.
"""

from __future__ import annotations

import sys
from collections import Counter, OrderedDict
from collections.abc import Iterable
from hashlib import blake2b
from typing import Generic, NamedTuple, Protocol, TypeGuard, TypeVar, runtime_checkable

from rolecall.domain.reasons import Reason, Refused
from rolecall.values import Claim, Request, conforms

MOST = 1_000_000
"""Nonces, and as many signatures, that a process remembers."""
PER_KEY = 200_000
"""Nonces of one access key that are remembered; more within the window are refused, not forgotten."""
PROVING = 60.0
"""Seconds for which a mark is kept beyond the window: a request that was proven in time may be looked for later, for
the store is asked for keys, and others for rates, meanwhile."""
SAME_SECOND = 2.0
"""Seconds within which two calls may share a signature; see `SignatureMemory`."""


T = TypeVar("T")


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


class _First(NamedTuple):
    """The first call of a signature: when it came, from which address, and a digest of what it said."""

    at: float
    client: str
    said: bytes


class _Memory(Generic[T]):
    """Marks of access keys with a value each, in the order in which they came; each is kept for a while."""

    def __init__(self) -> None:
        # Ordered, not plain: taking from the front of a plain dict walks over what was taken before.
        self._marks: OrderedDict[bytes, tuple[float, str, T]] = OrderedDict()
        self._counts: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._marks)

    def of_key(self, key_id: str) -> int:
        return self._counts[key_id]

    def get(self, mark: bytes, now: float) -> T | None:
        known = self._marks.get(mark)
        return None if known is None or known[0] < now else known[2]

    def keep(self, mark: bytes, key_id: str, until: float, value: T) -> None:
        key_id = sys.intern(key_id)  # each call brings a text of its own
        self._marks[mark] = (until, key_id, value)
        self._counts[key_id] += 1

    def forget(self, now: float) -> None:
        """Everything that is over, up to the first that is not."""
        while self._marks and next(iter(self._marks.values()))[0] < now:
            self.forget_oldest()

    def forget_oldest(self) -> None:
        _, (_, key_id, _) = self._marks.popitem(last=False)
        self._counts[key_id] -= 1
        if not self._counts[key_id]:
            del self._counts[key_id]


class NonceMemory:
    """`window`: seconds by which a timestamp may be off, so a request is good for twice that, and is remembered."""

    def __init__(self, window: float, per_key: int = PER_KEY, most: int = MOST) -> None:
        self._kept = 2 * window + PROVING
        self._per_key = per_key
        self._most = most
        self._memory: _Memory[bool] = _Memory()

    def __len__(self) -> int:
        return len(self._memory)

    def require_new(self, access_key_id: str, nonce: str, now: float) -> None:
        """NONCE_REUSED."""
        if self._memory.get(_digest((access_key_id, nonce)), now) is not None:
            raise Refused(Reason.NONCE_REUSED, "SignatureNonce")

    def check(self, access_key_id: str, nonce: str, now: float) -> None:
        """Remember a nonce. NONCE_REUSED, or RATE_EXCEEDED for a key, or for keys, that use too many."""
        self._memory.forget(now)
        self.require_new(access_key_id, nonce, now)
        if self._memory.of_key(access_key_id) >= self._per_key or len(self._memory) >= self._most:
            raise Refused(Reason.RATE_EXCEEDED, note="too many nonces are remembered")
        self._memory.keep(_digest((access_key_id, nonce)), access_key_id, now + self._kept, True)


class SignatureMemory:
    """A signature repeated must say the same as when it came first.

    Clients give each call its time in whole seconds, and the SDKs (Python 3.1.195, Go 1.3.164) sign neither action,
    version nor region. So two calls of one client with the same parameters have the same signature if they are
    signed within the same second: GetUser, and DeleteUser of the same name. Such a second call is taken from the
    same address within `SAME_SECOND` of the first, unless it is to mint a secret.

    At most `most` are remembered; beyond that the oldest is forgotten.
    """

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._memory: _Memory[_First] = _Memory()

    def __len__(self) -> int:
        return len(self._memory)

    def note(self, claim: Repeatable, request: Request, now: float, *, regional: bool = True) -> bool:
        """Remember a signature's call, if it is the first. Whether it is."""
        self._memory.forget(now)
        mark = _mark(claim)
        if self._memory.get(mark, now) is not None:
            return False
        if len(self._memory) >= self._most:
            self._memory.forget_oldest()
        first = _First(now, sys.intern(request.client), _digest(claim.unsigned(request, regional=regional)))
        self._memory.keep(mark, claim.access_key_id, claim.good_until + PROVING, first)
        return True

    def require_same(
        self, claim: Repeatable, request: Request, now: float, *, mints: bool, regional: bool = True
    ) -> None:
        """SIGNATURE_MISMATCH. `mints`: the call's answer contains a secret."""
        first = self._memory.get(_mark(claim), now)
        if first is None or first.said == _digest(claim.unsigned(request, regional=regional)):
            return
        same_second = now - first.at <= SAME_SECOND and first.client == request.client
        if mints or not same_second:
            raise Refused(Reason.SIGNATURE_MISMATCH, note="the signature was used for another call")


class Replays:
    """Both memories, as the pipeline asks them. `nonce_window` in seconds."""

    def __init__(self, nonce_window: float) -> None:
        self.nonces = NonceMemory(nonce_window)
        self.signatures = SignatureMemory()

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


def _mark(claim: Repeatable) -> bytes:
    return _digest((claim.access_key_id, claim.proof))


def _digest(parts: Iterable[str | bytes]) -> bytes:
    """16 bytes. Each part's length is counted too, so that no two lists of parts are alike."""
    digest = blake2b(digest_size=16)
    for part in parts:
        octets = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
        digest.update(len(octets).to_bytes(8, "big") + octets)
    return digest.digest()
