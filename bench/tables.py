"""Tables, printed for a terminal or for a document."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table


def add_markdown(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--markdown", action="store_true", help="print tables for a document")


def show(table: Table, options: argparse.Namespace, *, width: int = 120) -> None:
    """As the options say. `width`: columns where the output is no terminal."""
    if options.markdown:
        print(markdown(table), flush=True)
    else:
        Console(width=None if sys.stdout.isatty() else width).print(table)


def markdown(table: Table) -> str:
    """Its title in bold, its rows, and its caption."""
    heads = [str(column.header) for column in table.columns]
    rows = zip(*(map(str, column.cells) for column in table.columns), strict=True)
    lines = [f"**{table.title}**", "", _line(heads), _line(["---"] * len(heads)), *map(_line, rows)]
    if table.caption:
        lines += ["", str(table.caption)]
    return "\n".join(lines) + "\n"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
