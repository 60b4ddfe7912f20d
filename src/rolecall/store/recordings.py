"""Recording: an operation is closed, and what it means for the account's row is written, in one transaction.

Two replicas that resolve the same operation do it once. The row says which account it is of: nothing of another one is
written over it, and nothing over what a later change of the same account has written. What was sealed for finishing the
change moves to the account, or is forgotten.
"""

from __future__ import annotations

from uuid import UUID

from rolecall.domain.operations.model import LOOKED_FOR_SECONDS, AccountEffect
from rolecall.domain.reasons import Reason

INTERRUPTED = f"(state in ('undone', 'superseded') and reason = '{Reason.INTERRUPTED.value}')"
"""`Operation.is_interrupted`."""

LOOKED_FOR = f"({INTERRUPTED} and closed_at > now() - interval '{LOOKED_FOR_SECONDS:.0f} seconds')"

TAKEN_UP = f"id = %(operation)s and (state = 'accepted' or {INTERRUPTED}) for update"
"""The operation, unless its closing is final."""

_OPEN = f"with op as (select id, accepted_at from operations where {TAKEN_UP})"

_CLOSED = """
closed as (
    update operations set state = 'recorded', reason = '', note = '', closed_at = now(), sealed = null
      from op where operations.id = op.id and exists (select from written)
)
select not exists (select from op) or exists (select from written)
"""

ALONE = (
    _OPEN
    + """
update operations set state = 'recorded', reason = '', note = '', closed_at = now(), sealed = null
  from op where operations.id = op.id
"""
)

# A server that was restored from a backup may give an identity out again: to an account whose creation was accepted
# after the one before was made, or its deletion was recorded. `created_at` of a creation is when it was accepted.
_AGAIN = """(%(created)s and a.identity = excluded.identity and coalesce(
    excluded.created_at > case when a.deleted then a.updated_at else a.created_at end, false))"""
# A row without an identity is older than identities: it counts as the same account's, but for a creation.
_SAME = f"(a.identity = excluded.identity and not {_AGAIN} or (a.identity = '' and not %(created)s))"
_KEEPS_REMARK = f"{_SAME} and (%(remark)s::text is null or %(order)s < a.remark_order)"
_KEEPS_PASSWORD = f"{_SAME} and (not %(speaks)s or %(order)s < a.password_order)"

EFFECT = (
    _OPEN
    + f""", written as (
insert into accounts as a
       (instance_id, name, host, engine_oid, identity, remark, created_at, updated_at, password_updated_at,
        sealed_password, remark_order, password_order, applied_order)
select %(instance)s, %(name)s, %(host)s, %(oid)s, %(identity)s, coalesce(%(remark)s, ''),
       case when %(created)s then op.accepted_at end, now(),
       case when %(password)s then now() end,
       case when %(manages)s::boolean then %(sealed)s::bytea end,
       case when %(remark)s::text is not null then %(order)s else 0 end,
       case when %(speaks)s then %(order)s else 0 end, %(order)s
  from op
on conflict (instance_id, name, host) do update set
       engine_oid = excluded.engine_oid,
       identity = excluded.identity,
       deleted = false,
       remark = case when {_KEEPS_REMARK} then a.remark else excluded.remark end,
       remark_order = case when {_KEEPS_REMARK} then a.remark_order else excluded.remark_order end,
       created_at = case when {_SAME} and not %(created)s then a.created_at else excluded.created_at end,
       updated_at = now(),
       password_updated_at = case when {_KEEPS_PASSWORD} then a.password_updated_at
                                  else excluded.password_updated_at end,
       sealed_password = case when {_KEEPS_PASSWORD} then a.sealed_password
                              when {_SAME} and %(manages)s::boolean is null then a.sealed_password
                              else excluded.sealed_password end,
       password_order = case when {_KEEPS_PASSWORD} then a.password_order else excluded.password_order end,
       applied_order = case when {_SAME} then greatest(a.applied_order, excluded.applied_order)
                            else excluded.applied_order end
 where (a.identity in (excluded.identity, '')
        and (not a.deleted or (a.applied_order > 0 and a.applied_order < %(order)s)))
       or {_AGAIN} or a.identity = %(instead)s
returning 1
), """
    + _CLOSED
)

DELETION = (
    _OPEN
    + """, written as (
insert into accounts as a (instance_id, name, host, engine_oid, identity, updated_at, deleted, applied_order)
select %(instance)s, %(name)s, %(host)s, 0, %(identity)s, now(), true, %(order)s from op
on conflict (instance_id, name, host) do update set
       engine_oid = 0, identity = excluded.identity, deleted = true, remark = '', created_at = null, updated_at = now(),
       password_updated_at = null, sealed_password = null, remark_order = 0, password_order = 0,
       applied_order = excluded.applied_order
 where a.identity in (excluded.identity, '') or a.identity = %(instead)s
returning 1
), """
    + _CLOSED
)


def values_of(
    operation_id: UUID, instance_id: int, effect: AccountEffect, instead_of: str | None
) -> dict[str, object]:
    """What the statements here are given."""
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
        "password": effect.password_changed,
        "manages": effect.manages,
        "sealed": effect.sealed,
        "speaks": effect.speaks_of_password,
        "instead": instead_of,
    }
