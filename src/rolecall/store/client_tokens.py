"""Client tokens: each stands for the operation of the call that it was sent with."""

from __future__ import annotations

from uuid import UUID

from psycopg.rows import kwargs_row

from rolecall.domain.operations.claims import Claim, Claimed, ClaimedBefore
from rolecall.domain.operations.model import State
from rolecall.store.connection import Connection, Statements
from rolecall.store.queries import load

_SQL = load("operations")


async def bind_token(connection: Connection, owner_id: int, claim: Claim, operation_id: UUID) -> None:
    """Within the transaction that accepts the operation. `ClaimedBefore`, unless the claim renews what was kept.

    It waits for another transaction that binds the same token. What that has left is read by separate statements: each
    sees what was committed before it began.
    """
    values = {"owner": owner_id, "token": claim.token, "digest": claim.digest, "operation": operation_id}
    if (await connection.execute(_SQL["claim_token"], values)).rowcount == 1:
        return
    await connection.execute(_SQL["lock_token"], values)
    kept = await claimed(connection, owner_id, claim.token)
    if kept is not None and not kept.yields_to(claim):
        raise ClaimedBefore(kept)
    await connection.execute(_SQL["renew_token"], values)


async def claimed(source: Connection | Statements, owner_id: int, token: str) -> Claimed | None:
    return await source.row(kwargs_row(_claimed), _SQL["claimed"], {"owner": owner_id, "token": token})


def _claimed(*, operation: UUID, instance_id: int | None, state: str, digest: str) -> Claimed:
    return Claimed(operation, instance_id, State(state), digest)
