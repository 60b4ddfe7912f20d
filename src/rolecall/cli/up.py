"""`rolecall up`: everything on one machine, with servers of its own."""

from __future__ import annotations

import asyncio
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
from rolecall.cli.context import DIALECT, SUPER_ROLE, load_settings
from rolecall.cli.data import DataDirectory, DataOption, EmbeddedSecrets, default_directory, write_private
from rolecall.cli.demo import run_demo
from rolecall.cli.logs import set_up_logs
from rolecall.domain.instances import Instance, NewInstance, new_public_id, register
from rolecall.domain.keys import Owner
from rolecall.local.postgres import LocalPostgres
from rolecall.local.quickstart import LocalServers, local_servers
from rolecall.server import Application, Server, bound_socket
from rolecall.settings import Settings, SettingsError, host_and_port
from rolecall.values import Secret

REGION = "ap-guangzhou"
_QUICKSTART = "quickstart"


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
    """Start Rolecall with its own PostgreSQL store and one quickstart PostgreSQL instance; Ctrl-C ends it."""
    settings = load_settings()
    interactive = "log_format" not in settings.model_fields_set
    set_up_logs(
        "warning" if interactive and "log_level" not in settings.model_fields_set else settings.log_level,
        "console" if interactive else settings.log_format,
    )
    directory = DataDirectory(data or default_directory())
    address = host_and_port(listen or settings.listen)
    # A kind `kill` must stop the servers as Ctrl-C does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    console = Console(stderr=True)
    console.print(
        f"Rolecall {__version__}: starting PostgreSQL servers in {directory.path} ...", highlight=False
    )
    with suppress(KeyboardInterrupt), directory.claimed(), bound_socket(*address) as bound:
        kept = directory.secrets()
        with local_servers(
            directory.store, kept.store_password, directory.quickstart, kept.instance_password
        ) as servers:
            directory.publish_connection(servers.store.dsn())
            run = Embedded(settings, directory, kept, servers, bound, ready_file, demo=demo)
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
        bound: socket.socket,
        ready_file: Path | None,
        *,
        demo: bool,
    ) -> None:
        self._house = House(settings, servers.store.dsn(), kept.master_keys)
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
            owner = await _owner(house)
            key_id, secret = await _first_key(house, owner)
            instance = await _quickstart(house, owner, self._servers.instance)
            await house.start()
            # The first call of all should not wait for a connection, and ready means that the engine works.
            await (await house.reach.attach_instance(instance)).engine.facts()
            server = Server(Application(house, house.pipeline()), self._bound)
            await server.run_until_signal(
                lambda: self._announce(self._ready(owner, key_id, secret, instance))
            )
        finally:
            if self._ready_file is not None:
                self._ready_file.unlink(missing_ok=True)
            await house.close()

    def _ready(self, owner: Owner, key_id: str, secret: Secret, instance: Instance) -> dict[str, object]:
        host, port = self._bound.getsockname()[:2]
        engine = self._servers.instance
        return {
            "endpoint": f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}",
            "owner": {"uin": owner.number, "app_id": owner.app_id},
            "tencent": {
                "secret_id": key_id,
                "secret_key": secret.reveal(),
                "region": REGION,
                "postgres_instance_id": instance.faces[DIALECT],
            },
            "engines": {
                "postgres": {
                    "host": engine.host,
                    "port": engine.port,
                    "user": engine.superuser,
                    "password": engine.password.reveal(),
                    "database": "postgres",
                }
            },
        }

    async def _announce(self, ready: dict[str, object]) -> None:
        """Tell files and people that everything listed works."""
        write_private(self._directory.ready, ready)
        if self._ready_file is not None:
            write_private(self._ready_file, ready)
        print(banner(ready, self._directory.ready), flush=True)
        if self._demo:
            await asyncio.to_thread(run_demo, ready)
            print("\nServing until Ctrl-C.", flush=True)


async def _owner(house: House) -> Owner:
    owners = await house.store.keys.owners()
    return owners[0] if owners else await house.keys.create_owner()


async def _first_key(house: House, owner: Owner) -> tuple[str, Secret]:
    """The owner's oldest active key; a new one if all were disabled."""
    for key in await house.store.keys.keys():
        if key.active and key.principal == owner.number:
            return key.id, house.keys.secret_of(key)
    return await house.keys.create(owner)


async def _quickstart(house: House, owner: Owner, server: LocalPostgres) -> Instance:
    """The quickstart instance, registered once; its port is kept true."""
    for instance in await house.store.instances.instances(owner.id):
        if instance.name == _QUICKSTART:
            if (instance.host, instance.port) == (server.host, server.port):
                return instance
            await house.store.instances.change_instance(instance.id, host=server.host, port=server.port)
            changed = await house.store.instances.instance_by_id(instance.id)
            if changed is None:
                raise SettingsError("the quickstart instance was removed while starting")
            return changed
    new = NewInstance(
        owner_id=owner.id,
        engine="postgresql",
        name=_QUICKSTART,
        host=server.host,
        port=server.port,
        administrator=server.superuser,
        password=server.password,
        database="postgres",
        options={"super_role": SUPER_ROLE, "sslmode": "prefer"},
        region=REGION,
        zone=f"{REGION}-1",
        faces={DIALECT: new_public_id("postgres-")},
    )
    return await register(house.store.instances, house.sealer, new)
