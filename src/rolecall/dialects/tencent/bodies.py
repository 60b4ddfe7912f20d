"""What a TC3 request carries: a JSON object or a multipart form, read strictly.

A request that two parsers could read in two ways (a name twice, bytes that are not UTF-8) is refused, not guessed at.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import NoReturn

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from rolecall.dialects.tencent.flatten import MAX_DEPTH, scalar_text
from rolecall.domain.reasons import Reason, Refused

MAX_VALUES = 250_000
"""Values in one JSON document, counted by its commas: a bound on work done before a signature is proven."""

MAX_PARTS = 1000
"""Parts of one multipart body, for the same reason."""


def decode_json(body: bytes) -> dict[str, object]:
    """The object in a JSON body; an empty body is the empty object (the Node SDK sends one for no parameters).

    Refuses with TOO_LARGE, MALFORMED_REQUEST (``json``, ``duplicate`` or ``depth`` as its field) or
    PARAMETER_CHARACTERS (NUL).
    """
    if not body:
        return {}
    value = _loads(body)
    if not isinstance(value, dict):
        _malformed("json", "not an object")
    _inspect(value, "", MAX_DEPTH)
    return value


def _loads(body: bytes) -> object:
    if len(body) > MAX_VALUES and body.count(b",") > MAX_VALUES:
        raise Refused(Reason.TOO_LARGE, note="too many values")
    try:
        return _DECODER.decode(body.decode("utf-8"))
    except (ValueError, RecursionError):
        # No cause is kept: a decoder's error quotes the document, which may hold a password.
        raise Refused(Reason.MALFORMED_REQUEST, "json", note="not JSON in UTF-8") from None


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        _malformed("duplicate", "a name stands twice in one object")
    return members


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_constant)


def _inspect(value: object, path: str, levels: int) -> None:
    """Refuse what JSON can say but no parameter can hold: lone surrogates, NUL, infinity, endless nesting."""
    if isinstance(value, str):
        _inspect_text(value, path)
    elif isinstance(value, dict | list):
        if levels == 0:
            _malformed("depth", f"more than {MAX_DEPTH} levels")
        _inspect_members(value, path, levels - 1)
    elif isinstance(value, float) and not math.isfinite(value):
        raise Refused(Reason.PARAMETER_TYPE, path, note="a number beyond all bounds")


def _inspect_members(value: dict[str, object] | list[object], path: str, levels: int) -> None:
    if isinstance(value, list):
        for index, item in enumerate(value):
            if isinstance(item, int):  # nothing to refuse, and there may be very many
                continue
            _inspect(item, f"{path}.{index}", levels)
        return
    for name, member in value.items():
        _inspect_text(name, path)
        _inspect(member, f"{path}.{name}" if path else name, levels)


def _inspect_text(text: str, path: str) -> None:
    if "\0" in text:
        raise Refused(Reason.PARAMETER_CHARACTERS, path, note="NUL")
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        _malformed("json", "a lone surrogate")


class _Parts:
    """Collects the parts of one multipart body from the parser's callbacks."""

    def __init__(self) -> None:
        self.complete = False
        self.parts: list[tuple[dict[str, str], bytes]] = []
        self._name = bytearray()
        self._value = bytearray()

    def begin(self) -> None:
        self._headers: dict[str, str] = {}
        self._data = bytearray()

    def header_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def header_end(self) -> None:
        self._headers[self._name.decode("latin-1").lower()] = self._value.decode("latin-1")
        self._name.clear()
        self._value.clear()

    def data(self, data: bytes, start: int, end: int) -> None:
        self._data += data[start:end]

    def end_part(self) -> None:
        if len(self.parts) == MAX_PARTS:
            raise Refused(Reason.TOO_LARGE, note="too many parts")
        self.parts.append((self._headers, bytes(self._data)))

    def end(self) -> None:
        self.complete = True


def decode_multipart(body: bytes, content_type: str) -> dict[str, object]:
    """The parameters of a multipart body, every scalar as text.

    A part of type ``application/json`` holds a list or a structure (Python SDK 3.1.195). Its scalars become text
    too, so that one kind of value arrives. An empty body is the empty form: the SDK sends that for no parameters.
    """
    params: dict[str, object] = {}
    for headers, data in _split(body, content_type):
        name = _part_name(headers)
        if name in params:
            _malformed("duplicate", "two parts of one name")
        params[name] = _part_value(headers, data, name)
    return params


def _split(body: bytes, content_type: str) -> list[tuple[dict[str, str], bytes]]:
    boundary = parse_options_header(content_type)[1].get(b"boundary", b"")
    if not boundary:
        _malformed("multipart", "no boundary")
    if not body:
        return []
    found = _Parts()
    try:
        MultipartParser(
            boundary,
            {
                "on_part_begin": found.begin,
                "on_header_field": found.header_name,
                "on_header_value": found.header_value,
                "on_header_end": found.header_end,
                "on_part_data": found.data,
                "on_part_end": found.end_part,
                "on_end": found.end,
            },
        ).write(body)
    except FormParserError:
        _malformed("multipart", "cannot be split into parts")
    if not found.complete:
        _malformed("multipart", "the closing boundary is missing")
    return found.parts


def _part_name(headers: Mapping[str, str]) -> str:
    disposition, options = parse_options_header(headers.get("content-disposition", ""))
    name = options.get(b"name", b"").decode("latin-1")
    if disposition != b"form-data" or not name or not name.isascii() or "\0" in name:
        _malformed("multipart", "a part without a name")
    return name


def _part_value(headers: Mapping[str, str], data: bytes, name: str) -> object:
    if headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json":
        value = _loads(data)
        if value is None:
            _malformed("multipart", "a part that is null")
        _inspect(value, name, MAX_DEPTH)
        return _as_text(value)
    try:
        text = data.decode("utf-8")
    except UnicodeError:
        raise Refused(Reason.MALFORMED_REQUEST, "multipart", note="a part is not UTF-8") from None
    _inspect_text(text, name)
    return text


def _as_text(value: object) -> object:
    """The value with every scalar as text; nulls are left out, as in a flattened request."""
    if isinstance(value, dict):
        return {name: _as_text(member) for name, member in value.items() if member is not None}
    if isinstance(value, list):
        return [_as_text(item) for item in value if item is not None]
    return scalar_text(value)


def _malformed(part: str, note: str) -> NoReturn:
    raise Refused(Reason.MALFORMED_REQUEST, part, note=note)
