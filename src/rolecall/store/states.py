"""What was recorded of the states of accounts, for their comparison with servers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec
from psycopg.rows import class_row, tuple_row

from rolecall.domain.accounts.drift import DatabaseChange, StateRow
from rolecall.domain.accounts.drift_check import OpenChange
from rolecall.domain.engine.pages import AccountPlace
from rolecall.domain.engine.states import Recorded, Value
from rolecall.store.connection import Pool
from rolecall.store.queries import load

_SQL = load("accounts")
_OPERATIONS = load("operations")

_decode = msgspec.json.Decoder(dict[str, tuple[Value, int]]).decode


class PgStateRepository:
    """`rolecall.domain.accounts.drift_check.StateRepository`."""

    def __init__(self, durable: Pool) -> None:
        self._pool = durable

    async def states_at(self, instance_id: int, places: Sequence[AccountPlace]) -> Sequence[StateRow]:
        values = {
            "instance": instance_id,
            "names": [name for name, _ in places],
            "hosts": [host for _, host in places],
        }
        return [_row(*row) for row in await self._pool.rows(tuple_row, _SQL["states_at"], values)]

    async def recorded_places(
        self, instance_id: int, after: AccountPlace | None, limit: int
    ) -> Sequence[AccountPlace]:
        name, host = (None, None) if after is None else after
        values = {"instance": instance_id, "name": name, "host": host, "limit": limit}
        return [
            (name, host) for name, host in await self._pool.rows(tuple_row, _SQL["recorded_places"], values)
        ]

    async def database_changes(self, instance_id: int) -> Sequence[DatabaseChange]:
        return await self._pool.rows(class_row(DatabaseChange), _SQL["database_changes"], (instance_id,))

    async def spans(self, instance_id: int, databases: Sequence[str]) -> Sequence[DatabaseChange]:
        values = {"instance": instance_id, "databases": list(databases)}
        return await self._pool.rows(class_row(DatabaseChange), _SQL["spans"], values)

    async def role_changes(self, instance_id: int, names: Sequence[str]) -> Sequence[DatabaseChange]:
        return await self._pool.rows(
            class_row(DatabaseChange), _SQL["role_changes"], (instance_id, list(names))
        )

    async def open_changes(self, instance_id: int) -> Sequence[OpenChange]:
        return await self._pool.rows(class_row(OpenChange), _OPERATIONS["open_changes"], (instance_id,))


def _row(
    name: str,
    host: str,
    identity: str,
    created_at: datetime | None,
    applied_order: int,
    state: str | None,
) -> StateRow:
    kept: Recorded | None = None if state is None else _decode(state)
    return StateRow(name, host, identity, created_at, applied_order, kept)
