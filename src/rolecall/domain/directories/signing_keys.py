"""The RSA keys that sign ID tokens: one of each user store signs, those before it stay published for a day."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from rolecall import ambient
from rolecall.domain.directories.provider import SigningKey, SigningKeyRepository
from rolecall.domain.secrets.sealing import Sealer
from rolecall.values import Secret

PUBLISHED = timedelta(days=1)
"""How long a retired key is published: longer than anything that it signed is good for."""

_BITS = 2048


def signing_key_purpose(key_id: str) -> str:
    """What a signing key is sealed for."""
    return f"signing key:{key_id}"


class SigningKeys:
    def __init__(self, repository: SigningKeyRepository, sealer: Sealer) -> None:
        self._repository = repository
        self._sealer = sealer

    async def published(self, store_id: UUID, now: datetime) -> Sequence[SigningKey]:
        """The one that signs first. It is made when it is first asked for."""
        keys = await self._current(store_id)
        if not any(key.retired_at is None for key in keys):
            await self._repository.add_signing_key(await self._new(store_id, now))
            keys = await self._current(store_id)
        return [key for key in keys if key.retired_at is None or now - key.retired_at < PUBLISHED]

    async def rotate(self, store_id: UUID, now: datetime) -> SigningKey:
        """A new key signs from now on."""
        fresh = await self._new(store_id, now)
        await self._repository.replace_signing_key(fresh)
        return fresh

    def open(self, key: SigningKey) -> Secret:
        """The private key, PEM (PKCS #8)."""
        return self._sealer.open(key.sealed, signing_key_purpose(key.id))

    async def _current(self, store_id: UUID) -> list[SigningKey]:
        keys = await self._repository.signing_keys(store_id)
        return sorted(keys, key=lambda key: key.retired_at is not None)

    async def _new(self, store_id: UUID, now: datetime) -> SigningKey:
        key_id = ambient.random_bytes(8).hex()
        private = await asyncio.to_thread(_generate)
        sealed = self._sealer.seal(private, signing_key_purpose(key_id))
        return SigningKey(key_id, store_id, sealed, now, None)


def _generate() -> Secret:
    key = rsa.generate_private_key(public_exponent=65537, key_size=_BITS)
    return Secret(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode("ascii"))
