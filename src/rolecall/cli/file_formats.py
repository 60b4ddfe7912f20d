"""Formats of files of users."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from rolecall.cli.errors import CommandError


class FileFormat(StrEnum):
    CSV = "csv"
    NDJSON = "ndjson"


_SUFFIXES = {".csv": FileFormat.CSV, ".ndjson": FileFormat.NDJSON, ".jsonl": FileFormat.NDJSON}


def format_of(path: Path) -> FileFormat:
    """The format by the suffix of a path. Raises `CommandError`."""
    if found := _SUFFIXES.get(path.suffix.lower()):
        return found
    raise CommandError(f"cannot tell the format of {path.name}; set --format to csv or ndjson")
