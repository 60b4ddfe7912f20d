"""A password as Keycloak's realm export and user representations hold it, as the hash that it is.

{"type": "password", "secretData": "{\"value\": base64, \"salt\": base64}",
 "credentialData": "{\"hashIterations\": 27500, \"algorithm\": \"pbkdf2-sha256\"}"}

The two data fields are JSON within JSON. Argon2 (the default since Keycloak 25) has its parameters as lists of text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

_PBKDF2 = {"pbkdf2": "pbkdf2", "pbkdf2-sha256": "pbkdf2-sha256", "pbkdf2-sha512": "pbkdf2-sha512"}
_VERSIONS = {"1.3": "19", "1.0": "16"}
_BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")


def credential_as_text(text: str, refused: type[Exception]) -> str:
    """The hash in its self-describing form. Raises `refused`."""
    try:
        return _as_text(msgspec.json.decode(text))
    except (msgspec.DecodeError, LookupError, RecursionError, TypeError, ValueError):
        raise refused("the JSON is not a password credential of a known kind") from None


def _as_text(credential: Any) -> str:
    secret, how = (_object(credential[name]) for name in ("secretData", "credentialData"))
    value, salt = (_base64(secret[name]) for name in ("value", "salt"))
    rounds = int(how["hashIterations"])
    if prefix := _PBKDF2.get(how["algorithm"]):
        return f"${prefix}${rounds}${salt.replace('+', '.')}${value.replace('+', '.')}"
    if how["algorithm"] != "argon2":
        raise ValueError
    more = how["additionalParameters"]
    kind, version = _first(more, "type"), _VERSIONS[_first(more, "version")]
    memory, lanes = int(_first(more, "memory")), int(_first(more, "parallelism"))
    return f"$argon2{kind}$v={version}$m={memory},t={rounds},p={lanes}${salt}${value}"


def _object(data: Any) -> Mapping[str, Any]:
    found = msgspec.json.decode(data) if isinstance(data, str) else data
    if not isinstance(found, Mapping):
        raise TypeError
    return found


def _base64(text: Any) -> str:
    if not isinstance(text, str) or not _BASE64.fullmatch(text):
        raise TypeError
    return text.rstrip("=")


def _first(parameters: Any, name: str) -> str:
    """Parameters are lists of one text."""
    value = parameters[name]
    return str(value[0] if isinstance(value, list) else value)
