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
    _open_closed_streams()
    try:
        try:
            program()()
        finally:
            sys.stdout.flush()
    except SystemExit:
        raise
    except BaseException as error:
        from rolecall.cli.failures import explain, is_interruption, status

        if is_interruption(error):
            sys.exit(130)
        if (message := explain(error)) is None:
            raise
        _discard_output()
        if message:
            print(f"rolecall: {message}", file=sys.stderr)
        sys.exit(status(error))


def _open_closed_streams() -> None:
    """A standard stream that the caller has closed is the null device: else the next file that is opened would be it,
    and a server's socket would get what is printed."""
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest free number, which is this one
            os.set_inheritable(number, True)
            setattr(sys, name, os.fdopen(number, mode))


def _discard_output() -> None:
    """Output that cannot be written must not fail again when the interpreter ends."""
    try:
        sys.stdout.flush()
    except OSError:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)
