"""Options that many commands have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]

DataOption = Annotated[
    Path | None,
    typer.Option(
        "--data",
        metavar="DIR",
        help="Data directory of `rolecall up`. Default: $ROLECALL_DATA or the user's.",
    ),
]

QuietOption = Annotated[bool, typer.Option("--quiet", help="Show no progress.")]

LimitOption = Annotated[
    int | None, typer.Option(min=1, metavar="N", help="Print at most N rows. Default: all.")
]
OffsetOption = Annotated[int, typer.Option(min=0, metavar="N", help="Skip the first N rows.")]
FilterOption = Annotated[
    str,
    typer.Option(
        "--filter", metavar="TEXT", help="Only rows with TEXT in one of the columns, in any letter case."
    ),
]

ListenOption = Annotated[
    str | None,
    typer.Option(
        metavar="HOST:PORT", help="Address of the API. Default: $ROLECALL_LISTEN, else 127.0.0.1:7653."
    ),
]

TlsCertOption = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Serve TLS with this certificate (PEM, followed by its chain)."),
]
TlsKeyOption = Annotated[Path | None, typer.Option(metavar="FILE", help="The key of the certificate (PEM).")]
AdminListenOption = Annotated[
    str | None,
    typer.Option(
        metavar="HOST:PORT",
        help="Serve /healthz, /readyz and /metrics on this address only, over plain HTTP.",
    ),
]

WorkersOption = Annotated[
    int | None,
    typer.Option(min=1, max=256, help="Processes that share the port. Default: $ROLECALL_WORKERS, else 1."),
]
