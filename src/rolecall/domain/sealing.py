"""Sealing: secrets that must be read again (HMAC keys, administrators' passwords) are kept encrypted.

AES-256-GCM under a master key that never enters the store. A sealed value names the key that sealed it, so
that the master key can be rotated: the first key seals, every listed key opens.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from rolecall.domain import ambient
from rolecall.values import Secret

_FORMAT = b"\x01"
_TAG_BYTES = 4
_NONCE_BYTES = 12
KEY_BYTES = 32


class SealBroken(Exception):
    """A sealed value does not open: another master key, another purpose, or a damaged value."""


def parse_master_keys(text: str) -> tuple[bytes, ...]:
    """One base64 key of 32 bytes a line, the current one first. Blank lines and ``#`` comments are skipped."""
    lines = (line.strip() for line in text.splitlines())
    try:
        keys = tuple(base64.b64decode(line, validate=True) for line in lines if line and line[0] != "#")
    except binascii.Error:
        raise ValueError("a master key is base64 text, one key a line") from None
    if not keys or any(len(key) != KEY_BYTES for key in keys):
        raise ValueError(f"a master key is base64 of exactly {KEY_BYTES} bytes, one key a line")
    return keys


def new_master_key() -> str:
    return base64.b64encode(ambient.random_bytes(KEY_BYTES)).decode()


class Sealer:
    """Seals with the first key, opens with any. `purpose` binds a value to its place: it opens nowhere else."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._ciphers = {self._tag(key): AESGCM(key) for key in keys}
        self._current = self._tag(keys[0])

    @staticmethod
    def _tag(key: bytes) -> bytes:
        return hashlib.sha256(b"rolecall master key tag" + key).digest()[:_TAG_BYTES]

    def seal(self, secret: Secret, purpose: str) -> bytes:
        nonce = ambient.random_bytes(_NONCE_BYTES)
        cipher = self._ciphers[self._current]
        return (
            _FORMAT
            + self._current
            + nonce
            + cipher.encrypt(nonce, secret.reveal().encode(), purpose.encode())
        )

    def open(self, sealed: bytes, purpose: str) -> Secret:
        tag = sealed[1 : 1 + _TAG_BYTES]
        nonce = sealed[1 + _TAG_BYTES : 1 + _TAG_BYTES + _NONCE_BYTES]
        cipher = self._ciphers.get(tag)
        if sealed[:1] != _FORMAT or cipher is None:
            raise SealBroken(f"no listed master key sealed this {purpose.split(':')[0]}")
        try:
            return Secret(
                cipher.decrypt(nonce, sealed[1 + _TAG_BYTES + _NONCE_BYTES :], purpose.encode()).decode()
            )
        except InvalidTag:
            raise SealBroken(f"a sealed {purpose.split(':')[0]} does not open") from None

    def is_current(self, sealed: bytes) -> bool:
        """Whether the first key sealed it (rotation reseals those for which this is False)."""
        return sealed[1 : 1 + _TAG_BYTES] == self._current
