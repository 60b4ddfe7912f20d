"""`rolecall version`."""

from __future__ import annotations

import typer

from rolecall import __version__

app = typer.Typer(rich_markup_mode=None)


@app.command("version")
def version() -> None:
    """Print the version."""
    print(__version__)
