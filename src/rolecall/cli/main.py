"""The program `rolecall`."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer
from typer.core import TyperGroup
from typer.main import get_command

from rolecall import __version__
from rolecall.cli.commands import LazyGroup, add_commands
from rolecall.workers import DIRECTORY

app = typer.Typer(
    name="rolecall",
    help="One self-hosted account control plane that speaks the cloud vendors' account APIs.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    cls=LazyGroup,
)


def _print_version(*, wanted: bool) -> None:
    if wanted:
        print(__version__)
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Options of the program itself."""


def program() -> TyperGroup:
    """The program with all its commands, none of which is imported yet."""
    group = get_command(app)
    assert isinstance(group, TyperGroup)  # noqa: S101 - what Typer makes of an application with a callback
    add_commands(group)
    return group


def main() -> None:
    """Run the program. Errors that a user can fix are one line on standard error (exit status: `failures.status`)."""
    # Where it is set, it is for another program, and others may write to that directory. Our workers do not run this.
    os.environ.pop(DIRECTORY, None)
    try:
        program()()
    except SystemExit:
        raise
    except BaseException as error:
        from rolecall.cli.failures import explain, is_interruption, status

        if is_interruption(error):
            sys.exit(130)
        if (message := explain(error)) is None:
            raise
        print(f"rolecall: {message}", file=sys.stderr)
        sys.exit(status(error))
