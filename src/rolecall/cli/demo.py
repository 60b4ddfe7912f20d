"""`rolecall demo`: create one account in each of the five systems through the API, then sign in with it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rolecall.cli.options import DataOption

app = typer.Typer(rich_markup_mode=None)


@app.command("demo")
def demo(
    data: DataOption = None,
    ready_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The ready file of `rolecall up`.")
    ] = None,
) -> None:
    """Create an account in each of the five systems, sign in with it, and show the answers."""
    from rolecall.cli.data import DataDirectory, default_directory, read_ready
    from rolecall.cli.demo_run import run_demo

    run_demo(read_ready(ready_file or DataDirectory(data or default_directory()).ready))
