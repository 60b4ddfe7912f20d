"""Turns: what only one replica does at a time, such as replacing passwords."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from rolecall.store.connection import Pool

_CLASS = 0x726F6C65
"""Of advisory locks: beside those of replicas, whose numbers are never negative."""

ROTATION, DRIFT = -1, -2


@asynccontextmanager
async def turn(pool: Pool, what: int) -> AsyncIterator[bool]:
    """Whether it is this process's turn. The lock is of the connection: if that is lost, so is the turn."""
    async with pool.connection() as connection:
        mine = bool(await connection.value("select pg_try_advisory_lock(%s, %s)", (_CLASS, what)))
        try:
            yield mine
        finally:
            if mine and not connection.broken:
                await connection.execute("select pg_advisory_unlock(%s, %s)", (_CLASS, what))
