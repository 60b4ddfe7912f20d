"""Owners and their access keys: who may sign, and with what."""

from __future__ import annotations

import string
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from rolecall import ambient
from rolecall.domain.access.revocations import Revocations
from rolecall.domain.access.sign_ins import AddressLimit, SignInSource, Who
from rolecall.domain.reasons import Reason, Refused
from rolecall.domain.secrets.sealing import Sealer
from rolecall.values import KEY_PREFIX, Caller, Claim, NamedClaim, Secret

_ALPHABET = string.ascii_letters + string.digits
_KEY_CHARACTERS = 32


@dataclass(frozen=True, slots=True)
class Owner:
    """The root account that everything belongs to. `number` and `app_id` are its public numbers."""

    id: int
    number: int
    app_id: int


@dataclass(frozen=True, slots=True)
class AccessKey:
    id: str
    owner: Owner
    principal: int
    sealed_secret: bytes
    active: bool
    created_at: datetime
    description: str = ""


@dataclass(frozen=True, slots=True)
class MintedKey:
    """A new key that is nobody's yet."""

    id: str
    secret: Secret
    sealed: bytes


class KeyRepository(Protocol):
    """Where owners and keys are kept."""

    async def key(self, key_id: str) -> AccessKey | None: ...
    async def keys(self) -> Sequence[AccessKey]: ...
    async def add_key(self, key_id: str, owner: Owner, principal: int, sealed: bytes) -> None: ...
    async def set_key_active(self, key_id: str, *, active: bool) -> bool: ...
    async def owners(self) -> Sequence[Owner]: ...
    async def add_owner(self, number: int, app_id: int) -> Owner: ...


@dataclass(frozen=True, slots=True)
class SubUserTokenKey:
    """What a sub-user's tokens hang on: `key_id` names it in them, `secret` changes with its password."""

    owner: Owner
    principal: int
    key_id: str
    secret: Secret


class People(Protocol):
    """Sub-users as callers, by name and password instead of an access key."""

    async def sign_in(self, name: str, password: Secret) -> SubUserTokenKey:
        """CREDENTIALS_INVALID, whatever is wrong; HASHING_BUSY."""

    async def token_key(self, key_id: str) -> SubUserTokenKey | None:
        """Of a token that was issued after `sign_in`; None if there is no such sub-user any more."""


@dataclass(frozen=True, slots=True)
class OpenedSession:
    """Temporary credentials, opened: the caller they make, and the secret that signs."""

    caller: Caller
    secret: Secret


class Lender(Protocol):
    """Temporary credentials: they are no rows, their session token is the proof."""

    async def opened(self, key_id: str, token: Secret, now: float) -> OpenedSession:
        """TOKEN_INVALID: not ours, of another key, or expired."""


class Introspection(Protocol):
    """Callers that another identity service vouches for."""

    async def caller(self, claim: Claim, now: float, client: str) -> Caller | None:
        """None if the claim carries nothing of that service. `client` is the address that asks, if it is known."""


LONGEST_KEY_ID = len(KEY_PREFIX) + _KEY_CHARACTERS
"""Ids of temporary keys are longer."""


_UNKNOWN = SignInSource()


