"""Files of users, read a row at a time: CSV (RFC 4180, with a header) and NDJSON (a JSON object a line), in UTF-8.

A row has its line number and the position after it, so that reading can resume there. A row that cannot be read has an
error; reading continues with the next row.
"""

from __future__ import annotations

import csv
import hashlib
import os
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

import msgspec

from rolecall.domain.directories.formats import FileFormat
from rolecall.domain.directories.importing import FileRow
from rolecall.domain.directories.rows import no_column, unknown_columns

LONGEST_LINE = 1024 * 1024
"""Bytes."""

MOST_LINES = 50
"""Lines that a row of a CSV file may span, by line breaks within quotes."""

_BOM = b"\xef\xbb\xbf"
_CHUNK = 1024 * 1024


@dataclass(frozen=True, slots=True)
class _Line:
    number: int
    end: int
    text: bytes
    whole: bool = True


class FileRefused(Exception):
    """Why a file cannot be imported at all; the text holds no value of a row."""


class UserFile:
    """An open file of users. `profile`: the keys of a profile."""

    def __init__(self, file: BinaryIO, kind: FileFormat, profile: Collection[str]) -> None:
        self._file = file
        self._profile = profile
        self._kind = kind
        self.size = file.seek(0, 2)
        self._stamp = self._state()
        self._header: Sequence[str] = ()
        self._begin = _Line(0, 0, b"")

    def digest(self, on_read: Callable[[int], None]) -> bytes:
        """SHA-256 of the file. `on_read` gets the number of bytes of each read."""
        digest = hashlib.sha256()
        self._file.seek(0)
        while chunk := self._file.read(_CHUNK):
            digest.update(chunk)
            on_read(len(chunk))
        return digest.digest()

    def open_header(self) -> None:
        """Read the names of the columns. Raises `FileRefused` if the file cannot be imported at all."""
        if self._kind is not FileFormat.CSV:
            return
        first = next(self._lines(0, 0), None)
        if first is None:
            raise FileRefused("the file is empty; a CSV file begins with the names of its columns")
        names = _fields([first])
        if names is None:
            raise FileRefused("the first line is not CSV; it must have the names of the columns")
        names = [name.strip() for name in names]
        if unknown := unknown_columns(names, self._profile):
            raise FileRefused(f"{no_column(unknown[0])}; docs/import.md lists them")
        if repeated := [name for name, times in Counter(names).items() if times > 1]:
            raise FileRefused(f"the column `{repeated[0]}` appears twice")
        self._header, self._begin = names, first

    def rows(self, position: int, line: int) -> Iterator[FileRow]:
        """The rows after a position (0: all). Raises `FileRefused` if the file was changed meanwhile."""
        if position < self._begin.end:
            position, line = self._begin.end, self._begin.number
        lines = self._lines(position, line)
        yield from self._csv(lines) if self._kind is FileFormat.CSV else _ndjson(lines)
        if self._state() != self._stamp:
            raise FileRefused("the file was changed while it was read")

    @property
    def header(self) -> Sequence[str]:
        """The columns of a CSV file."""
        return self._header

    def _state(self) -> tuple[int, int] | None:
        """None for a file in memory, which nothing else changes."""
        try:
            state = os.fstat(self._file.fileno())
        except OSError:
            return None
        return state.st_size, state.st_mtime_ns

    def _lines(self, position: int, number: int) -> Iterator[_Line]:
        self._file.seek(position)
        while text := self._file.readline(LONGEST_LINE):
            number += 1
            position += len(text)
            whole = True
            while not text.endswith(b"\n") and (more := self._file.readline(LONGEST_LINE)):
                position += len(more)
                whole = False
                if more.endswith(b"\n"):
                    break
            if number == 1:
                text = text.removeprefix(_BOM)
            yield _Line(number, position, text, whole)

    def _csv(self, lines: Iterator[_Line]) -> Iterator[FileRow]:
        waiting: deque[_Line] = deque()
        while True:
            taken = _record(waiting, lines)
            if not taken:
                return
            first = taken[0]
            if first.whole and not first.text.strip():
                waiting.extendleft(reversed(taken[1:]))
                continue
            fields = _fields(taken)
            if fields is not None and len(fields) == len(self._header):
                values = dict(zip(self._header, fields, strict=True))
                yield FileRow(first.number, taken[-1].number, taken[-1].end, values)
                continue
            # Skip the first line only: a quote that is never closed must not swallow the rows after it.
            waiting.extendleft(reversed(taken[1:]))
            error = _csv_error(first, taken, fields, len(self._header))
            yield FileRow(first.number, first.number, first.end, {}, error)


def _record(waiting: deque[_Line], lines: Iterator[_Line]) -> list[_Line]:
    """Lines up to the one that closes all quotes, at most `MOST_LINES`."""
    taken: list[_Line] = []
    quotes = 0
    while len(taken) < MOST_LINES:
        line = waiting.popleft() if waiting else next(lines, None)
        if line is None:
            break
        taken.append(line)
        quotes += line.text.count(b'"')
        if quotes % 2 == 0 or not line.whole:
            break
    return taken


def _fields(lines: Sequence[_Line]) -> list[str] | None:
    """The fields of a row; None if it is not UTF-8 or not CSV."""
    if not all(line.whole for line in lines):
        return None
    try:
        text = b"".join(line.text for line in lines).decode("utf-8")
        rows = list(csv.reader([text], strict=True))
    except (UnicodeDecodeError, csv.Error):
        return None
    return rows[0] if len(rows) == 1 else None


def _csv_error(first: _Line, taken: Sequence[_Line], fields: list[str] | None, wanted: int) -> str:
    if not first.whole:
        return "the line is too long"
    if fields is not None:
        return f"the row has {len(fields)} fields, not {wanted}"
    try:
        first.text.decode("utf-8")
    except UnicodeDecodeError:
        return "the line is not UTF-8"
    return "a quote is not closed" if len(taken) > 1 or first.text.count(b'"') % 2 else "the line is not CSV"


_DECODER = msgspec.json.Decoder(dict[str, object])


def _ndjson(lines: Iterator[_Line]) -> Iterator[FileRow]:
    for line in lines:
        if line.whole and not line.text.strip():
            continue
        values, error = _object(line)
        yield FileRow(line.number, line.number, line.end, values, error)


def _object(line: _Line) -> tuple[dict[str, object], str]:
    """The object of a line, and an error or an empty text."""
    if not line.whole:
        return {}, "the line is too long"
    try:
        return _DECODER.decode(line.text), ""
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}, "the line is not a JSON object"
