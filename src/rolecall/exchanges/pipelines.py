"""Several statements as one message to PostgreSQL, in one transaction: one write, one wait."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from psycopg.abc import Params
from psycopg.abc import QueryNoTemplate as Query
from psycopg.rows import BaseRowFactory

from rolecall.exchanges.postgresql import Statements

Statement = tuple[BaseRowFactory[Any], Query, Params]


async def first_rows(source: Statements, statements: Sequence[Statement]) -> list[Any]:
    """The first row of each statement; None where it has none. If one fails, none is done, and its error is raised."""
    async with source.connection() as connection:
        results = await connection.results(*((query, values) for _, query, values in statements))
        return [
            connection.prepared.row(result, made)
            for (made, _, _), result in zip(statements, results, strict=True)
        ]