class Keys:
    """Makes, disables and proves access keys, and proves what stands in for one."""

    def __init__(
        self,
        repository: KeyRepository,
        sealer: Sealer,
        people: People | None = None,
        lender: Lender | None = None,
        introspection: Introspection | None = None,
        revocations: Revocations | None = None,
    ) -> None:
        self._repository = repository
        self._sealer = sealer
        self.people = people
        self.lender = lender
        self.introspection = introspection
        self.revocations = revocations
        self.addresses: AddressLimit | None = None
        """Where passwords are guessed from; with it, too many failures shut a client address out."""
        self.note_use: Callable[[str, float], None] = lambda _key_id, _now: None
        """Told of every key that was proven, and when."""

    async def prove(
        self, claim: Claim, now: float, client: str = "", source: SignInSource = _UNKNOWN
    ) -> Caller:
        """The caller behind a claim. KEY_UNKNOWN, KEY_DISABLED, TOKEN_INVALID, or what the claim raises.

        `client` is the address that shows a password, `sent` what that came with; without an address its failures are
        not counted, nor is it refused (RATE_EXCEEDED), nor recorded.

        The book may remember a key only until it is told of a change, so that a disabled key is refused at its next
        call on every replica.
        """
        caller = await self._proven(claim, now, client, source)
        if self.revocations is not None:
            await self.revocations.require_good(claim)
        return caller

    async def _proven(self, claim: Claim, now: float, client: str, source: SignInSource) -> Caller:
        if self.introspection is not None:
            vouched = await self.introspection.caller(claim, now, client)
            if vouched is not None:
                return vouched
        if claim.token is not None:
            return await self._prove_borrowed(claim, claim.token, now)
        key = await self._repository.key(claim.access_key_id)
        if key is not None and key.active:
            claim.prove(self.secret_of(key), now)
            self.note_use(key.id, now)
            return Caller(key.owner.id, key.owner.number, key.owner.app_id, key.principal, key.id)
        if key is not None:
            raise self._disabled(key, claim, now)
        token_key = await self._token_key(claim, now, client, source)
        if token_key is None:
            if len(claim.access_key_id) > LONGEST_KEY_ID and claim.access_key_id.startswith(KEY_PREFIX):
                raise Refused(Reason.TOKEN_INVALID, note="a temporary key without its session token")
            raise Refused(Reason.KEY_UNKNOWN, facts={"value": claim.access_key_id})
        claim.prove(token_key.secret, now)
        owner = token_key.owner
        return Caller(owner.id, owner.number, owner.app_id, token_key.principal, token_key.key_id)

    def _disabled(self, key: AccessKey, claim: Claim, now: float) -> Refused:
        """A stranger is told no more of a disabled key than of one that never was."""
        facts = {"value": key.id}
        try:
            claim.prove(self.secret_of(key), now)
        except Refused:
            return Refused(Reason.KEY_UNKNOWN, facts=facts)
        return Refused(Reason.KEY_DISABLED, facts=facts)

    async def _prove_borrowed(self, claim: Claim, token: Secret, now: float) -> Caller:
        if self.lender is None or len(claim.access_key_id) <= LONGEST_KEY_ID:
            raise Refused(Reason.TOKEN_INVALID, note="a permanent key takes no session token")
        borrowed = await self.lender.opened(claim.access_key_id, token, now)
        claim.prove(borrowed.secret, now)
        return borrowed.caller

    async def _token_key(
        self, claim: Claim, now: float, client: str, source: SignInSource
    ) -> SubUserTokenKey | None:
        """A sub-user by its name and password, or by a token that these bought."""
        if self.people is None:
            return None
        if not isinstance(claim, NamedClaim):
            return await self.people.token_key(claim.access_key_id)
        moment = datetime.fromtimestamp(now, UTC)
        token_key = await self._signed_in(self.people, claim, moment, client, source)
        claim.accept(token_key.key_id, token_key.secret)
        return token_key

    async def _signed_in(
        self, people: People, claim: NamedClaim, now: datetime, client: str, source: SignInSource
    ) -> SubUserTokenKey:
        if self.addresses is None or not client:
            return await people.sign_in(claim.access_key_id, claim.shown)
        async with self.addresses.guarding(client, now, source) as attempt:
            token_key = await people.sign_in(claim.access_key_id, claim.shown)
            await attempt.require_admitted()
            attempt.who = Who(claim.access_key_id, token_key.owner.id, token_key.principal)
            return token_key

    def secret_of(self, key: AccessKey) -> Secret:
        return self._sealer.open(key.sealed_secret, secret_purpose(key.id))

    async def create(self, owner: Owner, principal: int | None = None) -> tuple[str, Secret]:
        """A new key, by default for the owner itself. Its secret is shown here and nowhere later."""
        key = mint(self._sealer)
        await self._repository.add_key(
            key.id, owner, owner.number if principal is None else principal, key.sealed
        )
        return key.id, key.secret

    async def create_owner(self) -> Owner:
        """A new owner with random public numbers: 12 digits from 1000.., and an application id from 1250000000."""
        return await self._repository.add_owner(
            100_000_000_000 + ambient.draws().randrange(900_000_000),
            1_250_000_000 + ambient.draws().randrange(50_000_000),
        )


def mint(sealer: Sealer) -> MintedKey:
    """A new id and secret, the secret sealed for its id."""
    key_id = KEY_PREFIX + _random_text(_KEY_CHARACTERS)
    secret = Secret(_random_text(_KEY_CHARACTERS))
    return MintedKey(key_id, secret, sealer.seal(secret, secret_purpose(key_id)))


def secret_purpose(key_id: str) -> str:
    """What an access key's secret is sealed for."""
    return f"access key:{key_id}"


def _random_text(characters: int) -> str:
    return ambient.random_text(_ALPHABET, characters)
