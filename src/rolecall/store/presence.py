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
from psycopg import AsyncConnection

from rolecall.store.connection import Pool, Row
from rolecall.values import Secret

_log = structlog.get_logger(__name__)

REPLICA_LOCKS = 0x726F6C65
"""The first half of the advisory locks that live replicas hold: "role"."""

_HEARTBEAT = 2.0
"""Seconds of silence before a sign of life is asked for, and seconds to wait for it: a connection that was lost
without a word is believed for twice as long."""

K = TypeVar("K")
V = TypeVar("V")


class Presence:
    def __init__(self, dsn: Secret, replica: int) -> None:
        self._dsn = dsn
        self._replica = replica
        self._connection: AsyncConnection[Row] | None = None
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
        if self._connection is not None:
            await self._connection.close()
            self._connection = None

    async def _connect(self) -> None:
        connection = await AsyncConnection.connect(self._dsn.reveal(), autocommit=True)
        await connection.execute("select pg_advisory_lock(%s, %s)", (REPLICA_LOCKS, self._replica))
        await connection.execute("listen rolecall_changes")
        self._connection = connection

    async def _run(self) -> None:
        while True:
            try:
                if self._connection is None:
                    await self._connect()
                await self._listen()
            except (psycopg.Error, OSError, TimeoutError) as trouble:
                self._connection = None
                _log.warning("the store is out of reach", trouble=type(trouble).__name__)
                await asyncio.sleep(1.0)
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
    async def changing(self, pool: Pool) -> AsyncIterator[AsyncConnection[Row]]:
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
