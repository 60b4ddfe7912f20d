"""SCRAM-SHA-256 verifiers as PostgreSQL stores them, so that no plaintext ever reaches a server.

Sources: RFC 5802, RFC 7677, RFC 4013; PostgreSQL src/common/saslprep.c and src/common/scram-common.c.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
import stringprep
from unicodedata import ucd_3_2_0 as unicode_3_2

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

from rolecall.domain.reasons import Reason, Refused

ITERATIONS = 4096
"""PostgreSQL's default. The server repeats the work on CREATE ROLE and at each login, so more costs thrice."""

SALT_BYTES = 16

_FORM = re.compile(
    r"SCRAM-SHA-256\$[1-9][0-9]{0,8}:[A-Za-z0-9+/]{22}==\$[A-Za-z0-9+/]{43}=:[A-Za-z0-9+/]{43}="
)

_PROHIBITED = (
    stringprep.in_table_c12,
    stringprep.in_table_c21_c22,
    stringprep.in_table_c3,
    stringprep.in_table_c4,
    stringprep.in_table_c5,
    stringprep.in_table_c6,
    stringprep.in_table_c7,
    stringprep.in_table_c8,
    stringprep.in_table_c9,
    stringprep.in_table_a1,
)


def is_verifier(text: str) -> bool:
    """Whether a text has exactly the form that `verifier` gives.

    PostgreSQL takes anything else for a plaintext password and hashes it, after which no password opens the role.
    """
    return _FORM.fullmatch(text) is not None


def verifier(password: str, *, salt: bytes | None = None, iterations: int = ITERATIONS) -> str:
    """``SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>`` in base64. Half a millisecond
    of CPU at the default. PASSWORD_LENGTH for the empty password, which opens no role."""
    if not password:
        raise Refused(Reason.PASSWORD_LENGTH, note="the password is empty")
    salt = secrets.token_bytes(SALT_BYTES) if salt is None else salt
    # The OpenSSL in `cryptography` is almost twice as fast here as the interpreter's.
    salted = PBKDF2HMAC(hashes.SHA256(), 32, salt, iterations).derive(prepared(password))
    stored = hashlib.sha256(_hmac(salted, b"Client Key")).digest()
    server = _hmac(salted, b"Server Key")
    return f"SCRAM-SHA-256${iterations}:{_base64(salt)}${_base64(stored)}:{_base64(server)}"


def matches(verifier_text: str, password: str) -> bool:
    """Whether the verifier is of this password."""
    iterations, salt = verifier_text.split("$")[1].split(":")
    again = verifier(password, salt=base64.b64decode(salt), iterations=int(iterations))
    return hmac.compare_digest(again, verifier_text)


def prepared(password: str) -> bytes:
    """SASLprep as PostgreSQL does it: ASCII unchanged; the raw UTF-8 bytes, and no error, if any check fails."""
    if password.isascii():
        return password.encode()
    mapped = "".join(_mapped(character) for character in password)
    normal = unicode_3_2.normalize("NFKC", mapped)
    if not normal or any(_is_prohibited(character) for character in normal) or not _bidi_holds(normal):
        return password.encode()
    return normal.encode()


def _mapped(character: str) -> str:
    if stringprep.in_table_c12(character):
        return " "
    return "" if stringprep.in_table_b1(character) else character


def _is_prohibited(character: str) -> bool:
    return any(in_table(character) for in_table in _PROHIBITED)


def _bidi_holds(text: str) -> bool:
    """RFC 3454 section 6: with right-to-left letters, one at each end and no left-to-right ones between."""
    right_to_left = [stringprep.in_table_d1(character) for character in text]
    if not any(right_to_left):
        return True
    if any(stringprep.in_table_d2(character) for character in text):
        return False
    return right_to_left[0] and right_to_left[-1]


def _hmac(key: bytes, text: bytes) -> bytes:
    return hmac.digest(key, text, "sha256")


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
