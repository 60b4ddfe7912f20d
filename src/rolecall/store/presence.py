"""A replica's presence: one connection that tells others it lives, and is told of changes.

It holds an advisory lock on the replica's number for as long as the process runs, so that nobody else takes its
unfinished operations for a dead one's; and it listens for changes of keys and instances, so that what was read may
be remembered until then. While it is not connected, nothing is remembered.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any, Generic, Protocol, TypeVar

import psycopg
import structlog

from rolecall.exchanges import Deadlines
from rolecall.exchanges.postgresql import dial
from rolecall.store.connection import Connection, Pool, connect
from rolecall.values import Secret

_log = structlog.get_logger(__name__)

REPLICA_LOCKS = 0x726F6C65
"""The first half of the advisory locks that live replicas hold: "role"."""

_HEARTBEAT = 2.0
"""Seconds of silence before a sign of life is asked for, and seconds to wait for it: a connection that was lost
without a word is believed for twice as long."""

_PAUSE = 1.0
"""Seconds between attempts to connect again."""

K = TypeVar("K")
V = TypeVar("V")


class Presence:
    def __init__(self, dsn: Secret, replica: int, deadlines: Deadlines) -> None:
        self._dsn = dsn
        self._deadlines = deadlines
        self._replica = replica
        self._connection: Connection | None = None
        self._task: asyncio.Task[None] | None = None
        self._memories: list[Memory[Any, Any]] = []

    @property
    def listening(self) -> bool:
        return self._connection is not None

    def memory(self) -> Memory[Any, Any]:
        """A memory that is cleared at every change, and empty while nobody listens."""
        memory: Memory[Any, Any] = Memory(self)
        self._memories.append(memory)
        return memory

    async def join(self) -> None:
        """Connect, and stay so until `leave`. Raises if the store is out of reach now."""
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
        """The lock is shared: the server may still hold it for a session of ours that was lost without its knowing."""
        connection = await connect(self._dsn)
        try:
            await connection.execute("select pg_advisory_lock_shared(%s, %s)", (REPLICA_LOCKS, self._replica))
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
        async for _ in connection.notifies(timeout=_HEARTBEAT):
            self.forget()
        async with asyncio.timeout(_HEARTBEAT):
            await connection.execute("select 1")

    @contextlib.asynccontextmanager
    async def changing(self, pool: Pool) -> AsyncIterator[Connection]:
        """A transaction that changes what is remembered: this replica does not wait for the word of it."""
        async with pool.connection() as connection, connection.transaction():
            yield connection
        self.forget()

    def forget(self) -> None:
        for memory in self._memories:
            memory.clear()


class Listener(Protocol):
    """Whoever clears its memories at every change, for as long as it is told of them."""

    @property
    def listening(self) -> bool: ...


class Memory(Generic[K, V]):
    """What was read and has not changed since."""

    def __init__(self, presence: Listener, limit: int = 10_000) -> None:
        self._presence = presence
        self._limit = limit
        self._known: dict[K, V] = {}
        self.generation = 0

    def get(self, key: K) -> V | None:
        return self._known.get(key) if self._presence.listening else None

    def keep(self, key: K, value: V, generation: int) -> None:
        """Remember what was read since `generation` was looked at, unless something has changed meanwhile."""
        if self._presence.listening and generation == self.generation:
            if len(self._known) >= self._limit:
                self._known.clear()
            self._known[key] = value

    def clear(self) -> None:
        self.generation += 1
        self._known.clear()
