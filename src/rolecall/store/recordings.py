"""Recording: an operation is closed, and what it means for the account's row is written, in one transaction.

Two replicas that resolve the same operation record it once. The row has its account's identity: an effect on another
account does not replace it, nor does an earlier change what a later one of the same account wrote. What was sealed to
finish the change moves to the account, or is deleted.
"""

from __future__ import annotations

from uuid import UUID

import msgspec
from psycopg.types.json import Jsonb

from rolecall.domain.engine.states import Recorded
from rolecall.domain.operations.effects import AccountEffect, DatabaseEffect
from rolecall.domain.operations.model import Holder
from rolecall.store.batches import Batches
from rolecall.store.queries import load

_SQL = load("accounts")


def state_json(state: Recorded) -> Jsonb:
    return Jsonb(state, msgspec.json.encode)


async def record_effect(
    closings: Batches, operation_id: UUID, instance_id: int, effect: AccountEffect, instead_of: Holder | None
) -> bool:
    """Whether it was recorded, or was closed already."""
    statement = _SQL["record_deletion" if effect.deleted else "record_effect"]
    return bool(await closings.value(statement, _values(operation_id, instance_id, effect, instead_of)))


async def record_database(
    closings: Batches, operation_id: UUID, instance_id: int, effect: DatabaseEffect
) -> None:
    values = {
        "operation": operation_id,
        "instance": instance_id,
        "database": effect.database,
        "accounts": list(effect.accounts) or [""],
        "awaited": effect.awaited,
    }
    await closings.execute(_SQL["record_database"], values)


async def record_alone(closings: Batches, operation_id: UUID) -> None:
    """Record an operation that changed no account's row."""
    await closings.execute(_SQL["record_alone"], {"operation": operation_id})


def _values(
    operation_id: UUID, instance_id: int, effect: AccountEffect, instead_of: Holder | None
) -> dict[str, object]:
    return {
        "operation": operation_id,
        "instance": instance_id,
        "name": effect.name,
        "host": effect.host,
        "oid": effect.oid,
        "identity": effect.identity,
        "order": effect.order,
        "remark": effect.remark,
        "created": effect.created,
        "adopted": effect.adopted,
        "password": effect.password_changed,
        "manages": effect.manages,
        "sealed": effect.sealed,
        "speaks": effect.speaks_of_password,
        "instead": None if instead_of is None else instead_of.identity,
        "instead_order": 0 if instead_of is None else instead_of.order,
        "detail": Jsonb(effect.detail),
        "state": state_json(effect.to_record),
    }
