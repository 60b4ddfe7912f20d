"""Statements that a connection to PostgreSQL prepares once and sends together: one message there, one back.

The driver's cursors read the placeholders of a statement, and set up its conversions, at every execution; in a pipeline
they write to the socket for each statement.
"""

from __future__ import annotations

import itertools
import re
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

import psycopg
from msgspec import Struct
from psycopg import AsyncConnection, sql
from psycopg.abc import Params, PQGen
from psycopg.abc import QueryNoTemplate as Query
from psycopg.adapt import PyFormat, Transformer
from psycopg.generators import execute, fetch_many, send
from psycopg.pq import ConnStatus, ExecStatus
from psycopg.pq.abc import PGresult
from psycopg.rows import BaseRowFactory

_MOST_PREPARED = 200
"""Statements of one connection, by their types. The least recently used makes room, as the server keeps each."""

_MOST_READ = 1000
"""Queries whose placeholders are remembered."""

_DONE = (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK)

_PLACEHOLDER = re.compile(r"%(?:(?P<literal>%)|\((?P<name>\w+)\)s|s)")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Statement:
    """A query with PostgreSQL's own placeholders. `names` in their order, None if values are given in order."""

    text: bytes
    names: tuple[str, ...] | None
    formats: list[PyFormat]

    def values(self, given: Params) -> Sequence[Any]:
        if self.names is None:
            return given  # type: ignore[return-value]  # a sequence, as the query has no names
        return [given[name] for name in self.names]  # type: ignore[call-overload]  # a mapping


_READ: dict[int | str, tuple[Query, _Statement]] = {}
"""By the query itself, or by the identity of one that is made of parts, which is kept with it."""


def read(query: Query) -> _Statement:
    """The placeholders of a query, read once."""
    key = query if isinstance(query, str) else id(query)
    known = _READ.get(key)
    if known is None:
        if len(_READ) >= _MOST_READ:
            _READ.clear()
        known = _READ[key] = query, _read(query)
    return known[1]


def _read(query: Query) -> _Statement:
    text = query.as_string() if isinstance(query, sql.Composable) else query
    text = text.decode() if isinstance(text, bytes) else str(text)
    names: dict[str, int] = {}
    count = 0

    def number(found: re.Match[str]) -> str:
        nonlocal count
        if found["literal"]:
            return "%"
        if found["name"] is not None:
            return f"${names.setdefault(found['name'], len(names) + 1)}"
        count += 1
        return f"${count}"

    numbered = _PLACEHOLDER.sub(number, text).encode()
    if names and count:
        raise psycopg.ProgrammingError("a query has placeholders with and without names")
    return _Statement(numbered, tuple(names) or None, [PyFormat.AUTO] * (len(names) or count))


_Key = tuple[bytes, tuple[int, ...]]
"""A statement's text, and the types of its values: numbers have several."""


class _Message(Struct, frozen=True):
    """A statement with its values, as they are sent."""

    key: _Key
    formats: Sequence[Any]
    values: Sequence[Any]


class _Begun(NamedTuple):
    """What was sent for a statement, beside itself: what prepares it, as `new`, and what replaces another one."""

    new: _Key | None
    replaces: bool


class Prepared:
    """What one connection has prepared."""

    def __init__(self, connection: AsyncConnection[Any]) -> None:
        self._connection = connection
        self._transformer = Transformer(connection)
        self._cursor = connection.cursor()
        self._names: OrderedDict[_Key, bytes] = OrderedDict()
        self._numbers = itertools.count()

    def exchange(self, statements: Sequence[tuple[Query, Params]]) -> PQGen[list[PGresult]]:
        """The result of each statement; all are one transaction, unless there is one already.

        The first that fails is raised, and none has happened.
        """
        messages = [self._message(query, values) for query, values in statements]
        pgconn = self._connection.pgconn
        pgconn.enter_pipeline_mode()
        try:
            begun = [self._send(message) for message in messages]
            pgconn.pipeline_sync()
            yield from send(pgconn)
            results: list[PGresult] = []
            while (found := (yield from fetch_many(pgconn)))[-1].status != ExecStatus.PIPELINE_SYNC:
                results += found
        finally:
            if pgconn.status != ConnStatus.BAD:
                pgconn.exit_pipeline_mode()
        return self._checked(begun, iter(results))

    def forget(self) -> None:
        """The server has deallocated everything."""
        self._names.clear()

    def run(self, script: bytes) -> PQGen[PGresult]:
        """The result of the last of several statements without values; in autocommit all are one transaction."""
        pgconn = self._connection.pgconn
        pgconn.send_query(script)
        results: list[PGresult] = yield from execute(pgconn)
        for result in results:
            if result.status not in _DONE:
                raise psycopg.errors.error_from_result(result, self._connection.info.encoding)
        return results[-1]

    def rows(self, result: PGresult, made: BaseRowFactory[T]) -> list[T]:
        """Every row of a result, as `made` makes them."""
        self._transformer.set_pgresult(result)
        self._cursor.pgresult = result
        return self._transformer.load_rows(0, result.ntuples, made(self._cursor))

    def row(self, result: PGresult, made: BaseRowFactory[T]) -> T | None:
        """The first row, if there is any."""
        if not result.ntuples:
            return None
        self._transformer.set_pgresult(result)
        self._cursor.pgresult = result
        return self._transformer.load_row(0, made(self._cursor))

    def _message(self, query: Query, values: Params) -> _Message:
        statement, transformer = read(query), self._transformer
        dumped = transformer.dump_sequence(statement.values(values), statement.formats)
        return _Message((statement.text, transformer.types or ()), transformer.formats or (), dumped)

    def _send(self, message: _Message) -> _Begun:
        """Send a statement, what prepares it, and what makes room for that."""
        pgconn, key = self._connection.pgconn, message.key
        name = self._names.get(key)
        if name is not None:
            self._names.move_to_end(key)
            pgconn.send_query_prepared(name, message.values, message.formats)
            return _Begun(None, False)
        replaces = len(self._names) >= _MOST_PREPARED
        if replaces:
            _, oldest = self._names.popitem(last=False)
            pgconn.send_query_params(b"DEALLOCATE " + oldest, [])
        name = self._names[key] = f"rolecall_{next(self._numbers)}".encode()
        pgconn.send_prepare(name, *key)
        pgconn.send_query_prepared(name, message.values, message.formats)
        return _Begun(key, replaces)

    def _checked(self, begun: Sequence[_Begun], results: Iterator[PGresult]) -> list[PGresult]:
        """The statements' own results. What follows one that failed was neither prepared nor done."""
        failed: PGresult | None = None
        checked = []
        for key, replaces in begun:
            if replaces:
                next(results)
            if key is not None and (prepared := next(results)).status != ExecStatus.COMMAND_OK:
                failed = failed or prepared
                self._names.pop(key, None)
            result = next(results)
            if result.status not in _DONE:
                failed = failed or result
            checked.append(result)
        if failed is not None:
            raise psycopg.errors.error_from_result(failed, self._connection.info.encoding)
        return checked
