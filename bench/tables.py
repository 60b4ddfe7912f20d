"""Tables, printed for a terminal or for a document."""

from __future__ import annotations

import argparse
import re
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table


def add_output(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--markdown", action="store_true", help="print tables for a document")
    parser.add_argument(
        "--into", type=Path, metavar="FILE", help="also replace the tables of the same titles in a document"
    )


def show(table: Table, options: argparse.Namespace, *, width: int = 120) -> None:
    """As the options say. `width`: columns where the output is no terminal."""
    if options.into is not None:
        text = options.into.read_text("utf-8")
        options.into.write_text(with_table(text, table), "utf-8")
    if options.markdown:
        print(markdown(table), flush=True)
    else:
        Console(width=None if sys.stdout.isatty() else width).print(table)


def with_table(text: str, table: Table) -> str:
    """A document with the table below its title in place of the one that is there; the same if there is no place."""
    there = re.compile(rf"^{re.escape(f'**{table.title}**')}\n\n(?:\|.*\n)*(?:\n_[^_]*_\n)?", re.MULTILINE)
    return there.sub(lambda _: markdown(table), text)


def markdown(table: Table) -> str:
    """Its title in bold, its rows, and its caption in italics."""
    heads = [str(column.header) for column in table.columns]
    rows = zip(*(map(str, column.cells) for column in table.columns), strict=True)
    lines = [f"**{table.title}**", "", _line(heads), _line(["---"] * len(heads)), *map(_line, rows)]
    if table.caption:
        lines += ["", textwrap.fill(f"_{table.caption}_", 100)]
    return "\n".join(lines) + "\n"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
