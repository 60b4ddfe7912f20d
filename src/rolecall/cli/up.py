"""`rolecall up`: everything on one machine, with servers of its own."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import Awaitable, Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
import uvloop
from rich.console import Console

from rolecall import __version__
from rolecall.assembly import House
from rolecall.cli.authority import own_certificate
from rolecall.cli.banner import banner
from rolecall.cli.context import load_settings
from rolecall.cli.data import DataDirectory, DataOption, EmbeddedSecrets, default_directory, write_private
from rolecall.cli.demo import run_demo
from rolecall.cli.exposure import (
    AdminListenOption,
    Files,
    TlsCertOption,
    TlsKeyOption,
    endpoint_of,
    server_names,
    tls_files,
    warn_of_exposure,
)
from rolecall.cli.logs import set_up_logs
from rolecall.cli.quickstart import prepare, ready_content
from rolecall.cli.registration import CallersServers
from rolecall.connections import protocol
from rolecall.listeners import Listener
from rolecall.local.quickstart import SERVING, LocalServers, Place, local_servers
from rolecall.server import Application, Server, bound_socket
from rolecall.settings import Settings, SettingsError, host_and_port, tls_required
from rolecall.store.serving import make_serving_role
from rolecall.values import Secret

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
    tls: Annotated[
        bool, typer.Option("--tls", help="Speak TLS with a certificate of its own, for trying.")
    ] = False,
    tls_cert: TlsCertOption = None,
    tls_key: TlsKeyOption = None,
    admin_listen: AdminListenOption = None,
    demo: Annotated[bool, typer.Option("--demo", help="Once ready, run one `rolecall demo`.")] = False,
) -> None:
    """Start Rolecall with its own store and quickstart instances, PostgreSQL and MariaDB; Ctrl-C ends it."""
    settings = load_settings()
    chosen = {"tls_cert": tls_cert, "tls_key": tls_key, "admin_listen": admin_listen}
    settings = settings.model_copy(
        update={name: value for name, value in chosen.items() if value is not None}
    )
    files = tls_files(settings)
    if tls and files is not None:
        raise SettingsError("--tls makes a certificate of its own; leave it out where one is given")
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
    warn_of_exposure(settings, address[0] if not tls else "")
    with (
        suppress(KeyboardInterrupt),
        directory.claimed(),
        bound_socket(*address) as bound,
        ExitStack() as held,
    ):
        admin = (
            held.enter_context(bound_socket(*host_and_port(settings.admin_listen)))
            if settings.admin_listen
            else None
        )
        own = own_certificate(directory.tls, server_names(settings, address[0])) if tls else None
        if own is not None:
            files = own.server, own.server
        front = Front(bound, admin, files, None if own is None else own.authority)
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
            serving = _serving(servers, kept, settings)
            directory.publish_connection(serving)
            run = Embedded(settings, directory, kept, servers, serving, callers, front, ready_file, demo=demo)
            uvloop.run(run.serve())
            console.print("Rolecall: stopping ...")
    console.print("Rolecall: stopped.")


def _serving(servers: LocalServers, kept: EmbeddedSecrets, settings: Settings) -> Secret:
    """The store's address for the role that serves."""
    owner, password = servers.store.dsn(), kept.serving_password
    return asyncio.run(make_serving_role(owner, SERVING, password, settings.store_deadlines()))


@dataclass(frozen=True, slots=True)
class Front:
    """How a run is reached. `files` are those of TLS; `authority` is what clients trust of a certificate of its own."""

    bound: socket.socket
    admin: socket.socket | None
    files: Files | None
    authority: Path | None

    def endpoint(self) -> str:
        return endpoint_of(*self.bound.getsockname()[:2], secure=self.files is not None)


class Embedded:
    """One run of `rolecall up`, once its servers are there."""

    def __init__(
        self,
        settings: Settings,
        directory: DataDirectory,
        kept: EmbeddedSecrets,
        servers: LocalServers,
        serving: Secret,
        callers: CallersServers,
        front: Front,
        ready_file: Path | None,
        *,
        demo: bool,
    ) -> None:
        self._house = House(
            settings, serving, kept.master_keys, provisioner=callers, migration=servers.store.dsn()
        )
        self._directory = directory
        self._servers = servers
        self._front = front
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
            ready = ready_content(
                self._front.endpoint(), quickstart, self._servers, house.settings.public_url, self._extras()
            )
            await self._serve_until_signal(lambda: self._announce(ready))
        finally:
            if self._ready_file is not None:
                self._ready_file.unlink(missing_ok=True)
            await house.close()

    async def _serve_until_signal(self, ready: Callable[[], Awaitable[None]]) -> None:
        house, front = self._house, self._front
        strict = tls_required(house.settings.require_tls, front.bound.getsockname()[0])
        application = Application(
            house,
            house.pipeline(require_tls=strict),
            is_apart=front.admin is not None,
            strict_transport=front.authority is None,  # nobody shall insist on TLS for `localhost`
        )
        server = Server(application, front.bound, *(front.files or ()))
        if front.admin is None:
            await server.run_until_signal(ready)
            return
        admin = Listener(application.health, front.admin, protocol(house.settings))
        await admin.open()
        try:
            await server.run_until_signal(ready)
        finally:
            await admin.close()

    def _extras(self) -> dict[str, object]:
        """What only some ready files hold."""
        front = self._front
        extras: dict[str, object] = {} if front.authority is None else {"ca_file": str(front.authority)}
        if front.admin is not None:
            extras["admin_endpoint"] = endpoint_of(*front.admin.getsockname()[:2], secure=False)
        return extras

    async def _announce(self, ready: dict[str, object]) -> None:
        """Tell files and people that everything listed works."""
        write_private(self._directory.ready, ready)
        if self._ready_file is not None:
            write_private(self._ready_file, ready)
        print(banner(ready, self._directory.ready), flush=True)
        if self._demo:
            await asyncio.to_thread(run_demo, ready)
            print("\nServing until Ctrl-C.", flush=True)
