"""Hashes of passwords that other directories made, in the text forms in which they are exported.

`admit` is for import: it says whether a hash can be verified at all, and at a cost that one sign-in may have; what is
too costly, unsalted or of a make that is not known is refused there, never at sign-in. `FOREIGN` verifies what was
admitted.

bcrypt    ``$2a$ $2b$ $2y$``, ``bcrypt$``, ``bcrypt_sha256$`` (Django), ``$bcrypt-sha256$`` (passlib)
argon2    ``$argon2i$ $argon2d$ $argon2id$``, ``argon2$`` (Django)
scrypt    ``$scrypt$ln=`` (passlib), ``$7$`` (crypt), ``scrypt$`` (Django), ``scrypt:N:r:p$`` (Werkzeug)
PBKDF2    ``$pbkdf2$ $pbkdf2-sha256$ $pbkdf2-sha512$`` (passlib), ``{PBKDF2} {PBKDF2-SHA256}`` and more (OpenLDAP),
          ``pbkdf2_sha1$ pbkdf2_sha256$`` (Django), ``pbkdf2:sha256:n$`` (Werkzeug), ``{PBKDF2_SHA256}`` (389 DS)
SHA       ``{SSHA} {SSHA256} {SSHA384} {SSHA512}`` (RFC 2307 and its kin), salted ones only
JSON      a credential of Keycloak, kept as the PBKDF2 or argon2 hash that it is
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from functools import partial

import bcrypt
from argon2.exceptions import Argon2Error
from argon2.low_level import Type, verify_secret

from rolecall.domain.secrets.keycloak import credential_as_text

Check = Callable[[bytes], bool]

LONGEST = 1024
"""Characters of a hash."""

MOST_BCRYPT_COST = 14
MOST_ARGON2_KIB = 256 * 1024
MOST_ARGON2_KIB_PASSES = 1024 * 1024
MOST_ARGON2_LANES = 16
MOST_SCRYPT_BLOCKS = 2**21
"""N * r * p: 256 MiB are read and written that often. The rows of OWASP's cheat sheet have 2^20."""
MOST_PBKDF2_ROUNDS = 6_000_000
"""Rounds times blocks of output: Keycloak has 1,300,000 rounds of SHA-1 for four blocks by default since release 24."""
_LEAST_DIGEST = 16


class HashRefused(ValueError):
    """Why a hash is not taken. The text never holds the hash."""


def admit(text: str) -> str:
    """The text that is kept for a foreign hash. Raises `HashRefused`."""
    text = text.strip()
    if text.startswith("{") and text.endswith("}"):
        text = credential_as_text(text, HashRefused)
    text = _unwrapped(text)
    if len(text) > LONGEST:
        raise HashRefused(f"a hash has at most {LONGEST} characters")
    if text.startswith("$argon2id$"):
        _argon2(text)
        return text
    for prefix, read in _READERS.items():
        if text.startswith(prefix):
            read(text)
            return text
    raise HashRefused(_why_unknown(text))


def _unwrapped(text: str) -> str:
    """Without the name of a scheme that only says that a self-describing hash follows; others in capitals."""
    if found := re.match(r"\{([A-Za-z0-9_-]{1,20})(?:@SpringSecurity_v5_8)?\}", text):
        scheme, rest = found[1].upper(), text[found.end() :]
        return rest if scheme in _WRAPPERS and rest.startswith("$") else f"{{{scheme}}}{rest}"
    for wrapper in ("argon2$", "bcrypt$"):  # Django writes argon2$argon2id$v=19..., bcrypt$$2b$12$...
        if text.startswith(wrapper):
            rest = text.removeprefix(wrapper)
            return rest if rest.startswith("$") else f"${rest}"
    return text


_WRAPPERS = {"CRYPT", "BCRYPT", "BLF-CRYPT", "ARGON2", "ARGON2I", "ARGON2ID", "SCRYPT"}

_UNSALTED = ("{SHA}", "{SHA256}", "{SHA512}", "{MD5}")


