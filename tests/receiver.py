"""A receiver of webhooks on loopback, which answers as a test says, and what it received."""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

RESET = "reset"
"""The connection is closed without an answer."""
SILENT = "silent"
"""No answer comes until `Receiver.release`; then none is needed."""
HUGE = "huge"
"""A failure with a body that has no end."""
HALF = "half"
"""A confirmation whose body never comes."""


@dataclass
class Received:
    path: str
    headers: Mapping[str, str]
    body: bytes
    confirmed: bool = False

    @property
    def event(self) -> dict[str, Any]:
        return dict(json.loads(self.body))

    @property
    def position(self) -> int:
        data = self.event["data"]
        return int(data["position"] if "position" in data else data["last"])


@dataclass
class Receiver:
    """`answers` are taken one by one: a status, a status with headers, or what is named above; then 204."""

    port: int = 0
    scheme: str = "http"
    received: list[Received] = field(default_factory=list)
    answers: deque[int | str | tuple[int, Mapping[str, str]]] = field(default_factory=deque)
    released: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}/hooks/path-that-is-a-credential"

    @property
    def positions(self) -> list[int]:
        return [one.position for one in self.received]

    @property
    def confirmed(self) -> list[int]:
        """The positions in the order in which they were confirmed first."""
        return list(dict.fromkeys(one.position for one in self.received if one.confirmed))

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                await self._answer(await _request(reader), writer)
        writer.close()

    async def _answer(self, request: Received, writer: asyncio.StreamWriter) -> None:
        answer = self.answers.popleft() if self.answers else 204
        self.received.append(request)
        if answer == RESET:
            writer.transport.abort()
            raise ConnectionResetError
        if answer == SILENT:
            await self.released.wait()
            answer = 204
        if answer == HALF:
            request.confirmed = True
            writer.write(b"HTTP/1.1 200 X\r\ncontent-length: 1\r\n\r\n")
            await self.released.wait()
            return
        if answer == HUGE:
            writer.write(b"HTTP/1.1 500 X\r\nconnection: close\r\n\r\n")
            while True:
                writer.write(b"x" * 65536)
                await writer.drain()
        status, headers = answer if isinstance(answer, tuple) else (int(answer), {})
        request.confirmed = 200 <= status < 300
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        body = b"" if status == 204 else b"never shown"
        writer.write(f"HTTP/1.1 {status} X\r\n{lines}content-length: {len(body)}\r\n\r\n".encode() + body)
        await writer.drain()


async def _request(reader: asyncio.StreamReader) -> Received:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    first, *lines = head.strip().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return Received(first.split(" ")[1], headers, await reader.readexactly(int(headers["content-length"])))


@contextlib.asynccontextmanager
async def receiving(
    answers: Sequence[int | str | tuple[int, Mapping[str, str]]] = (), tls: ssl.SSLContext | None = None
) -> AsyncIterator[Receiver]:
    receiver = Receiver(scheme="http" if tls is None else "https", answers=deque(answers))
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0, ssl=tls)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        receiver.released.set()
        server.close()


def require_in_order(received: Sequence[Received], first: int = 1) -> None:
    """Each position comes first only after the one before it was confirmed, and none is missing."""
    seen: set[int] = set()
    confirmed = first - 1
    for one in received:
        if one.position not in seen:
            assert one.position == confirmed + 1, [other.position for other in received]
            seen.add(one.position)
        if one.confirmed:
            confirmed = max(confirmed, one.position)
