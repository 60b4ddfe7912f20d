"""Counts of calls, by minute and dialect. They go through the quick pool: a crash loses the last moments."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from psycopg.rows import class_row

from rolecall.domain.maintenance.call_history import CallMinute, Counts
from rolecall.store.connection import Pool
from rolecall.store.queries import load

_SQL = load("call_minutes")


class PgCallMinuteRepository:
    def __init__(self, quick: Pool) -> None:
        self._quick = quick

    async def add_calls(self, minute: datetime, counts: Counts) -> None:
        columns = zip(*((dialect, *numbers) for dialect, numbers in counts.items()), strict=True)
        await self._quick.execute(_SQL["add"], (minute, *map(list, columns)))

    async def calls_since(self, moment: datetime) -> Sequence[CallMinute]:
        return await self._quick.rows(class_row(CallMinute), _SQL["since"], (moment,))

    async def purge_calls(self, before: datetime) -> None:
        await self._quick.execute("delete from call_minutes where minute < %s", (before,))
