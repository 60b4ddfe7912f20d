"""Which managed passwords are due for replacement, and how the last replacement went."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager

from psycopg.rows import class_row, kwargs_row

from rolecall.domain.access.keys import Owner
from rolecall.domain.accounts.ports import Due, Rotated
from rolecall.store.connection import Pool
from rolecall.store.queries import load
from rolecall.store.turns import ROTATION, turn

_SQL = load("accounts")


class PgRotationRepository:
    def __init__(self, durable: Pool) -> None:
        self._pool = durable

    def turn(self) -> AbstractAsyncContextManager[bool]:
        return turn(self._pool, ROTATION)

    async def due(self, period: int) -> Sequence[Due]:
        return await self._pool.rows(kwargs_row(_due), _SQL["due"], (period,))

    async def last_rotation(self, instance_id: int, account: str) -> Rotated:
        last = await self._pool.row(class_row(Rotated), _SQL["last_rotation"], (instance_id, account))
        return last or Rotated()


def _due(*, owner_id: int, number: int, app_id: int, instance_id: int, name: str, host: str) -> Due:
    return Due(Owner(owner_id, number, app_id), instance_id, name, host)
