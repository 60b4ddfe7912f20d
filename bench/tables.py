"""Tables of a terminal as tables of a document."""

from __future__ import annotations

from rich.table import Table


def markdown(table: Table) -> str:
    """Its title in bold, its rows, and its caption."""
    heads = [str(column.header) for column in table.columns]
    rows = zip(*(map(str, column.cells) for column in table.columns), strict=True)
    lines = [f"**{table.title}**", "", _line(heads), _line(["---"] * len(heads)), *map(_line, rows)]
    if table.caption:
        lines += ["", str(table.caption)]
    return "\n".join(lines) + "\n"


def _line(cells: list[str] | tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"
