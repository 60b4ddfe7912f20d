"""HTTP connections, with limits and deadlines that httptools and uvicorn lack.

Every byte of a request's head, chunk extensions and trailers is counted. Trailers never become headers: the headers are
a tuple, taken when the head was complete. A head, a body, a client that reads its answer and an idle connection each
have a deadline. At the limit of connections a new one ends the one whose client has been waited for longest.
"""

from __future__ import annotations

import asyncio
import math
import re
from asyncio.events import TimerHandle
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from rolecall.settings import Settings

LARGEST_HEAD = 512 * 1024
"""Bytes received before the headers of a request are complete.

They may include the first bytes of the body, so this is far above the parser's limit of a request line (64 KB) and a
read from the socket (256 KB) together.
"""

MOST_FIELDS = 256
"""Header fields of one request."""

MOST_PIPELINED = 16
"""Requests of a connection that may wait while an earlier one is answered."""

LARGEST_FRAMING = 64 * 1024
"""Bytes of chunk heads, extensions and trailers in a row, without a byte of the body between them."""

FRAMING_PER_BYTE = 8
"""Such bytes per byte of the body: a chunk of one byte needs five."""

LARGEST_DISCARDED = 40 * 1024 * 1024
"""Bytes of too large a body that are read so that its sender sees the refusal; then the connection ends."""

WHOLE_REPLY = "rolecall.whole_reply"
"""The key, in an ASGI scope, of the function that answers at once: a `WholeReply`."""

WholeReply = Callable[[int, Sequence[tuple[str, str]], bytes], Awaitable[None]]
"""(status, headers, body): sends a complete answer in one write, as two ASGI messages would in two."""

_NOT_IN_HEADERS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")

_SECONDS_TO_CLOSE = 5
"""Time for a client to read what was written before the connection is aborted."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """Limits of a process: the number of connections, and deadlines in seconds."""

    head_seconds: float = 10
    body_seconds: float = 60
    idle_seconds: float = 30
    connections: int = 800


def protocol(settings: Settings) -> Callable[..., asyncio.Protocol]:
    """The protocol factory of uvicorn. It can be pickled, as workers receive it."""
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
        """One timer serves many waits: it is not cancelled when one ends, but looks, when it fires."""
        self._due = math.inf
        """When the client is too slow; by the loop's clock."""
        self._unread: TimerHandle | None = None
        self.waited_since: float | None = None
        """When the wait for this client began, by the loop's clock; None while a request of it is answered."""
        self._begin()

    def _begin(self) -> None:
        """Reset the counters before the first byte of a request."""
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
            other
            for other in self.connections
            if isinstance(other, HttpProtocol) and other is not self and other.may_be_ended()
        ]
        if waited_for:
            min(waited_for, key=lambda other: other.waited_since or 0).cut_off()
        else:
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, "There are too many connections.")

    def may_be_ended(self) -> bool:
        """Whether the connection waits for its client only."""
        return self.waited_since is not None and (self._in_body or not self._answering())

    def _answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        self._set_deadline(None)
        if self._unread is not None:
            self._unread.cancel()
        super().connection_lost(exc)

    def cut_off(self) -> None:
        self._stop_waiting()
        self.transport.abort()

    def _close(self) -> None:
        """Close after the client has read what was written, or after a deadline."""
        self._stop_waiting()
        self.transport.close()
        self._set_deadline(self.loop.call_later(_SECONDS_TO_CLOSE, self.transport.abort))

    def timeout_keep_alive_handler(self) -> None:
        if not self.transport.is_closing():
            self._close()

    # waiting for the client

    def _wait(self, seconds: float) -> None:
        self.waited_since = now = self.loop.time()
        self._due = now + seconds
        if self._deadline is None or self._deadline.when() > self._due:
            self._set_deadline(self.loop.call_at(self._due, self._look))

    def _stop_waiting(self) -> None:
        self.waited_since = None
        self._due = math.inf

    def _set_deadline(self, deadline: TimerHandle | None) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = deadline

    def _look(self) -> None:
        self._deadline = None
        if self.loop.time() >= self._due:
            self._too_slow()
        elif self._due < math.inf:
            self._deadline = self.loop.call_at(self._due, self._look)

    def _too_slow(self) -> None:
        if self.transport.is_closing():
            return
        if not self._in_body and self._answering():
            self.cycle.keep_alive = False  # the earlier request is answered first
        elif self._head or self._in_body:
            self._refuse(HTTPStatus.REQUEST_TIMEOUT, "The request took too long.")
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

    # receiving

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
            self._refuse(HTTPStatus.BAD_REQUEST, "The body has too much data between its chunks.")
        elif self._body > LARGEST_DISCARDED:
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The body of the request is too large.")

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._in_body:  # a trailer
            return
        self._fields += 1
        if self._fields > MOST_FIELDS:
            raise ValueError("too many header fields")  # the parser turns it into an invalid request
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

    # answering

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        cycle.scope[WHOLE_REPLY] = partial(self._reply, cycle)  # type: ignore[literal-required]
        super()._start_asgi_task(cycle, app)

    async def _reply(
        self, cycle: RequestResponseCycle, status: int, headers: Sequence[tuple[str, str]], body: bytes
    ) -> None:
        """What `cycle.send` does with the head and the body of an answer, together."""
        if cycle.flow.write_paused and not cycle.disconnected:
            await cycle.flow.drain()
        if cycle.disconnected:
            return
        if _NOT_IN_HEADERS.search("".join([value for _, value in headers])) is not None:
            raise RuntimeError("a header of the answer has control characters")
        lines = [f"{name}: {value}\r\n" for name, value in headers]
        lines.append(f"content-length: {len(body)}\r\n")
        lines.append("\r\n" if cycle.keep_alive else "connection: close\r\n\r\n")
        head = [b"%b: %b\r\n" % header for header in cycle.default_headers]
        cycle.response_started = True
        cycle.waiting_for_100_continue = False
        without_body = cycle.scope["method"] == "HEAD"
        self.transport.write(
            b"".join(
                [STATUS_LINE[status], *head, "".join(lines).encode("latin-1"), b"" if without_body else body]
            )
        )
        cycle.response_complete = True
        cycle.message_event.set()
        if not cycle.keep_alive:
            self.transport.close()
        cycle.on_response()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.timeout_keep_alive_task is not None:
            self.waited_since = self.loop.time()

    def send_400_response(self, msg: str) -> None:
        self._refuse(HTTPStatus.BAD_REQUEST, msg)

    def _refuse(self, status: HTTPStatus, words: str) -> None:
        """Answer in plain text, since no dialect has seen the request, and close the connection."""
        if self.transport.is_closing():
            return
        head = (
            f"HTTP/1.1 {status.value} {status.phrase}\r\ncontent-type: text/plain; charset=utf-8\r\n"
            f"content-length: {len(words)}\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head.encode("ascii") + words.encode("ascii"))
        self._close()
