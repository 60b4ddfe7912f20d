"""The last check for drift of each instance."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from rolecall.domain.maintenance.drift_watch import DriftOutcome, DriftReport
from rolecall.store.connection import Pool
from rolecall.store.queries import load
from rolecall.store.turns import DRIFT, turn

_SQL = load("drift")


class PgDriftReportRepository:
    """`rolecall.domain.maintenance.drift_watch.DriftReportRepository`."""

    def __init__(self, durable: Pool) -> None:
        self._pool = durable

    def turn(self) -> AbstractAsyncContextManager[bool]:
        return turn(self._pool, DRIFT)

    async def reports(self, period: int) -> Sequence[DriftReport]:
        return await self._pool.rows(class_row(DriftReport), _SQL["reports"], (period,))

    async def keep(self, instance_id: int, outcome: DriftOutcome | None, reason: str = "") -> None:
        values = {
            "instance": instance_id,
            "checked": outcome is not None,
            "drifted": 0 if outcome is None else outcome.drifted,
            "kinds": Jsonb({} if outcome is None else dict(outcome.kinds or {})),
            "reason": reason,
        }
        await self._pool.execute(_SQL["keep"], values)
