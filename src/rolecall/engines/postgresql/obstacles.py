"""Ends sessions that block Rolecall.

A tenant can hold what a change needs: an advisory lock (every role that may connect can take any), the row of its own
role (a transaction that sets its own password), or a prepared transaction with either. A session that holds it, or
waits for it ahead of Rolecall, is ended, unless it is a superuser's or the administrator's. Locks on relations are left
alone: they come from the use of tables, and no change of login waits for one.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from rolecall.domain.reasons import Refused
from rolecall.engines.postgresql.connections import APPLICATION, Connection, Connections

PATIENCE = 1.0
"""Seconds until the first check whether a change is blocked, and between checks."""

_OURS_WAITING: LiteralString = """
    SELECT w.* FROM pg_locks w JOIN pg_stat_activity a ON a.pid = w.pid
    WHERE NOT w.granted AND w.locktype <> 'relation' AND a.usename = current_user AND a.application_name = %(ours)s
"""

_SESSIONS: LiteralString = (
    "WITH waiting AS ("
    + _OURS_WAITING
    + """)
SELECT DISTINCT s.pid
FROM waiting w CROSS JOIN LATERAL unnest(pg_blocking_pids(w.pid)) AS b (pid) JOIN pg_stat_activity s ON s.pid = b.pid
JOIN pg_roles r ON r.oid = s.usesysid
WHERE NOT r.rolsuper AND r.rolname <> current_user
"""
)

# Its lock on its own number identifies the transaction.
_PREPARED: LiteralString = (
    "WITH waiting AS ("
    + _OURS_WAITING
    + """)
SELECT DISTINCT p.gid, p.database::text
FROM waiting w JOIN pg_locks h ON h.granted AND h.pid IS NULL AND h.locktype = w.locktype
 AND (h.database, h.classid, h.objid, h.objsubid) IS NOT DISTINCT FROM (w.database, w.classid, w.objid, w.objsubid)
 AND h.transactionid IS NOT DISTINCT FROM w.transactionid
JOIN pg_locks x ON x.granted AND x.pid IS NULL AND x.locktype = 'transactionid' AND x.mode = 'ExclusiveLock'
 AND x.virtualtransaction = h.virtualtransaction
JOIN pg_prepared_xacts p ON p.transaction = x.transactionid
JOIN pg_roles r ON r.rolname = p.owner
WHERE NOT r.rolsuper AND r.rolname <> current_user
"""
)


class Obstacles:
    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self._turn = asyncio.Lock()

    def cleared(self) -> AbstractAsyncContextManager[None]:
        """A context in which sessions that block those of Rolecall are ended."""
        return _Cleared(self.clear)

    async def clear(self) -> None:
        """End them now and every `PATIENCE` seconds, until cancelled."""
        while True:
            if not self._turn.locked():  # one check covers all sessions of Rolecall
                async with self._turn:
                    # Without a connection, or the right to end sessions, the change waits until its timeout.
                    with contextlib.suppress(psycopg.Error, Refused):
                        await self._end()
            await asyncio.sleep(PATIENCE)

    async def _end(self) -> None:
        async with self._connections.to(self._connections.maintenance) as connection:
            for (pid,) in await _rows(connection, _SESSIONS):
                with contextlib.suppress(psycopg.Error):
                    await connection.execute("SELECT pg_terminate_backend(%s)", (pid,))
            for gid, database in await _rows(connection, _PREPARED):
                await self._roll_back(gid, database)

    async def _roll_back(self, gid: str, database: str) -> None:
        """Only a session in its database can do that."""
        async with self._connections.to(database) as there:
            await there.execute(sql.SQL("ROLLBACK PREPARED {}").format(sql.Literal(gid)))


class _Cleared:
    """Few changes last until the first check: a task is begun for those alone."""

    __slots__ = ("_clear", "_clearing", "_timer")

    def __init__(self, clear: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._clear = clear
        self._clearing: asyncio.Task[None] | None = None

    async def __aenter__(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(PATIENCE, self._begin)

    async def __aexit__(self, _kind: object, _error: object, _trace: object) -> None:
        self._timer.cancel()
        if self._clearing is not None:
            self._clearing.cancel()
            await asyncio.gather(self._clearing, return_exceptions=True)

    def _begin(self) -> None:
        self._clearing = asyncio.create_task(self._clear())


async def _rows(connection: Connection, query: LiteralString) -> list[tuple[Any, ...]]:
    return await (await connection.execute(query, {"ours": APPLICATION})).fetchall()
