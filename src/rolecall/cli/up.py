"""`rolecall up`: everything on one machine, with database servers of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rolecall.cli.confirming import YesOption
from rolecall.cli.importing import large_imports
from rolecall.cli.options import (
    AdminListenOption,
    DataOption,
    ListenOption,
    TlsCertOption,
    TlsKeyOption,
    WorkersOption,
)

app = typer.Typer(rich_markup_mode=None)


@app.command("up")
def up(
    listen: ListenOption = None,
    workers: WorkersOption = None,
    data: DataOption = None,
    ready_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Write endpoint and credentials here (JSON, mode 0600) when ready."
        ),
    ] = None,
    tls: Annotated[bool, typer.Option("--tls", help="Serve TLS with a generated certificate.")] = False,
    tls_cert: TlsCertOption = None,
    tls_key: TlsKeyOption = None,
    admin_listen: AdminListenOption = None,
    faults: Annotated[
        bool, typer.Option("--faults", help="Allow faults on request: `rolecall fault`.")
    ] = False,
    demo: Annotated[bool, typer.Option("--demo", help="Run `rolecall demo` once ready.")] = False,
    seed: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Carry out `rolecall seed FILE` before the first call is answered."
        ),
    ] = None,
    reset: Annotated[
        bool,
        typer.Option("--reset", help="Delete everything in the data directory first, after a confirmation."),
    ] = False,
    yes: YesOption = False,
) -> None:
    """Start Rolecall with its own store and quickstart instances, PostgreSQL and MariaDB. Ctrl-C stops it."""
    with large_imports():
        from rolecall.cli.running.starting import UpOptions, start

    given = {"workers": workers, "tls_cert": tls_cert, "tls_key": tls_key, "admin_listen": admin_listen}
    settings = {name: value for name, value in given.items() if value is not None}
    if faults:
        settings["faults"] = True
    options = UpOptions(
        listen, data, ready_file, settings, tls=tls, demo=demo, seed=seed, reset=reset, yes=yes
    )
    start(options)
