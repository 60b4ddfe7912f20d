"""Moves: an account takes its row along to another name or host, where the row of another account may still be."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from msgspec.structs import asdict, replace
from psycopg.rows import class_row

from rolecall.domain.accounts.context import AccountRow
from rolecall.domain.engine.states import merged
from rolecall.domain.operations.effects import AccountEffect
from rolecall.domain.operations.model import Holder
from rolecall.store.connection import Pool
from rolecall.store.queries import load
from rolecall.store.recordings import state_json

Key = tuple[str, str]
"""Name and host."""

_SQL = load("accounts")


class _InTheWay(Exception):
    """Another transaction has just written a row at the new place."""


def tombstone(row: AccountRow, now: datetime) -> AccountRow:
    """What is left of the row of an account that was dropped or moved."""
    return AccountRow(row.name, row.host, 0, "", None, now, None, None, row.identity, is_deleted=True)


def is_held(row: AccountRow, holder: Holder) -> bool:
    """Whether the row is as it was when `holder` was read: an account that was moved away may have come back since."""
    return (row.identity, row.applied_order) == (holder.identity, holder.order)


def is_gone(row: AccountRow, order: int) -> bool:
    """Whether a change of that order comes too late: the account was deleted, or moved by a later change.

    Of an account that was moved, the row at its old place keeps the order of the move: it may come back.
    """
    return row.is_deleted and not 0 < row.applied_order < order


def after_move(
    rows: Mapping[Key, AccountRow], effect: AccountEffect, instead_of: Holder | None, now: datetime
) -> Mapping[Key, AccountRow] | None:
    """The rows that the move changes; None if that of another account stands at the new place.

    If the account was moved again or deleted since, what that wrote stays.
    """
    assert effect.moved_from is not None  # noqa: S101 - that makes it a move
    to = effect.name, effect.host
    left, found = rows.get(effect.moved_from), rows.get(to)
    if found is not None and found.identity != effect.identity:
        if instead_of is None or not is_held(found, instead_of):
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
    state = effect.to_record
    for before in (mine, found):
        if before is not None:
            state = merged(before.state, before.identity, before.applied_order, state)
    row = replace(
        base, name=effect.name, host=effect.host, oid=effect.oid, identity=effect.identity, updated_at=now,
        applied_order=max(effect.order, base.applied_order, 0 if found is None else found.applied_order), state=state,
    )  # fmt: skip
    if effect.password_changed and effect.order >= base.password_order:
        row = replace(row, password_updated_at=now, sealed_password=None, password_order=effect.order)
    return {**gone, to: row}


async def record_move(
    pool: Pool, operation_id: UUID, instance_id: int, effect: AccountEffect, instead_of: Holder | None
) -> bool:
    """Whether it was recorded, or was closed already."""
    assert effect.moved_from is not None  # noqa: S101 - that makes it a move
    try:
        async with pool.connection() as connection, connection.transaction():
            now = await connection.value(_SQL["take_up"], {"operation": operation_id})
            if now is None:
                return True
            places = (instance_id, *effect.moved_from, effect.name, effect.host)
            found = await connection.rows(class_row(AccountRow), _SQL["places_of_move"], places)
            rows = {(row.name, row.host): row for row in found}
            changed = after_move(rows, effect, instead_of, now)
            if changed is None:
                return False
            for key, row in changed.items():
                before = rows[key].identity if key in rows else row.identity
                state = None if row.state is None else state_json(row.state)
                values = {**asdict(row), "instance": instance_id, "before": before, "state": state}
                if not await connection.value(_SQL["put"], values):
                    raise _InTheWay
            await connection.execute(_SQL["record_move"], (operation_id,))
    except _InTheWay:
        return False
    return True
