"""`rolecall user`: import users of other directories into a user store, and export those of a store."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from rolecall.cli.context import show, with_application
from rolecall.cli.errors import CommandError
from rolecall.cli.options import DataOption, JsonOption, QuietOption
from rolecall.cli.records import AuditedCommand, change_store
from rolecall.domain.directories.formats import FileFormat, format_of

app = typer.Typer(rich_markup_mode=None)

_COLUMNS = ("store", "standing", "imported", "refused", "report")


@app.command("import")
def import_users(
    file: Annotated[
        Path,
        typer.Argument(
            exists=True, dir_okay=False, help="CSV or NDJSON, with the columns of docs/import.md."
        ),
    ],
    store: Annotated[str, typer.Option("--store", metavar="ID", help="The user store to import into.")],
    kind: Annotated[
        FileFormat | None, typer.Option("--format", help="The format of the file. Default: by its suffix.")
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(
            "--report",
            metavar="FILE",
            help="Where to list refused lines. Default: FILE.refused.csv, beside FILE.",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="List what would be refused, and import nothing.")
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Start from the beginning, even if the file was already imported.")
    ] = False,
    quiet: QuietOption = False,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Import users with their password hashes. Repeat an interrupted import to resume it."""
    from rolecall.cli.user_import import ImportRun

    known = kind or format_of(file.name)
    if known is None:
        raise CommandError(f"cannot tell the format of {file.name}; set --format to csv or ndjson")
    refused = report or file.with_name(f"{file.name}.refused.csv")
    with file.open("rb") as opened:
        run = ImportRun(opened, known, store, refused, dry_run=dry_run, again=again, quiet=quiet)
        try:
            result = with_application(data, run.run)
        except KeyboardInterrupt:
            print("rolecall: interrupted; repeat the command to resume", file=sys.stderr)
            raise typer.Exit(130) from None
    show([result], as_json=as_json, columns=_COLUMNS)
    if result["refused"]:
        raise CommandError(f"{result['refused']} line(s) were refused; {refused} lists the reasons")


@app.command("export")
def export_users(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A new file, NDJSON.")],
    store: Annotated[str, typer.Option("--store", metavar="ID", help="The user store.")],
    with_hashes: Annotated[
        bool,
        typer.Option(
            "--with-hashes", help="With the hashes of their passwords, which can be attacked offline."
        ),
    ] = False,
    quiet: QuietOption = False,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Export the users of a store to a file that `user import` reads."""
    from rolecall.cli.user_export import ExportRun

    run = ExportRun(file, store, with_hashes=with_hashes, quiet=quiet)
    command = AuditedCommand("user export", store, {"hashes": with_hashes})
    show(
        [change_store(data, command, run.run)], as_json=as_json, columns=("store", "users", "hashes", "file")
    )
