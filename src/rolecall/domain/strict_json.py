"""Strict decoding of callers' JSON: it refuses what two parsers could read differently, and texts that no server takes.

Containers and depth are counted before a document is decoded, which bounds the cost of decoding. Every decoder of
callers' documents, JSON or not, passes texts to `check_text`.
"""

from __future__ import annotations

import json
import math
import re
from itertools import accumulate
from typing import NoReturn

from rolecall.domain.reasons import Reason, Refused

MAX_DEPTH = 32
"""Levels of nesting; the deepest request of any vendor has 5."""

MAX_VALUES = 250_000
"""Values in one document, counted by its commas."""

MAX_CONTAINERS = 50_000
"""Objects and arrays in one document."""

_DEEPEST = 500
"""Levels that are decoded; the error for more than `MAX_DEPTH` says so, beyond this it does not."""

_FEW = 64 * 1024
"""Bytes; a shorter document cannot hold enough values or levels to be worth counting."""

_SURROGATE = re.compile("[\ud800-\udfff]")

_STEPS = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}
_ALL_BUT_STRUCTURE = bytes(set(range(256)) - set(_STEPS) - {ord('"')})


def decode(body: bytes) -> object:
    """The value of a document in UTF-8.

    Refuses with TOO_LARGE, MALFORMED_REQUEST (``json``, ``duplicate`` or ``depth`` as its field), and as `inspect`.
    """
    if len(body) > _FEW:
        _count(body)
    try:
        value: object = _DECODER.decode(body.decode("utf-8"))
    except (ValueError, RecursionError):
        # Drop the cause: a decoder's error quotes the document, which may hold a password.
        raise Refused(Reason.MALFORMED_REQUEST, "json", note="not JSON in UTF-8") from None
    return value


def _count(body: bytes) -> None:
    """TOO_LARGE, or MALFORMED_REQUEST (``json``). The contents of strings do not count."""
    if body.count(b",") > MAX_VALUES:
        raise Refused(Reason.TOO_LARGE, note="too many values")
    plain = body.replace(rb"\\", b"").replace(rb"\"", b"").translate(None, _ALL_BUT_STRUCTURE)
    if plain.count(b'"') > 4 * (MAX_VALUES + 1):
        raise Refused(Reason.TOO_LARGE, note="too many values")
    structure = b"".join(plain.split(b'"')[::2])
    depths = accumulate(map(_STEPS.__getitem__, structure[: 2 * MAX_CONTAINERS]))
    if max(depths, default=0) > _DEEPEST:
        raise Refused(Reason.MALFORMED_REQUEST, "json", note="nested too deeply to decode")
    if structure.count(b"[") + structure.count(b"{") > MAX_CONTAINERS:
        raise Refused(Reason.TOO_LARGE, note="too many lists and objects")


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise Refused(Reason.MALFORMED_REQUEST, "duplicate", note="duplicate name in an object")
    return members


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_constant)


def inspect(value: object, path: str = "") -> None:
    """Refuse values that JSON can express but no parameter can hold, naming their place below `path`.

    PARAMETER_TYPE for infinity, MALFORMED_REQUEST for nesting (``depth``), and as `check_text`.
    """
    try:
        _inspect(value, MAX_DEPTH)
    except _Found as found:
        names = ([path] if path else []) + found.place[::-1]
        refusal = found.refusal
        raise Refused(refusal.reason, refusal.field or ".".join(names), note=refusal.note) from None


class _Found(Exception):
    """A refusal, and the names that lead to the refused value, the innermost first."""

    def __init__(self, refusal: Refused) -> None:
        super().__init__()
        self.refusal = refusal
        self.place: list[str] = []


def _inspect(value: object, levels: int) -> None:
    if isinstance(value, str):
        _inspect_text(value)
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise _Found(Refused(Reason.PARAMETER_TYPE, note="infinity"))
    elif isinstance(value, dict | list):
        if levels == 0:
            _too_deep()
        members = value.items() if isinstance(value, dict) else enumerate(value)
        for name, member in members:
            if isinstance(name, str):
                _inspect_text(name)
            if isinstance(member, int) or member is None:  # never refused, and there may be very many
                continue
            try:
                _inspect(member, levels - 1)
            except _Found as found:
                found.place.append(str(name))
                raise


def _inspect_text(text: str) -> None:
    try:
        check_text(text)
    except Refused as refusal:
        raise _Found(refusal) from None


def check_text(text: str, field: str = "") -> None:
    """PARAMETER_CHARACTERS for NUL, which no server takes; MALFORMED_REQUEST for half a surrogate pair."""
    if "\0" in text:
        raise Refused(Reason.PARAMETER_CHARACTERS, field, note="NUL")
    if not text.isascii() and _SURROGATE.search(text):
        raise Refused(Reason.MALFORMED_REQUEST, "json", note="a lone surrogate")


def _too_deep() -> NoReturn:
    raise Refused(Reason.MALFORMED_REQUEST, "depth", note=f"more than {MAX_DEPTH} levels")
