"""`rolecall serve`: serve in production, from a store of the operator's; replicas are stateless."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from rolecall.cli.importing import uncollected
from rolecall.cli.options import AdminListenOption, ListenOption, TlsCertOption, TlsKeyOption

app = typer.Typer(rich_markup_mode=None)


@app.command("serve")
def serve(
    listen: ListenOption = None,
    workers: Annotated[int, typer.Option(min=1, max=256, help="Processes that share the port.")] = 1,
    tls_cert: TlsCertOption = None,
    tls_key: TlsKeyOption = None,
    admin_listen: AdminListenOption = None,
) -> None:
    """Serve from the store at ROLECALL_DATABASE_URL, sealed under ROLECALL_MASTER_KEY_FILE."""
    with uncollected():
        from rolecall.cli.serving import run_workers

    # Options become settings of the environment, which every worker reads.
    options = {"listen": listen, "tls_cert": tls_cert, "tls_key": tls_key, "admin_listen": admin_listen}
    os.environ.update(
        {f"ROLECALL_{name.upper()}": str(value) for name, value in options.items() if value is not None}
    )
    run_workers(workers)
