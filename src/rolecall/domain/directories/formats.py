"""Formats of files of users."""

from __future__ import annotations

from enum import StrEnum
from pathlib import PurePath


class FileFormat(StrEnum):
    CSV = "csv"
    NDJSON = "ndjson"


_SUFFIXES = {".csv": FileFormat.CSV, ".ndjson": FileFormat.NDJSON, ".jsonl": FileFormat.NDJSON}


def format_of(name: str) -> FileFormat | None:
    """The format by the suffix of a file's name; None if that does not tell."""
    return _SUFFIXES.get(PurePath(name).suffix.lower())
