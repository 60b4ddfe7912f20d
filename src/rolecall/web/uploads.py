"""Forms with a file (RFC 7578). Nothing of them is trusted yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from rolecall.values import Request
from rolecall.web.forms import Fields, Malformed, media_type

FORM = "multipart/form-data"
_MOST_PARTS = 20


@dataclass(frozen=True, slots=True)
class File:
    """A file that was sent; `name` is what the sender called it."""

    name: str
    content: bytes = field(repr=False)


def is_upload(request: Request) -> bool:
    return media_type(request) == FORM


def form_with_files(request: Request) -> tuple[Fields, Mapping[str, File]]:
    """The fields, and by their fields the files that are not empty. Raises `Malformed`."""
    boundary = parse_options_header(request.header("content-type"))[1].get(b"boundary", b"")
    if not boundary:
        raise Malformed("the form has no boundary")
    parts = _Parts()
    try:
        MultipartParser(
            boundary,
            {
                "on_part_begin": parts.begin,
                "on_header_field": parts.header_name,
                "on_header_value": parts.header_value,
                "on_header_end": parts.header_end,
                "on_part_data": parts.data,
                "on_part_end": parts.end_part,
                "on_end": parts.end,
            },
        ).write(request.body)
    except FormParserError:
        raise Malformed("the form cannot be split into parts") from None
    if not parts.complete:
        raise Malformed("the form is cut off")
    return Fields(parts.pairs), parts.files


class _Parts:
    """Collects parts from the parser's callbacks."""

    def __init__(self) -> None:
        self.complete = False
        self.pairs: list[tuple[str, str]] = []
        self.files: dict[str, File] = {}
        self._headers: dict[str, str] = {}
        self._name, self._value, self._data = bytearray(), bytearray(), bytearray()

    def begin(self) -> None:
        self._headers, self._data = {}, bytearray()

    def header_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def data(self, data: bytes, start: int, end: int) -> None:
        self._data += data[start:end]

    def header_end(self) -> None:
        self._headers[self._name.decode("latin-1").lower()] = self._value.decode("latin-1")
        self._name.clear()
        self._value.clear()

    def end_part(self) -> None:
        if len(self.pairs) + len(self.files) >= _MOST_PARTS:
            raise Malformed("there are too many parts")
        disposition, options = parse_options_header(self._headers.get("content-disposition", ""))
        if disposition != b"form-data" or not options.get(b"name"):
            raise Malformed("a part has no name")
        name = _text(options[b"name"])
        if b"filename" not in options:
            self.pairs.append((name, _text(bytes(self._data))))
        elif self._data:
            if name in self.files:
                raise Malformed("a file is given twice")
            self.files[name] = File(_text(options[b"filename"]), bytes(self._data))

    def end(self) -> None:
        self.complete = True


def _text(data: bytes) -> str:
    if b"\0" in data:
        raise Malformed("a part holds NUL, which no text may hold")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise Malformed("a part is not UTF-8") from None
