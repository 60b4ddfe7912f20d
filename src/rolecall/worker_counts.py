"""The counts of calls of several workers on one machine: a small SQLite file beside their metrics.

Every statement is one transaction, so a worker that is killed leaves no lock. Nothing is synced: the file ends
with the server. Imported only by workers.
"""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

from limits.aio.storage import MovingWindowSupport, Storage

_WAIT = 0.25
"""Seconds that a worker waits for the others' statements, each of which takes microseconds."""

_PURGED_EVERY = 10.0
"""Seconds."""

_TABLES = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = OFF;
CREATE TABLE IF NOT EXISTS fixed (key TEXT PRIMARY KEY, calls INTEGER, ends REAL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS moving (key TEXT, at REAL, calls INTEGER, ends REAL);
CREATE INDEX IF NOT EXISTS moving_by_key ON moving (key, at);
"""
_COUNT = """
INSERT INTO fixed VALUES (:key, :calls, :ends) ON CONFLICT (key) DO UPDATE SET
    calls = excluded.calls + CASE WHEN ends > :now THEN calls ELSE 0 END,
    ends = CASE WHEN ends > :now THEN ends ELSE excluded.ends END
RETURNING calls
"""
_TAKE = """
INSERT INTO moving SELECT :key, :now, :calls, :ends
WHERE :calls + coalesce((SELECT sum(calls) FROM moving WHERE key = :key AND at > :since), 0) <= :most
"""


class WorkerCounts(Storage, MovingWindowSupport):
    """A storage of `limits`, in a directory of the workers. Raises `errors` if the file cannot be used."""

    STORAGE_SCHEME = None
    errors = (sqlite3.Error,)

    def __init__(self, directory: Path) -> None:
        super().__init__()
        self._database = sqlite3.connect(directory / "rates", timeout=_WAIT, isolation_level=None)
        self._database.executescript(_TABLES)
        self._purge_at = 0.0

    @property
    def base_exceptions(self) -> type[Exception] | tuple[type[Exception], ...]:
        return self.errors

    def close(self) -> None:
        self._database.close()

    async def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        now = self._now()
        values = {"key": key, "calls": amount, "ends": now + expiry, "now": now}
        ((calls,),) = self._database.execute(_COUNT, values).fetchall()
        return int(calls)

    async def get(self, key: str) -> int:
        query = "SELECT calls FROM fixed WHERE key = ? AND ends > ?"
        found = self._database.execute(query, (key, time.time())).fetchone()
        return 0 if found is None else int(found[0])

    async def get_expiry(self, key: str) -> float:
        found = self._database.execute("SELECT ends FROM fixed WHERE key = ?", (key,)).fetchone()
        return time.time() if found is None else float(found[0])

    async def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        now = self._now()
        values = {"key": key, "calls": amount, "now": now, "ends": now + expiry, "since": now - expiry}
        return self._database.execute(_TAKE, {**values, "most": limit}).rowcount == 1

    async def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:  # noqa: ARG002
        now = time.time()
        query = "SELECT min(at), sum(calls) FROM moving WHERE key = ? AND at > ?"
        since, calls = self._database.execute(query, (key, now - expiry)).fetchone()
        return (now, 0) if calls is None else (float(since), int(calls))

    async def check(self) -> bool:
        return bool(self._database.execute("SELECT 1").fetchone())

    async def clear(self, key: str) -> None:
        self._database.execute("DELETE FROM fixed WHERE key = ?", (key,))
        self._database.execute("DELETE FROM moving WHERE key = ?", (key,))

    async def reset(self) -> int | None:
        return sum(self._database.execute(f"DELETE FROM {table}").rowcount for table in ("fixed", "moving"))

    def _now(self) -> float:
        """The time; what has ended by then is deleted every few seconds."""
        now = time.time()
        if now >= self._purge_at:
            self._purge_at = now + _PURGED_EVERY
            for table in ("fixed", "moving"):
                self._database.execute(f"DELETE FROM {table} WHERE ends <= ?", (now,))
        return now
