"""Prints rows as they come: as an array in JSON, a row a line, or as a table."""

from __future__ import annotations

import json
import sys
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from types import TracebackType
from typing import Self

Row = Mapping[str, object]

_MEASURED = 1000
"""Rows that a table waits for: its columns are as wide as their cells. A later cell may be wider."""

_BOLD, _PLAIN = "\x1b[1m", "\x1b[0m"


class Paging:
    """The part of a listing that the options `--limit`, `--offset` and `--filter` select.

    `columns` are those that a filter looks into. `limit` None: all.
    """

    def __init__(self, limit: int | None, offset: int, contains: str, columns: Sequence[str]) -> None:
        self._left = limit
        self._skipping = offset
        self._contains = contains.casefold()
        self._columns = columns

    @property
    def ended(self) -> bool:
        """Whether the limit is reached."""
        return self._left == 0

    def of(self, rows: Iterable[Row]) -> Iterator[Row]:
        """The selected rows of a listing, or of its next part. No row is asked for after the last."""
        if self.ended:
            return
        for row in rows:
            if self._contains and not self._matches(row):
                continue
            if self._skipping:
                self._skipping -= 1
                continue
            yield row
            if self._left is not None:
                self._left -= 1
                if not self._left:
                    return

    def _matches(self, row: Row) -> bool:
        return any(self._contains in _cell(row.get(column)).casefold() for column in self._columns)


class Output:
    """What a command prints: rows are added, and the end of the context ends the output.

    `columns` are those of a table; JSON has every field. `empty` is printed in place of a table without rows.
    """

    def __init__(self, *, as_json: bool, columns: Sequence[str], empty: str) -> None:
        self._columns = columns
        self._empty = empty
        self._add, self._end = (self._json, self._end_json) if as_json else (self._table, self._end_table)
        self._printed = False
        self._waiting: list[tuple[str, ...]] = []
        self._widths: list[int] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """What was printed before an error stays without its end, so that no reader takes it for whole."""
        if error is None:
            self._end()

    def add(self, rows: Iterable[Row]) -> None:
        self._add(rows)

    def _json(self, rows: Iterable[Row]) -> None:
        for row in rows:
            sys.stdout.write(",\n  " if self._printed else "[\n  ")
            sys.stdout.write(_ENCODER.encode(row))
            self._printed = True

    def _end_json(self) -> None:
        print("\n]" if self._printed else "[]")

    def _table(self, rows: Iterable[Row]) -> None:
        for row in rows:
            cells = tuple(_cell(row.get(column)) for column in self._columns)
            if self._widths is not None:
                print(_line(cells, self._widths))
                continue
            self._waiting.append(cells)
            if len(self._waiting) == _MEASURED:
                self._begin_table()

    def _end_table(self) -> None:
        if self._widths is None:
            if self._waiting:
                self._begin_table()
            else:
                print(self._empty)

    def _begin_table(self) -> None:
        columns = zip(*((tuple(self._columns)), *self._waiting), strict=True)
        self._widths = [max(map(_width, column)) for column in columns]
        head = _line(self._columns, self._widths)
        print(f"{_BOLD}{head}{_PLAIN}" if sys.stdout.isatty() else head)
        for cells in self._waiting:
            print(_line(cells, self._widths))
        self._waiting.clear()


def _line(cells: Iterable[str], widths: Iterable[int]) -> str:
    padded = (cell + " " * (width - _width(cell)) for cell, width in zip(cells, widths, strict=True))
    return "  ".join(padded).rstrip()


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    return visible(str(value))


def visible(text: str) -> str:
    """A text with escapes in place of the characters that could control the terminal."""
    return text if text.isprintable() else "".join(map(_escaped, text))


def _escaped(character: str) -> str:
    return character if character.isprintable() else character.encode("unicode_escape").decode("ascii")


def _width(text: str) -> int:
    """Places on a terminal, where wide characters take two."""
    if text.isascii():
        return len(text)
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else str(value)


_ENCODER = json.JSONEncoder(default=_plain, ensure_ascii=False)


def fields_and_values(row: Row) -> Sequence[Row]:
    """A row of many fields as a table of two columns."""
    return [{"field": field, "value": value} for field, value in row.items()]
