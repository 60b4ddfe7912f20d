"""Lines of the log: one write each, JSON in ASCII whatever a caller sent."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
import structlog

from rolecall.cli.logs import set_up_logs


class Written(io.StringIO):
    def __init__(self) -> None:
        super().__init__()
        self.writes: list[str] = []

    def write(self, text: str) -> int:
        self.writes.append(text)
        return super().write(text)


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Iterator[Written]:
    before = structlog.get_config()
    stream = Written()
    monkeypatch.setattr(sys, "stderr", stream)
    set_up_logs("info", "json")
    yield stream
    structlog.configure(**before)


@pytest.mark.parametrize(
    "value",
    [
        "plain",
        'a "quoted" \\ line\n',
        "\x1b[31m",
        "\x7f",
        "\x9b31m",
        "中",
        "\ud800",
        "\u202e",
        2**70,
        None,
        1.5,
    ],
)
def test_a_line_is_one_write_of_ascii(written: Written, value: Any) -> None:
    structlog.get_logger("of this test").info("call", value=value, milliseconds=1.5)
    (line,) = written.writes
    assert line.isascii()
    assert line.endswith("}\n")
    assert all(character >= " " for character in line[:-1])
    assert "\x7f" not in line
    read = json.loads(line)
    assert (read["event"], read["level"], read["value"]) == ("call", "info", value)


def test_what_json_does_not_know_is_shown(written: Written) -> None:
    structlog.get_logger("of this test").warning("call", value=range(3), number=UUID(int=1))
    read = json.loads(written.getvalue())
    assert read["value"] == "range(0, 3)"
    assert str(UUID(int=1)) in read["number"]
