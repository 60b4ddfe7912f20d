"""Whether a pooler stands before the store, and leaves each session a server process of its own.

Rolecall needs that: a process listens for changes, and holds an advisory lock by which it is known to live; statements
are prepared, and settings made, for a session. A pooler in session mode grants it. One in transaction or statement mode
gives the next statement to any process, and must be noticed before anything depends on it.
"""

from __future__ import annotations

from psycopg import errors

from rolecall.exchanges.pools import Pool
from rolecall.exchanges.postgresql import Connection

_PROCESS = "select pg_backend_pid()"

_ROUNDS = 5
"""A busy pooler in transaction mode may by chance return the same process to its client."""


class PoolerMode(Exception):
    """A pooler before the store shares server processes among sessions."""


async def require_own_process(first: Pool, second: Pool) -> None:
    """PoolerMode. Nothing is asked where no pooler is: the server itself tells its process's number at the start."""
    async with first.connection() as one:
        if one.info.backend_pid == one.session:
            return
        async with second.connection() as other:
            for _ in range(_ROUNDS):
                if await _is_shared(one, other) or await _is_shared(other, one):
                    raise PoolerMode(
                        "the store is reached through a pooler that is not in session mode: Rolecall listens for"
                        " changes and holds locks for as long as it runs; set `pool_mode = session` for its database"
                    )


async def _is_shared(one: Connection, other: Connection) -> bool:
    """While another session is in a transaction, a pooler that shares gives it the first one's process."""
    try:
        async with other.transaction():
            theirs = await other.value(_PROCESS)
            return theirs != other.session or theirs == one.session or await _has_moved(one)
    except errors.ProtocolViolation:  # in statement mode there are no transactions
        return True


async def _has_moved(connection: Connection) -> bool:
    return bool(await connection.value(_PROCESS) != connection.session)
