"""Operations, and the rows about accounts that they change."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from uuid import UUID

from psycopg import AsyncConnection, errors
from psycopg.types.json import Jsonb

from rolecall.domain.accounts.context import AccountRow
from rolecall.domain.identity import Expected
from rolecall.domain.operations.claims import Claimed
from rolecall.domain.operations.model import (
    AccountEffect,
    Change,
    Holder,
    Intent,
    Operation,
    Promised,
    State,
    Unresolved,
    account_of,
)
from rolecall.domain.reasons import Reason, Refused
from rolecall.store import recordings
from rolecall.store.batches import Batches
from rolecall.store.client_tokens import bind_token, kept_for
from rolecall.store.connection import Pool, Row
from rolecall.store.moves import COLUMNS, account_row, record_move
from rolecall.store.replica import REPLICA_LOCKS

_OPERATION = (
    "select id, owner_id, instance_id, kind, target, state, reason, note, principal, access_key_id, dialect,"
    " action, request_id, detail, sealed, accepted_at, closed_at, identity, seen_order from operations"
)

_ACCEPT = (
    "insert into operations (id, owner_id, instance_id, kind, target, state, principal, access_key_id, dialect,"
    " action, request_id, client, replica, detail, sealed, identity, seen_order)"
    " values (%s, %s, %s, %s, %s, 'accepted', %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
)

# Under a lock of the instance until the commit, so that who reads all lower turns has missed none.
_LOCK_INSTANCE = "select from instances where id = %s for no key update"
_TAKE_TURN = "update operations set turn = nextval('operation_turns') where id = %s"

_AHEAD = """
select other.target, other.detail from operations other join operations mine using (instance_id)
 where mine.id = %s and other.id <> mine.id and other.kind = 'account.create' and other.state = 'accepted'
   and (other.turn is null or other.turn < mine.turn)
"""

_CLOSE = (
    "update operations set state = %(state)s, reason = %(reason)s, note = %(note)s, closed_at = now(),"
    " sealed = case when %(keeps)s then sealed end where id = %(operation)s and state = 'accepted' returning 1"
)

_FORGET = (
    f"update operations set sealed = null where {recordings.INTERRUPTED} and sealed is not null"
    f" and not {recordings.LOOKED_FOR}"
)

_IS_FOLLOWED = """
select exists (
    select from operations mine join operations other using (instance_id, kind, target)
     where mine.id = %s and other.id <> mine.id and other.state = 'recorded' and other.closed_at >= mine.accepted_at)
