"""Bearer secrets: tokens, codes, session ids, secrets of applications.

They have 256 random bits, so nothing slower than SHA-256 is needed to keep them, and a digest is all that is kept.
"""

from __future__ import annotations

import hashlib

from rolecall import ambient
from rolecall.values import Secret

_BYTES = 32


def fresh() -> Secret:
    """43 characters of base64url."""
    return Secret(ambient.token(_BYTES))


def digest(bearer: Secret) -> bytes:
    return hashlib.sha256(bearer.reveal().encode("utf-8", "surrogatepass")).digest()
