"""Queries and forms as pairs of names and values: percent-decoded as UTF-8, ``+`` read as a space, in order.

`part` is ``query`` or ``form``: the field of a refusal. All refuse with TOO_LARGE, MALFORMED_REQUEST or
PARAMETER_CHARACTERS (a NUL).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import unquote_to_bytes

from rolecall.domain.reasons import Reason, Refused
from rolecall.domain.strict_json import check_text

Pairs: TypeAlias = tuple[tuple[str, str], ...]

_BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


@dataclass(frozen=True, slots=True)
class PairDecoder:
    """`most` bounds the pairs, and so the work before a signature is proven. `lenient` accepts ``&&`` and ``name``."""

    most: int
    lenient: bool = False

    def query(self, query: str) -> Pairs:
        if not query.isascii():
            raise Refused(Reason.MALFORMED_REQUEST, "query", note="not ASCII")
        return self.pairs(query, "query")

    def form(self, body: bytes) -> Pairs:
        try:
            text = body.decode("utf-8")
        except UnicodeError:
            raise Refused(Reason.MALFORMED_REQUEST, "form", note="not UTF-8") from None
        return self.pairs(text, "form")

    def pairs(self, text: str, part: str) -> Pairs:
        if text.count("&") >= self.most:
            raise Refused(Reason.TOO_LARGE, note="too many pairs")
        chunks = text.split("&") if text else []
        return tuple(self._pair(chunk, part) for chunk in chunks if chunk or not self.lenient)

    def _pair(self, chunk: str, part: str) -> tuple[str, str]:
        name, separator, value = chunk.partition("=")
        if not name or not (separator or self.lenient):
            raise Refused(Reason.MALFORMED_REQUEST, part, note="a pair without name or '='")
        decoded = _decoded(name, part)
        if "\0" in decoded:
            raise Refused(Reason.MALFORMED_REQUEST, part, note="NUL in a name")
        text = _decoded(value, part)
        check_text(text, decoded)
        return decoded, text


def require_distinct(pairs: Pairs) -> Pairs:
    """MALFORMED_REQUEST for a name that occurs twice: it could mean either value."""
    if len({name for name, _ in pairs}) != len(pairs):
        raise Refused(Reason.MALFORMED_REQUEST, "duplicate", note="a parameter is sent more than once")
    return pairs


def _decoded(text: str, part: str) -> str:
    if "%" not in text and "+" not in text:
        return text
    if _BROKEN_ESCAPE.search(text):
        raise Refused(Reason.MALFORMED_REQUEST, part, note="a broken percent escape")
    try:
        return unquote_to_bytes(text.replace("+", " ")).decode("utf-8")
    except UnicodeError:
        raise Refused(Reason.MALFORMED_REQUEST, part, note="not UTF-8") from None
