"""The password that a command sets: generated, or from a file, standard input or a prompt."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from rolecall.cli.errors import CommandError
from rolecall.values import Secret

_SHORTEST, _LONGEST = 8, 128

PasswordFileOption = Annotated[
    Path | None,
    typer.Option(
        "--password-file",
        metavar="FILE",
        help="File with the password; - for standard input. Default: a prompt.",
        allow_dash=True,
    ),
]
GenerateOption = Annotated[
    bool, typer.Option("--generate", help="Generate the password, and print it once, now.")
]


def read_secret(file: Path) -> Secret:
    """The first line of a file, or of standard input for ``-``. Raises `CommandError`."""
    try:
        text = sys.stdin.readline() if str(file) == "-" else file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise CommandError(f"cannot read the password from {file}: {reason}") from None
    return Secret(text.rstrip("\r\n"))


def chosen_password(file: Path | None, *, generate: bool) -> Secret:
    """A valid password by the options of a command. Raises `CommandError`."""
    if generate and file is not None:
        raise CommandError("--generate makes the password; omit --password-file")
    if generate:
        from rolecall.domain.accounts.credentials import new_managed_password

        return new_managed_password()
    if file is not None:
        return require_valid(read_secret(file))
    if not sys.stdin.isatty():
        raise CommandError("give the password by --password-file, or have it made by --generate")
    return require_valid(Secret(typer.prompt("Password", hide_input=True, confirmation_prompt=True)))


def require_valid(password: Secret) -> Secret:
    """Raises `CommandError`. The vendors' own rules on characters hold for their APIs only."""
    text = password.reveal()
    if not _SHORTEST <= len(text) <= _LONGEST:
        raise CommandError(f"a password has {_SHORTEST} to {_LONGEST} characters")
    if not text.isprintable():
        raise CommandError("a password has printable characters only")
    return password
