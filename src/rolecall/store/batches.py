"""Statements of several callers in one round trip and one commit: they share the disk's and the network's time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import psycopg
from psycopg.abc import QueryNoTemplate as Query
from psycopg.rows import BaseRowFactory, scalar_row

from rolecall import spans
from rolecall.exchanges.batching import Batcher, Job
from rolecall.exchanges.pipelines import Statement, first_rows
from rolecall.exchanges.traced import statement
from rolecall.store.connection import Pool

Values = Sequence[object] | Mapping[str, object]
_Batch = Sequence[Job[Statement, Any]]

T = TypeVar("T")

_MOST = 64
"""Statements in one batch."""


class Batches:
    """Each statement returns when it is committed, and raises what it would have raised alone.

    `first` precedes the statements of each batch, in the same transaction.
    """

    def __init__(self, pool: Pool, first: Statement | None = None) -> None:
        self._pool = pool
        self._first = () if first is None else (first,)
        self._batcher: Batcher[Statement, Any] = Batcher(self._send, most=_MOST)

    async def execute(self, query: Query, values: Values) -> None:
        await self.value(query, values)

    async def row(self, made: BaseRowFactory[T], query: Query, values: Values) -> T | None:
        """The first row, if there is any."""
        if spans.tracer is not None:
            with statement("store", query):
                return await self._batcher.submit((made, query, values))  # type: ignore[no-any-return]
        found: T | None = await self._batcher.submit((made, query, values))
        return found

    async def value(self, query: Query, values: Values) -> Any:
        """The first column of the first row; None without one."""
        if spans.tracer is not None:
            return await self.row(scalar_row, query, values)
        return await self._batcher.submit((scalar_row, query, values))

    async def _send(self, batch: _Batch) -> None:
        try:
            rows = await first_rows(self._pool, (*self._first, *(job.item for job in batch)))
        except psycopg.Error as error:
            if len(batch) == 1 or _concerns_all(error):
                raise
            for job in batch:  # one statement failed the whole batch: send each by itself
                await self._send_alone(job)
            return
        for job, row in zip(batch, rows[len(self._first) :], strict=True):
            job.finish(row)

    async def _send_alone(self, job: Job[Statement, Any]) -> None:
        try:
            await self._send([job])
        except Exception as error:  # noqa: BLE001 - raised to its caller
            job.fail(error)


def _concerns_all(error: psycopg.Error) -> bool:
    """Whether each statement alone would fail as the batch did: a lock that another session holds makes each wait as
    long, and a connection that was lost, or could not be had, says nothing of any statement."""
    is_lost = isinstance(error, psycopg.OperationalError) and error.sqlstate is None
    return is_lost or isinstance(error, psycopg.errors.LockNotAvailable)
