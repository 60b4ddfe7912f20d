"""The processes of `rolecall serve`."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

import uvicorn

from rolecall import __version__
from rolecall.app.opening import open_application
from rolecall.cli.logs import set_up_logs
from rolecall.cli.opening import store_address
from rolecall.cli.running.exposure import endpoint_of, tls_files, warn_of_exposure
from rolecall.cli.running.workers import clean_up, end_with_parent, shared_counts
from rolecall.connections import protocol
from rolecall.listeners import listening
from rolecall.server import AsgiApp, Receive, Scope, Send
from rolecall.settings import Settings, host_and_port, load_settings, tls_required
from rolecall.sockets import bound_socket
from rolecall.tls import context_factory


def run_workers() -> None:
    """Serve with the settings of the environment until a signal."""
    settings = load_settings()
    workers = settings.workers
    host, port = host_and_port(settings.listen)
    # Report errors here once, rather than in every worker.
    certificate = tls_files(settings)
    warn_of_exposure(settings, host)
    if settings.admin_listen:
        bound_socket(*host_and_port(settings.admin_listen), shared=True).close()
    asyncio.run(_check_store(settings))
    endpoint = endpoint_of(host, port, secure=certificate is not None)
    print(f"Rolecall {__version__}: serving on {endpoint}, {workers} worker(s)", file=sys.stderr, flush=True)
    # Until the server handles signals itself, SIGTERM must delete the shared directory as Ctrl-C does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with shared_counts(workers):
        uvicorn.run(
            "rolecall.cli.running.serving:application",
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
            timeout_worker_healthcheck=30,  # workers on a busy machine start slower than the default allows
            timeout_graceful_shutdown=10,
        )


async def _check_store(settings: Settings) -> None:
    """Check that the store is reachable and sealed with the master key, and migrate its schema."""
    async with open_application(settings, store_address(settings), settings.master_keys(), traced=True):
        pass


def application() -> LifespanApplication:
    """The ASGI application of one worker."""
    end_with_parent()
    settings = load_settings()
    set_up_logs(settings.log_level, settings.log_format)

    async def opened(stack: AsyncExitStack) -> AsgiApp:
        opening = open_application(settings, settings.store_dsn(), settings.master_keys(), traced=True)
        application = await stack.enter_async_context(opening)
        await application.start()
        strict = tls_required(settings.require_tls, host_and_port(settings.listen)[0])
        app = AsgiApp(application, require_tls=strict, is_apart=bool(settings.admin_listen))
        admin = settings.admin_listen
        bound = bound_socket(*host_and_port(admin), shared=True) if admin else None
        await stack.enter_async_context(listening(app.health, bound, protocol(settings)))
        return app

    return LifespanApplication(opened)


class LifespanApplication:
    """Opens the application when the server starts, and closes it when the server stops."""

    def __init__(self, opened: Callable[[AsyncExitStack], Awaitable[AsgiApp]]) -> None:
        self._opened = opened
        self._app: AsgiApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif self._app is not None:
            await self._app(scope, receive, send)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()  # lifespan.startup
        async with AsyncExitStack() as stack:
            try:
                self._app = await self._opened(stack)
            except Exception as error:  # noqa: BLE001 - reported to uvicorn, which exits
                await stack.aclose()
                message = f"{type(error).__name__}: {error}"
                await send({"type": "lifespan.startup.failed", "message": message})
                return
            await send({"type": "lifespan.startup.complete"})
            await receive()  # lifespan.shutdown
        clean_up()
        await send({"type": "lifespan.shutdown.complete"})
