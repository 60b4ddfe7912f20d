"""Listings on the command line: rows are printed as they come, and no cell controls the terminal."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

import pytest

from rolecall.cli import printing
from rolecall.cli.printing import Output

COLUMNS = ("name", "locked", "at")
MOMENT = datetime(2026, 11, 28, 15, 0, 1, tzinfo=UTC)


def rows(*names: str) -> list[Mapping[str, object]]:
    return [{"name": name, "locked": False, "at": MOMENT, "more": None} for name in names]


def printed(capsys: pytest.CaptureFixture[str], *names: str, as_json: bool = False) -> str:
    with Output(as_json=as_json, columns=COLUMNS, empty="none yet") as output:
        output.add(rows(*names))
    return capsys.readouterr().out


def test_json_is_one_array_with_a_row_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(capsys, "one", "zwei", "\n三", as_json=True)
    assert [row["name"] for row in json.loads(text)] == ["one", "zwei", "\n三"]
    assert json.loads(text)[0] == {"name": "one", "locked": False, "at": MOMENT.isoformat(), "more": None}
    assert len(text.splitlines()) == 3 + 2
    assert json.loads(printed(capsys, as_json=True)) == []


def test_a_table_is_as_wide_as_its_cells(capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(capsys, "one", "账户").splitlines() == [
        "name  locked  at",
        "one   no      2026-11-28 15:00:01",
        "账户  no      2026-11-28 15:00:01",
    ]
    assert printed(capsys) == "none yet\n"


def test_no_cell_controls_the_terminal_or_is_taken_for_markup(capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(capsys, "\x1b[2Jx\n", "[bold]y[/bold]")
    assert "\x1b" not in text
    assert "\\x1b[2Jx\\n" in text
    assert "[bold]y[/bold]" in text


@pytest.mark.parametrize("as_json", [True, False])
def test_rows_are_printed_before_the_last_is_made(monkeypatch: pytest.MonkeyPatch, as_json: bool) -> None:
    out = io.StringIO()
    monkeypatch.setattr("sys.stdout", out)
    monkeypatch.setattr(printing, "_MEASURED", 10)

    def made() -> Iterator[Mapping[str, object]]:
        for number in range(30):
            if number > 10:
                assert f"user{number - 1}" in out.getvalue()
            yield from rows(f"user{number}")

    with Output(as_json=as_json, columns=COLUMNS, empty="") as output:
        output.add(made())
    assert out.getvalue().count("user") == 30


def test_an_array_that_an_error_cut_short_is_no_json(capsys: pytest.CaptureFixture[str]) -> None:
    output = Output(as_json=True, columns=(), empty="")
    output.add(rows("one"))
    output.__exit__(RuntimeError, RuntimeError(), None)
    with pytest.raises(ValueError, match="delimiter"):
        json.loads(capsys.readouterr().out)
