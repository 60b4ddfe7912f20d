"""The audit trail: records that are only added, and the chain behind them.

A record is chained some moments after it was committed, in the order of ids among those that are there. A transaction
that began before others and commits after them is chained after them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import LiteralString

from psycopg import AsyncConnection, AsyncCursor
from psycopg.types.json import Jsonb

from rolecall.domain.operations.audit import (
    HEAD_FACT,
    ChainBroken,
    Entry,
    Head,
    HeadSeal,
    Link,
    Row,
    Wanted,
    digest,
)
from rolecall.store import connection as store
from rolecall.store.batches import Batches
from rolecall.store.connection import Pool
from rolecall.values import Secret

_NOTE = (
    "insert into audit (owner_id, principal, access_key_id, dialect, action, target, outcome, reason, request_id,"
    " client, detail) values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
)

_COLUMNS: LiteralString = (
    "a.id, a.at, a.owner_id, a.principal, a.access_key_id, a.dialect, a.action, a.target, a.outcome, a.reason,"
    " a.request_id, a.client, a.operation, a.detail::text"
)

_WHERE: LiteralString = """
 where (%(since)s::timestamptz is null or a.at >= %(since)s) and (%(until)s::timestamptz is null or a.at < %(until)s)
   and (%(principal)s::bigint is null or a.principal = %(principal)s)
   and (%(action)s = '' or a.action = %(action)s) and (%(target)s = '' or strpos(a.target, %(target)s) > 0)
   and (%(outcome)s = '' or a.outcome = %(outcome)s)
   and (%(request)s = '' or a.request_id = %(request)s)
"""

_CHAIN_LOCK = (0x726F6C65, -2)
"""An advisory lock beside those of replicas, whose numbers are never negative; `prune_audit` takes it too."""

_LONGEST = "interval '1 hour'"
"""Beyond what any transaction that adds a record takes: what is older than the last chaining by more was inserted."""

_LAST = f"select position, digest, chained_at - {_LONGEST} from audit_chain order by position desc limit 1"

_CHECKPOINT = "select position, digest from audit_checkpoints order by position desc limit 1"

_NOT_CHAINED: LiteralString = " not exists (select from audit_chain c where c.audit_id = a.id)"

_PENDING: LiteralString = (
    f"select {_COLUMNS} from audit a where (%s::timestamptz is null or a.at > %s) and a.id > %s and {_NOT_CHAINED}"
    " order by a.id limit %s"
)

_ADD_LINKS = (
    "insert into audit_chain (position, audit_id, digest)"
    " select * from unnest(%s::bigint[], %s::bigint[], %s::bytea[])"
)

_KEEP_HEAD = (
    "insert into facts (name, value) values (%s, %s) on conflict (name) do update set value = excluded.value"
)

_LINKS: LiteralString = (
    f"select c.position, c.audit_id, c.digest, {_COLUMNS} from audit_chain c left join audit a on a.id = c.audit_id"
    " where c.position > %s order by c.position limit %s"
)

_UNCHAINED: LiteralString = (
    "with last as (select max(chained_at) as at from audit_chain)"
    f" select count(*), (array_agg(a.id order by a.id) filter (where a.at <= last.at - interval '1 hour'))[1:10]"
    f" from audit a, last where {_NOT_CHAINED}"
)

_PAGE = 1000
_LONGEST_TEXT = 1000
"""Characters."""


class PgAuditRepository:
    """`durable` commits reach the disk; `quick` ones may be lost with the store's server."""

    def __init__(self, durable: Pool, quick: Pool) -> None:
        self._pool = durable
        self._durable = Batches(durable)
        self._quick = Batches(quick)

    async def note(self, entry: Entry) -> None:
        await self._durable.execute(_NOTE, _values(entry))

    async def note_quickly(self, entry: Entry) -> None:
        await self._quick.execute(_NOTE, _values(entry))

    async def recent(self, wanted: Wanted, limit: int) -> Sequence[Row]:
        query = f"select {_COLUMNS} from audit a {_WHERE} order by a.id desc limit %(limit)s"
        return (await self._rows(query, {**_conditions(wanted), "limit": limit}))[::-1]

    async def after(self, wanted: Wanted, last: int, limit: int) -> Sequence[Row]:
        query = f"select {_COLUMNS} from audit a {_WHERE} and a.id > %(last)s order by a.id limit %(limit)s"
        return await self._rows(query, {**_conditions(wanted), "last": last, "limit": limit})

    async def _rows(self, query: str, values: dict[str, object]) -> list[Row]:
        async with self._pool.connection() as connection:
            return [_row(row) for row in await (await connection.execute(query.encode(), values)).fetchall()]

    async def chain(self, key: Secret, seal: HeadSeal, known: Head) -> Head | None:
        """In one transaction, however much there is, so that the time of the last chaining tells what came later."""
        async with self._pool.connection() as connection, connection.transaction():
            if not await _true(
                await connection.execute("select pg_try_advisory_xact_lock(%s, %s)", _CHAIN_LOCK)
            ):
                return None
            last = await (await connection.execute(_LAST.encode())).fetchone()
            head = Head(last[0], bytes(last[1])) if last else await _checkpoint(connection)
            await _expect_unbroken(connection, seal, head, known)
            begun, horizon, seen = head, last[2] if last else None, 0
            while rows := await (
                await connection.execute(_PENDING, (horizon, horizon, seen, _PAGE))
            ).fetchall():
                links: list[tuple[int, int, bytes]] = []
                for row in map(_row, rows):
                    head = Head(head.position + 1, digest(key, head.digest, row))
                    links.append((head.position, row.id, head.digest))
                await connection.execute(_ADD_LINKS, [list(column) for column in zip(*links, strict=True)])
                seen = links[-1][1]
            if head != begun:
                await connection.execute(_KEEP_HEAD, (HEAD_FACT, seal.seal(head)))
            return head

    async def links(self, after: int) -> AsyncIterator[Sequence[Link]]:
        while True:
            async with self._pool.connection() as connection:
                rows = await (await connection.execute(_LINKS, (after, _PAGE))).fetchall()
            if not rows:
                return
            yield [
                Link(row[0], row[1], bytes(row[2]), None if row[3] is None else _row(row[3:])) for row in rows
            ]
            after = rows[-1][0]

    async def checkpoint(self) -> Head:
        async with self._pool.connection() as connection:
            return await _checkpoint(connection)

    async def kept_head(self) -> bytes | None:
        async with self._pool.connection() as connection:
            return await _kept_head(connection)

    async def unchained(self) -> tuple[int, Sequence[int]]:
        async with self._pool.connection() as connection:
            row = await (await connection.execute(_UNCHAINED)).fetchone()
        assert row is not None  # noqa: S101 - an aggregate has one row
        return row[0], row[1] or ()

    async def prune(self, before: datetime) -> int:
        async with self._pool.connection() as connection:
            row = await (await connection.execute("select prune_audit(%s)", (before,))).fetchone()
        return int(row[0]) if row else 0

    async def is_guarded(self) -> bool:
        """Whether the role that is connected could neither change nor remove a record."""
        async with self._pool.connection() as connection:
            found = await connection.execute(
                "select not (has_table_privilege('audit', 'UPDATE, DELETE, TRUNCATE')"
                " or pg_has_role((select relowner from pg_class where oid = 'audit'::regclass), 'MEMBER'))"
            )
            return await _true(found)


