"""The application of `rolecall up`, over the local servers."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import uvloop
from psycopg.conninfo import make_conninfo

from rolecall.app.application import Application
from rolecall.app.opening import open_application
from rolecall.cli.console import link
from rolecall.cli.logs import set_up_logs
from rolecall.cli.private_files import write_private
from rolecall.cli.running.banner import banner
from rolecall.cli.running.callers_servers import CallersServers
from rolecall.cli.running.exposure import Files, endpoint_of, reached_at
from rolecall.cli.running.quickstart import prepare, ready_content
from rolecall.cli.running.starting import Start
from rolecall.connections import protocol
from rolecall.domain.access.keys import Owner
from rolecall.domain.access.sign_in_links import SignInLinks
from rolecall.domain.instances.registry import Instance
from rolecall.listeners import listening
from rolecall.local.quickstart import SERVING, LocalServers
from rolecall.server import AsgiApp, Server
from rolecall.settings import Settings, tls_required
from rolecall.store.serving import make_serving_role
from rolecall.values import Secret


def run(start: Start, servers: LocalServers) -> None:
    """Serve over `servers`, which may still be starting, until a signal."""
    settings, directory = start.settings, start.directory
    set_up_embedded_logs(settings)
    front = _front(start)
    servers.store_started.result()
    store, password = servers.store, start.secrets.serving_password
    owner = store.near_dsn()
    serving = asyncio.run(make_serving_role(owner, SERVING, password, settings.store_deadlines()))
    far = Secret(make_conninfo(serving.reveal(), host=store.host))
    directory.publish_connection(far, store.sockets)
    with CallersServers(directory.instances) as callers:
        keys = start.secrets.master_keys
        opening = open_application(settings, serving, keys, provisioner=callers, migration=owner, traced=True)
        embedded = Embedded(start, servers, front)
        if settings.workers > 1:
            from rolecall.cli.running.embedded_workers import run_workers

            run_workers(start, opening, embedded)
        else:
            uvloop.run(_serve(opening, embedded))


async def _serve(opening: AbstractAsyncContextManager[Application], embedded: Embedded) -> None:
    async with opening as opened, embedded.prepared(opened) as announce:
        await embedded.serve(opened, announce)


def set_up_embedded_logs(settings: Settings) -> None:
    """By default warnings, for a terminal; settings that are set win."""
    chosen = settings.model_fields_set
    for_terminal = "log_format" not in chosen
    set_up_logs(
        "warning" if for_terminal and "log_level" not in chosen else settings.log_level,
        "console" if for_terminal else settings.log_format,
    )


def _front(start: Start) -> Front:
    if not start.options.tls:
        return Front(start.bound, start.admin, start.files, None)
    from rolecall.cli.running.authority import own_certificate, server_names

    names = server_names(start.settings, start.bound.getsockname()[0])
    own = own_certificate(start.directory.tls, names)
    return Front(start.bound, start.admin, (own.server, own.server), own.authority)


@dataclass(frozen=True, slots=True)
class Front:
    """How clients reach a run. `files` are those of TLS; `authority` is that of a generated certificate."""

    bound: socket.socket
    admin: socket.socket | None
    files: Files | None
    authority: Path | None

    def endpoint(self) -> str:
        host, port = self.bound.getsockname()[:2]
        return endpoint_of(reached_at(host), port, secure=self.files is not None)

    def application(self, opened: Application) -> AsgiApp:
        return AsgiApp(
            opened,
            require_tls=tls_required(opened.settings.require_tls, self.bound.getsockname()[0]),
            is_apart=self.admin is not None,
            strict_transport=self.authority is None,  # browsers must not insist on TLS for `localhost`
        )


class Embedded:
    """One run of `rolecall up`, over servers that accept connections."""

    def __init__(self, start: Start, servers: LocalServers, front: Front) -> None:
        self._directory = start.directory
        self._ready_file = start.options.ready_file
        self._demo = start.options.demo
        self._seed = start.options.seed
        self._servers = servers
        self.front = front

    @asynccontextmanager
    async def prepared(self, opened: Application) -> AsyncIterator[Callable[[], Awaitable[None]]]:
        """All that must be there before the first call; what is to be done when calls are answered."""
        try:
            # Their data may take longer to make than the store's.
            for started in self._servers.others_started:
                await asyncio.wrap_future(started)
            quickstart = await prepare(opened, self._servers)
            await opened.start()
            # Ready means that the engines work; and the first call should not have to wait for a connection.
            instances = filter(None, (quickstart.postgres, quickstart.mysql))
            await asyncio.gather(*(_connect(opened, instance) for instance in instances))
            if self._seed is not None:
                from rolecall.cli.seeding.run import seed_at_start

                await seed_at_start(opened, self._seed)
            ready = ready_content(
                self.front.endpoint(), quickstart, self._servers, opened.settings.public_url, self._extras()
            )
            yield lambda: self._announce(opened, quickstart.owner, ready)
        finally:
            if self._ready_file is not None:
                self._ready_file.unlink(missing_ok=True)

    async def serve(self, opened: Application, announce: Callable[[], Awaitable[None]]) -> None:
        """Serve until a signal, in this process."""
        front = self.front
        app = front.application(opened)
        server = Server(app, front.bound, *(front.files or ()))
        async with listening(app.health, front.admin, protocol(opened.settings)):
            await server.run_until_signal(announce)

    def _extras(self) -> dict[str, object]:
        """Fields that only some ready files have."""
        front = self.front
        extras: dict[str, object] = {} if front.authority is None else {"ca_file": str(front.authority)}
        if front.admin is not None:
            host, port = front.admin.getsockname()[:2]
            extras["admin_endpoint"] = endpoint_of(reached_at(host), port, secure=False)
        return extras

    async def _announce(self, opened: Application, owner: Owner, ready: dict[str, object]) -> None:
        """Write the ready files and print the banner: everything that they list works."""
        text = await SignInLinks(opened.store.sign_in_links).create(owner, datetime.now(UTC))
        write_private(self._directory.ready, ready)
        if self._ready_file is not None:
            write_private(self._ready_file, ready)
        print(banner(ready, self._directory.ready, link(str(ready["endpoint"]), text.reveal())), flush=True)
        if self._demo:
            from rolecall.cli.demo_run import run_demo

            await asyncio.to_thread(run_demo, ready)
            print("\nServing until Ctrl-C.", flush=True)


async def _connect(opened: Application, instance: Instance) -> None:
    connected = await opened.instances.resolver.connect_instance(instance)
    await connected.engine.facts()
