"""What a TC3 request carries: a JSON object or a multipart form, read strictly.

A request that two parsers could read in two ways (a name twice, bytes that are not UTF-8) is refused, not guessed at.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NoReturn

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from rolecall.dialects.tencent.flatten import scalar_text
from rolecall.domain import strict_json
from rolecall.domain.reasons import Reason, Refused

MAX_PARTS = 1000
"""Parts of one multipart body."""


def decode_json(body: bytes) -> dict[str, object]:
    """The object in a JSON body; an empty body is the empty object (the Node SDK sends one for no parameters).

    Refuses with TOO_LARGE, MALFORMED_REQUEST (``json``, ``duplicate`` or ``depth`` as its field) or
    PARAMETER_CHARACTERS (NUL).
    """
    if not body:
        return {}
    value = strict_json.decode(body)
    if not isinstance(value, dict):
        _malformed("json", "not an object")
    strict_json.inspect(value)
    return value


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
        value = strict_json.decode(data)
        if value is None:
            _malformed("multipart", "a part that is null")
        strict_json.inspect(value, name)
        return _as_text(value)
    try:
        text = data.decode("utf-8")
    except UnicodeError:
        raise Refused(Reason.MALFORMED_REQUEST, "multipart", note="a part is not UTF-8") from None
    strict_json.check_text(text, name)
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
