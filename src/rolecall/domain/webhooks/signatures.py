"""Signatures of webhooks: the Standard Webhooks specification (standardwebhooks.com, 1.0), symmetric.

A secret is ``whsec_`` and base64 of 24 to 64 bytes. The signed text is the event's id, the time of the attempt in unix
seconds and the body, joined by dots.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping, Sequence

from rolecall import ambient
from rolecall.values import Secret

_PREFIX = "whsec_"
_SHORTEST, _LONGEST = 24, 64
"""Bytes of a key, as the specification says."""

_NEW = 32


def new_secret() -> Secret:
    return Secret(_PREFIX + base64.b64encode(ambient.random_bytes(_NEW)).decode())


def parse_secret(text: str) -> Secret:
    """ValueError unless it is a secret of that form."""
    secret = Secret(text.strip())
    _key(secret)
    return secret


def signed_headers(secrets: Sequence[Secret], event: str, at: int, body: bytes) -> Mapping[str, str]:
    """The headers of an attempt: a signature with each secret, so that a receiver may know either."""
    text = f"{event}.{at}.".encode() + body
    signatures = (base64.b64encode(hmac.digest(_key(secret), text, "sha256")).decode() for secret in secrets)
    return {
        "webhook-id": event,
        "webhook-timestamp": str(at),
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
    }


def _key(secret: Secret) -> bytes:
    text = secret.reveal()
    try:
        key = base64.b64decode(text.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not text.startswith(_PREFIX) or not _SHORTEST <= len(key) <= _LONGEST:
        raise ValueError(f"a webhook's secret is {_PREFIX} and base64 of {_SHORTEST} to {_LONGEST} bytes")
    return key
