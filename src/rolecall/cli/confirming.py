"""The confirmation of commands that delete."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from rolecall.cli.errors import CommandError

YesOption = Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")]


def confirm(question: str, *, yes: bool) -> None:
    """Ask on the terminal unless `yes`. Raises `CommandError` without a terminal, or if the answer is no."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise CommandError("standard input is not a terminal to confirm on; --yes confirms")
    if not typer.confirm(question, err=True):
        raise CommandError("nothing was changed")
