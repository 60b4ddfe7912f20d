"""HTTP connections: what httptools and uvicorn would take without end is counted here, and what comes late is ended.

Of a request's head, its chunk extensions and its trailers every byte is counted. Trailers never become headers: those
are a tuple, taken when the head was complete. A head, a body and a client that reads its answer each have a deadline;
so has a connection on which nothing happens. Where there are as many connections as may be, a new one ends the one
whose client has been waited for longest.
"""

from __future__ import annotations

import asyncio
from asyncio.events import TimerHandle
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from rolecall.settings import Settings

LARGEST_HEAD = 512 * 1024
"""Bytes that may come before a request's headers are complete.

Bytes are counted as they come, so the first ones of the body may be among them: this is far above what the parser
takes as a request line (64 KB) and a read from the socket (256 KB) together.
"""

MOST_FIELDS = 256
"""Header fields of one request."""

MOST_PIPELINED = 16
"""Requests of one connection that may wait while the one before them is answered."""

LARGEST_FRAMING = 64 * 1024
"""Bytes of chunk heads, extensions and trailers that may come in a row, without a byte of the body between them."""

FRAMING_PER_BYTE = 8
"""How many of them there may be for each byte of the body: a chunk of one byte needs five."""

LARGEST_DISCARDED = 40 * 1024 * 1024
"""Bytes of a body that is too large which are read so that its sender sees the refusal; then the connection ends."""

_SECONDS_TO_CLOSE = 5
"""Given to a client to read what was written before the connection is cut off."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """Of one process. `connections` is their number; the others are seconds."""

    head_seconds: float = 10
    body_seconds: float = 60
    idle_seconds: float = 30
    connections: int = 800


def protocol(settings: Settings) -> Callable[..., asyncio.Protocol]:
    """What uvicorn makes of each connection. It can be pickled: workers are given it."""
    bounds = Bounds(settings.head_seconds, settings.body_seconds, settings.idle_seconds, settings.connections)
    return partial(HttpProtocol, bounds=bounds)


class HttpProtocol(HttpToolsProtocol):
    """One connection."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        bounds: Bounds,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.timeout_keep_alive = bounds.idle_seconds  # type: ignore[assignment]  # handed to call_later only
        self._bounds = bounds
        self._deadline: TimerHandle | None = None
        self._unread: TimerHandle | None = None
        self.waited_since: float | None = None
        """When the wait for this client began, by the loop's clock; None while an answer is made for it."""
        self._begin()

    def _begin(self) -> None:
        """Before a request's first byte."""
        self._in_body = False
        self._head = 0
        self._fields = 0
        self._body = 0
        self._framing = 0
        self._in_a_row = 0

    # the connection

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait(self._bounds.head_seconds)
        if len(self.connections) > self._bounds.connections:
            self._make_room()

    def _make_room(self) -> None:
        waited_for = [
            one
            for one in self.connections
            if isinstance(one, HttpProtocol) and one is not self and one.may_be_ended()
        ]
        if waited_for:
            min(waited_for, key=lambda one: one.waited_since or 0).cut_off()
        else:
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, "There are too many connections.")

    def may_be_ended(self) -> bool:
        """Whether nothing is waited for but the client."""
        return self.waited_since is not None and (self._in_body or not self._answering())

    def _answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        if self._unread is not None:
            self._unread.cancel()
        super().connection_lost(exc)

    def cut_off(self) -> None:
        self._stop_waiting()
        self.transport.abort()

    def _close(self) -> None:
        """What was written may still be read, but not forever."""
        self._stop_waiting()
        self.transport.close()
        self._deadline = self.loop.call_later(_SECONDS_TO_CLOSE, self.transport.abort)

    def timeout_keep_alive_handler(self) -> None:
        if not self.transport.is_closing():
            self._close()

    # waiting for the client

    def _wait(self, seconds: float) -> None:
        self._stop_waiting()
        self.waited_since = self.loop.time()
        self._deadline = self.loop.call_later(seconds, self._too_slow)

    def _stop_waiting(self) -> None:
        self.waited_since = None
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _too_slow(self) -> None:
        if self.transport.is_closing():
            return
        if not self._in_body and self._answering():
            self.cycle.keep_alive = False  # the answer to the request before it comes first
        elif self._head or self._in_body:
            self._refuse(HTTPStatus.REQUEST_TIMEOUT, "The request did not come in time.")
        else:
            self._close()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._unread = self.loop.call_later(self._bounds.body_seconds, self.cut_off)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    # what comes

    def data_received(self, data: bytes) -> None:
        if self._in_body:
            self._framing += len(data)
            self._in_a_row += len(data)
        else:
            if self.waited_since is None or self._head == 0:
                self._wait(self._bounds.head_seconds)
            self._head += len(data)
            if self._head > LARGEST_HEAD:
                self._refuse(HTTPStatus.BAD_REQUEST, "The head of the request is too large.")
                return
        super().data_received(data)
        if self.transport.is_closing() or not self._in_body:
            return
        if (
            self._in_a_row > LARGEST_FRAMING
            or self._framing > LARGEST_FRAMING + FRAMING_PER_BYTE * self._body
        ):
            self._refuse(HTTPStatus.BAD_REQUEST, "There is too much between the chunks of the body.")
        elif self._body > LARGEST_DISCARDED:
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The body of the request is too large.")

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._in_body:  # a trailer
            return
        self._fields += 1
        if self._fields > MOST_FIELDS:
            raise ValueError("too many header fields")  # the parser makes it an invalid request
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self.scope["headers"] = tuple(self.headers)
        self._in_body = True
        self._wait(self._bounds.body_seconds)
        if len(self.pipeline) >= MOST_PIPELINED:
            raise ValueError("too many requests at once")
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._body += len(body)
        self._framing -= len(body)
        self._in_a_row = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._begin()
        self._stop_waiting()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.timeout_keep_alive_task is not None:
            self.waited_since = self.loop.time()

    def send_400_response(self, msg: str) -> None:
        self._refuse(HTTPStatus.BAD_REQUEST, msg)

    def _refuse(self, status: HTTPStatus, words: str) -> None:
        """Answer in plain text, for no dialect has seen the request, and end the connection."""
        if self.transport.is_closing():
            return
        head = (
            f"HTTP/1.1 {status.value} {status.phrase}\r\ncontent-type: text/plain; charset=utf-8\r\n"
            f"content-length: {len(words)}\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head.encode("ascii") + words.encode("ascii"))
        self._close()
