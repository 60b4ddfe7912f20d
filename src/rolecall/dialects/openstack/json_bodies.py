"""JSON in and out. A document that two parsers could read in two ways is refused."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import NoReturn

from rolecall.domain.reasons import Reason, Refused
from rolecall.values import Secret


def decode(body: bytes) -> dict[str, object]:
    """The object in a body. MALFORMED_REQUEST."""
    try:
        value = _DECODER.decode(body.decode("utf-8-sig"))
    except (ValueError, RecursionError):  # nested about a thousand deep
        # No cause is kept: a decoder's error quotes the document, which may hold a password.
        raise Refused(Reason.MALFORMED_REQUEST, note="not JSON in UTF-8") from None
    if not isinstance(value, dict):
        raise Refused(Reason.MALFORMED_REQUEST, note="not an object")
    return value


def encode(document: Mapping[str, object]) -> bytes:
    """With a space after each comma and colon and nothing but ASCII, as the original's answers are measured.

    A `Secret` in an answer was made to be shown, once: a token, the password of root.
    """
    return json.dumps(document, default=shown).encode("ascii")


def shown(value: object) -> str:
    if isinstance(value, Secret):
        return value.reveal()
    raise TypeError(type(value).__name__)


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise Refused(Reason.MALFORMED_REQUEST, note="a name stands twice in one object")
    return members


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_constant)