def _why_unknown(text: str) -> str:
    if text.startswith(_UNSALTED):
        return "the hash has no salt"
    if text.startswith("$2x$"):
        return "a $2x$ hash was made by a faulty bcrypt"
    return "the hash is of no known form"


# bcrypt

_BCRYPT = re.compile(r"\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}", re.ASCII)
_BCRYPT_BYTES = 72
"""More of a password was never looked at."""


_BCRYPT_LETTERS = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


def _bcrypt_matches(text: bytes, plain: bytes) -> bool:
    return bcrypt.checkpw(plain[:_BCRYPT_BYTES], text)


def _bcrypt(text: str) -> Check:
    found = _whole(_BCRYPT, text, "bcrypt")
    if not 4 <= int(found[1]) <= MOST_BCRYPT_COST:
        raise HashRefused(f"bcrypt's cost is 4 to {MOST_BCRYPT_COST}")
    # Some makers leave bits in the last letters of salt and digest that mean nothing; the library wants them empty.
    clean = text[:28] + _cleared(text[28], 0b1111) + text[29:59] + _cleared(text[59], 0b11)
    return partial(_bcrypt_matches, clean.encode())


def _cleared(letter: str, bits: int) -> str:
    return _BCRYPT_LETTERS[_BCRYPT_LETTERS.index(letter) & ~bits]


def _bcrypt_of_hex_sha256(text: str) -> Check:
    """Django's: bcrypt of the password's SHA-256 in hexadecimal."""
    inner = _bcrypt(text.removeprefix("bcrypt_sha256$"))
    return lambda plain: inner(hashlib.sha256(plain).hexdigest().encode())


_PASSLIB_BCRYPT = re.compile(
    r"\$bcrypt-sha256\$(?:(v=2),t=)?(2[ab]),(?:r=)?(\d{1,2})\$([./A-Za-z0-9]{22})\$([./A-Za-z0-9]{31})",
    re.ASCII,
)


def _bcrypt_of_sha256(text: str) -> Check:
    """passlib's: bcrypt of the password's SHA-256 in base64; since version 2 it is an HMAC under the salt."""
    keyed, kind, cost, salt, digest = _whole(_PASSLIB_BCRYPT, text, "bcrypt-sha256").groups()
    inner = _bcrypt(f"${kind}${int(cost):02}${salt}{digest}")

    def check(plain: bytes) -> bool:
        short = hmac.digest(salt.encode(), plain, "sha256") if keyed else hashlib.sha256(plain).digest()
        return inner(base64.b64encode(short))

    return check


# argon2

_ARGON2 = re.compile(
    r"\$argon2(id|i|d)(?:\$v=(16|19))?\$m=(\d{1,8}),t=(\d{1,8}),p=(\d{1,4})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)",
    re.ASCII,
)
_ARGON2_TYPES = {"id": Type.ID, "i": Type.I, "d": Type.D}


def _argon2_matches(text: bytes, kind: Type, plain: bytes) -> bool:
    try:
        return verify_secret(text, plain, kind)
    except Argon2Error:
        return False


def _argon2(text: str) -> Check:
    found = _whole(_ARGON2, text, "argon2")
    memory, passes, lanes = int(found[3]), int(found[4]), int(found[5])
    if not (1 <= lanes <= MOST_ARGON2_LANES and 8 * lanes <= memory <= MOST_ARGON2_KIB and passes):
        raise HashRefused("argon2's memory, passes or lanes are out of range")
    if memory * passes > MOST_ARGON2_KIB_PASSES:
        raise HashRefused("argon2's memory and passes are too much for a sign-in")
    if len(_unpadded(found[6])) < 8:
        raise HashRefused("argon2's salt has at least 8 bytes")
    _digest(_unpadded(found[7]))
    return partial(_argon2_matches, text.encode(), _ARGON2_TYPES[found[1]])


# scrypt

