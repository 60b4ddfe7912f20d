"""The audit trail: records that are only added, and the chain behind them.

A record is chained moments after its commit, in the order of ids among those that are committed. A transaction that
began before others and commits after them is chained after them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any

from psycopg.rows import class_row, dict_row, kwargs_row, tuple_row
from psycopg.types.json import Jsonb

from rolecall import ambient
from rolecall.domain.operations.audit import (
    HEAD_FACT,
    ChainBroken,
    Entry,
    Head,
    HeadSeal,
    Link,
    Page,
    Row,
    Wanted,
    digest,
)
from rolecall.store.batches import Batches
from rolecall.store.connection import Connection, Pool, Statements
from rolecall.store.queries import load
from rolecall.values import Secret

_SQL = load("audit")

_CHAIN_LOCK = (0x726F6C65, -2)
"""An advisory lock beside those of replicas, whose numbers are never negative; `prune_audit` takes it too."""

_PAGE = 1000

_THOROUGH_EVERY = 300.0
"""Seconds between two looks for records of the last hour that are not chained, the cost of which grows with all records
of that hour. The looks between find those of the last minute: a transaction seldom takes longer."""

_LONGEST_TEXT = 1000
"""Characters."""


class PgAuditRepository:
    """`durable` commits reach the disk; `quick` ones may be lost with the store's server."""

    def __init__(self, durable: Pool, quick: Pool) -> None:
        self._pool = durable
        self._durable = Batches(durable)
        self._quick = Batches(quick)
        self._thorough_at = ambient.monotonic()

    async def note(self, entry: Entry) -> None:
        await self._durable.execute(_SQL["note"], _values(entry))

    async def note_quickly(self, entry: Entry) -> None:
        await self._quick.execute(_SQL["note"], _values(entry))

    async def recent(self, wanted: Wanted, limit: int) -> Sequence[Row]:
        values = {**_conditions(wanted), "limit": limit}
        return (await self._pool.rows(kwargs_row(_row), _SQL["recent"], values))[::-1]

    async def recent_links(self, wanted: Wanted, last: int, limit: int) -> Sequence[Link]:
        values = {**_conditions(wanted), "last": last, "limit": limit}
        return (await self._pool.rows(kwargs_row(_link), _SQL["recent_links"], values))[::-1]

    async def after(self, wanted: Wanted, position: int, limit: int) -> Page | None:
        values = {**_conditions(wanted), "last": position, "limit": limit}
        found = await self._pool.rows(kwargs_row(_place), _SQL["after"], values)
        (first, last, _), *_ = found
        if first is None or last is None:
            return None
        return Page(first, last, [link for _, _, link in found if link is not None])

    async def end(self) -> int:
        return int(await self._pool.value(_SQL["end"]))

    async def chain(self, key: Secret, seal: HeadSeal, known: Head) -> Head | None:
        """All in one transaction, so that the time of the last chaining separates older records from later ones."""
        async with self._pool.connection() as connection, connection.transaction():
            if not await connection.value("select pg_try_advisory_xact_lock(%s, %s)", _CHAIN_LOCK):
                return None
            last = await connection.row(dict_row, _SQL["last_link"])
            head = Head(last["position"], last["digest"]) if last else await _checkpoint(connection)
            await _require_unbroken(connection, seal, head, known)
            begun = head
            thorough = self._thorough_at <= ambient.monotonic()
            horizon = last["horizon" if thorough else "recent"] if last else None
            values = {"horizon": horizon, "seen": 0, "limit": _PAGE}
            while rows := await connection.rows(kwargs_row(_row), _SQL["pending"], values):
                links: list[tuple[int, int, bytes]] = []
                for row in rows:
                    head = Head(head.position + 1, digest(key, head.digest, row))
                    links.append((head.position, row.id, head.digest))
                await connection.execute(
                    _SQL["add_links"], [list(column) for column in zip(*links, strict=True)]
                )
                values["seen"] = rows[-1].id
                if len(rows) < _PAGE:
                    break
            if head != begun:
                await connection.execute(_SQL["set_head"], (HEAD_FACT, seal.seal(head)))
        if thorough:
            self._thorough_at = ambient.monotonic() + _THOROUGH_EVERY
        return head

    async def links(self, after: int) -> AsyncIterator[Sequence[Link]]:
        while page := await self._pool.rows(kwargs_row(_link), _SQL["links"], (after, _PAGE)):
            yield page
            after = page[-1].position

    async def checkpoint(self) -> Head:
        return await _checkpoint(self._pool)

    async def chained(self) -> int:
        """The number of chained records that were not pruned."""
        return int(await self._pool.value("select count(*) from audit_chain"))

    async def kept_head(self) -> bytes | None:
        return await _kept_head(self._pool)

    async def unchained(self) -> tuple[int, Sequence[int]]:
        number, inserted = await self._pool.only(tuple_row, _SQL["unchained"])
        return number, inserted or ()

    async def prune(self, before: datetime) -> int:
        return int(await self._pool.value("select prune_audit(%s)", (before,)))

    async def is_guarded(self) -> bool:
        """Whether the role that is connected can neither change nor remove a record."""
        return bool(await self._pool.value(_SQL["is_guarded"]))


async def _require_unbroken(connection: Connection, seal: HeadSeal, head: Head, known: Head) -> None:
    """ChainBroken. `known` is behind the end if other processes have added to the chain, and may be pruned."""
    kept = await _kept_head(connection)
    if kept is not None and seal.open(kept) != head:
        raise ChainBroken("the chain does not end where it did")
    if kept is None and head.position:
        raise ChainBroken("what was kept of the end of the chain is gone")
    found = await connection.value(_SQL["digest_at"], {"position": known.position})
    pruned = known.position < (await _checkpoint(connection)).position
    if known.position and not pruned and found != known.digest:
        raise ChainBroken("the chain does not hold what it held before")


async def _kept_head(source: Connection | Statements) -> bytes | None:
    head: bytes | None = await source.value("select value from facts where name = %s", (HEAD_FACT,))
    return head


async def _checkpoint(source: Connection | Statements) -> Head:
    return await source.row(class_row(Head), _SQL["checkpoint"]) or Head()


def _values(entry: Entry) -> dict[str, object]:
    return {
        "owner": entry.owner_id, "principal": entry.principal, "key": entry.access_key_id, "dialect": entry.dialect,
        "action": entry.action, "target": _text(entry.target), "outcome": entry.outcome.value,
        "reason": entry.reason, "request": entry.request_id, "client": _text(entry.client),
        "detail": Jsonb(dict(entry.detail)),
    }  # fmt: skip


def _text(value: str) -> str:
    """As much of it as the store takes: a caller may have sent any text."""
    return value[:_LONGEST_TEXT].replace("\0", "").encode("utf-8", "replace").decode()


def _conditions(wanted: Wanted) -> dict[str, object]:
    return {
        "since": wanted.since, "until": wanted.until, "principal": wanted.principal, "action": wanted.action,
        "target": wanted.target, "outcome": wanted.outcome, "request": wanted.request_id,
        "before": wanted.before,
    }  # fmt: skip


def _row(*, at: datetime, **rest: Any) -> Row:
    return Row(at=at.astimezone(UTC), **rest)


def _place(
    *, first: int | None, last: int | None, position: int | None, **link: Any
) -> tuple[int | None, int | None, Link | None]:
    return first, last, None if position is None else _link(position=position, **link)


def _link(*, position: int, audit_id: int, digest: bytes, id: int | None, **record: Any) -> Link:  # noqa: A002 - the column's name
    return Link(position, audit_id, digest, None if id is None else _row(id=id, **record))
