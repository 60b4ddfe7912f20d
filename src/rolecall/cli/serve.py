"""`rolecall serve`: production. The store is yours, nothing is embedded, replicas are stateless."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from typing import Annotated

import typer
import uvicorn

from rolecall import __version__
from rolecall.assembly import House
from rolecall.cli.context import load_settings
from rolecall.cli.data import store_address
from rolecall.cli.logs import set_up_logs
from rolecall.cli.workers import clean_up, end_with_parent, shared_metrics
from rolecall.connections import protocol
from rolecall.server import Application, Receive, Scope, Send
from rolecall.settings import Settings, host_and_port, tls_required


def serve(
    listen: Annotated[
        str | None,
        typer.Option(
            metavar="HOST:PORT", help="Address of the API. Default: $ROLECALL_LISTEN, else 127.0.0.1:7653."
        ),
    ] = None,
    workers: Annotated[int, typer.Option(min=1, max=256, help="Processes that share the port.")] = 1,
) -> None:
    """Serve from the store at ROLECALL_DATABASE_URL, sealed under ROLECALL_MASTER_KEY_FILE."""
    settings = load_settings()
    host, port = host_and_port(listen or settings.listen)
    asyncio.run(_look(settings))  # what is wrong is told here, once, rather than by every worker
    print(
        f"Rolecall {__version__}: serving on http://{host}:{port}, {workers} worker(s)",
        file=sys.stderr,
        flush=True,
    )
    os.environ["ROLECALL_LISTEN"] = f"{host}:{port}"  # the workers read their settings anew
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
            timeout_worker_healthcheck=30,  # a busy machine's workers take longer than the default to start
            timeout_graceful_shutdown=10,
        )


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
            self._application = Application(self._house, self._house.pipeline(require_tls=strict))
        except Exception as trouble:  # noqa: BLE001 - told to the server, which ends
            await self._house.close()
            await send({"type": "lifespan.startup.failed", "message": f"{type(trouble).__name__}: {trouble}"})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()  # lifespan.shutdown
        await self._house.close()
        clean_up()
        await send({"type": "lifespan.shutdown.complete"})
