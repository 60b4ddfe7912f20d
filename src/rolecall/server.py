"""Stage 1: HTTP in, HTTP out. A plain ASGI application and the server that runs it.

Besides the dialects it serves `/healthz` (the process runs), `/readyz` (the store answers), `/metrics` (Prometheus) and
the public key for encrypted passwords.
"""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog
import uvicorn
from msgspec.structs import replace

from rolecall.app.application import Application
from rolecall.app.entry import entry
from rolecall.connections import WHOLE_REPLY, WholeReply, protocol
from rolecall.console import paths as console
from rolecall.intake import SMALL, Body, Budget, ClientGone
from rolecall.proxies import Proxies
from rolecall.readiness import Readiness
from rolecall.response_headers import completed
from rolecall.settings import Settings, networks
from rolecall.signin import paths as signin
from rolecall.tls import context_factory
from rolecall.values import Reply, Request

if TYPE_CHECKING:
    from rolecall.console.router import ConsoleRouter
    from rolecall.signin.router import SignInRouter

_log = structlog.get_logger(__name__)

PASSWORD_KEY_PATH = "/.well-known/rolecall/password-key.pem"

Pages = Mapping[str, Callable[[str], Awaitable[Reply]]]
"""By path, what answers a GET with that query."""

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class AsgiApp:
    """The ASGI application over an `Application`; `health` is another one, of health and metrics.

    `require_tls`: see `entry.pipeline`. `is_apart`: health and metrics are served by `health` only.
    `strict_transport`: answers over TLS tell browsers to use TLS only from then on.
    """

    def __init__(
        self,
        application: Application,
        *,
        require_tls: bool = False,
        is_apart: bool = False,
        strict_transport: bool = True,
    ) -> None:
        self._application = application
        self._entry = entry(application, require_tls=require_tls)
        self._proxies = Proxies(networks(application.settings.trusted_proxies))
        self._budget = Budget(application.settings.body_budget)
        self._strict_transport = strict_transport
        self._health_pages: Pages = {
            "/healthz": self._health,
            "/readyz": self._ready,
            "/metrics": self._metrics,
        }
        self._pages: Pages = {
            PASSWORD_KEY_PATH: self._password_key,
            **({} if is_apart else self._health_pages),
        }

    @property
    def settings(self) -> Settings:
        return self._application.settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise NotImplementedError(scope["type"])
        self._proxies.settle(scope)
        page = self._pages.get(scope["path"]) if scope["method"] == "GET" else None
        try:
            reply = await (page(_query(scope)) if page is not None else self._answer(scope, receive))
        except ClientGone:
            return
        await self._send(scope, send, reply)

    async def health(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """The ASGI application of the listener for health and metrics."""
        page = self._health_pages.get(scope["path"]) if scope["method"] in ("GET", "HEAD") else None
        reply = _json(404, {"status": "not found"}) if page is None else await page(_query(scope))
        await self._send(scope, send, reply)

    async def _send(self, scope: Scope, send: Send, reply: Reply) -> None:
        strict = self._strict_transport and scope["scheme"] == "https"
        named = completed(reply.headers, strict_transport=strict)
        whole: WholeReply | None = scope.get(WHOLE_REPLY)
        if whole is not None:
            await whole(reply.status, named, reply.body)
            return
        headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in named]
        headers.append((b"content-length", str(len(reply.body)).encode()))
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        await send({"type": "http.response.body", "body": reply.body})

    async def _answer(self, scope: Scope, receive: Receive) -> Reply:
        head = request_of(scope)
        if _is_browser_at_the_door(head):
            return Reply(303, (("location", "/console"),), b"")
        router = self._router(head.path)
        body = Body(self._budget, await self._largest_body(head), head.client)
        try:
            await body.receive(receive)
            request = replace(
                head,
                body=body.content,
                received=time.time(),
                too_large=body.too_large,
                crowded=body.crowded,
                sha256=body.sha256,
            )
            return await (router or self._entry.pipeline).answer(request)
        finally:
            body.release()

    async def _largest_body(self, head: Request) -> int:
        if console.concerns(head.path):
            return await self._entry.console.largest_body(replace(head, received=time.time()))
        return SMALL if signin.concerns(head.path) else self._entry.pipeline.largest_body(head)

    def _router(self, path: str) -> SignInRouter | ConsoleRouter | None:
        """What answers pages at that path."""
        if console.concerns(path):
            return self._entry.console
        return self._entry.sign_in if signin.concerns(path) else None

    async def _health(self, _query: str) -> Reply:
        return _json(200, {"status": "ok"})

    @cached_property
    def _readiness(self) -> Readiness:
        app = self._application
        return Readiness(app.store, app.store.instances, app.instances.servers, app.admission)

    async def _ready(self, query: str) -> Reply:
        return _json(*await self._readiness.answer(query))

    async def _metrics(self, _query: str) -> Reply:
        text = self._application.metrics.text()
        return Reply(200, (("content-type", "text/plain; version=0.0.4; charset=utf-8"),), text)

    async def _password_key(self, _query: str) -> Reply:
        key = self._application.deciphering.public_key
        return Reply(200, (("content-type", "application/x-pem-file"),), key)


def request_of(scope: Scope) -> Request:
    """A request whose body has not been received yet."""
    client = scope.get("client")
    return Request(
        method=scope["method"],
        path=scope["raw_path"].decode("latin-1"),
        query=scope["query_string"].decode("latin-1"),
        headers=tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]),
        body=b"",
        client=client[0] if client else "",
        secure=scope["scheme"] == "https",
        received=time.time(),
    )


def _is_browser_at_the_door(request: Request) -> bool:
    """Whether a person opened the bare address: no client of an API asks for a page there."""
    at_the_door = request.path in ("", "/") and not request.query and request.method in ("GET", "HEAD")
    return at_the_door and "text/html" in request.header("accept") and not request.header("authorization")


def _query(scope: Scope) -> str:
    query: bytes = scope["query_string"]
    return query.decode("latin-1")


def _json(status: int, content: Mapping[str, str]) -> Reply:
    return Reply(status, (("content-type", "application/json"),), json.dumps(dict(content)).encode())


class Server(uvicorn.Server):
    """A uvicorn server on a bound socket, which reports when it listens.

    `certificate` and `key` are files for TLS; without them it serves plain HTTP.
    """

    def __init__(
        self,
        application: AsgiApp,
        bound: socket.socket,
        certificate: Path | None = None,
        key: Path | None = None,
    ) -> None:
        config = uvicorn.Config(
            application,
            http=protocol(application.settings),  # type: ignore[arg-type]  # called as the class would be
            ws="none",
            lifespan="off",
            access_log=False,
            log_config=None,
            server_header=False,
            proxy_headers=False,
            ssl_context_factory=context_factory(certificate, key),
            timeout_graceful_shutdown=10,
        )
        super().__init__(config)
        self._bound = bound
        self._listening = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._listening.set()

    async def run_until_signal(self, ready: Callable[[], Awaitable[None]]) -> None:
        """Serve until SIGINT or SIGTERM. `ready` is awaited once the server listens."""
        serving = asyncio.create_task(self.serve(sockets=[self._bound]))
        listening = asyncio.create_task(self._listening.wait())
        await asyncio.wait({listening, serving}, return_when=asyncio.FIRST_COMPLETED)
        listening.cancel()
        if not serving.done():
            await ready()
        await serving
