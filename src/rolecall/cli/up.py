"""`rolecall up`: everything on one machine, with servers of its own."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer
import uvloop
from rich.console import Console

from rolecall import __version__
from rolecall.assembly import House
from rolecall.cli.banner import banner
from rolecall.cli.context import load_settings
from rolecall.cli.data import DataDirectory, DataOption, EmbeddedSecrets, default_directory, write_private
from rolecall.cli.demo import run_demo
from rolecall.cli.logs import set_up_logs
from rolecall.cli.quickstart import prepare, ready_content
from rolecall.cli.registration import CallersServers
from rolecall.local.quickstart import LocalServers, Place, local_servers
from rolecall.server import Application, Server, bound_socket
from rolecall.settings import Settings, host_and_port, tls_required

NO_MARIADB = (
    "Rolecall: no MariaDB on this system, so the Alibaba and OpenStack dialects have no quickstart instance;"
    " install it with: apt-get install mariadb-server"
)


def up(
    listen: Annotated[
        str | None,
        typer.Option(
            metavar="HOST:PORT", help="Address of the API. Default: $ROLECALL_LISTEN, else 127.0.0.1:7653."
        ),
    ] = None,
    data: DataOption = None,
    ready_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Write endpoint and credentials here (JSON, mode 0600) when ready."
        ),
    ] = None,
    demo: Annotated[bool, typer.Option("--demo", help="Once ready, run one `rolecall demo`.")] = False,
) -> None:
    """Start Rolecall with its own store and quickstart instances, PostgreSQL and MariaDB; Ctrl-C ends it."""
    settings = load_settings()
    interactive = "log_format" not in settings.model_fields_set
    set_up_logs(
        "warning" if interactive and "log_level" not in settings.model_fields_set else settings.log_level,
        "console" if interactive else settings.log_format,
    )
    directory = DataDirectory(data or default_directory())
    address = host_and_port(listen or settings.listen)
    # A kind `kill` must stop the servers as Ctrl-C does, and both where a script started us in the background, with
    # SIGINT ignored.
    for end in (signal.SIGINT, signal.SIGTERM):
        signal.signal(end, signal.default_int_handler)
    os.umask(0o077)
    console = Console(stderr=True)
    console.print(
        f"Rolecall {__version__}: starting database servers in {directory.path} ...", highlight=False
    )
    with suppress(KeyboardInterrupt), directory.claimed(), bound_socket(*address) as bound:
        kept = directory.secrets()
        with (
            local_servers(
                Place(directory.store, kept.store_password),
                Place(directory.quickstart, kept.instance_password),
                Place(directory.quickstart_mysql, kept.mysql_password),
            ) as servers,
            CallersServers(directory.instances) as callers,
        ):
            if servers.mysql is None:
                console.print(NO_MARIADB, highlight=False)
            directory.publish_connection(servers.store.dsn())
            run = Embedded(settings, directory, kept, servers, callers, bound, ready_file, demo=demo)
            uvloop.run(run.serve())
            console.print("Rolecall: stopping ...")
    console.print("Rolecall: stopped.")


class Embedded:
    """One run of `rolecall up`, once its servers are there."""

    def __init__(
        self,
        settings: Settings,
        directory: DataDirectory,
        kept: EmbeddedSecrets,
        servers: LocalServers,
        callers: CallersServers,
        bound: socket.socket,
        ready_file: Path | None,
        *,
        demo: bool,
    ) -> None:
        self._house = House(settings, servers.store.dsn(), kept.master_keys, provisioner=callers)
        self._directory = directory
        self._servers = servers
        self._bound = bound
        self._ready_file = ready_file
        self._demo = demo

    async def serve(self) -> None:
        """Until a signal comes."""
        house = self._house
        await house.open()
        try:
            quickstart = await prepare(house, self._servers)
            await house.start()
            # The first call of all should not wait for a connection, and ready means that the engines work.
            for instance in filter(None, (quickstart.postgres, quickstart.mysql)):
                await (await house.reach.attach_instance(instance)).engine.facts()
            strict = tls_required(house.settings.require_tls, self._bound.getsockname()[0])
            server = Server(Application(house, house.pipeline(require_tls=strict)), self._bound)
            host, port = self._bound.getsockname()[:2]
            endpoint = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
            ready = ready_content(endpoint, quickstart, self._servers, house.settings.public_url)
            await server.run_until_signal(lambda: self._announce(ready))
        finally:
            if self._ready_file is not None:
                self._ready_file.unlink(missing_ok=True)
            await house.close()

    async def _announce(self, ready: dict[str, object]) -> None:
        """Tell files and people that everything listed works."""
        write_private(self._directory.ready, ready)
        if self._ready_file is not None:
            write_private(self._ready_file, ready)
        print(banner(ready, self._directory.ready), flush=True)
        if self._demo:
            await asyncio.to_thread(run_demo, ready)
            print("\nServing until Ctrl-C.", flush=True)
