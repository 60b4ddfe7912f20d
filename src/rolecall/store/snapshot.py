"""The whole store, read in one snapshot while others write; and an empty store filled with it.

Rows travel as `COPY` writes them, table by table, so that neither side holds more than a few. A store is filled in one
transaction: with the schema of the snapshot first, then its rows, then the migrations that this release has more.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import LiteralString

from psycopg import sql
from psycopg.rows import args_row, scalar_row, tuple_row
from psycopg.types.json import Jsonb

from rolecall.exchanges import DEFAULTS, Deadlines
from rolecall.exchanges.postgresql import Connection, dial
from rolecall.store import schema
from rolecall.store.connection import connect
from rolecall.store.queries import load
from rolecall.store.schema import Migration, SchemaMismatch, migrations
from rolecall.store.serving import permit
from rolecall.values import Secret

_SQL = load("snapshot")

NOT_KEPT = frozenset(
    {"authorization_codes", "browser_sessions", "call_minutes", "sign_in_links", "token_grants", "tokens"}
)
"""Tables whose rows are not copied: sign-ins that were ended after the snapshot must not come back with it."""

_BLOCK = 256 * 1024
"""Bytes of rows that are passed on together."""

_PATIENCE = 3600.0
"""Seconds that one statement may take: it copies a table, or builds an index of one."""


class StoreNotEmpty(Exception):
    """A store that is to be filled has tables already."""


@dataclass(frozen=True, slots=True)
class Table:
    """Its columns are those that are written, in their order."""

    name: str
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Shape:
    """The tables of a snapshot, in an order in which foreign keys permit to fill them, and its migrations."""

    migrations: Mapping[int, str]
    tables: Sequence[Table]


class Snapshot:
    def __init__(self, connection: Connection, shape: Shape) -> None:
        self._connection = connection
        self.shape = shape

    async def rows(self, table: Table) -> AsyncIterator[bytes]:
        """Lines in the text format of COPY, many of them at a time: the server sends each by itself."""
        waiting = bytearray()
        async with self._connection.cursor() as cursor, cursor.copy(_copy(table, "to stdout")) as copy:
            async for line in copy:
                waiting += line
                if len(waiting) >= _BLOCK:
                    yield bytes(waiting)
                    waiting.clear()
        if waiting:
            yield bytes(waiting)

    async def sequences(self) -> Mapping[str, int]:
        """The last number of each sequence that was used. To be read after the rows: numbers only grow."""
        return dict(await self._connection.rows(tuple_row, _SQL["sequences"]))


@asynccontextmanager
async def snapshot(dsn: Secret, deadlines: Deadlines = DEFAULTS) -> AsyncIterator[Snapshot]:
    """The store as it is now. Others may write meanwhile."""
    async with await _connected(dsn, deadlines) as connection, connection.transaction():
        await connection.execute("set transaction isolation level repeatable read, read only")
        applied = await connection.rows(
            tuple_row, "select number, digest from rolecall.migrations order by number"
        )
        tables = await connection.rows(args_row(_table), _SQL["tables"])
        references = await connection.rows(tuple_row, _SQL["references"])
        kept = [table for table in tables if table.name not in NOT_KEPT]
        yield Snapshot(connection, Shape(dict(applied), _in_order(kept, references)))


def _table(name: str, columns: Sequence[str]) -> Table:
    return Table(name, tuple(columns))


def _in_order(tables: Sequence[Table], references: Sequence[tuple[str, str]]) -> Sequence[Table]:
    """Each table after those that it refers to."""
    left, ordered = {table.name: table for table in tables}, []
    while left:
        ready = [name for name in left if not any(a == name and b in left and b != a for a, b in references)]
        if not ready:
            raise SchemaMismatch(f"tables refer to one another in a circle: {', '.join(left)}")
        ordered += [left.pop(name) for name in ready]
    return ordered


Rows = Iterator[bytes]
"""The rows of one table, in pieces of any size."""


class Filling:
    """A store that is being filled. `add` takes the tables in the order of the snapshot."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add(self, table: Table, rows: Rows) -> None:
        async with self._connection.cursor() as cursor, cursor.copy(_copy(table, "from stdin")) as copy:
            for piece in rows:
                await copy.write(piece)


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore is recorded with, and the instances whose servers are restored together with the store.

    Promises to those are still carried out.
    """

    client: str
    detail: Mapping[str, object]
    instances: Sequence[int] = ()


@asynccontextmanager
async def filling(
    dsn: Secret,
    shape: Shape,
    sequences: Mapping[str, int],
    restored: Restored,
    *,
    serving: str | None = None,
    deadlines: Deadlines = DEFAULTS,
) -> AsyncIterator[Filling]:
    """An empty store, to be filled within the context; nothing of it stays unless the context ends without an error.

    `serving` is the role that is permitted to serve afterwards. StoreNotEmpty,
    SchemaMismatch.
    """
    before, after = _split(shape)
    async with await _connected(dsn, deadlines) as connection, connection.transaction():
        await schema.lock_schema(connection)
        if await connection.value(_SQL["is_used"]):
            raise StoreNotEmpty
        await schema.make_schema(connection)
        for migration in before:
            await schema.apply(connection, migration)
        names = await connection.rows(scalar_row, _SQL["table_names"])
        for statement in _emptied(names):
            await connection.execute(statement)
        yield Filling(connection)
        for name, last in sequences.items():
            await connection.execute("select setval(%s::regclass, %s)", (f"rolecall.{name}", last))
        for name in names:
            await connection.execute(
                sql.SQL("alter table {} enable trigger user").format(sql.Identifier(name))
            )
        for migration in after:
            await schema.apply(connection, migration)
        await _settle(connection, restored)
        if serving is not None:
            await permit(connection, serving)


def require_known(shape: Shape) -> None:
    """SchemaMismatch unless this release can read a snapshot."""
    _split(shape)


def _split(shape: Shape) -> tuple[list[Migration], list[Migration]]:
    """The migrations that the snapshot has, and those that this release has more. SchemaMismatch."""
    known = {migration.number: migration for migration in migrations()}
    for number, digest in shape.migrations.items():
        if number not in known:
            raise SchemaMismatch(f"the backup was made by a newer release (migration {number})")
        if known[number].digest != digest:
            raise SchemaMismatch(f"migration {known[number].name} differs from the one of the backup")
    listed = sorted(known.values(), key=lambda migration: migration.number)
    return (
        [migration for migration in listed if migration.number in shape.migrations],
        [migration for migration in listed if migration.number not in shape.migrations],
    )


def _emptied(names: Sequence[str]) -> Iterator[sql.Composed]:
    """Without triggers: rows of a snapshot are what triggers have made of them already."""
    for name in names:
        yield sql.SQL("alter table {} disable trigger user").format(sql.Identifier(name))
    tables = sql.SQL(", ").join(map(sql.Identifier, names))
    yield sql.SQL("truncate {}").format(tables)


async def _settle(connection: Connection, restored: Restored) -> None:
    """Write down the restore, and let no promise create an account that may have been deleted since the snapshot.
    Webhooks are paused.

    On servers that were not restored with the store, what was promised is only looked for.
    """
    await connection.execute(_SQL["look_for_promises"], (list(restored.instances),))
    await connection.execute(_SQL["pause_webhooks"])
    await connection.execute(
        _SQL["restored"], {"client": restored.client, "detail": Jsonb(dict(restored.detail))}
    )


def _copy(table: Table, direction: LiteralString) -> sql.Composed:
    return sql.SQL("copy {}.{} ({}) {}").format(
        sql.Identifier("rolecall"),
        sql.Identifier(table.name),
        sql.SQL(", ").join(map(sql.Identifier, table.columns)),
        sql.SQL(direction),
    )


async def _connected(dsn: Secret, deadlines: Deadlines) -> Connection:
    return await dial(replace(deadlines, statement=_PATIENCE), partial(connect, dsn))
