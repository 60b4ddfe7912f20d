"""The ledger in memory: operations, and the rows about accounts that they change, as `store.operations` keeps them.

Every method is one step, as a transaction is, and decides as the statements there do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from rolecall import ambient
from rolecall.domain.accounts.context import AccountRow, AccountTime
from rolecall.domain.engine.pages import AccountPlace, AccountSlice, IdentifiedPlace
from rolecall.domain.operations.claims import Claimed, ClaimedBefore
from rolecall.domain.operations.effects import AccountEffect, DatabaseEffect, Effect
from rolecall.domain.operations.model import (
    LOOKED_FOR_SECONDS,
    AccountKey,
    Change,
    Holder,
    Intent,
    Operation,
    Promised,
    Runner,
    Standing,
    State,
    Unresolved,
)
from rolecall.domain.reasons import Reason, Refused
from rolecall.store.memory_effects import DatabaseChanges, is_again, latest, merged, note_database
from rolecall.store.moves import Key, after_move, is_gone, is_held


@dataclass(frozen=True, slots=True)
class Kept:
    """An operation, with the number of the replica that accepted it."""

    operation: Operation
    replica: int
    progress: str = ""


class Rows:
    """What replicas share: operations in the order of accepting, and accounts by place.

    A change of state is a quick commit: a crash of the store may lose the last of those, unless a durable one followed.
    """

    def __init__(self) -> None:
        self.operations: dict[UUID, Kept] = {}
        self.accounts: dict[AccountKey, AccountRow] = {}
        self.databases: DatabaseChanges = {}
        self.tokens: dict[tuple[int, str], tuple[UUID, str]] = {}
        """Of an owner's client token, the operation and the digest."""
        self.turns: dict[UUID, int] = {}
        """The order of counted operations."""
        self.attempts: Counter[UUID] = Counter()
        """Of open operations, how often they were tried."""
        self.due: dict[UUID, datetime] = {}
        """Of open operations that were tried, when they may be tried again."""
        self.living: set[int] = set()
        """Replicas that hold their lock."""
        self._unflushed: list[tuple[Mapping[UUID, Kept], Mapping[AccountKey, AccountRow]]] = []

    def flush(self) -> None:
        """A durable commit: whatever was committed before it is durable too."""
        self._unflushed.clear()

    def begin_quick(self) -> None:
        self._unflushed.append((dict(self.operations), dict(self.accounts)))

    @property
    def unflushed(self) -> int:
        """Quick commits that a crash may lose."""
        return len(self._unflushed)

    def crash(self, kept: int) -> None:
        """Lose the quick commits after the first `kept`, and every replica's lock."""
        if kept < len(self._unflushed):
            operations, accounts = self._unflushed[kept]
            self.operations, self.accounts = dict(operations), dict(accounts)
        self._unflushed.clear()
        self.living.clear()

    def open_operations(self) -> Iterator[Kept]:
        return (kept for kept in self.operations.values() if kept.operation.state is State.ACCEPTED)


