"""`make bench`: that it runs, and that its figures are of what it says."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from bench.__main__ import parsed
from bench.costs import Server, measured_rolecall
from bench.goals import OURS, RAW, WITH, Figures
from bench.load import Batch
from bench.processes import process_ms, tree_ms
from bench.tables import markdown, with_table
from rich.table import Table

from bench import goals, profile, replicas, scale, system_calls


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with measured_rolecall() as running:
        yield running


def rows_of(tables: Iterable[Table]) -> dict[tuple[str, ...], list[str]]:
    """By their first two cells."""
    rows = [row for table in tables for row in zip(*(column.cells for column in table.columns), strict=True)]
    return {tuple(map(str, row[:2])): list(map(str, row)) for row in rows}


def test_a_profile_has_costs_layers_and_counts(server: Server) -> None:
    """Of the cheapest create, with one client."""
    few = ["--calls", "4", "--samples", "1", "--traced", "2", "--clients", "1", "--functions", "3"]
    tables = list(profile.report(server, profile.parsed([*few, "--only", "no password"])))
    titles = ("Processor time of one create", "Python by layer", "Messages, transactions", "where Python is")
    assert [title for title in titles if not any(title in str(table.title) for table in tables)] == []
    rows = {name: row for (name, *_), row in rows_of(tables).items()}
    assert float(rows["commits of the store"][1]) > 0
    assert float(rows["all"][1]) > 0
    if not system_calls.missing():
        assert float(rows["messages to the store"][1]) > 0
        assert float(rows["messages to the engine"][1]) > 0


def test_the_goals_are_printed_with_what_is_measured_beside_them(server: Server) -> None:
    options = parsed(["--accounts", "8", "--rounds", "1", "--clients", "8"])
    rows = {name: row for (name, *_), row in rows_of(goals.bench(server, options)).items()}
    own = rows["CreateAccount, no password, 8 clients: Python + store, ms"]
    assert float(own[2]) > 0
    assert own[4] in ("yes", "no")
    assert rows["AddUser with key, 8 clients: moto's processor time against Rolecall's"][2] == "not measured"
    assert [goal.text for goal in goals.GOALS if goal.text not in rows] == []


def test_replicas_and_workers_are_measured_over_one_store(server: Server) -> None:
    options = parsed(["--replicas", "1", "--accounts", "4", "--rounds", "1", "--clients", "2"])
    rows = rows_of(replicas.bench(server, options))
    for create in replicas.MEASURED:
        for way in ("1 replica", "serve --workers 2"):
            assert float(rows[create, way][3]) > 0
    assert any(first == "100" for first, _ in rows)


def test_the_first_point_of_the_model_is_the_measured_one() -> None:
    demands = scale.Demands(python=1.0, hashing=0.0, store=0.5, engine=0.3, clients=0.4, commits=1.0)
    point = scale.Point("create", 1, 700.0, demands)
    assert scale.shared(demands, 2, scale.use_of(point, 2)) == pytest.approx(700)


def test_more_replicas_do_more_until_the_store_bounds_them() -> None:
    demands = scale.Demands(python=1.0, hashing=0.0, store=0.5, engine=0.3, clients=0.4, commits=1.0)
    whole = [min(scale.bounds(replicas, demands).values()) for replicas in (1, 10, 100, 1000)]
    assert whole[:2] == [pytest.approx(700), pytest.approx(7000)]
    assert whole[2] == whole[3] == pytest.approx(scale.STORE_PROCESSORS * scale.BUSY * 2000)


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
        assert tree_ms(process.pid) > process_ms(process.pid) > 0
        process.communicate(b"\n")
    assert process_ms(process.pid) == 0


def test_a_table_of_a_terminal_becomes_one_of_a_document() -> None:
    table = Table("a", "b", title="Two")
    table.add_row("1", "2")
    assert markdown(table) == "**Two**\n\n| a | b |\n| --- | --- |\n| 1 | 2 |\n"


def test_a_table_of_a_document_is_replaced_below_its_title_with_its_caption() -> None:
    table = Table("a", title="Two", caption="Said.")
    table.add_row("2")
    one, two = "**One**\n\n| a |\n| --- |\n| 1 |\n", "**Two**\n\n| a |\n| --- |\n| 1 |\n"
    text = f"# Page\n\n{one}\n{two}\nMore.\n"
    replaced = with_table(text, table)
    assert replaced == text.replace(two, "**Two**\n\n| a |\n| --- |\n| 2 |\n\n_Said._\n")
    assert with_table(replaced, table) == replaced
    assert with_table("nothing", table) == "nothing"


PAGES = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("title", ["Goals", goals.EVERY_WAY, profile.COSTS])
def test_the_page_of_figures_has_a_place_for_each_table(title: str) -> None:
    assert f"**{title}**" in (PAGES / "performance.md").read_text("utf-8")