_PASSLIB_SCRYPT = re.compile(
    r"\$scrypt\$ln=(\d\d?),r=(\d{1,9}),p=(\d{1,9})\$([A-Za-z0-9+/]*)\$([A-Za-z0-9+/]+)",
    re.ASCII,
)
_DJANGO_SCRYPT = re.compile(
    r"scrypt\$(\d{1,9})\$([^$]+)\$(\d{1,9})\$(\d{1,9})\$([A-Za-z0-9+/]+={0,2})", re.ASCII
)
_WERKZEUG_SCRYPT = re.compile(r"scrypt:(\d{1,9}):(\d{1,9}):(\d{1,9})\$([^$]+)\$((?:[0-9a-f]{2})+)", re.ASCII)
_CRYPT_SCRYPT = re.compile(
    r"\$7\$([./A-Za-z0-9])([./A-Za-z0-9]{5})([./A-Za-z0-9]{5})([^$]*)\$([./A-Za-z0-9]{43})"
)


def _scrypt(n: int, r: int, p: int, salt: bytes, digest: bytes) -> Check:
    if n < 2 or n & (n - 1) or not r or not p:
        raise HashRefused("scrypt's parameters are out of range")
    if n * r * p > MOST_SCRYPT_BLOCKS:
        raise HashRefused("scrypt's parameters are too much for a sign-in")
    room = 128 * r * (n + p + 2) + 2**20
    make = partial(hashlib.scrypt, salt=salt, n=n, r=r, p=p, maxmem=room, dklen=len(_digest(digest)))
    return lambda plain: hmac.compare_digest(make(plain), digest)


def _passlib_scrypt(text: str) -> Check:
    found = _whole(_PASSLIB_SCRYPT, text, "scrypt")
    return _scrypt(1 << int(found[1]), int(found[2]), int(found[3]), _unpadded(found[4]), _unpadded(found[5]))


def _django_scrypt(text: str) -> Check:
    found = _whole(_DJANGO_SCRYPT, text, "scrypt")
    return _scrypt(int(found[1]), int(found[3]), int(found[4]), found[2].encode(), _padded(found[5]))


def _werkzeug_scrypt(text: str) -> Check:
    found = _whole(_WERKZEUG_SCRYPT, text, "scrypt")
    return _scrypt(int(found[1]), int(found[2]), int(found[3]), found[4].encode(), bytes.fromhex(found[5]))


_SIXTY_FOUR = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def _crypt_number(text: str) -> int:
    return sum(_SIXTY_FOUR.index(letter) << 6 * place for place, letter in enumerate(text))


def _crypt_scrypt(text: str) -> Check:
    found = _whole(_CRYPT_SCRYPT, text, "scrypt")
    groups = [found[5][at : at + 4] for at in range(0, len(found[5]), 4)]
    digest = b"".join(_crypt_number(group).to_bytes(3, "little") for group in groups)[:32]
    n, r, p = 1 << _crypt_number(found[1]), _crypt_number(found[2]), _crypt_number(found[3])
    return _scrypt(n, r, p, found[4].encode(), digest)


# PBKDF2

_PASSLIB_PBKDF2 = re.compile(
    r"(?:\$pbkdf2(?:-sha(256|512))?\$|\{PBKDF2(?:-SHA(1|256|512))?\})(\d{1,9})\$([A-Za-z0-9./+]*)\$([A-Za-z0-9./+]+)",
    re.ASCII,
)
_DJANGO_PBKDF2 = re.compile(r"pbkdf2_sha(1|256)\$(\d{1,9})\$([^$]+)\$([A-Za-z0-9+/]+={0,2})", re.ASCII)
_WERKZEUG_PBKDF2 = re.compile(r"pbkdf2:sha(1|256|512):(\d{1,9})\$([^$]+)\$((?:[0-9a-f]{2})+)", re.ASCII)


