"""Owners and their access keys: made, sealed and found."""

from __future__ import annotations

import string
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from rolecall import ambient
from rolecall.domain.secrets.sealing import Sealer
from rolecall.values import KEY_PREFIX, Secret

_ALPHABET = string.ascii_letters + string.digits
_KEY_CHARACTERS = 32

LONGEST_KEY_ID = len(KEY_PREFIX) + _KEY_CHARACTERS
"""Ids of temporary keys are longer."""


@dataclass(frozen=True, slots=True)
class Owner:
    """The root account that everything belongs to. `number` and `app_id` are its public numbers."""

    id: int
    number: int
    app_id: int


@dataclass(slots=True)
class OpenedSecret:
    """A key's secret, once it was opened. It lives as long as its key is kept: until a change of keys is notified."""

    secret: Secret | None = None


@dataclass(frozen=True, slots=True)
class AccessKey:
    id: str
    owner: Owner
    principal: int
    sealed_secret: bytes
    active: bool
    created_at: datetime
    description: str = ""
    opened: OpenedSecret = field(default_factory=OpenedSecret, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class MintedKey:
    """A new key without a principal."""

    id: str
    secret: Secret
    sealed: bytes


class KeyRepository(Protocol):
    """A key may be cached until its change is notified, so that a disabled key is refused on every replica at once."""

    async def key(self, key_id: str) -> AccessKey | None: ...
    async def keys(self) -> Sequence[AccessKey]: ...
    async def add_key(self, key_id: str, owner: Owner, principal: int, sealed: bytes) -> None: ...
    async def set_key_active(self, key_id: str, *, active: bool) -> bool: ...
    async def owners(self) -> Sequence[Owner]: ...
    async def add_owner(self, number: int, app_id: int) -> Owner: ...


class Keys:
    def __init__(self, repository: KeyRepository, sealer: Sealer) -> None:
        self._repository = repository
        self._sealer = sealer

    async def find(self, key_id: str) -> AccessKey | None:
        return await self._repository.key(key_id)

    async def owner(self, owner_id: int) -> Owner | None:
        return next((owner for owner in await self._repository.owners() if owner.id == owner_id), None)

    def secret_of(self, key: AccessKey) -> Secret:
        opened = key.opened
        if opened.secret is None:
            opened.secret = self._sealer.open(key.sealed_secret, secret_purpose(key.id))
        return opened.secret

    async def create(self, owner: Owner, principal: int | None = None) -> tuple[str, Secret]:
        """A new key, by default for the owner itself. Its secret is shown here and nowhere later."""
        key = mint(self._sealer)
        principal = owner.number if principal is None else principal
        await self._repository.add_key(key.id, owner, principal, key.sealed)
        return key.id, key.secret

    async def create_owner(self) -> Owner:
        """A new owner with random public numbers: 12 digits from 1000.., and an application id from 1250000000."""
        return await self._repository.add_owner(
            100_000_000_000 + ambient.draws().randrange(900_000_000),
            1_250_000_000 + ambient.draws().randrange(50_000_000),
        )


def mint(sealer: Sealer) -> MintedKey:
    """A new id and secret, the secret sealed for its id."""
    key_id = KEY_PREFIX + ambient.random_text(_ALPHABET, _KEY_CHARACTERS)
    secret = Secret(ambient.random_text(_ALPHABET, _KEY_CHARACTERS))
    return MintedKey(key_id, secret, sealer.seal(secret, secret_purpose(key_id)))


def secret_purpose(key_id: str) -> str:
    """What an access key's secret is sealed for."""
    return f"access key:{key_id}"
