"""Owners and their access keys: who may sign, and with what."""

from __future__ import annotations

import secrets
import string
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from rolecall.domain.reasons import Reason, Refused
from rolecall.domain.sealing import Sealer
from rolecall.values import Caller, Claim, Secret

_ALPHABET = string.ascii_letters + string.digits
_KEY_PREFIX = "AKID"
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


class KeyBook(Protocol):
    """Where owners and keys are kept."""

    async def key(self, key_id: str) -> AccessKey | None: ...
    async def keys(self) -> Sequence[AccessKey]: ...
    async def add_key(self, key_id: str, owner: Owner, principal: int, sealed: bytes) -> None: ...
    async def set_key_active(self, key_id: str, *, active: bool) -> bool: ...
    async def owners(self) -> Sequence[Owner]: ...
    async def add_owner(self, number: int, app_id: int) -> Owner: ...


class Keys:
    """Makes, disables and proves access keys."""

    def __init__(self, book: KeyBook, sealer: Sealer) -> None:
        self._book = book
        self._sealer = sealer

    async def prove(self, claim: Claim, now: float) -> Caller:
        """The caller behind a claim. KEY_UNKNOWN (also for a disabled key), TOKEN_INVALID, or what the claim raises.

        The book may remember a key only until it is told of a change, so that a disabled key is refused at its next
        call on every replica.
        """
        key = await self._book.key(claim.access_key_id)
        if key is None or not key.active:
            raise Refused(Reason.KEY_UNKNOWN, facts={"value": claim.access_key_id})
        if claim.token is not None:
            raise Refused(Reason.TOKEN_INVALID, note="a permanent key takes no session token")
        claim.prove(self.secret_of(key), now)
        return Caller(key.owner.id, key.owner.number, key.owner.app_id, key.principal, key.id)

    def secret_of(self, key: AccessKey) -> Secret:
        return self._sealer.open(key.sealed_secret, secret_purpose(key.id))

    async def create(self, owner: Owner, principal: int | None = None) -> tuple[str, Secret]:
        """A new key, by default for the owner itself. Its secret is shown here and nowhere later."""
        key_id = _KEY_PREFIX + _random_text(_KEY_CHARACTERS)
        secret = Secret(_random_text(_KEY_CHARACTERS))
        sealed = self._sealer.seal(secret, secret_purpose(key_id))
        await self._book.add_key(key_id, owner, owner.number if principal is None else principal, sealed)
        return key_id, secret

    async def create_owner(self) -> Owner:
        """A new owner with random public numbers: 12 digits from 1000.., and an application id from 1250000000."""
        return await self._book.add_owner(
            100_000_000_000 + secrets.randbelow(900_000_000), 1_250_000_000 + secrets.randbelow(50_000_000)
        )


def secret_purpose(key_id: str) -> str:
    """What an access key's secret is sealed for."""
    return f"access key:{key_id}"


def _random_text(characters: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(characters))
