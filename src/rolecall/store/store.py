"""The store as one object: open it, migrate it, use its tables, close it."""

from __future__ import annotations

import secrets

import psycopg
from psycopg import AsyncConnection

from rolecall.store import connection
from rolecall.store.connection import Row
from rolecall.store.instances import InstanceTable
from rolecall.store.keys import KeyTable
from rolecall.store.operations import REPLICA_LOCKS, OperationTable
from rolecall.store.sealed import SealedTable
from rolecall.values import Secret


class Store:
    """`keys`, `instances`, `operations` and `sealed` are its tables. One `Store` is one replica."""

    def __init__(self, dsn: Secret, *, pool_size: int = 8) -> None:
        self._dsn = dsn
        self.replica = secrets.randbelow(2**31 - 1)
        self._durable = connection.make_pool(dsn, name="durable", size=pool_size, durable=True)
        self._quick = connection.make_pool(dsn, name="quick", size=pool_size, durable=False)
        self._alive: AsyncConnection[Row] | None = None
        self.keys = KeyTable(self._durable)
        self.instances = InstanceTable(self._durable)
        self.sealed = SealedTable(self._durable)
        self.operations = OperationTable(self._durable, self._quick, self.replica)

    async def open(self, *, as_replica: bool = False) -> None:
        """Migrate and connect. `as_replica` also takes the lock that tells others this process lives."""
        await connection.migrate(self._dsn)
        await self._durable.open(wait=True, timeout=10.0)
        await self._quick.open(wait=True, timeout=10.0)
        if as_replica:
            await self.stay_alive()

    async def stay_alive(self) -> None:
        """Hold this replica's lock, taking it anew if the connection was lost."""
        try:
            if self._alive is not None:
                await self._alive.execute("select 1")
                return
        except psycopg.Error:
            self._alive = None
        alive = await AsyncConnection.connect(self._dsn.reveal(), autocommit=True)
        await alive.execute("select pg_advisory_lock(%s, %s)", (REPLICA_LOCKS, self.replica))
        self._alive = alive

    async def ping(self) -> None:
        """Raises if the store is out of reach."""
        async with self._durable.connection(timeout=2.0) as one:
            await one.execute("select 1")

    async def clock(self) -> float:
        """Unix time in seconds, by the store's server."""
        async with self._durable.connection() as one:
            row = await (await one.execute("select extract(epoch from clock_timestamp())::float8")).fetchone()
        assert row is not None  # noqa: S101 - a select without from has one row
        return float(row[0])

    async def close(self) -> None:
        if self._alive is not None:
            await self._alive.close()
            self._alive = None
        await self._durable.close()
        await self._quick.close()
