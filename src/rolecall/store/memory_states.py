"""`StateRepository` in memory, as `store.states`."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from rolecall.domain.accounts.context import AccountRow
from rolecall.domain.accounts.drift import DatabaseChange, StateRow
from rolecall.domain.accounts.drift_check import OpenChange
from rolecall.domain.engine import NO_DATABASE
from rolecall.domain.engine.pages import AccountPlace
from rolecall.domain.engine.states import MEMBER
from rolecall.domain.operations.effects import DatabaseEffect, effect_of
from rolecall.domain.operations.model import Change, State
from rolecall.store.memory_ledger import Rows

_OF_ROLES = (Change.ACCOUNT_CREATE, Change.ACCOUNT_DELETE)


class MemoryStates:
    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    async def states_at(self, instance_id: int, places: Sequence[AccountPlace]) -> Sequence[StateRow]:
        found = (self._rows.accounts.get((instance_id, *place)) for place in places)
        return [_row(row) for row in found if row is not None and not row.is_deleted]

    async def recorded_places(
        self, instance_id: int, after: AccountPlace | None, limit: int
    ) -> Sequence[AccountPlace]:
        there = sorted(
            key[1:]
            for key, row in self._rows.accounts.items()
            if key[0] == instance_id and not row.is_deleted
        )
        return [place for place in there if after is None or place > after][:limit]

    async def database_changes(self, instance_id: int) -> Sequence[DatabaseChange]:
        return [
            DatabaseChange(database, account, awaited, changed_at)
            for (instance, database, account, awaited), changed_at in self._rows.databases.items()
            if instance == instance_id
        ]

    async def spans(self, instance_id: int, databases: Sequence[str]) -> Sequence[DatabaseChange]:
        found: dict[Hashable, DatabaseChange] = {}
        for each in (kept.operation for kept in self._rows.operations.values()):
            if each.instance_id != instance_id or each.target not in databases or each.closed_at is None:
                continue
            effect = effect_of(each, each.id, None)
            if each.state is not State.RECORDED or not isinstance(effect, DatabaseEffect):
                continue
            identity = "" if each.expected is None else each.expected.identity
            is_known = each.change is Change.DATABASE_DELETE and identity not in ("", NO_DATABASE.identity)
            key = (each.target, identity) if is_known else each.id
            for account in effect.accounts or ("",):
                before = found.get((key, account))
                found[key, account] = DatabaseChange(
                    each.target,
                    account,
                    effect.awaited,
                    each.accepted_at if before is None else min(each.accepted_at, before.changed_at),
                    until=each.closed_at
                    if before is None or before.until is None
                    else max(each.closed_at, before.until),
                )
        return list(found.values())

    async def role_changes(self, instance_id: int, names: Sequence[str]) -> Sequence[DatabaseChange]:
        operations = (kept.operation for kept in self._rows.operations.values())
        found: list[DatabaseChange] = []
        for each in operations:
            is_of = each.instance_id == instance_id and each.target in names
            if is_of and each.state is State.RECORDED and each.change in _OF_ROLES:
                identity = each.expected.identity if each.expected is not None else ""
                if each.change is Change.ACCOUNT_DELETE and not identity:
                    continue
                at = each.closed_at if each.change is Change.ACCOUNT_DELETE else each.accepted_at
                assert at is not None  # noqa: S101 - it is recorded
                found.append(DatabaseChange(MEMBER + each.target, "", True, at, identity))
        return found

    async def open_changes(self, instance_id: int) -> Sequence[OpenChange]:
        operations = (kept.operation for kept in self._rows.operations.values())
        return [
            OpenChange(each.id, each.change.value, each.target, each.state is State.ACCEPTED)
            for each in operations
            if each.instance_id == instance_id and (each.state is State.ACCEPTED or each.is_interrupted)
        ]


def _row(row: AccountRow) -> StateRow:
    return StateRow(row.name, row.host, row.identity, row.created_at, row.applied_order, row.state)
