"""Moves: an account takes its row along to another name or host, where the row of another may still be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from rolecall.domain.accounts.context import AccountRow
from rolecall.domain.operations.model import AccountEffect
from rolecall.store.connection import Pool, Row
from rolecall.store.recordings import TAKEN_UP

Key = tuple[str, str]
"""Name and host."""

COLUMNS = (
    "name, host, engine_oid, remark, created_at, updated_at, password_updated_at, sealed_password, identity,"
    " remark_order, password_order, applied_order, deleted"
)
"""What an `AccountRow` is made of."""

_TAKE_UP = f"select from operations where {TAKEN_UP}"

_ROWS = (
    f"select {COLUMNS} from accounts where instance_id = %s and (name, host) in ((%s, %s), (%s, %s))"
    " order by name, host for update"
)

_PUT = """
insert into accounts as a
       (instance_id, name, host, engine_oid, remark, created_at, updated_at, password_updated_at, sealed_password,
        identity, remark_order, password_order, applied_order, deleted)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
on conflict (instance_id, name, host) do update set
       engine_oid = excluded.engine_oid, remark = excluded.remark, created_at = excluded.created_at,
       updated_at = excluded.updated_at, password_updated_at = excluded.password_updated_at,
       sealed_password = excluded.sealed_password, identity = excluded.identity,
       remark_order = excluded.remark_order, password_order = excluded.password_order,
       applied_order = excluded.applied_order, deleted = excluded.deleted
 where a.identity = %s
returning 1
"""

_RECORDED = (
    "update operations set state = 'recorded', reason = '', note = '', closed_at = now(), sealed = null"
    " where id = %s"
)


class _InTheWay(Exception):
    """A row came to stand at the new place a moment ago."""


def tombstone(row: AccountRow, now: datetime) -> AccountRow:
    """What stays of the row of an account that is not there any more."""
    return AccountRow(row.name, row.host, 0, "", None, now, None, None, row.identity, is_deleted=True)


def is_gone(row: AccountRow, order: int) -> bool:
    """Whether a change of that order finds the account away: deleted, or moved by a later change.

    Of an account that was moved, the row at its old place keeps the order of the move: it may come back.
    """
    return row.is_deleted and not 0 < row.applied_order < order


def after_move(
    rows: Mapping[Key, AccountRow], effect: AccountEffect, instead_of: str | None, now: datetime
) -> Mapping[Key, AccountRow] | None:
    """The rows that the move changes; None if that of another account stands at the new place.

    Where the account has been moved on or deleted since, what that left stays.
    """
    assert effect.moved_from is not None  # noqa: S101 - that makes it a move
    to = effect.name, effect.host
    left, found = rows.get(effect.moved_from), rows.get(to)
    if found is not None and found.identity != effect.identity:
        if found.identity != instead_of:
            return None
        found = None
    mine = (
        left if left is not None and left.identity in (effect.identity, "") and not left.is_deleted else None
    )
    if mine is not None and mine.applied_order > effect.order:  # moved back since
        return {}
    gone = {}
    if mine is not None:
        left_behind = tombstone(replace(mine, identity=effect.identity), now)
        gone[effect.moved_from] = replace(left_behind, applied_order=effect.order)
    if found is not None and is_gone(found, effect.order):
        return gone
    found = None if found is not None and found.is_deleted else found
    base = mine or found or AccountRow(effect.name, effect.host, effect.oid, "", None, now, None, None)
    if mine is not None and found is not None and found.remark_order > mine.remark_order:
        base = replace(base, remark=found.remark, remark_order=found.remark_order)
    row = replace(
        base, name=effect.name, host=effect.host, oid=effect.oid, identity=effect.identity, updated_at=now,
        applied_order=max(effect.order, base.applied_order, 0 if found is None else found.applied_order),
    )  # fmt: skip
    if effect.password_changed and effect.order >= base.password_order:
        row = replace(row, password_updated_at=now, sealed_password=None, password_order=effect.order)
    return {**gone, to: row}


async def record_move(
    pool: Pool, operation_id: UUID, instance_id: int, effect: AccountEffect, instead_of: str | None
) -> bool:
    """Whether it was recorded, or was closed already."""
    assert effect.moved_from is not None  # noqa: S101 - that makes it a move
    try:
        async with pool.connection() as connection, connection.transaction():
            if (
                await (await connection.execute(_TAKE_UP.encode(), {"operation": operation_id})).fetchone()
                is None
            ):
                return True
            places = (instance_id, *effect.moved_from, effect.name, effect.host)
            found = await (await connection.execute(_ROWS.encode(), places)).fetchall()
            rows = {(row.name, row.host): row for row in map(account_row, found)}
            (now,) = await (await connection.execute("select now()")).fetchone() or (None,)
            assert now is not None  # noqa: S101 - a server knows the time
            changed = after_move(rows, effect, instead_of, now)
            if changed is None:
                return False
            for key, row in changed.items():
                before = rows[key].identity if key in rows else row.identity
                put = await connection.execute(_PUT.encode(), (instance_id, *_values(row), before))
                if await put.fetchone() is None:
                    raise _InTheWay
            await connection.execute(_RECORDED, (operation_id,))
    except _InTheWay:
        return False
    return True


def account_row(row: Row) -> AccountRow:
    """From `COLUMNS`."""
    columns = list(row)
    columns[7] = None if row[7] is None else bytes(row[7])
    return AccountRow(*columns)


def _values(row: AccountRow) -> tuple[object, ...]:
    return (
        row.name, row.host, row.oid, row.remark, row.created_at, row.updated_at, row.password_updated_at,
        row.sealed_password, row.identity, row.remark_order, row.password_order, row.applied_order, row.is_deleted,
    )  # fmt: skip
