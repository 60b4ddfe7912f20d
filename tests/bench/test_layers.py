"""The layers of `make profile` are those of the sources."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench import layers

PACKAGE = Path(__file__).parents[2] / "src" / "rolecall"


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
        ([library("psycopg/waiting.py"), ours("cli/running/embedded.py")], "exchanges"),
        (["/usr/lib/python3.11/json/encoder.py", ours("dialects/tencent/replies.py")], "dialect"),
        (
            [ours("domain/secrets/sealing.py"), ours("domain/access/keys.py"), ours("domain/iam/keys.py")],
            "domain",
        ),
        ([library("structlog/_native.py"), ours("calls.py")], "log"),
        ([ours("cli/running/embedded.py")], "loop"),
    ],
)
def test_the_innermost_frame_of_a_layer_decides(frames: list[str], layer: str) -> None:
    assert layers.layer_of(stack(*frames)) == layer


def test_layers_are_of_files_that_are_there() -> None:
    places = [*layers._OF_CALLER, *(place for place, _ in layers._OURS)]
    assert [place for place in places if not (PACKAGE / place).exists()] == []
    assert {layer for _, layer in layers._OURS} <= set(layers.LAYERS)