async def _true(cursor: AsyncCursor[store.Row]) -> bool:
    row = await cursor.fetchone()
    return bool(row and row[0])


async def _expect_unbroken(
    connection: AsyncConnection[store.Row], seal: HeadSeal, head: Head, known: Head
) -> None:
    """ChainBroken. `known` is behind the end if other processes have added to the chain, and may be pruned."""
    kept = await _kept_head(connection)
    if kept is not None and seal.open(kept) != head:
        raise ChainBroken("the chain does not end where it did")
    if kept is None and head.position:
        raise ChainBroken("what was kept of the end of the chain is gone")
    row = await (
        await connection.execute(
            "select digest from audit_chain where position = %(position)s union all"
            " select digest from audit_checkpoints where position = %(position)s limit 1",
            {"position": known.position},
        )
    ).fetchone()
    pruned = known.position < (await _checkpoint(connection)).position
    if known.position and not pruned and (row is None or bytes(row[0]) != known.digest):
        raise ChainBroken("the chain does not hold what it held before")


async def _kept_head(connection: AsyncConnection[store.Row]) -> bytes | None:
    row = await (await connection.execute("select value from facts where name = %s", (HEAD_FACT,))).fetchone()
    return None if row is None else bytes(row[0])


async def _checkpoint(connection: AsyncConnection[store.Row]) -> Head:
    row = await (await connection.execute(_CHECKPOINT)).fetchone()
    return Head() if row is None else Head(row[0], bytes(row[1]))


def _values(entry: Entry) -> Sequence[object]:
    return (
        entry.owner_id, entry.principal, entry.access_key_id, entry.dialect, entry.action, _text(entry.target),
        entry.outcome.value, entry.reason, entry.request_id, _text(entry.client), Jsonb(dict(entry.detail)),
    )  # fmt: skip


def _text(value: str) -> str:
    """What the store takes of it: a record is made of whatever was asked for."""
    return value[:_LONGEST_TEXT].replace("\0", "").encode("utf-8", "replace").decode()


def _conditions(wanted: Wanted) -> dict[str, object]:
    return {
        "since": wanted.since, "until": wanted.until, "principal": wanted.principal, "action": wanted.action,
        "target": wanted.target, "outcome": wanted.outcome, "request": wanted.request_id,
    }  # fmt: skip


def _row(row: store.Row) -> Row:
    number, at, *rest = row
    return Row(number, at.astimezone(UTC), *rest)
