"""Several statements as one message to PostgreSQL, in one transaction: one write, one wait.

The driver's own pipeline writes each statement by itself, and waits for the socket before each.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg.abc import Params, PQGen
from psycopg.abc import QueryNoTemplate as Query
from psycopg.generators import send
from psycopg.rows import BaseRowFactory

from rolecall.exchanges.postgresql import Connection, Statements

Statement = tuple[BaseRowFactory[Any], Query, Params]
Cursor = psycopg.AsyncCursor[Any]


async def execute_all(connection: Connection, statements: Sequence[Statement]) -> list[Cursor]:
    """A cursor for each statement. If one fails, none is done, and its error is raised.

    The connection is in autocommit and outside of a transaction. The server ends the transaction behind the last.
    """
    cursors = [connection.cursor(row_factory=made) for made, _, _ in statements]
    async with connection.lock:
        await connection.wait(_execute_all(connection, cursors, statements))
    return cursors


async def first_rows(source: Statements, statements: Sequence[Statement]) -> list[Any]:
    """The first row of each statement; None where it has none."""
    async with source.connection() as connection:
        if len(statements) == 1:
            made, query, values = statements[0]
            return [await _first_row(await connection.cursor(row_factory=made).execute(query, values))]
        return [await _first_row(cursor) for cursor in await execute_all(connection, statements)]


async def _first_row(cursor: Cursor) -> Any:
    return await cursor.fetchone() if cursor.pgresult is not None and cursor.pgresult.ntuples else None


def _execute_all(
    connection: Connection, cursors: Sequence[Cursor], statements: Sequence[Statement]
) -> PQGen[None]:
    """As `AsyncCursor.execute` does it within a pipeline, but everything is written before anything is waited for."""
    converted = []
    for cursor, (_, query, values) in zip(cursors, statements, strict=True):
        yield from cursor._start_query(query)
        converted.append(
            cursor._convert_query(query, values)
        )  # what cannot be converted fails before any is sent
    pipeline = connection._pipeline = psycopg.AsyncPipeline(connection)
    try:
        yield from pipeline._enter_gen()
        try:
            for cursor, one in zip(cursors, converted, strict=True):
                yield from cursor._maybe_prepare_gen(one)
            pipeline._enqueue_sync()
            for command in pipeline.command_queue:
                command()
            yield from send(connection.pgconn)
            yield from pipeline._fetch_gen(flush=False)
        finally:
            pipeline._exit(None)
    except psycopg.Error:
        # Behind the error nothing was prepared that the driver believes to be.
        connection._prepared.clear()
        raise
    finally:
        connection._pipeline = None
    yield from connection._prepared.maintain_gen(connection)
