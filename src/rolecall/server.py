"""Stage 1: HTTP in, HTTP out. A plain ASGI application and the server that runs it.

Beside the dialects it answers `/healthz` (the process lives), `/readyz` (the store answers), `/metrics`
(Prometheus) and the public key for encrypted passwords.
"""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import structlog
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from rolecall.assembly import House
from rolecall.pipeline import Pipeline
from rolecall.proxies import Proxies, networks
from rolecall.response_headers import completed
from rolecall.settings import SettingsError
from rolecall.signin import room as signin
from rolecall.values import Reply, Request

_log = structlog.get_logger(__name__)

LARGEST_BODY = 10 * 1024 * 1024
"""Bytes: the largest request of any dialect (Tencent Cloud API 3.0: 10 MB for a signed JSON body)."""

LARGEST_HEAD = 512 * 1024
"""Bytes that may come before a request's headers are complete."""

PASSWORD_KEY_PATH = "/.well-known/rolecall/password-key.pem"

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class Application:
    """The ASGI application over an open `House`."""

    def __init__(self, house: House, pipeline: Pipeline) -> None:
        self._house = house
        self._pipeline = pipeline
        self._proxies = Proxies(networks(house.settings.trusted_proxies))
        self._pages: dict[str, Callable[[], Awaitable[Reply]]] = {
            "/healthz": self._health,
            "/readyz": self._ready,
            "/metrics": self._metrics,
            PASSWORD_KEY_PATH: self._password_key,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise NotImplementedError(scope["type"])
        self._proxies.settle(scope)
        page = self._pages.get(scope["path"]) if scope["method"] == "GET" else None
        try:
            reply = await (page() if page is not None else self._answer(scope, receive))
        except ClientGone:
            return
        named = completed(reply.headers, strict_transport=scope["scheme"] == "https")
        headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in named]
        headers.append((b"content-length", str(len(reply.body)).encode()))
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        await send({"type": "http.response.body", "body": reply.body})

    async def _answer(self, scope: Scope, receive: Receive) -> Reply:
        body, too_large = await read_body(receive)
        request = request_of(scope, body, too_large=too_large)
        if signin.concerns(request.path):
            return await self._house.sign_in.room.answer(request)
        return await self._pipeline.answer(request)

    async def _health(self) -> Reply:
        return _json(200, {"status": "ok"})

    async def _ready(self) -> Reply:
        try:
            await self._house.store.ping()
        except Exception as trouble:  # noqa: BLE001 - any trouble means not ready
            _log.warning("not ready", trouble=type(trouble).__name__)
            return _json(503, {"status": "the store is out of reach"})
        return _json(200, {"status": "ready"})

    async def _metrics(self) -> Reply:
        text = self._house.metrics.text()
        return Reply(200, (("content-type", "text/plain; version=0.0.4; charset=utf-8"),), text)

    async def _password_key(self) -> Reply:
        key = self._house.deciphering.public_key
        return Reply(200, (("content-type", "application/x-pem-file"),), key)


class ClientGone(Exception):
    """The connection was closed before the whole body had come: there is no request, and nobody to answer."""


async def read_body(receive: Receive) -> tuple[bytes, bool]:
    """The body, and whether it was too large; then it was read to its end but not kept. Raises `ClientGone`."""
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        chunk: bytes = message.get("body", b"")
        size += len(chunk)
        if size <= LARGEST_BODY:
            chunks.append(chunk)
        if not message.get("more_body", False):
            break
    return (b"", True) if size > LARGEST_BODY else (b"".join(chunks), False)


def request_of(scope: Scope, body: bytes, *, too_large: bool) -> Request:
    client = scope.get("client")
    return Request(
        method=scope["method"],
        path=scope["raw_path"].decode("latin-1"),
        query=scope["query_string"].decode("latin-1"),
        headers=tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]),
        body=body,
        client=client[0] if client else "",
        secure=scope["scheme"] == "https",
        received=time.time(),
        too_large=too_large,
    )


def _json(status: int, content: dict[str, str]) -> Reply:
    return Reply(status, (("content-type", "application/json"),), json.dumps(content).encode())


def bound_socket(host: str, port: int) -> socket.socket:
    """A socket bound to the address, which does not listen yet. Raises `SettingsError` if it cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except OSError as trouble:
        bound.close()
        raise SettingsError(f"cannot listen on {host}:{port}: {trouble.strerror}") from None
    return bound


class HttpProtocol(HttpToolsProtocol):
    """HTTP by httptools, with a bound on a request's head, which that parser would collect without end.

    Bytes are counted as they come, so the first ones of the body may be among them: `LARGEST_HEAD` is far above
    what the parser takes as a request line (64 KB) and a read from the socket (256 KB) together.
    """

    _head: int | None = 0
    """Bytes of the head that is being read; None while a body is."""

    def data_received(self, data: bytes) -> None:
        if self._head is not None:
            if self._head > LARGEST_HEAD:
                self.send_400_response("The head of the request is too large.")
                return
            self._head += len(data)
        super().data_received(data)

    def on_headers_complete(self) -> None:
        self._head = None
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._head = 0
        super().on_message_complete()


class Server(uvicorn.Server):
    """A uvicorn server over an open house, on a bound socket, that tells when it listens."""

    def __init__(self, application: Application, bound: socket.socket) -> None:
        config = uvicorn.Config(
            application,
            http=HttpProtocol,
            ws="none",
            lifespan="off",
            access_log=False,
            log_config=None,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=10,
        )
        super().__init__(config)
        self._bound = bound
        self._listening = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._listening.set()

    async def run_until_signal(self, ready: Callable[[], Awaitable[None]]) -> None:
        """Serve until SIGINT or SIGTERM; `ready` is awaited once calls are answered."""
        serving = asyncio.create_task(self.serve(sockets=[self._bound]))
        listening = asyncio.create_task(self._listening.wait())
        await asyncio.wait({listening, serving}, return_when=asyncio.FIRST_COMPLETED)
        listening.cancel()
        if not serving.done():
            await ready()
        await serving
