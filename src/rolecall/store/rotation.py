"""Which managed passwords are due for replacement, and how the last replacement went."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from rolecall.domain.access.keys import Owner
from rolecall.domain.accounts.ports import Due, Rotated
from rolecall.store.connection import Pool

_ROTATION_LOCK = (0x726F6C65, -1)
"""An advisory lock beside those of replicas, whose numbers are never negative."""

_DUE = (
    "select o.id, o.number, o.app_id, a.instance_id, a.name, a.host from accounts a"
    " join instances i on i.id = a.instance_id join owners o on o.id = i.owner_id"
    " where a.sealed_password is not null"
    " and coalesce(a.password_updated_at, a.created_at, a.updated_at) <= now() - make_interval(secs => %s)"
    " order by coalesce(a.password_updated_at, a.created_at, a.updated_at)"
)

_LAST = (
    "select extract(epoch from closed_at - accepted_at) * 1000, state, reason from operations"
    " where instance_id = %s and target = %s and closed_at is not null and (kind = 'account.manage'"
    " or (kind = 'account.create' and detail -> 'managed' = 'true')) order by accepted_at desc limit 1"
)


class PgRotationRepository:
    def __init__(self, durable: Pool) -> None:
        self._pool = durable

    def turn(self) -> AbstractAsyncContextManager[bool]:
        return self._turn()

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[bool]:
        """The lock is of the connection: if that is lost, so is the turn."""
        async with self._pool.connection() as connection:
            row = await (
                await connection.execute("select pg_try_advisory_lock(%s, %s)", _ROTATION_LOCK)
            ).fetchone()
            mine = bool(row and row[0])
            try:
                yield mine
            finally:
                if mine and not connection.broken:
                    await connection.execute("select pg_advisory_unlock(%s, %s)", _ROTATION_LOCK)

    async def due(self, period: int) -> Sequence[Due]:
        async with self._pool.connection() as connection:
            rows = await (await connection.execute(_DUE, (period,))).fetchall()
        return [Due(Owner(*row[:3]), *row[3:]) for row in rows]

    async def last_rotation(self, instance_id: int, account: str) -> Rotated:
        async with self._pool.connection() as connection:
            row = await (await connection.execute(_LAST, (instance_id, account))).fetchone()
        if row is None:
            return Rotated()
        milliseconds, state, reason = row
        return Rotated(max(int(milliseconds), 0), state == "recorded", reason)
