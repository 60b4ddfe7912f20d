"""A second listener in the same process, by plain HTTP: for health and metrics."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from uvicorn.server import ServerState


class Listener:
    """Serves an ASGI application on a bound socket, between `open` and `close`."""

    def __init__(
        self, application: Any, bound: socket.socket, protocol: Callable[..., asyncio.Protocol]
    ) -> None:
        self._bound = bound
        self._state = ServerState()
        self._server: asyncio.Server | None = None
        self._config = uvicorn.Config(
            application,
            interface="asgi3",
            http=protocol,  # type: ignore[arg-type]  # called as the class would be
            ws="none",
            lifespan="off",
            access_log=False,
            log_config=None,
            server_header=False,
            proxy_headers=False,
        )

    async def open(self) -> None:
        self._config.load()
        protocol: Any = self._config.http_protocol_class
        self._server = await asyncio.get_running_loop().create_server(
            lambda: protocol(config=self._config, server_state=self._state, app_state={}), sock=self._bound
        )

    async def close(self) -> None:
        """Close idle connections and finish running requests."""
        if self._server is not None:
            self._server.close()
            for connection in list(self._state.connections):
                connection.shutdown()
            await asyncio.gather(*self._state.tasks, return_exceptions=True)


@asynccontextmanager
async def listening(
    application: Any, bound: socket.socket | None, protocol: Callable[..., asyncio.Protocol]
) -> AsyncIterator[None]:
    """Serves an ASGI application meanwhile; nothing without a socket."""
    if bound is None:
        yield
        return
    listener = Listener(application, bound, protocol)
    try:
        await listener.open()
        yield
    finally:
        await listener.close()
