"""Statements as spans: by their names, or by their kinds, which are a closed list; never by their texts or values."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, ClassVar, LiteralString, TypeVar

from psycopg import AsyncTransaction, sql
from psycopg.abc import Params
from psycopg.abc import QueryNoTemplate as Query
from psycopg.pq.abc import PGresult
from psycopg.rows import BaseRowFactory

from rolecall.exchanges.postgresql import Connection, Row
from rolecall.spans import Value, span

T = TypeVar("T")

POSTGRESQL: Mapping[str, Value] = {"db.system.name": "postgresql"}

_KINDS = frozenset(
    f"{verb} {what}"
    for verb in ("ALTER", "CREATE", "DROP")
    for what in ("DATABASE", "DEFAULT", "OWNED", "ROLE", "SCHEMA", "TABLE", "USER")
) | {
    "BEGIN", "CALL", "COMMENT", "COMMIT", "COPY", "DELETE", "DO", "FLUSH", "GRANT", "INSERT", "LISTEN", "LOCK",
    "NOTIFY", "REASSIGN", "REVOKE", "ROLLBACK", "SELECT", "SET", "SHOW", "START", "TRUNCATE", "UPDATE", "WITH",
}  # fmt: skip
"""Of statements: their first word, or two."""

OTHER = "other"

_HEAD = 60
"""Characters of a statement in which its kind is."""


class Named(sql.SQL):
    """A statement with a name, such as ``operations.accept``."""

    def __init__(self, text: LiteralString, name: str) -> None:
        super().__init__(text)
        self.name = name


def kind_of(text: str) -> str:
    """The kind of a statement; of several, that of the first."""
    words = text[:_HEAD].upper().replace(";", " ").split()[:2]
    both = " ".join(words)
    if both in _KINDS:
        return both
    return words[0] if words and words[0] in _KINDS else OTHER


def name_of(query: Query) -> str:
    if isinstance(query, Named):
        return query.name
    if isinstance(query, sql.Composable):
        return kind_of(query.as_string())
    return kind_of(query[:_HEAD].decode("utf-8", "replace") if isinstance(query, bytes) else query)


def statement(side: str, query: Query, count: int = 1) -> span:
    """The span of a statement, or of several that are sent together, of which `query` is the first."""
    name = name_of(query)
    attributes: dict[str, Value] = {**POSTGRESQL, "db.query.summary": name}
    if count > 1:
        attributes["db.operation.batch.size"] = count
    return span(f"{side} {name}", attributes)


class TracedConnection(Connection):
    """With a span around each statement, below the span of the task that sends it."""

    side: ClassVar[str] = "store"

    async def rows(self, made: BaseRowFactory[T], query: Query, values: Params | None = None) -> list[T]:
        if values is not None:  # by `results`
            return await super().rows(made, query, values)
        with statement(self.side, query):
            return await super().rows(made, query)

    async def row(self, made: BaseRowFactory[T], query: Query, values: Params | None = None) -> T | None:
        if values is not None:
            return await super().row(made, query, values)
        with statement(self.side, query):
            return await super().row(made, query)

    async def results(self, *statements: tuple[Query, Params]) -> list[PGresult]:
        with statement(self.side, statements[0][0], len(statements)):
            return await super().results(*statements)

    async def last_row(self, script: bytes) -> Row | None:
        with statement(self.side, script):
            return await super().last_row(script)

    async def execute(self, query: Any, *given: Any, **named: Any) -> Any:
        with statement(self.side, query):
            return await super().execute(query, *given, **named)

    @asynccontextmanager
    async def transaction(self, *given: Any, **named: Any) -> AsyncIterator[AsyncTransaction]:
        with span(f"{self.side} transaction", POSTGRESQL):
            async with super().transaction(*given, **named) as transaction:
                yield transaction


class TracedServerConnection(TracedConnection):
    """To a server whose accounts are managed."""

    side = "server"
