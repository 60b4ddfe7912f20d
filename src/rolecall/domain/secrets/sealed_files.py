"""Encrypted files of any length, written and read in chunks: truncation, reordering and changes are detected.

The chunks are AES-256-GCM in the STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizár: "Online Authenticated-
Encryption and its Nonce-Reuse Misuse-Resistance", 2015): the nonce of a chunk is its number and whether it is the last.
A file is::

    magic     16 bytes, b"rolecall backup" and the format, 1
    kind      1 byte: 1, the key is derived from a master key; 2, from a passphrase
    tag       4 bytes, which master key; zeros for a passphrase
    salt      32 random bytes
    chunks    of 1 MiB, each with 16 bytes of tag; the last one may be shorter

All that stands before the chunks is authenticated with each of them. HKDF-SHA256 (RFC 5869) derives the key from the
master key and the salt, Argon2id (RFC 9106, its second recommended choice) from the passphrase and the salt. Each file
has a key of its own, so that nonces begin at 0. A reader accepts no parameters from a file: a forged one costs no more
than a genuine one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from argon2.low_level import Type, hash_secret_raw
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from rolecall import ambient
from rolecall.domain.secrets.sealing import KEY_BYTES, master_key_tag
from rolecall.values import Secret

_MAGIC = b"rolecall backup\x01"
_MASTER, _PASSPHRASE = b"\x01", b"\x02"
_TAG_BYTES, _SALT_BYTES, _SEAL_BYTES = 4, 32, 16
_HEAD_BYTES = len(_MAGIC) + 1 + _TAG_BYTES + _SALT_BYTES
CHUNK = 1024 * 1024
_LAST, _NOT_LAST = b"\x01", b"\x00"
SHORTEST_PASSPHRASE = 12


class FileBroken(Exception):
    """A file is not a backup, is truncated or changed, or does not open with this key. The text says which."""


@dataclass(frozen=True, slots=True)
class FileKey:
    """What a file is encrypted with: the current master key, or a passphrase if there is one."""

    master_keys: Sequence[bytes] = ()
    passphrase: Secret | None = None

    def new_head(self) -> bytes:
        """The head of a new file."""
        salt = ambient.random_bytes(_SALT_BYTES)
        if self.passphrase is not None:
            return _MAGIC + _PASSPHRASE + bytes(_TAG_BYTES) + salt
        return _MAGIC + _MASTER + master_key_tag(self.master_keys[0]) + salt

    def cipher(self, head: bytes) -> AESGCM:
        """The cipher of the file with this head. FileBroken."""
        kind_at = len(_MAGIC)
        tag_at = kind_at + 1
        salt_at = tag_at + _TAG_BYTES
        kind, tag, salt = head[kind_at:tag_at], head[tag_at:salt_at], head[salt_at:]
        if kind == _PASSPHRASE:
            return self._of_passphrase(salt)
        if self.passphrase is not None:
            raise FileBroken("the backup is encrypted under the master key, not under a passphrase")
        if not self.master_keys:
            raise FileBroken("the backup is encrypted under a master key: set ROLECALL_MASTER_KEY_FILE")
        for key in self.master_keys:
            if master_key_tag(key) == tag:
                return AESGCM(HKDF(hashes.SHA256(), KEY_BYTES, salt, b"rolecall backup").derive(key))
        raise FileBroken("the backup is encrypted under another master key")

    def _of_passphrase(self, salt: bytes) -> AESGCM:
        if self.passphrase is None:
            raise FileBroken("the backup is encrypted under a passphrase: --passphrase-file")
        text = self.passphrase.reveal().encode()
        return AESGCM(
            hash_secret_raw(
                text,
                salt,
                time_cost=3,
                memory_cost=64 * 1024,
                parallelism=4,
                hash_len=KEY_BYTES,
                type=Type.ID,
            )
        )


class SealedWriter:
    """Encrypts what is written. `close` writes the last chunk; a file without it does not open."""

    def __init__(self, file: BinaryIO, key: FileKey) -> None:
        self._file = file
        self._head = key.new_head()
        self._cipher = key.cipher(self._head)
        self._pending = bytearray()
        self._number = 0
        file.write(self._head)

    def write(self, data: bytes) -> None:
        self._pending += data
        while len(self._pending) > CHUNK:  # a full chunk may be the last
            self._seal(bytes(self._pending[:CHUNK]), _NOT_LAST)
            del self._pending[:CHUNK]

    def close(self) -> None:
        self._seal(bytes(self._pending), _LAST)
        self._pending.clear()

    def _seal(self, chunk: bytes, last: bytes) -> None:
        self._file.write(self._cipher.encrypt(_nonce(self._number, last), chunk, self._head))
        self._number += 1


def opened(file: BinaryIO, key: FileKey, on_read: Callable[[int], None] = lambda _: None) -> Iterator[bytes]:
    """The content of a file, chunk by chunk. `on_read` gets the number of bytes of each read. FileBroken.

    A chunk is authentic when it is returned; that none is missing at the end is known when the iterator ends.
    """
    head = file.read(_HEAD_BYTES)
    if not head.startswith(_MAGIC[:-1]):
        raise FileBroken("the file is not a backup of Rolecall")
    if not head.startswith(_MAGIC):
        raise FileBroken("the backup has the format of another release")
    if len(head) < _HEAD_BYTES:
        raise FileBroken("the backup is truncated")
    cipher = key.cipher(head)
    on_read(len(head))
    number, sealed = 0, file.read(CHUNK + _SEAL_BYTES)
    while True:
        following = file.read(CHUNK + _SEAL_BYTES)
        last = _NOT_LAST if following else _LAST
        try:
            yield cipher.decrypt(_nonce(number, last), sealed, head)
        except (InvalidTag, ValueError):  # ValueError: shorter than a tag
            raise FileBroken(_why(cipher, number, sealed, head)) from None
        on_read(len(sealed))
        if not following:
            return
        number, sealed = number + 1, following


def _why(cipher: AESGCM, number: int, sealed: bytes, head: bytes) -> str:
    try:
        cipher.decrypt(_nonce(number, _NOT_LAST), sealed, head)
    except (InvalidTag, ValueError):
        if number == 0:
            return "the backup does not open: the key or the passphrase is wrong, or the file was changed"
        return "the backup is truncated or was changed"
    return "the backup is truncated"


def _nonce(number: int, last: bytes) -> bytes:
    return number.to_bytes(11, "big") + last
