"""JSON in and out. A document that two parsers could read in two ways is refused."""

from __future__ import annotations

import codecs
import json
from collections.abc import Mapping

from rolecall.domain import strict_json
from rolecall.domain.reasons import Reason, Refused
from rolecall.values import Secret


def decode(body: bytes) -> dict[str, object]:
    """The object in a body. MALFORMED_REQUEST, TOO_LARGE, PARAMETER_TYPE (infinity), PARAMETER_CHARACTERS (NUL)."""
    value = strict_json.decode(body.removeprefix(codecs.BOM_UTF8))
    if not isinstance(value, dict):
        raise Refused(Reason.MALFORMED_REQUEST, note="not an object")
    strict_json.inspect(value)
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
