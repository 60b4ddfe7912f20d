"""The socket of a connection, registered with the event loop once, and not for each wait."""

from __future__ import annotations

import asyncio
import os
import select
import socket

from psycopg.waiting import Ready, Wait

_READABLE = select.POLLIN | select.POLLHUP | select.POLLERR


class Wire:
    """A duplicate of the driver's descriptor: the driver closes its own as soon as the server is lost, and a loop must
    not watch a descriptor that is closed, or that is another's by then.
    """

    def __init__(self, descriptor: int, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._socket = socket.socket(fileno=os.dup(descriptor))
        self._poll = select.poll()
        self._poll.register(self._socket, select.POLLIN | select.POLLOUT)
        self._waiter: asyncio.Future[None] | None = None
        self._is_registered = False

    @property
    def is_readable(self) -> bool:
        """Whether the server has sent something that was not read, or has closed the connection."""
        return bool(self._now() & Ready.R)

    async def ready(self, wanted: int) -> int:
        """Wait until it can be read or written, as `wanted`. 0 after a wake-up for another reason."""
        if not wanted & Wait.W:
            await self._woken()
            return Ready.R
        # It is nearly always writable, and a poll is cheaper than a turn of the loop.
        if found := self._now() & wanted:
            return found
        self._loop.add_writer(self._socket, self.wake)
        try:
            await self._woken()
        finally:
            self._loop.remove_writer(self._socket)
        return self._now() & wanted

    def wake(self) -> None:
        """End the wait that is under way, if there is one."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def close(self) -> None:
        self._unregister()
        self._socket.close()
        self.wake()

    async def _woken(self) -> None:
        if not self._is_registered:
            self._loop.add_reader(self._socket, self._on_readable)
            self._is_registered = True
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _on_readable(self) -> None:
        if self._waiter is not None:
            self.wake()
        elif self.is_readable:  # the loop would call again and again; it may have called before all was read
            self._unregister()

    def _unregister(self) -> None:
        if self._is_registered:
            self._loop.remove_reader(self._socket)
            self._is_registered = False

    def _now(self) -> int:
        events = next((events for _, events in self._poll.poll(0)), 0)
        return (Ready.R if events & _READABLE else 0) | (Ready.W if events & select.POLLOUT else 0)
