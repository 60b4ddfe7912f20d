"""Client tokens: each stands for the operation of the call that it was sent with."""

from __future__ import annotations

from uuid import UUID

from psycopg import AsyncConnection

from rolecall.domain.operations.claims import Claim, Claimed, ClaimedBefore
from rolecall.domain.operations.model import State
from rolecall.store.connection import Row

_CLAIM = (
    "insert into client_tokens (owner_id, token, digest, operation) values (%s, %s, %s, %s)"
    " on conflict do nothing"
)

_LOCK = "select from client_tokens where owner_id = %s and token = %s for update"

# Of an operation that is not there any more, only that it was accepted is known.
_KEPT = (
    "select t.operation, o.instance_id, coalesce(o.state, 'recorded'), t.digest from client_tokens t"
    " left join operations o on o.id = t.operation where t.owner_id = %s and t.token = %s"
)

_RENEW = "update client_tokens set digest = %s, operation = %s where owner_id = %s and token = %s"


async def bind_token(
    connection: AsyncConnection[Row], owner_id: int, claim: Claim, operation_id: UUID
) -> None:
    """Within the transaction that accepts the operation. `ClaimedBefore`, unless the claim renews what was kept.

    Another transaction that binds the same token is waited for. What it has left is read by statements of their
    own: each sees what was committed before it began.
    """
    claimed = await connection.execute(_CLAIM, (owner_id, claim.token, claim.digest, operation_id))
    if claimed.rowcount == 1:
        return
    await connection.execute(_LOCK, (owner_id, claim.token))
    kept = await kept_for(connection, owner_id, claim.token)
    if kept is not None and kept.operation != claim.renews:
        raise ClaimedBefore(kept)
    await connection.execute(_RENEW, (claim.digest, operation_id, owner_id, claim.token))


async def kept_for(connection: AsyncConnection[Row], owner_id: int, token: str) -> Claimed | None:
    row = await (await connection.execute(_KEPT, (owner_id, token))).fetchone()
    return None if row is None else Claimed(row[0], row[1], State(row[2]), row[3])
