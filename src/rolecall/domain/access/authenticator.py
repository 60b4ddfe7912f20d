"""Authentication: a chain of methods, of which the first that knows a claim's kind of credential decides."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from msgspec import Struct

from rolecall.domain.access.keys import AccessKey, Keys
from rolecall.domain.access.revocations import Revocations
from rolecall.domain.access.sign_ins import SignInSource
from rolecall.domain.reasons import Reason, Refused
from rolecall.values import Caller, Claim, TokenIssuer

_UNKNOWN = SignInSource()


class Presented(Struct, frozen=True):
    """A claim as it came: at unix time `now`, from the address `client`, empty where that is unknown."""

    claim: Claim
    now: float
    client: str = ""
    source: SignInSource = _UNKNOWN


class Proven(Struct, frozen=True):
    """The caller behind a claim; `issuer` makes tokens where the credential can be exchanged for one."""

    caller: Caller
    issuer: TokenIssuer | None = None


class AuthenticationMethod(Protocol):
    async def authenticate(self, presented: Presented) -> Proven | None:
        """None if this method does not know the credential. Raises `Refused` for one that it knows as invalid."""


class Authenticator:
    def __init__(self, methods: Sequence[AuthenticationMethod], revocations: Revocations) -> None:
        self._methods = methods
        self._revocations = revocations

    async def authenticate(
        self, claim: Claim, now: float, client: str = "", source: SignInSource = _UNKNOWN
    ) -> Proven:
        """KEY_UNKNOWN if no method knows the credential; TOKEN_INVALID if it is a revoked token; what the methods
        and the claim raise."""
        presented = Presented(claim, now, client, source)
        for method in self._methods:
            proven = await method.authenticate(presented)
            if proven is not None:
                await self._revocations.require_good(claim)
                return proven
        raise Refused(Reason.KEY_UNKNOWN, facts={"value": claim.access_key_id})


class AccessKeys:
    """Permanent keys, of owners and sub-users. `note_use` is given the id of each proven key, and when."""

    def __init__(self, keys: Keys, note_use: Callable[[str, float], None]) -> None:
        self._keys = keys
        self._note_use = note_use

    async def authenticate(self, presented: Presented) -> Proven | None:
        """KEY_DISABLED, and what the claim raises."""
        key = await self._keys.find(presented.claim.access_key_id)
        if key is None:
            return None
        if not key.active:
            raise self._disabled(key, presented)
        issuer = presented.claim.prove(self._keys.secret_of(key), presented.now)
        self._note_use(key.id, presented.now)
        owner = key.owner
        return Proven(Caller(owner.id, owner.number, owner.app_id, key.principal, key.id), issuer)

    def _disabled(self, key: AccessKey, presented: Presented) -> Refused:
        """KEY_UNKNOWN unless the signature is valid: a disabled key is not revealed to exist."""
        facts = {"value": key.id}
        try:
            presented.claim.prove(self._keys.secret_of(key), presented.now)
        except Refused:
            return Refused(Reason.KEY_UNKNOWN, facts=facts)
        return Refused(Reason.KEY_DISABLED, facts=facts)
