"""Password hashes as the servers store them, so that no plaintext ever reaches one.

Sources: MariaDB documentation, "Authentication Plugin - mysql_native_password"; MySQL Reference Manual, "Caching
SHA-2 Pluggable Authentication", and sql/auth/sha2_password.cc; U. Drepper, "Unix crypt using SHA-256 and SHA-512".
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets

SALT_BYTES = 20
ROUNDS = 5000
"""MySQL 8's default (``$A$005$``); the server repeats the work at each account's first login after a start."""

UNUSABLE_NATIVE = "*" + "0" * 40
"""The hash of no known password: an account without a password must not be one with the empty password."""

_ALPHABET = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
UNUSABLE_SHA2 = f"$A$005${'.' * SALT_BYTES}{'.' * 43}"

_NATIVE = re.compile(r"\*[0-9A-F]{40}")
_SHA2 = re.compile(r"\$A\$[0-9A-F]{3}\$[./0-9A-Za-z]{63}")
# As the server itself makes them, the salt is of any 7-bit characters.
_STORED_SHA2 = re.compile(
    r"\$A\$(?P<thousands>[0-9A-F]{3})\$(?P<salt>[\x01-\x7f]{20})(?P<digest>[./0-9A-Za-z]{43})"
)

# Which bytes of the digest make each group of four characters. Source: Drepper, step 22.
_GROUPS = (
    (0, 10, 20), (21, 1, 11), (12, 22, 2), (3, 13, 23), (24, 4, 14),
    (15, 25, 5), (6, 16, 26), (27, 7, 17), (18, 28, 8), (9, 19, 29),
)  # fmt: skip


def native(password: str) -> str:
    """``*`` and the SHA-1 of the SHA-1 in upper-case hexadecimal. The plugin has no salt."""
    once = hashlib.sha1(password.encode(), usedforsecurity=False).digest()
    return "*" + hashlib.sha1(once, usedforsecurity=False).hexdigest().upper()


def is_native(text: str) -> bool:
    return _NATIVE.fullmatch(text) is not None


def caching_sha2(password: str, *, salt: str | None = None, rounds: int = ROUNDS) -> str:
    """``$A$005$``, 20 characters of salt and 43 of digest. Some milliseconds of CPU."""
    salt = "".join(secrets.choice(_ALPHABET) for _ in range(SALT_BYTES)) if salt is None else salt
    return f"$A${rounds // 1000:03X}${salt}{sha_crypt(password.encode(), salt.encode(), rounds)}"


def is_caching_sha2(text: str) -> bool:
    return _SHA2.fullmatch(text) is not None


def is_of(stored: str, password: str) -> bool:
    """Whether a stored hash, of either kind, is of a password. False for a hash of any other plugin."""
    if is_native(stored):
        return hmac.compare_digest(stored, native(password))
    found = _STORED_SHA2.fullmatch(stored)
    if found is None:
        return False
    made = sha_crypt(password.encode(), found["salt"].encode(), int(found["thousands"], 16) * 1000)
    return hmac.compare_digest(found["digest"], made)


def sha_crypt(password: bytes, salt: bytes, rounds: int) -> str:
    """The digest part of crypt's ``$5$``, but with a salt of any length, as MySQL uses it."""
    first = _sha256(password + salt + password)
    opening = password + salt + _cycled(first, len(password))
    bits = len(password)
    while bits:
        opening += first if bits & 1 else password
        bits >>= 1
    digest = _sha256(opening)
    long_password = _cycled(_sha256(password * len(password)), len(password))
    long_salt = _cycled(_sha256(salt * (16 + digest[0])), len(salt))
    for number in range(rounds):
        digest = _round(number, digest, long_password, long_salt)
    return _characters(digest)


def _round(number: int, digest: bytes, password: bytes, salt: bytes) -> bytes:
    odd = number & 1
    text = password if odd else digest
    if number % 3:
        text += salt
    if number % 7:
        text += password
    return _sha256(text + (digest if odd else password))


def _characters(digest: bytes) -> str:
    groups = [(digest[a] << 16 | digest[b] << 8 | digest[c], 4) for a, b, c in _GROUPS]
    groups.append((digest[31] << 8 | digest[30], 3))
    return "".join(_ALPHABET[value >> 6 * place & 63] for value, width in groups for place in range(width))


def _cycled(block: bytes, length: int) -> bytes:
    return (block * (length // len(block) + 1))[:length]


def _sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()
