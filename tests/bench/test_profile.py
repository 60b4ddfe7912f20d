"""`make profile`: that it runs, and that its layers are those of the sources."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bench import layers

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "rolecall"


def stack(*files: str) -> list[layers.Frame]:
    return [(file, "function") for file in files]


def ours(file: str) -> str:
    return f"/somewhere/src/rolecall/{file}"


def library(file: str) -> str:
    return f"/somewhere/lib/python3.11/site-packages/{file}"


@pytest.mark.parametrize(
    ("frames", "layer"),
    [
        ([library("psycopg/cursor.py"), ours("exchanges/postgresql.py"), ours("store/keys.py")], "store"),
        (
            [
                library("psycopg/cursor.py"),
                ours("exchanges/postgresql.py"),
                ours("engines/postgresql/server.py"),
            ],
            "engine",
        ),
        ([library("psycopg/waiting.py"), ours("cli/embedded.py")], "exchanges"),
        (["/usr/lib/python3.11/json/encoder.py", ours("dialects/tencent/replies.py")], "dialect"),
        (
            [ours("domain/secrets/sealing.py"), ours("domain/access/keys.py"), ours("domain/iam/keys.py")],
            "domain",
        ),
        ([library("structlog/_native.py"), ours("calls.py")], "log"),
        ([ours("cli/embedded.py")], "loop"),
    ],
)
def test_the_innermost_frame_of_a_layer_decides(frames: list[str], layer: str) -> None:
    assert layers.layer_of(stack(*frames)) == layer


def test_layers_are_of_files_that_are_there() -> None:
    places = [*layers._OF_CALLER, *(place for place, _ in layers._OURS)]
    assert [place for place in places if not (PACKAGE / place).exists()] == []
    assert {layer for _, layer in layers._OURS} <= set(layers.LAYERS)


def test_a_profile_has_costs_layers_and_counts() -> None:
    """Of the cheapest create, once."""
    counts = ["--calls", "4", "--samples", "1", "--traced", "2", "--clients", "1", "--functions", "3"]
    command = [sys.executable, "-m", "bench.profile", *counts, "--only", "no password"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    titles = ("Processor time of one create", "Python by layer", "Messages, transactions", "where Python is")
    assert [title for title in titles if title not in done.stdout] == []
    cells = [[cell.strip() for cell in line.strip("│┃").split("│")] for line in done.stdout.splitlines()]
    rows = {row[0]: row[1:] for row in cells}
    assert float(rows["commits of the store"][0]) > 0
    assert float(rows["all"][0]) > 0
    if shutil.which("strace"):
        assert float(rows["messages to the store"][0]) > 0
        assert float(rows["messages to the engine"][0]) > 0