class MemoryLedger:
    """`domain.operations.model.Ledger` and `domain.accounts.context.AccountRepository` of one replica."""

    def __init__(self, rows: Rows, replica: int, *, records_durably: bool = False) -> None:
        self._rows = rows
        self._replica = replica
        self._records_durably = records_durably

    @property
    def rows(self) -> Rows:
        return self._rows

    @property
    def replica(self) -> int:
        return self._replica

    async def accept(self, operation_id: UUID, instance_id: int, intent: Intent) -> None:
        self._accept((Promised(operation_id, intent),), instance_id)

    async def promise(self, instance_id: int, promised: Sequence[Promised]) -> None:
        self._accept(promised, instance_id)

    def _accept(self, promised: Sequence[Promised], instance_id: int) -> None:
        taken = {kept.operation.target for kept in self._open(instance_id, Runner.DEFERRED)}
        for promise in promised:
            if promise.intent.runner is Runner.DEFERRED:
                if promise.intent.target in taken:
                    raise Refused(Reason.ACCOUNT_TAKEN, facts={"value": promise.intent.account[0]})
                taken.add(promise.intent.target)
        for promise in promised:
            self._bind_token(promise)
        for promise in promised:
            if promise.intent.counted:
                self._rows.turns[promise.id] = len(self._rows.turns)
            self._rows.operations[promise.id] = Kept(_operation(promise, instance_id), self._replica)
        self._rows.flush()

    def _bind_token(self, promised: Promised) -> None:
        claim, origin = promised.intent.claim, promised.intent.origin
        if claim is not None and origin is not None:
            kept = self._claimed(origin.caller.owner_id, claim.token)
            if kept is not None and not kept.yields_to(claim):
                raise ClaimedBefore(kept)
            self._rows.tokens[origin.caller.owner_id, claim.token] = (promised.id, claim.digest)

    def _claimed(self, owner_id: int, token: str) -> Claimed | None:
        bound = self._rows.tokens.get((owner_id, token))
        if bound is None:
            return None
        operation, digest = bound
        kept = self._rows.operations[operation].operation
        return Claimed(operation, kept.instance_id, kept.state, digest)

    async def claimed(self, owner_id: int, token: str) -> Claimed | None:
        return self._claimed(owner_id, token)

    async def ahead(self, operation_id: UUID) -> frozenset[tuple[str, str]]:
        mine, turns = self._rows.operations[operation_id].operation, self._rows.turns
        return frozenset(
            other.account
            for other in (kept.operation for kept in self._rows.open_operations())
            if other.change is Change.ACCOUNT_CREATE
            and other.instance_id == mine.instance_id
            and turns.get(other.id, -1) < turns[mine.id]
        )

    def _open(self, instance_id: int, runner: Runner) -> list[Kept]:
        return [
            kept
            for kept in self._rows.open_operations()
            if kept.operation.instance_id == instance_id and kept.operation.runner is runner
        ]

    async def promised(self, instance_id: int) -> Sequence[Operation]:
        return [kept.operation for kept in self._open(instance_id, Runner.DEFERRED)]

    async def failed(self, instance_id: int) -> Sequence[Operation]:
        return [operation for operation in self._failed() if operation.instance_id == instance_id]

    def _failed(self) -> list[Operation]:
        last = {
            (kept.operation.instance_id, kept.operation.target): kept.operation
            for kept in self._rows.operations.values()
        }
        return [
            operation
            for operation in last.values()
            if operation.change is Change.ACCOUNT_CREATE
            and operation.state in (State.REFUSED, State.UNDONE)
            and operation.runner is Runner.DEFERRED
        ]

    async def provisioning(self, instance_id: int) -> Sequence[Operation]:
        return [kept.operation for kept in self._open(instance_id, Runner.PROVISIONING)]

    async def record(
        self,
        operation_id: UUID,
        instance_id: int,
        effect: Effect | None,
        instead_of: Holder | None = None,
    ) -> bool:
        kept = self._rows.operations.get(operation_id)
        if kept is None or not (kept.operation.state is State.ACCEPTED or kept.operation.is_interrupted):
            return True
        changed = self._changed(kept.operation, instance_id, effect, instead_of)
        if changed is None:
            return False
        self._rows.begin_quick()
        if isinstance(effect, DatabaseEffect):
            note_database(self._rows.databases, kept.operation, instance_id, effect)
        more = effect.detail if isinstance(effect, AccountEffect) else {}
        detail = {**kept.operation.detail, **more}
        self._close(replace(kept, operation=replace(kept.operation, detail=detail)), State.RECORDED, "", "")
        self._rows.accounts |= {(instance_id, *key): row for key, row in changed.items()}
        is_move = isinstance(effect, AccountEffect) and effect.moved_from is not None  # as `store.moves`
        if is_move or self._records_durably:
            self._rows.flush()
        return True

    def _changed(
        self, operation: Operation, instance_id: int, effect: Effect | None, instead_of: Holder | None
    ) -> Mapping[Key, AccountRow] | None:
        """The rows that an effect changes; None if that of another account is in the way."""
        if effect is None or isinstance(effect, DatabaseEffect):
            return {}
        accounts, key = self._rows.accounts, (effect.name, effect.host)
        if effect.moved_from is not None:
            rows = {place: accounts[(instance_id, *place)] for place in (effect.moved_from, key)
                    if (instance_id, *place) in accounts}  # fmt: skip
            return after_move(rows, effect, instead_of, ambient.now())
        before = accounts.get((instance_id, *key))
        if before is not None and not (instead_of is not None and is_held(before, instead_of)):
            is_other = before.identity not in (effect.identity, "")
            if is_again(before, operation, effect):
                before = None
            elif is_other or (is_gone(before, effect.order) and not effect.deleted):
                return None
        return {key: merged(before, operation, effect)}

    async def holder(self, instance_id: int, name: str, host: str) -> Holder | None:
        row = self._rows.accounts.get((instance_id, name, host))
        return None if row is None else Holder(row.identity, row.is_deleted, row.applied_order)

    async def is_moving(self, instance_id: int, identity: str) -> bool:
        return any(
            operation.change is Change.ACCOUNT_MOVE
            and operation.instance_id == instance_id
            and operation.expected is not None
            and operation.expected.identity == identity
            for operation in (kept.operation for kept in self._rows.open_operations())
        )

    async def is_followed(self, operation_id: UUID) -> bool:
        mine = self._rows.operations[operation_id].operation
        return any(
            (operation.instance_id, operation.change, operation.target)
            == (mine.instance_id, mine.change, mine.target)
            and operation.state is State.RECORDED
            and operation.closed_at is not None
            and operation.closed_at >= mine.accepted_at
            for operation in (kept.operation for kept in self._rows.operations.values())
            if operation.id != operation_id
        )

    async def witness(self, operations: Sequence[UUID]) -> None:
        for operation_id in operations:
            if (kept := self._rows.operations.get(operation_id)) is not None:
                self._rows.operations[operation_id] = replace(kept, progress="applied")
        self._rows.flush()

    async def witnessed(self, operation_id: UUID) -> bool:
        kept = self._rows.operations.get(operation_id)
        return kept is not None and kept.progress == "applied"

    async def are_open(self, operations: Sequence[UUID]) -> bool:
        return any(kept.operation.id in operations for kept in self._rows.open_operations())

    async def are_unrecorded(self, operations: Sequence[UUID], change: Change | None = None) -> bool:
        unrecorded = [kept.operation for kept in self._rows.open_operations()]
        unrecorded += await self.interrupted()
        return any(
            operation.id in operations and change in (None, operation.change) for operation in unrecorded
        )

    async def begin(self, operation_id: UUID, seen: Sequence[UUID]) -> bool:
        await self.witness(seen)
        kept = self._rows.operations[operation_id]
        if kept.progress == "" and self._is_own(kept):
            kept = self._rows.operations[operation_id] = replace(kept, progress="begun")
        return kept.progress != ""

    def _is_own(self, kept: Kept) -> bool:
        return kept.operation.state is State.ACCEPTED and kept.replica == self._replica

    async def take_over(self, operation_id: UUID) -> bool:
        kept = self._rows.operations[operation_id]
        if kept.operation.state is State.ACCEPTED:
            self._rows.operations[operation_id] = replace(kept, replica=self._replica)
            self._rows.flush()
        return kept.progress != ""

    async def standing(self, operation_id: UUID) -> Standing:
        kept = self._rows.operations[operation_id]
        if kept.progress == "applied" or kept.operation.state is State.RECORDED:
            return Standing.APPLIED
        return Standing.OWN if self._is_own(kept) else Standing.TAKEN_OVER

    async def close(self, operation_id: UUID, state: State, reason: str, note: str) -> bool:
        kept = self._rows.operations.get(operation_id)
        if kept is None or kept.operation.state is not State.ACCEPTED:
            return False
        self._close(kept, state, reason, note)
        self._rows.flush()
        return True

    def _close(self, kept: Kept, state: State, reason: str, note: str) -> None:
        closed = replace(kept.operation, state=state, reason=reason, note=note, closed_at=ambient.now())
        if not closed.is_interrupted:
            closed = replace(closed, sealed=None)
        self._rows.operations[closed.id] = replace(kept, operation=closed)

    async def unresolved(self, replicas: Sequence[int]) -> Sequence[Operation]:
        return [
            replace(
                kept.operation,
                attempts=self._rows.attempts[kept.operation.id],
                is_due=self._rows.due.get(kept.operation.id, ambient.now()) <= ambient.now(),
            )
            for kept in self._rows.open_operations()
            if kept.replica in replicas
        ]

    async def interrupted(self) -> Sequence[Operation]:
        since = ambient.now() - timedelta(seconds=LOOKED_FOR_SECONDS)
        found = []
        for kept in self._rows.operations.values():
            operation = kept.operation
            if operation.is_interrupted and operation.closed_at is not None:
                if operation.closed_at > since:
                    found.append(operation)
                elif operation.sealed is not None:
                    self._rows.operations[operation.id] = replace(
                        kept, operation=replace(operation, sealed=None)
                    )
        return found

    async def tried(self, operation_id: UUID, pause: float) -> None:
        self._rows.attempts[operation_id] += 1
        self._rows.due[operation_id] = ambient.now() + timedelta(seconds=pause)

    async def still_open(self) -> Unresolved:
        there = [kept.operation for kept in self._rows.open_operations()]
        return Unresolved(
            len(there),
            max(
                ((ambient.now() - operation.accepted_at).total_seconds() for operation in there), default=0.0
            ),
            max((self._rows.attempts[operation.id] for operation in there), default=0),
            len(self._failed()),
        )

    async def dead_replicas(self) -> Sequence[int]:
        accepting = {kept.replica for kept in self._rows.open_operations()}
        return sorted(accepting - self._rows.living - {self._replica})

    async def operations(
        self, *, limit: int, state: str | None = None, instance_id: int | None = None
    ) -> Sequence[Operation]:
        """The newest first."""
        wanted = [
            kept.operation
            for kept in reversed(self._rows.operations.values())
            if (state is None or kept.operation.state == state)
            and (instance_id is None or kept.operation.instance_id == instance_id)
        ]
        return wanted[:limit]

    async def account(self, instance_id: int, name: str, host: str) -> AccountRow | None:
        row = self._rows.accounts.get((instance_id, name, host))
        return None if row is None or row.is_deleted else row

    async def accounts(self, instance_id: int) -> Sequence[AccountRow]:
        rows = self._rows.accounts.items()
        return [row for place, row in rows if place[0] == instance_id and not row.is_deleted]

    async def account_slice(self, instance_id: int, asked: AccountSlice) -> Sequence[AccountRow]:
        return asked.cut(await self.accounts(instance_id), lambda row: (row.name, row.host))

    async def accounts_at(self, instance_id: int, places: Sequence[AccountPlace]) -> Sequence[AccountRow]:
        wanted = set(places)
        return [row for row in await self.accounts(instance_id) if (row.name, row.host) in wanted]

    async def latest_accounts(
        self, instance_id: int, time: AccountTime, limit: int | None = None
    ) -> Sequence[IdentifiedPlace]:
        return latest(await self.accounts(instance_id), time)[:limit]


def _operation(promised: Promised, instance_id: int) -> Operation:
    intent, origin = promised.intent, promised.intent.origin
    assert origin is not None  # noqa: S101 - an intent without origin is on disk already
    return Operation(
        promised.id, origin.caller.owner_id, instance_id, intent.change, intent.target, State.ACCEPTED, "", "",
        origin.caller.principal, origin.caller.access_key_id, origin.dialect, origin.action, origin.request_id,
        dict(intent.detail), intent.sealed, ambient.now(), None, intent.expected,
        intent.runner,
    )  # fmt: skip
