"""A Redis or Valkey that counts calls for several processes. Imported only where one is set: its library is large."""

from __future__ import annotations

import asyncio

from limits.aio.storage import RedisStorage
from redis.asyncio import ConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

_TIMEOUT = 0.5
"""Seconds that a call waits for the shared counts."""

_ERRORS = (RedisError, OSError, TimeoutError)
"""What is raised when the store is out of reach."""


class RateStore:
    """Counts at a Redis URL. `storage` is that of `limits`. A wait of `timeout` seconds, or one
    of `errors`, means that the store is out of reach.
    """

    timeout = _TIMEOUT
    errors = _ERRORS

    def __init__(self, url: str) -> None:
        self._pool = _connections(url)
        self.storage = RedisStorage(
            f"async+{url}",
            implementation="redispy",
            connection_pool=self._pool,  # type: ignore[arg-type]  # passed on; ours so that we can close it
        )

    async def close(self) -> None:
        await self._pool.disconnect()


async def unreachable(url: str) -> str:
    """Why a Redis cannot be reached; empty if it can."""
    pool = _connections(url)
    try:
        async with asyncio.timeout(_TIMEOUT):
            await Redis(connection_pool=pool).ping()
    except _ERRORS as error:
        return str(error) or type(error).__name__
    finally:
        await pool.disconnect()
    return ""


def _connections(url: str) -> ConnectionPool:
    """A pool in which every wait has a timeout and nothing is retried."""
    return ConnectionPool.from_url(
        url, socket_timeout=_TIMEOUT, socket_connect_timeout=_TIMEOUT, retry=Retry(NoBackoff(), 0)
    )