def _pbkdf2(bits: str, rounds: int, salt: bytes, digest: bytes) -> Check:
    make = f"sha{bits}"
    blocks = -(-len(_digest(digest)) // hashlib.new(make).digest_size)
    if not 1 <= rounds * blocks <= MOST_PBKDF2_ROUNDS:
        raise HashRefused(
            f"PBKDF2 has 1 to {MOST_PBKDF2_ROUNDS} rounds, counted for each block of its output"
        )
    return lambda plain: hmac.compare_digest(
        hashlib.pbkdf2_hmac(make, plain, salt, rounds, len(digest)), digest
    )


def _passlib_pbkdf2(text: str) -> Check:
    found = _whole(_PASSLIB_PBKDF2, text, "PBKDF2")
    salt, digest = (_unpadded(part.replace(".", "+")) for part in (found[4], found[5]))
    return _pbkdf2(found[1] or found[2] or "1", int(found[3]), salt, digest)


def _django_pbkdf2(text: str) -> Check:
    found = _whole(_DJANGO_PBKDF2, text, "PBKDF2")
    return _pbkdf2(found[1], int(found[2]), found[3].encode(), _padded(found[4]))


def _werkzeug_pbkdf2(text: str) -> Check:
    found = _whole(_WERKZEUG_PBKDF2, text, "PBKDF2")
    return _pbkdf2(found[1], int(found[2]), found[3].encode(), bytes.fromhex(found[4]))


def _directory_server_pbkdf2(text: str) -> Check:
    """389 DS: base64 of the rounds in 4 bytes, 64 bytes of salt and 256 of digest."""
    packed = _padded(text.partition("}")[2])
    if len(packed) != 4 + 64 + 256:
        raise HashRefused("the PBKDF2 hash is not whole")
    return _pbkdf2("256", int.from_bytes(packed[:4]), packed[4:68], packed[68:])


# salted SHA


def _salted_sha(make: str, text: str) -> Check:
    packed = _padded(text.partition("}")[2])
    size = hashlib.new(make).digest_size
    digest, salt = packed[:size], packed[size:]
    if len(digest) < size or not salt:
        raise HashRefused("the salted hash is not whole")
    return lambda plain: hmac.compare_digest(hashlib.new(make, plain + salt).digest(), digest)


_READERS: Mapping[str, Callable[[str], Check]] = {
    "$2a$": _bcrypt,
    "$2b$": _bcrypt,
    "$2y$": _bcrypt,
    "bcrypt_sha256$": _bcrypt_of_hex_sha256,
    "$bcrypt-sha256$": _bcrypt_of_sha256,
    "$argon2i$": _argon2,
    "$argon2d$": _argon2,
    "$scrypt$": _passlib_scrypt,
    "$7$": _crypt_scrypt,
    "scrypt$": _django_scrypt,
    "scrypt:": _werkzeug_scrypt,
    "$pbkdf2$": _passlib_pbkdf2,
    "$pbkdf2-sha": _passlib_pbkdf2,
    "{PBKDF2}": _passlib_pbkdf2,
    "{PBKDF2-SHA": _passlib_pbkdf2,
    "{PBKDF2_SHA256}": _directory_server_pbkdf2,
    "pbkdf2_sha": _django_pbkdf2,
    "pbkdf2:": _werkzeug_pbkdf2,
    "{SSHA}": partial(_salted_sha, "sha1"),
    "{SSHA256}": partial(_salted_sha, "sha256"),
    "{SSHA384}": partial(_salted_sha, "sha384"),
    "{SSHA512}": partial(_salted_sha, "sha512"),
}


def _verifier(read: Callable[[str], Check]) -> Callable[[str, bytes], bool]:
    def verify(text: str, plain: bytes) -> bool:
        try:
            return read(text)(plain)
        except ValueError:  # `HashRefused` and its like: it came into the store by another way than import
            return False

    return verify


FOREIGN: Mapping[str, Callable[[str, bytes], bool]] = {
    prefix: _verifier(read) for prefix, read in _READERS.items()
}
"""For `Passwords`: verifiers by the prefix of what they verify. Argon2id is its own."""


def _whole(form: re.Pattern[str], text: str, name: str) -> re.Match[str]:
    found = form.fullmatch(text)
    if found is None:
        raise HashRefused(f"the {name} hash is malformed")
    return found


def _padded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise HashRefused("the hash is not base64") from None


def _unpadded(text: str) -> bytes:
    return _padded(text + "=" * (-len(text) % 4))


def _digest(digest: bytes) -> bytes:
    if len(digest) < _LEAST_DIGEST:
        raise HashRefused(f"the digest has fewer than {_LEAST_DIGEST} bytes")
    return digest
