"""Faults in the store, so that all replicas count them together."""

from __future__ import annotations

from collections.abc import Sequence

from psycopg.rows import class_row

from rolecall.domain.maintenance.faults import Fault, NewFault
from rolecall.store.connection import Pool
from rolecall.store.queries import load

_SQL = load("faults")


class PgFaultRepository:
    def __init__(self, durable: Pool) -> None:
        self._durable = durable

    async def add(self, new: NewFault) -> int:
        values = (new.dialect, new.service, new.action, new.code, new.reason.value, new.field, new.after)
        return int(await self._durable.value(_SQL["add"], (*values, new.count)))

    async def faults(self) -> Sequence[Fault]:
        return await self._durable.rows(class_row(Fault), _SQL["all"])

    async def take(self, dialect: str, service: str, action: str) -> Fault | None:
        return await self._durable.row(class_row(Fault), _SQL["take"], (dialect, service, action))

    async def remove(self, faults: Sequence[int] | None) -> int:
        wanted = None if faults is None else list(faults)
        return await self._durable.execute(
            "delete from faults where %s::bigint[] is null or id = any(%s)", (wanted, wanted)
        )
