"""A replica of Rolecall at the store: one connection that shows that it lives, and caches that the store invalidates.

The connection holds an advisory lock on the replica's number for as long as the process runs, so that no other replica
takes over its unfinished operations; and it listens for changes of keys and instances, so that what was read may be
cached until then. While it is not connected, nothing is cached.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any, Generic, Protocol, TypeVar

import psycopg
import structlog

from rolecall.exchanges import Deadlines
from rolecall.exchanges.postgresql import NotConnected, dial
from rolecall.store.connection import Connection
from rolecall.store.primary import Primary

_log = structlog.get_logger(__name__)

REPLICA_LOCKS = 0x726F6C65
"""The first half of the advisory locks that live replicas hold: "role"."""

_HEARTBEAT = 2.0
"""Seconds of silence before the connection is probed, and seconds to wait for the answer: a connection that was lost
silently is trusted for twice as long."""

_PAUSE = 1.0
"""Seconds between attempts to connect again."""

K = TypeVar("K")
V = TypeVar("V")


class Replica:
    def __init__(self, primary: Primary, number: int, deadlines: Deadlines) -> None:
        self._primary = primary
        self._deadlines = deadlines
        self._number = number
        self._connection: Connection | None = None
        self._task: asyncio.Task[None] | None = None
        self._caches: list[tuple[frozenset[str], NotifiedCache[Any, Any]]] = []

    @property
    def listening(self) -> bool:
        return self._connection is not None and self._connection.is_current

    def cache(self, *tables: str) -> NotifiedCache[Any, Any]:
        """A cache of what was read from these tables. Their changes clear it; it is empty while the replica does not
        listen. A new row is not always a change (migration 0029): that something is missing must not be cached."""
        cache: NotifiedCache[Any, Any] = NotifiedCache(self)
        self._caches.append((frozenset(tables), cache))
        return cache

    async def join(self) -> None:
        """Connect, and stay connected until `leave`. Raises if the store is out of reach now."""
        await self._connect()
        self._task = asyncio.create_task(self._run())

    async def leave(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        await self._disconnect()

    async def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    async def _connect(self) -> None:
        self._connection = await dial(self._deadlines, self._open)

    async def _open(self) -> Connection:
        """The lock is shared: the server may still hold it for our last session, whose loss it has not noticed."""
        connection = await self._primary.connect()
        try:
            await connection.execute("select pg_advisory_lock_shared(%s, %s)", (REPLICA_LOCKS, self._number))
            await connection.execute("listen rolecall_changes")
        except BaseException:
            await connection.close()
            raise
        return connection

    async def _run(self) -> None:
        while True:
            try:
                if self._connection is None:
                    await self._connect()
                await self._listen()
            except (psycopg.Error, OSError, TimeoutError) as error:
                await self._disconnect()
                self.forget()
                _log.warning("the store is out of reach", error=type(error).__name__)
                await asyncio.sleep(_PAUSE)
            finally:
                self.forget()

    async def _listen(self) -> None:
        connection = self._connection
        assert connection is not None  # noqa: S101 - connected above
        async for notification in connection.notifies(timeout=_HEARTBEAT):
            self.forget(notification.payload)
        async with asyncio.timeout(_HEARTBEAT):
            process = await connection.value("select pg_backend_pid()")
        if process != connection.session or not connection.is_current:
            raise NotConnected("another process of the store answers, or it has another primary")
        self._primary.heard_from(connection)

    def forget(self, *changed: str) -> None:
        """Clear the caches of these tables; all of them if none is named."""
        for tables, cache in self._caches:
            if not changed or not tables.isdisjoint(changed):
                cache.clear()


class Listener(Protocol):
    """Clears its caches at every change, for as long as it is notified of them."""

    @property
    def listening(self) -> bool: ...


class NotifiedCache(Generic[K, V]):
    """Values that were read and have not changed since."""

    def __init__(self, listener: Listener, limit: int = 10_000) -> None:
        self._listener = listener
        self._limit = limit
        self._values: dict[K, V] = {}
        self.generation = 0

    def get(self, key: K) -> V | None:
        return self._values.get(key) if self._listener.listening else None

    async def get_or_read(self, key: K, read: Callable[[], Awaitable[V | None]]) -> V | None:
        """The cached value, or what `read` returns; None is not cached."""
        if (cached := self.get(key)) is not None:
            return cached
        generation = self.generation
        value = await read()
        if value is not None:
            self.put(key, value, generation)
        return value

    def put(self, key: K, value: V, generation: int) -> None:
        """Cache what was read since `generation` was looked at, unless something has changed meanwhile."""
        if self._listener.listening and generation == self.generation:
            if len(self._values) >= self._limit:
                self._values.clear()
            self._values[key] = value

    def clear(self) -> None:
        self.generation += 1
        self._values.clear()
