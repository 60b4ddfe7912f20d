"""Lists the accounts of an instance: what its server has, joined with what the store has recorded."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol

from rolecall.domain.accounts.context import AccountRepository, AccountRow
from rolecall.domain.accounts.views import AccountView
from rolecall.domain.engine import AccountFacts, AccountKind
from rolecall.domain.instances.registry import ConnectedInstance
from rolecall.domain.operations import details
from rolecall.domain.operations.model import Operation


class Promised(Protocol):
    """Operations of promised accounts: those that are not made yet, and those that failed."""

    async def promised(self, instance_id: int) -> Sequence[Operation]: ...
    async def failed(self, instance_id: int) -> Sequence[Operation]: ...


async def account_views(
    repository: AccountRepository, ledger: Promised, connected: ConnectedInstance
) -> list[AccountView]:
    """Every account of an instance: the server's, the promised, those whose promise could not be kept, and those of
    ours that the server no longer has.

    The promised are read first: one that is created meanwhile is then on the server.
    """
    instance_id = connected.instance.id
    promised, recorded = await asyncio.gather(ledger.promised(instance_id), repository.accounts(instance_id))
    rows = {(row.name, row.host): row for row in recorded}
    there = {operation.account: facts_to_be(operation) for operation in promised}
    there |= {(facts.name, facts.host): facts for facts in await connected.engine.accounts()}
    views = [view(facts, rows.pop(place, None)) for place, facts in there.items()]
    failed = [operation for operation in await ledger.failed(instance_id) if operation.account not in there]
    views.extend(failed_view(operation) for operation in failed)
    views.extend(missing_view(row) for row in rows.values())
    return views


def facts_to_be(operation: Operation) -> AccountFacts:
    """A promised account as it will be."""
    name, host = operation.account
    grants = details.CreateAccount.of(operation).grants
    return AccountFacts(0, name, AccountKind.NORMAL, True, True, operation.id, host, grants)


def view(facts: AccountFacts, row: AccountRow | None) -> AccountView:
    """The server's account joined with our row; a row of an earlier account of that name counts for nothing."""
    ours = row if row is not None and row.is_of(facts) else None
    if facts.is_protected:
        standing = "protected"
    elif ours is not None and ours.created_at is not None:
        standing = "managed"
    else:
        standing = "foreign" if row is None or row.created_at is None else "changed"
    return AccountView(
        oid=facts.oid,
        name=facts.name,
        kind=facts.kind,
        locked=not facts.may_log_in,
        remark=ours.remark if ours else "",
        managed_password=ours is not None and ours.sealed_password is not None,
        created_at=ours.created_at if ours else None,
        updated_at=ours.updated_at if ours else None,
        password_updated_at=ours.password_updated_at if ours else None,
        standing=standing,
        operation=facts.marker,
        host=facts.host,
        grants=facts.grants,
    )


def failed_view(operation: Operation) -> AccountView:
    """An account that was promised and could not be made."""
    name, host = operation.account
    return AccountView(
        0, name, AccountKind.NORMAL, True, "", False, None, operation.closed_at, None, "failed", operation.id, host,
        reason=operation.reason,
    )  # fmt: skip


def missing_view(row: AccountRow) -> AccountView:
    """An account of ours that the server no longer has."""
    return AccountView(
        row.oid, row.name, AccountKind.NORMAL, True, row.remark, row.sealed_password is not None,
        row.created_at, row.updated_at, row.password_updated_at, "missing", None, row.host,
    )  # fmt: skip
