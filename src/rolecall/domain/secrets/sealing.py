"""Sealing: secrets that must be read again (HMAC keys, administrators' passwords) are kept encrypted.

AES-256-GCM under a master key that never enters the store. A sealed value names the key that sealed it, so
that the master key can be rotated: the first key seals, every listed key opens. Its bytes are::

    format    1 byte, 2
    tag       4 bytes, which master key
    salt      16 random bytes
    nonce     12 random bytes
    text      encrypted, with 16 bytes of tag; the purpose is authenticated with it

The master key itself encrypts nothing: HKDF-SHA256 (RFC 5869) derives a key for each kind of purpose, and from that one
for each value, by its salt. So no number of values, of which callers ask for as many as they like (session tokens),
reaches the bound of random nonces under one key (NIST SP 800-38D 8.3: 2**32). Values of format 1, which the master key
encrypted without a salt, still open; resealing moves them on.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF, HKDFExpand

from rolecall import ambient
from rolecall.values import Secret

_PLAIN_FORMAT = b"\x01"
_FORMAT = b"\x02"
_TAG_BYTES = 4
_SALT_BYTES = 16
_NONCE_BYTES = 12
KEY_BYTES = 32
_MASTER_KEY_CHECK = "master key check"


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


def master_key_text(keys: Sequence[bytes]) -> str:
    """What `parse_master_keys` reads."""
    return "".join(base64.b64encode(key).decode() + "\n" for key in keys)


def master_key_tag(key: bytes) -> bytes:
    """Names a master key without revealing it."""
    return hashlib.sha256(b"rolecall master key tag" + key).digest()[:_TAG_BYTES]


def new_master_key() -> str:
    return base64.b64encode(ambient.random_bytes(KEY_BYTES)).decode()


@dataclass(frozen=True, slots=True)
class _MasterKey:
    """A master key, and the keys derived from it: one for each kind of purpose, of which the code has a few."""

    key: bytes = field(repr=False)
    derived: dict[str, bytes] = field(default_factory=dict, repr=False)

    @property
    def tag(self) -> bytes:
        return master_key_tag(self.key)

    def cipher(self, kind: str, salt: bytes) -> AESGCM:
        """Of one value. An empty salt: of the values of format 1."""
        if not salt:
            return AESGCM(self.key)
        for_kind = self.derived.get(kind)
        if for_kind is None:
            info = b"rolecall sealing:" + kind.encode()
            for_kind = self.derived[kind] = HKDF(hashes.SHA256(), KEY_BYTES, None, info).derive(self.key)
        return AESGCM(HKDFExpand(hashes.SHA256(), KEY_BYTES, salt).derive(for_kind))


class Sealer:
    """Seals with the first key, opens with any. `purpose` binds a value to its place: it opens nowhere else.

    What stands before a purpose's first colon is its kind, one of a few.
    """

    def __init__(self, keys: Sequence[bytes]) -> None:
        listed = [_MasterKey(key) for key in keys]
        self._keys = {key.tag: key for key in listed}
        self._current = listed[0].tag

    def seal(self, secret: Secret, purpose: str) -> bytes:
        salt, nonce = ambient.random_bytes(_SALT_BYTES), ambient.random_bytes(_NONCE_BYTES)
        cipher = self._keys[self._current].cipher(_kind(purpose), salt)
        encrypted = cipher.encrypt(nonce, secret.reveal().encode(), purpose.encode())
        return _FORMAT + self._current + salt + nonce + encrypted

    def open(self, sealed: bytes, purpose: str) -> Secret:
        """SealBroken."""
        salt_bytes = {_FORMAT: _SALT_BYTES, _PLAIN_FORMAT: 0}.get(sealed[:1])
        master = self._keys.get(_tag(sealed))
        if salt_bytes is None or master is None:
            raise SealBroken(f"no listed master key sealed this {_kind(purpose)}")
        salt_at = 1 + _TAG_BYTES
        nonce_at = salt_at + salt_bytes
        text_at = nonce_at + _NONCE_BYTES
        cipher = master.cipher(_kind(purpose), sealed[salt_at:nonce_at])
        try:
            return Secret(
                cipher.decrypt(sealed[nonce_at:text_at], sealed[text_at:], purpose.encode()).decode()
            )
        except (InvalidTag, ValueError):  # ValueError: cut off within its nonce
            raise SealBroken(f"a sealed {_kind(purpose)} does not open") from None

    def is_current(self, sealed: bytes) -> bool:
        """Whether it is as `seal` makes it now (those for which this is False are resealed)."""
        return sealed[:1] == _FORMAT and _tag(sealed) == self._current


class Facts(Protocol):
    """Values that a store keeps, each written once."""

    async def settle_fact(self, name: str, value: bytes) -> bytes:
        """Write a value unless there is one; the value that is kept."""
        ...


async def check_master_key(facts: Facts, sealer: Sealer) -> None:
    """Raise `SealBroken` unless `sealer` has the master key that the store was first opened with."""
    check = sealer.seal(Secret("rolecall"), _MASTER_KEY_CHECK)
    try:
        sealer.open(await facts.settle_fact(_MASTER_KEY_CHECK, check), _MASTER_KEY_CHECK)
    except SealBroken:
        raise SealBroken("the master key is not the one that sealed this store's secrets") from None


def _tag(sealed: bytes) -> bytes:
    return sealed[1 : 1 + _TAG_BYTES]


def _kind(purpose: str) -> str:
    return purpose.partition(":")[0]