"""

_WITNESS = """
with seen as (
    update operations set
           progress = case when progress = 'retrying' and state = 'accepted' then progress else 'applied' end
     where id = any(%s) returning progress
)
select coalesce(bool_and(progress = 'applied'), true) from seen
"""

_RETRY = (
    "update operations set progress = case when progress = 'applied' then progress else 'retrying' end"
    " where id = %s returning progress = 'retrying'"
)

_TRIED = "update operations set attempts = attempts + 1 where id = %s and state = 'accepted'"

# What was accepted for the account since, a deletion for example, is what counts.
_FAILED = (
    "kind = 'account.create' and state in ('refused', 'undone') and detail ? 'promised' and instance_id is not null"
    " and not exists (select from operations later where later.instance_id = operations.instance_id"
    " and later.target = operations.target and later.accepted_at > operations.accepted_at)"
)

_STILL_OPEN = (
    "select count(*), coalesce(extract(epoch from max(now() - accepted_at)), 0)::float8, coalesce(max(attempts), 0),"
    f" (select count(*) from operations where {_FAILED})"
    " from operations where state = 'accepted'"
)


class PgOperationRepository:
    """`durable` commits reach the disk; `quick` ones may be lost with the store's server, and are found again."""

    def __init__(self, durable: Pool, quick: Pool, replica: int) -> None:
        self._durable = durable
        self._intents = Batches(durable)
        self._closings = Batches(quick)
        self._replica = replica

    @property
    def replica(self) -> int:
        return self._replica

    async def accept(self, operation_id: UUID, instance_id: int, intent: Intent) -> None:
        if intent.claim is None and not intent.counted:
            await self._intents.execute(_ACCEPT, self._accepting(operation_id, instance_id, intent))
            return
        async with self._durable.connection() as connection, connection.transaction():
            await self._accept(connection, operation_id, instance_id, intent)

    async def _accept(
        self, connection: AsyncConnection[Row], operation_id: UUID, instance_id: int, intent: Intent
    ) -> None:
        values = self._accepting(operation_id, instance_id, intent)
        if intent.claim is not None:
            await bind_token(connection, int(str(values[1])), intent.claim, operation_id)
        if intent.counted:
            await connection.execute(_LOCK_INSTANCE, (instance_id,))
        await connection.execute(_ACCEPT, values)
        if intent.counted:
            await connection.execute(_TAKE_TURN, (operation_id,))

    async def ahead(self, operation_id: UUID) -> frozenset[tuple[str, str]]:
        async with self._durable.connection() as connection:
            rows = await (await connection.execute(_AHEAD, (operation_id,))).fetchall()
        return frozenset(account_of(*row) for row in rows)

    async def claimed(self, owner_id: int, token: str) -> Claimed | None:
        async with self._durable.connection() as connection:
            return await kept_for(connection, owner_id, token)

    async def promise(self, instance_id: int, promised: Sequence[Promised]) -> None:
        if len(promised) == 1:  # as any intent, together with those of others
            with _told_if_taken(promised[0].intent):
                await self.accept(promised[0].id, instance_id, promised[0].intent)
            return
        async with self._durable.connection() as connection, connection.transaction():
            for one in promised:
                with _told_if_taken(one.intent):
                    await self._accept(connection, one.id, instance_id, one.intent)

    def _accepting(self, operation_id: UUID, instance_id: int, intent: Intent) -> Sequence[object]:
        origin = intent.origin
        assert origin is not None  # noqa: S101 - an intent without origin is on disk already
        return (
            operation_id, origin.caller.owner_id, instance_id, intent.change.value, intent.target,
            origin.caller.principal, origin.caller.access_key_id, origin.dialect, origin.action,
            origin.request_id, origin.client, self._replica, Jsonb(dict(intent.detail)), intent.sealed,
            None if intent.expected is None else intent.expected.identity,
            None if intent.expected is None else intent.expected.order,
        )  # fmt: skip

    async def promised(self, instance_id: int) -> Sequence[Operation]:
        return await self._operations(
            " where instance_id = %s and state = 'accepted' and detail ? 'promised' order by accepted_at",
            (instance_id,),
        )

    async def failed(self, instance_id: int) -> Sequence[Operation]:
        return await self._operations(f" where instance_id = %s and {_FAILED}", (instance_id,))

    async def provisioning(self, instance_id: int) -> Sequence[Operation]:
        return await self._operations(
            " where instance_id = %s and state = 'accepted' and detail ? 'provisioning' order by accepted_at",
            (instance_id,),
        )

    async def record(
        self,
        operation_id: UUID,
        instance_id: int,
        effect: AccountEffect | None,
        instead_of: str | None = None,
    ) -> bool:
        if effect is None:
            await self._closings.execute(recordings.ALONE, {"operation": operation_id})
            return True
        if effect.moved_from is not None:
            return await record_move(self._durable, operation_id, instance_id, effect, instead_of)
        values = recordings.values_of(operation_id, instance_id, effect, instead_of)
        statement = recordings.DELETION if effect.deleted else recordings.EFFECT
        row = await self._closings.fetch(statement, values)
        return bool(row and row[0])

    async def holder(self, instance_id: int, name: str, host: str) -> Holder | None:
        query = "select identity, deleted from accounts where instance_id = %s and name = %s and host = %s"
        async with self._durable.connection() as connection:
            row = await (await connection.execute(query, (instance_id, name, host))).fetchone()
        return None if row is None else Holder(*row)

    async def is_moving(self, instance_id: int, identity: str) -> bool:
        query = (
            "select exists (select from operations where state = 'accepted' and kind = 'account.move'"
            " and instance_id = %s and identity = %s)"
        )
        async with self._durable.connection() as connection:
            row = await (await connection.execute(query, (instance_id, identity))).fetchone()
        return bool(row and row[0])

    async def is_followed(self, operation_id: UUID) -> bool:
        async with self._durable.connection() as connection:
            row = await (await connection.execute(_IS_FOLLOWED, (operation_id,))).fetchone()
        return bool(row and row[0])

    async def witness(self, operations: Sequence[UUID]) -> bool:
        row = await self._intents.fetch(_WITNESS, (list(operations),)) if operations else (True,)
        return bool(row and row[0])

    async def witnessed(self, operation_id: UUID) -> bool:
        query = "select progress = 'applied' from operations where id = %s"
        async with self._durable.connection() as connection:
            row = await (await connection.execute(query, (operation_id,))).fetchone()
        return bool(row and row[0])

    async def are_open(self, operations: Sequence[UUID]) -> bool:
        return await self._any_is(operations, "state = 'accepted'")

    async def are_unrecorded(self, operations: Sequence[UUID]) -> bool:
        return await self._any_is(operations, f"state = 'accepted' or {recordings.LOOKED_FOR}")

    async def _any_is(self, operations: Sequence[UUID], condition: str) -> bool:
        query = f"select exists (select from operations where id = any(%s) and ({condition}))"
        async with self._durable.connection() as connection:
            row = await (await connection.execute(query.encode(), (list(operations),))).fetchone()
        return bool(row and row[0])

    async def retry(self, operation_id: UUID) -> bool:
        row = await self._intents.fetch(_RETRY, (operation_id,))
        return bool(row and row[0])

    async def close(self, operation_id: UUID, state: State, reason: str, note: str) -> bool:
        keeps = state in (State.UNDONE, State.SUPERSEDED) and reason == Reason.INTERRUPTED.value
        values = {
            "state": state.value,
            "reason": reason,
            "note": note,
            "keeps": keeps,
            "operation": operation_id,
        }
        return await self._intents.fetch(_CLOSE, values) is not None

    async def unresolved(self, replicas: Sequence[int]) -> Sequence[Operation]:
        return await self._operations(
            " where state = 'accepted' and replica = any(%s) order by accepted_at", (list(replicas),)
        )

    async def interrupted(self) -> Sequence[Operation]:
        async with self._durable.connection() as connection:
            await connection.execute(_FORGET.encode())
        return await self._operations(f" where {recordings.LOOKED_FOR} order by accepted_at", ())

    async def tried(self, operation_id: UUID) -> None:
        await self._closings.execute(_TRIED, (operation_id,))

    async def still_open(self) -> Unresolved:
        async with self._durable.connection() as connection:
            row = await (await connection.execute(_STILL_OPEN)).fetchone()
        assert row is not None  # noqa: S101 - an aggregate has one row
        return Unresolved(*row)

    async def dead_replicas(self) -> Sequence[int]:
        """A live replica holds an advisory lock on its number for as long as it runs."""
        async with self._durable.connection() as connection:
            rows = await (
                await connection.execute(
                    "select replica from (select distinct replica from operations where state = 'accepted') r"
                    " where replica <> %s and not exists (select from pg_locks where locktype = 'advisory'"
                    " and database = (select oid from pg_database where datname = current_database())"
                    " and classid = %s and objid = r.replica::oid and granted)",
                    (self._replica, REPLICA_LOCKS),
                )
            ).fetchall()
        return [row[0] for row in rows]

    async def operations(
        self, *, limit: int, state: str | None = None, instance_id: int | None = None
    ) -> Sequence[Operation]:
        """The newest first."""
        where = (
            " where (%s::text is null or state = %s) and (%s::bigint is null or instance_id = %s)"
            " order by accepted_at desc limit %s"
        )
        return await self._operations(where, (state, state, instance_id, instance_id, limit))

    async def _operations(self, where: str, values: tuple[object, ...]) -> Sequence[Operation]:
        async with self._durable.connection() as connection:
            rows = await (await connection.execute((_OPERATION + where).encode(), values)).fetchall()
        return [_operation(row) for row in rows]

    async def account(self, instance_id: int, name: str, host: str) -> AccountRow | None:
        rows = await self._accounts("and name = %s and host = %s", (instance_id, name, host))
        return rows[0] if rows else None

    async def accounts(self, instance_id: int) -> Sequence[AccountRow]:
        return await self._accounts("", (instance_id,))

    async def _accounts(self, condition: str, values: tuple[object, ...]) -> list[AccountRow]:
        query = f"select {COLUMNS} from accounts where instance_id = %s and not deleted {condition}"
        async with self._durable.connection() as connection:
            rows = await (await connection.execute(query.encode(), values)).fetchall()
        return [account_row(row) for row in rows]


@contextlib.contextmanager
def _told_if_taken(intent: Intent) -> Iterator[None]:
    """The index of promises that are not kept yet refuses a second one of the same account."""
    try:
        yield
    except errors.UniqueViolation as violation:
        if violation.diag.constraint_name != "operations_promised_once":
            raise
        raise Refused(Reason.ACCOUNT_TAKEN, facts={"value": intent.account[0]}) from None


def _operation(row: Row) -> Operation:
    (
        operation_id, owner_id, instance_id, kind, target, state, reason, note, principal, access_key_id,
        dialect, action, request_id, detail, sealed, accepted_at, closed_at, identity, order,
    ) = row  # fmt: skip
    return Operation(
        operation_id, owner_id, instance_id, Change(kind), target, State(state), reason, note, principal,
        access_key_id, dialect, action, request_id, detail, _bytes(sealed), accepted_at, closed_at,
        None if identity is None else Expected(identity, order),
    )  # fmt: skip


def _bytes(value: bytes | memoryview | None) -> bytes | None:
    return None if value is None else bytes(value)
