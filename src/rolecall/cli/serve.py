"""`rolecall serve`: serve in production, from a store of the operator's; replicas are stateless."""

from __future__ import annotations

import os

import typer

from rolecall.cli.importing import large_imports
from rolecall.cli.options import AdminListenOption, ListenOption, TlsCertOption, TlsKeyOption, WorkersOption

app = typer.Typer(rich_markup_mode=None)


@app.command("serve")
def serve(
    listen: ListenOption = None,
    workers: WorkersOption = None,
    tls_cert: TlsCertOption = None,
    tls_key: TlsKeyOption = None,
    admin_listen: AdminListenOption = None,
) -> None:
    """Serve from the store at ROLECALL_DATABASE_URL, sealed under ROLECALL_MASTER_KEY_FILE."""
    with large_imports():
        from rolecall.cli.running.serving import run_workers

    # Options become settings of the environment, which every worker reads.
    options = {
        "listen": listen,
        "workers": workers,
        "tls_cert": tls_cert,
        "tls_key": tls_key,
        "admin_listen": admin_listen,
    }
    os.environ.update(
        {f"ROLECALL_{name.upper()}": str(value) for name, value in options.items() if value is not None}
    )
    run_workers()
