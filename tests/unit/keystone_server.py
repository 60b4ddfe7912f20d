"""A small Keystone on loopback: real HTTP, and the answers that the Identity API documents for tokens.

Source: OpenStack Identity API v3, "Password authentication with scoped authorization", "Validate and show information
for token", and what Keystone 28 answers to unknown and missing tokens.
"""

from __future__ import annotations

import json
import secrets
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.waiting import PATIENCE

SERVICE, PASSWORD = "rolecall-service", "its-password"
PROJECT = "b5a1bd1b9b2a4e5e9a3f0a4f7d0c4a11"


@dataclass
class KeystonePlay:
    """`trouble`, if set, is the status of every answer; `asked` counts questions about tokens."""

    tokens: dict[str, dict[str, Any]] = field(default_factory=dict)
    own: set[str] = field(default_factory=set)
    asked: int = 0
    signed_in: int = 0
    trouble: int = 0
    body: bytes | None = None
    pause: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.pause.set()

    def issue(self, name: str = "alice", *, lifetime: float = 3600, **changes: Any) -> str:
        """A Fernet-like token of a user on the project."""
        text = "gAAAAAB" + secrets.token_urlsafe(120)
        self.tokens[text] = {**document(name, lifetime), **changes}
        return text

    def sign_in(self, body: bytes) -> tuple[int, dict[str, str], dict[str, Any]]:
        auth = json.loads(body)["auth"]
        user = auth["identity"]["password"]["user"]
        self.signed_in += 1
        domain = {"name": "Default"}
        right = {"name": SERVICE, "password": PASSWORD, "domain": domain}
        if user != right or auth["scope"] != {"project": {"name": "service", "domain": domain}}:
            return 401, {}, error(401, "The request you have made requires authentication.", "Unauthorized")
        text = "gAAAAAB" + secrets.token_urlsafe(90)
        self.own.add(text)
        return 201, {"X-Subject-Token": text}, {"token": document(SERVICE, 3600)}

    def show(self, own: str, subject: str) -> tuple[int, dict[str, str], dict[str, Any]]:
        self.asked += 1
        if own not in self.own:
            return 401, {}, error(401, "The request you have made requires authentication.", "Unauthorized")
        if subject not in self.tokens:
            return 404, {}, error(404, "Failed to validate token", "Not Found")
        return 200, {"X-Subject-Token": subject}, {"token": self.tokens[subject]}


def document(name: str, lifetime: float) -> dict[str, Any]:
    now = datetime.now(UTC)
    domain = {"id": "default", "name": "Default"}
    return {
        "methods": ["password"],
        "user": {"id": f"id-of-{name}", "name": name, "domain": domain, "password_expires_at": None},
        "audit_ids": [secrets.token_urlsafe(16)],
        "expires_at": (now + timedelta(seconds=lifetime)).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "issued_at": now.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "project": {"domain": domain, "id": PROJECT, "name": "shop"},
        "is_domain": False,
        "roles": [{"id": secrets.token_hex(16), "name": "member"}],
    }


def error(code: int, message: str, title: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "title": title}}


@contextmanager
def playing(play: KeystonePlay, *, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """Its URL, without ``/v3``."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            self._answer(*play.sign_in(body))

        def do_GET(self) -> None:
            assert self.path == "/v3/auth/tokens?nocatalog"
            play.pause.wait(PATIENCE)
            self._answer(*play.show(self.headers["X-Auth-Token"], self.headers["X-Subject-Token"]))

        def _answer(self, status: int, headers: dict[str, str], document: dict[str, Any]) -> None:
            body = json.dumps(document).encode() if play.body is None else play.body
            self.send_response(play.trouble or status)
            for name, value in {**headers, "content-length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"{'http' if tls is None else 'https'}://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
