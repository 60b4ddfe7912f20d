"""What an effect does to the row of an account, in memory, as `store.recordings` decides it in SQL."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TypeAlias

from msgspec.structs import replace

from rolecall import ambient
from rolecall.domain.accounts.context import AccountRow, AccountTime
from rolecall.domain.engine.pages import IdentifiedPlace, display_name
from rolecall.domain.engine.states import merged as merged_state
from rolecall.domain.operations.effects import AccountEffect, DatabaseEffect
from rolecall.domain.operations.model import Operation
from rolecall.store.moves import tombstone

DatabaseChanges: TypeAlias = dict[tuple[int, str, str, bool], datetime]
"""As the table `database_changes`: by instance, database, account and whether awaited grants are meant."""


def note_database(
    changes: DatabaseChanges, operation: Operation, instance_id: int, effect: DatabaseEffect
) -> None:
    for account in effect.accounts or ("",):
        key = instance_id, effect.database, account, effect.awaited
        changes[key] = max(operation.accepted_at, changes.get(key, operation.accepted_at))


def is_again(before: AccountRow, operation: Operation, effect: AccountEffect) -> bool:
    """Whether a restored server has assigned the identity again."""
    since = before.updated_at if before.is_deleted else before.created_at
    is_newer = since is not None and operation.accepted_at > since
    return effect.created and before.identity == effect.identity and is_newer


def merged(before: AccountRow | None, operation: Operation, effect: AccountEffect) -> AccountRow:
    """The row after an effect. What a later change of the account wrote stays, what was another account's does not."""
    now = ambient.now()
    since = operation.accepted_at if effect.created or effect.adopted else None
    fresh = AccountRow(
        effect.name, effect.host, effect.oid, effect.remark or "",
        since, now, now if effect.password_changed else None,
        effect.sealed if effect.manages else None, effect.identity,
        effect.order if effect.remark is not None else 0,
        effect.order if effect.speaks_of_password else 0,
        effect.order,
    )  # fmt: skip
    if effect.deleted:
        return replace(tombstone(fresh, now), applied_order=effect.order)
    fresh = replace(fresh, state=effect.to_record)
    same = before is not None and (
        before.identity == effect.identity or (not before.identity and not effect.created)
    )
    if before is None or not same:
        return fresh
    state = merged_state(before.state, before.identity, before.applied_order, effect.to_record)
    after = replace(fresh, applied_order=max(before.applied_order, effect.order), state=state)
    if not effect.created:
        after = replace(after, created_at=before.created_at or fresh.created_at)
    if effect.remark is None or effect.order < before.remark_order:
        after = replace(after, remark=before.remark, remark_order=before.remark_order)
    if not effect.speaks_of_password or effect.order < before.password_order:
        return replace(
            after, password_updated_at=before.password_updated_at, sealed_password=before.sealed_password,
            password_order=before.password_order,
        )  # fmt: skip
    return after if effect.manages is not None else replace(after, sealed_password=before.sealed_password)


def latest(rows: Iterable[AccountRow], time: AccountTime) -> list[IdentifiedPlace]:
    """Those with such a time, the latest first, as `AccountRepository.latest_accounts` gives them."""
    timed = ((row.created_at if time == "created" else row.updated_at, row) for row in rows)
    found = [(at, display_name(row.name, row.host), row) for at, row in timed if at is not None]
    found.sort(key=lambda each: each[:2], reverse=True)
    return [IdentifiedPlace(row.name, row.host, row.identity) for _, _, row in found]
