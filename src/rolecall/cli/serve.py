"""`rolecall serve`: production. The store is yours, nothing is embedded, replicas are stateless."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer
import uvicorn

from rolecall import __version__
from rolecall.assembly import House
from rolecall.cli.context import load_settings
from rolecall.cli.data import store_address
from rolecall.cli.exposure import (
    AdminListenOption,
    TlsCertOption,
    TlsKeyOption,
    endpoint_of,
    tls_files,
    warn_of_exposure,
)
from rolecall.cli.logs import set_up_logs
from rolecall.cli.workers import clean_up, end_with_parent, shared_metrics
from rolecall.connections import protocol
from rolecall.listeners import Listener
from rolecall.server import Application, Receive, Scope, Send, bound_socket
from rolecall.settings import Settings, host_and_port, tls_required
from rolecall.tls import context_factory


def serve(
    listen: Annotated[
        str | None,
        typer.Option(
            metavar="HOST:PORT", help="Address of the API. Default: $ROLECALL_LISTEN, else 127.0.0.1:7653."
        ),
    ] = None,
    workers: Annotated[int, typer.Option(min=1, max=256, help="Processes that share the port.")] = 1,
    tls_cert: TlsCertOption = None,
    tls_key: TlsKeyOption = None,
    admin_listen: AdminListenOption = None,
) -> None:
    """Serve from the store at ROLECALL_DATABASE_URL, sealed under ROLECALL_MASTER_KEY_FILE."""
    # The workers read their settings anew.
    _choose(listen=listen, tls_cert=tls_cert, tls_key=tls_key, admin_listen=admin_listen)
    settings = load_settings()
    host, port = host_and_port(settings.listen)
    # What is wrong is told here, once, rather than by every worker.
    certificate = tls_files(settings)
    warn_of_exposure(settings, host)
    if settings.admin_listen:
        bound_socket(*host_and_port(settings.admin_listen), shared=True).close()
    asyncio.run(_look(settings))
    endpoint = endpoint_of(host, port, secure=certificate is not None)
    print(f"Rolecall {__version__}: serving on {endpoint}, {workers} worker(s)", file=sys.stderr, flush=True)
    # Until the server handles signals itself, a kind `kill` must delete the shared directory as Ctrl-C does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with shared_metrics(workers):
        uvicorn.run(
            "rolecall.cli.serve:application",
            factory=True,
            host=host,
            port=port,
            workers=workers,
            http=protocol(settings),  # type: ignore[arg-type]  # called as the class would be
            loop="uvloop",
            ws="none",
            lifespan="on",
            access_log=False,
            log_config=None,
            server_header=False,
            proxy_headers=False,
            ssl_context_factory=context_factory(*(certificate or (None, None))),
            timeout_worker_healthcheck=30,  # a busy machine's workers take longer than the default to start
            timeout_graceful_shutdown=10,
        )


def _choose(**options: str | Path | None) -> None:
    for name, value in options.items():
        if value is not None:
            os.environ[f"ROLECALL_{name.upper()}"] = str(value)


async def _look(settings: Settings) -> None:
    """Whether the store is there, and was sealed with the master key; brings its schema up to date."""
    house = House(settings, store_address(settings), settings.master_keys())
    try:
        await house.open()
    finally:
        await house.close()


def application() -> LifespanApplication:
    """The ASGI application of one worker."""
    end_with_parent()
    settings = load_settings()
    set_up_logs(settings.log_level, settings.log_format)
    return LifespanApplication(House(settings, settings.store_dsn(), settings.master_keys()))


class LifespanApplication:
    """An `Application` that opens its house when the server starts and closes it when the server stops."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._application: Application | None = None
        self._admin: Listener | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif self._application is not None:
            await self._application(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()  # lifespan.startup
        try:
            await self._house.open()
            await self._house.start()
            settings = self._house.settings
            strict = tls_required(settings.require_tls, host_and_port(settings.listen)[0])
            admin = settings.admin_listen
            self._application = Application(
                self._house, self._house.pipeline(require_tls=strict), is_apart=bool(admin)
            )
            if admin:
                bound = bound_socket(*host_and_port(admin), shared=True)
                self._admin = Listener(self._application.health, bound, protocol(settings))
                await self._admin.open()
        except Exception as trouble:  # noqa: BLE001 - told to the server, which ends
            await self._house.close()
            await send({"type": "lifespan.startup.failed", "message": f"{type(trouble).__name__}: {trouble}"})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()  # lifespan.shutdown
        if self._admin is not None:
            await self._admin.close()
        await self._house.close()
        clean_up()
        await send({"type": "lifespan.shutdown.complete"})
