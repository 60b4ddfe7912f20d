"""`make bench`: that it runs, and that its figures are of what it says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from bench.goals import GOALS, OURS, RAW, WITH, Figures
from bench.load import Batch
from bench.processes import process_ns, tree_ns
from bench.tables import markdown
from rich.table import Table

ROOT = Path(__file__).parents[2]


def run_bench(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "bench", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def rows_of(printed: str) -> list[list[str]]:
    return [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in printed.splitlines()
        if line.startswith("|")
    ]


def test_the_goals_are_printed_with_what_is_measured_beside_them() -> None:
    rows = rows_of(
        run_bench("--only", "goals", "--accounts", "8", "--rounds", "1", "--clients", "8", "--markdown")
    )
    goals = {row[0]: row[1:] for row in rows}
    own = goals["CreateAccount, no password, 8 clients: Python + store, ms"]
    assert float(own[1]) > 0
    assert own[3] in ("yes", "no")
    assert goals["AddUser with key, 8 clients: moto's processor time against ours"][1] == "not measured"
    assert [goal.text for goal in GOALS if goal.text not in goals] == []


def test_a_ratio_is_taken_round_by_round() -> None:
    figures = Figures()
    figures.add(WITH, 1, {OURS: [Batch((2.0,), 2.0), Batch((9.0,), 9.0)], RAW: [Batch((1.0,), 1.0)] * 2})
    assert figures.ratio(lambda batch: batch.seconds, WITH, 1, RAW) == pytest.approx(5.5)
    assert figures.ratio(lambda batch: batch.seconds, WITH, 1, "another") is None
    assert figures.median(lambda batch: batch.seconds, WITH, 1) == pytest.approx(5.5)


def test_processor_time_is_that_of_a_process_and_of_its_children() -> None:
    code = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'sum(range(10**7))']); print(); input()"
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert tree_ns(process.pid) > process_ns(process.pid) > 0
        process.communicate(b"\n")
    assert process_ns(process.pid) == 0


def test_a_table_of_a_terminal_becomes_one_of_a_document() -> None:
    table = Table("a", "b", title="Two")
    table.add_row("1", "2")
    assert markdown(table) == "**Two**\n\n| a | b |\n| --- | --- |\n| 1 | 2 |\n"
