"""A TCP proxy of the suite's own, between Rolecall and a server: it can fall silent, refuse, reset, and be slow.

It runs in a thread with a loop of its own, so that tests of any kind can use it, also while their own loop is busy.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Coroutine, Iterator
from enum import Enum, auto
from typing import Any, TypeVar

T = TypeVar("T")

_CHUNK = 65536


class Way(Enum):
    """How bytes are treated."""

    PASS = auto()
    SWALLOW = auto()
    """Read, so that TCP acknowledges them, and thrown away."""
    HOLD = auto()
    """Kept, and passed on once that is the way again: a server that is stopped for a while."""


class Proxy:
    """Listens on `port` of the loopback, and leads to `host` and `target`.

    A connection on which bytes were swallowed stays dead after the fault has ended, as real ones do: it neither passes
    anything nor ends.
    """

    def __init__(self, host: str, target: int) -> None:
        self._target = (host, target)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._lines: set[_Line] = set()
        self._server: asyncio.Server | None = None
        self.port = 0
        self.to_server = self.to_client = Way.PASS
        self.resets = False
        self.delay = 0.0
        self.accepted = 0
        """Connections that were taken, whatever became of them."""
        self.swallowed = 0
        """Pieces that were thrown away."""

    def start(self) -> None:
        self._thread.start()
        self._run(self._listen())

    def stop(self) -> None:
        self._run(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def silence(self, *, to_server: bool = True, to_client: bool = True) -> None:
        """Swallow everything, in both directions or one. New connections are taken, and as silent."""
        self.to_server = Way.SWALLOW if to_server else Way.PASS
        self.to_client = Way.SWALLOW if to_client else Way.PASS

    def hang(self) -> None:
        """Pass nothing on until the way is clear again; then all of it."""
        self.to_server = self.to_client = Way.HOLD

    def slow(self, seconds: float) -> None:
        """Keep every piece back for a while."""
        self.delay = seconds

    def reset(self) -> None:
        """End what there is, and whatever comes, with RST."""
        self.resets = True
        self._run(self._end_all())

    def refuse(self) -> None:
        """End what there is, and listen no more."""
        self._run(self._close())

    def heal(self) -> None:
        """The fault has ended."""
        self.to_server = self.to_client = Way.PASS
        self.resets, self.delay = False, 0.0
        if self._server is None:
            self._run(self._listen())

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        await self._end_all()

    async def _end_all(self) -> None:
        lines = tuple(self._lines)
        for line in lines:
            line.task.cancel()
        await asyncio.gather(*(line.task for line in lines), return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        if self.resets:
            _reset(writer)
            return
        task = asyncio.current_task()
        assert task is not None
        line = _Line(self, task)
        self._lines.add(line)
        try:
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await line.lead(reader, writer, *self._target)
        finally:
            self._lines.discard(line)
            _reset(writer)


class _Line:
    """One connection."""

    def __init__(self, proxy: Proxy, task: asyncio.Task[Any]) -> None:
        self._proxy = proxy
        self.task = task

    async def lead(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str, port: int
    ) -> None:
        there_reader, there_writer = await asyncio.open_connection(host, port)
        try:
            pumps = [
                asyncio.create_task(self._pump(reader, there_writer, "to_server")),
                asyncio.create_task(self._pump(there_reader, writer, "to_client")),
            ]
            try:
                await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for pump in pumps:
                    pump.cancel()
                await asyncio.gather(*pumps, return_exceptions=True)
        finally:
            there_writer.transport.abort()

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, direction: str) -> None:
        """Until the source ends. Where something was swallowed, its end is not heard of on the other side either."""
        is_dead = False
        while True:
            data = await source.read(_CHUNK)
            while (way := getattr(self._proxy, direction)) is Way.HOLD:
                await asyncio.sleep(0.01)
            is_dead = is_dead or way is Way.SWALLOW
            if is_dead:
                if not data:
                    await asyncio.Event().wait()
                self._proxy.swallowed += 1
                continue
            if not data:
                return
            if self._proxy.delay:
                await asyncio.sleep(self._proxy.delay)
            sink.write(data)
            await sink.drain()


def _reset(writer: asyncio.StreamWriter) -> None:
    connection = writer.get_extra_info("socket")
    if connection is not None and connection.fileno() >= 0:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


@contextlib.contextmanager
def proxy_to(host: str, port: int) -> Iterator[Proxy]:
    proxy = Proxy(host, port)
    proxy.start()
    try:
        yield proxy
    finally:
        proxy.stop()
