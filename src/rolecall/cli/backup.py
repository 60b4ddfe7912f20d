"""`rolecall backup` and `rolecall restore`: everything that a new home needs, in one encrypted file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rolecall.cli.context import show
from rolecall.cli.errors import CommandError
from rolecall.cli.options import DataOption, JsonOption, QuietOption

app = typer.Typer(rich_markup_mode=None)

PassphraseOption = Annotated[
    Path | None,
    typer.Option(
        "--passphrase-file",
        metavar="FILE",
        help="Encrypt under the passphrase in the first line of this file, of at least 12 characters.",
    ),
]

_COLUMNS = ("file", "made_at", "release", "tables", "rows", "servers", "key")


@app.command("backup")
def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A new file.")],
    passphrase_file: PassphraseOption = None,
    quiet: QuietOption = False,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Back up the store, and the servers of a running `rolecall up`, to an encrypted file."""
    from rolecall.cli.backups.backing_up import Backup, require_current
    from rolecall.cli.records import AuditedCommand, change_store

    require_current(data)
    run = Backup(file, _passphrase(passphrase_file), data, quiet=quiet)
    row = change_store(data, AuditedCommand("backup", file.name), run.run)
    show([row], as_json=as_json, columns=_COLUMNS)


@app.command("restore")
def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A backup.")],
    passphrase_file: PassphraseOption = None,
    master_key_out: Annotated[
        Path | None,
        typer.Option(
            "--master-key-out",
            metavar="FILE",
            help="Write the master key, which a backup under a passphrase holds, to this new file.",
        ),
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Verify the backup, and write nothing.")] = False,
    quiet: QuietOption = False,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Restore a backup into an empty store, or into a new data directory of `rolecall up`."""
    from rolecall.cli.backups.restoring import Restore

    run = Restore(file, _passphrase(passphrase_file), master_key_out, quiet=quiet)
    row = run.check() if check else run.run(data)
    show([row], as_json=as_json, columns=_COLUMNS)


def _passphrase(file: Path | None) -> str | None:
    """The first line of a file. `CommandError`."""
    if file is None:
        return None
    from rolecall.domain.secrets.sealed_files import SHORTEST_PASSPHRASE

    try:
        lines = file.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"the passphrase cannot be read from {file}: {error}") from None
    if not lines or len(lines[0]) < SHORTEST_PASSPHRASE:
        raise CommandError(f"the first line of {file} must have at least {SHORTEST_PASSPHRASE} characters")
    return lines[0]
