"""Operations, and the rows about accounts that they change."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

import msgspec
from psycopg import errors, sql
from psycopg.rows import args_row, class_row, kwargs_row, scalar_row
from psycopg.types.json import Jsonb

from rolecall.domain.accounts.context import AccountRow, AccountTime
from rolecall.domain.engine.identity import Expected
from rolecall.domain.engine.pages import AccountPlace, AccountSlice, IdentifiedPlace
from rolecall.domain.operations.claims import Claimed
from rolecall.domain.operations.effects import DatabaseEffect, Effect
from rolecall.domain.operations.model import (
    Change,
    Holder,
    Intent,
    Operation,
    Promised,
    Runner,
    Standing,
    State,
    Unresolved,
    account_of,
)
from rolecall.domain.reasons import Reason, Refused
from rolecall.store.batches import Batches, Values
from rolecall.store.client_tokens import bind_token, claimed
from rolecall.store.connection import Connection, Pool
from rolecall.store.moves import record_move
from rolecall.store.queries import load
from rolecall.store.recordings import record_alone, record_database, record_effect
from rolecall.store.replica import REPLICA_LOCKS

_SQL = load("operations")
_ACCOUNTS = load("accounts")


class PgOperationRepository:
    """`durable` commits reach the disk; `quick` ones may be lost with the store's server, and are found again.

    What no server shows again is recorded by one that is given `durable` for both.
    """

    def __init__(self, durable: Pool, quick: Pool, replica: int) -> None:
        self._pool = durable
        self._intents = Batches(durable)
        self._closings = Batches(quick)
        self._replica = replica

    @property
    def replica(self) -> int:
        return self._replica

    async def accept(self, operation_id: UUID, instance_id: int, intent: Intent) -> None:
        if intent.claim is None and not intent.counted:
            await self._intents.execute(_SQL["accept"], self._values(operation_id, instance_id, intent))
            return
        async with self._pool.connection() as connection, connection.transaction():
            await self._accept(connection, operation_id, instance_id, intent)

    async def _accept(
        self, connection: Connection, operation_id: UUID, instance_id: int, intent: Intent
    ) -> None:
        values = self._values(operation_id, instance_id, intent)
        if intent.claim is not None and intent.origin is not None:
            await bind_token(connection, intent.origin.caller.owner_id, intent.claim, operation_id)
        if intent.counted:
            await connection.execute(_SQL["lock_instance"], (instance_id,))
        await connection.execute(_SQL["accept"], values)
        if intent.counted:
            await connection.execute(_SQL["take_turn"], (operation_id,))

    async def ahead(self, operation_id: UUID) -> frozenset[tuple[str, str]]:
        return frozenset(await self._pool.rows(args_row(account_of), _SQL["ahead"], (operation_id,)))

    async def claimed(self, owner_id: int, token: str) -> Claimed | None:
        return await claimed(self._pool, owner_id, token)

    async def promise(self, instance_id: int, promised: Sequence[Promised]) -> None:
        if len(promised) == 1:  # as any intent, together with those of others
            with _refusing_taken(promised[0].intent):
                await self.accept(promised[0].id, instance_id, promised[0].intent)
            return
        async with self._pool.connection() as connection, connection.transaction():
            for promise in promised:
                with _refusing_taken(promise.intent):
                    await self._accept(connection, promise.id, instance_id, promise.intent)

    def _values(self, operation_id: UUID, instance_id: int, intent: Intent) -> dict[str, object]:
        origin, expected = intent.origin, intent.expected
        assert origin is not None  # noqa: S101 - an intent without origin is on disk already
        return {
            "id": operation_id,
            "owner": origin.caller.owner_id,
            "instance": instance_id,
            "kind": intent.change.value,
            "target": intent.target,
            "principal": origin.caller.principal,
            "key": origin.caller.access_key_id,
            "dialect": origin.dialect,
            "action": origin.action,
            "request": origin.request_id,
            "client": origin.client,
            "replica": self._replica,
            "detail": Jsonb(dict(intent.detail), msgspec.json.encode),
            "sealed": intent.sealed,
            "identity": None if expected is None else expected.identity,
            "order": None if expected is None else expected.order,
            "runner": intent.runner.value,
        }

    async def promised(self, instance_id: int) -> Sequence[Operation]:
        return await self._operations(_SQL["promised"], (instance_id,))

    async def failed(self, instance_id: int) -> Sequence[Operation]:
        return await self._operations(_SQL["failed"], (instance_id,))

    async def provisioning(self, instance_id: int) -> Sequence[Operation]:
        return await self._operations(_SQL["provisioning"], (instance_id,))

    async def record(
        self,
        operation_id: UUID,
        instance_id: int,
        effect: Effect | None,
        instead_of: Holder | None = None,
    ) -> bool:
        if effect is None:
            await record_alone(self._closings, operation_id)
            return True
        if isinstance(effect, DatabaseEffect):
            await record_database(self._closings, operation_id, instance_id, effect)
            return True
        if effect.moved_from is not None:
            return await record_move(self._pool, operation_id, instance_id, effect, instead_of)
        return await record_effect(self._closings, operation_id, instance_id, effect, instead_of)

    async def holder(self, instance_id: int, name: str, host: str) -> Holder | None:
        return await self._pool.row(class_row(Holder), _ACCOUNTS["holder"], (instance_id, name, host))

    async def is_moving(self, instance_id: int, identity: str) -> bool:
        return bool(await self._pool.value(_SQL["is_moving"], (instance_id, identity)))

    async def is_followed(self, operation_id: UUID) -> bool:
        return bool(await self._pool.value(_SQL["is_followed"], (operation_id,)))

    async def witness(self, operations: Sequence[UUID]) -> None:
        if operations:
            await self._intents.execute(_SQL["witness"], (list(operations),))

    async def witnessed(self, operation_id: UUID) -> bool:
        query = "select progress = 'applied' from operations where id = %s"
        return bool(await self._pool.value(query, (operation_id,)))

    async def are_open(self, operations: Sequence[UUID]) -> bool:
        return bool(await self._pool.value(_SQL["are_open"], (list(operations),)))

    async def are_unrecorded(self, operations: Sequence[UUID], change: Change | None = None) -> bool:
        values = {"operations": list(operations), "kind": None if change is None else change.value}
        return bool(await self._pool.value(_SQL["are_unrecorded"], values))

    async def begin(self, operation_id: UUID, seen: Sequence[UUID]) -> bool:
        values = {"operation": operation_id, "seen": list(seen), "replica": self._replica}
        return bool(await self._intents.value(_SQL["begin"], values))

    async def take_over(self, operation_id: UUID) -> bool:
        return bool(await self._intents.value(_SQL["take_over"], (self._replica, operation_id)))

    async def standing(self, operation_id: UUID) -> Standing:
        found = await self._pool.value(_SQL["standing"], (self._replica, operation_id))
        return Standing(found or Standing.TAKEN_OVER.value)

    async def close(self, operation_id: UUID, state: State, reason: str, note: str) -> bool:
        keeps = state in (State.UNDONE, State.SUPERSEDED) and reason == Reason.INTERRUPTED.value
        values = {
            "state": state.value,
            "reason": reason,
            "note": note,
            "keeps": keeps,
            "operation": operation_id,
        }
        return bool(await self._intents.value(_SQL["close"], values))

    async def unresolved(self, replicas: Sequence[int]) -> Sequence[Operation]:
        return await self._operations(_SQL["unresolved"], (list(replicas),))

    async def interrupted(self) -> Sequence[Operation]:
        await self._pool.execute(_SQL["forget_sealed"])
        return await self._operations(_SQL["interrupted"])

    async def tried(self, operation_id: UUID, pause: float) -> None:
        await self._closings.execute(_SQL["count_attempt"], (pause, operation_id))

    async def still_open(self) -> Unresolved:
        return await self._pool.only(class_row(Unresolved), _SQL["still_open"])

    async def dead_replicas(self) -> Sequence[int]:
        return await self._pool.rows(scalar_row, _SQL["dead_replicas"], (self._replica, REPLICA_LOCKS))

    async def operations(
        self, *, limit: int, state: str | None = None, instance_id: int | None = None
    ) -> Sequence[Operation]:
        """The newest first."""
        values = {"state": state, "instance": instance_id, "limit": limit}
        return await self._operations(_SQL["newest"], values)

    async def operation(self, operation_id: UUID) -> Operation | None:
        return next(iter(await self._operations(_SQL["one"], {"id": operation_id})), None)

    async def _operations(self, query: sql.SQL, values: Values | None = None) -> list[Operation]:
        return await self._pool.rows(kwargs_row(_operation), query, values)

    async def account(self, instance_id: int, name: str, host: str) -> AccountRow | None:
        return await self._pool.row(class_row(AccountRow), _ACCOUNTS["one"], (instance_id, name, host))

    async def accounts(self, instance_id: int) -> Sequence[AccountRow]:
        return await self._pool.rows(class_row(AccountRow), _ACCOUNTS["all"], (instance_id,))

    async def account_slice(self, instance_id: int, asked: AccountSlice) -> Sequence[AccountRow]:
        query = _ACCOUNTS["slice_before" if asked.is_backward else "slice_after"]
        values = {
            "instance": instance_id, "start": asked.start, "contains": asked.contains, "limit": asked.limit
        }  # fmt: skip
        found = await self._pool.rows(class_row(AccountRow), query, values)
        return found[::-1] if asked.is_backward else found

    async def accounts_at(self, instance_id: int, places: Sequence[AccountPlace]) -> Sequence[AccountRow]:
        values = {
            "instance": instance_id,
            "names": [name for name, _ in places],
            "hosts": [host for _, host in places],
        }
        return await self._pool.rows(class_row(AccountRow), _ACCOUNTS["at"], values)

    async def latest_accounts(
        self, instance_id: int, time: AccountTime, limit: int | None = None
    ) -> Sequence[IdentifiedPlace]:
        is_creation = time == "created"
        query = _ACCOUNTS["by_creation" if is_creation else "by_change"]
        return await self._pool.rows(args_row(IdentifiedPlace), query, (instance_id, limit))


@contextlib.contextmanager
def _refusing_taken(intent: Intent) -> Iterator[None]:
    """A unique index allows one open promise per account. ACCOUNT_TAKEN."""
    try:
        yield
    except errors.UniqueViolation as violation:
        if violation.diag.constraint_name != "operations_promised_once":
            raise
        raise Refused(Reason.ACCOUNT_TAKEN, facts={"value": intent.account[0]}) from None


def _operation(
    *, kind: str, state: str, identity: str | None, seen_order: int | None, runner: str, **rest: Any
) -> Operation:
    expected = None if identity is None else Expected(identity, seen_order)
    return Operation(
        change=Change(kind), state=State(state), expected=expected, runner=Runner(runner), **rest
    )
