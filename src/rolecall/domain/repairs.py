"""What recovery does for each kind of change: find its mark, finish it, or say that it never happened.

An account's change leaves its operation's id as a marker in the same transaction, so the marker decides. A
deletion, a change of privileges and a change of owner are repeated, which changes nothing twice, unless a later
change of the same target was recorded meanwhile.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from rolecall.domain.commands import ChangePrivileges, InstanceName
from rolecall.domain.encoding import decode_changes, decode_grants
from rolecall.domain.engine import (
    AccountChange,
    AccountFacts,
    AccountKind,
    database_grants,
    object_privileges,
    tenant_superuser,
)
from rolecall.domain.grants import apply_privileges
from rolecall.domain.instances import Attached
from rolecall.domain.operations import Change, Ledger, Operation


class NotApplied(Exception):
    """The engine shows no trace of the change."""


@dataclass(frozen=True, slots=True)
class Case:
    """One unresolved operation, with what looking after it takes."""

    operation: Operation
    attached: Attached
    ledger: Ledger


async def repair(case: Case) -> AccountFacts | None:
    """What the engine shows after the change. `NotApplied`, or what the engine raises."""
    return await _REPAIRS[case.operation.change](case)


async def _by_marker(case: Case) -> AccountFacts:
    facts = await case.attached.engine.account(*case.operation.account)
    if facts is None or case.operation.id not in facts.operations:
        raise NotApplied("the engine holds no mark of it")
    return facts


async def _create_account(case: Case) -> AccountFacts:
    """Where an account is made in one transaction the mark says all; elsewhere what is half made is taken away.

    An engine does not show an account that is half made, and any other one of that name it does show.
    """
    name, host = case.operation.account
    if host and await case.attached.engine.account(name, host) is None:
        await case.attached.engine.drop_account(name, case.operation.id, host)
    return await _by_marker(case)


async def _lock(case: Case) -> AccountFacts:
    """The lock is marked in its own transaction and sessions end after it: end them (again)."""
    await _by_marker(case)
    name, host = case.operation.account
    change = AccountChange(name, case.operation.id, may_log_in=False, end_sessions=True, host=host)
    return await case.attached.engine.change_account(change)


async def _move(case: Case) -> AccountFacts:
    name, host = str(case.operation.detail["new_name"]), str(case.operation.detail["new_host"])
    facts = await case.attached.engine.account(name, host)
    if facts is None or case.operation.id not in facts.operations:
        raise NotApplied("the engine holds no mark of it")
    return facts


async def _expect_last(case: Case) -> None:
    if await case.ledger.superseded(case.operation):
        raise NotApplied("a later change of the same target was recorded")


async def _delete_account(case: Case) -> None:
    await _expect_last(case)
    name, host = case.operation.account
    await case.attached.engine.drop_account(name, case.operation.id, host)


async def _remark(case: Case) -> AccountFacts:
    await _expect_last(case)
    facts = await case.attached.engine.account(*case.operation.account)
    if facts is None:
        raise NotApplied("the account is gone")
    return facts


async def _privileges(case: Case) -> AccountFacts:
    await _expect_last(case)
    operation = case.operation
    kind = operation.detail.get("kind")
    command = ChangePrivileges(
        InstanceName(operation.dialect, ""),
        operation.target,
        decode_changes(operation.detail["changes"]),
        None if kind is None else AccountKind(str(kind)),
    )
    return await apply_privileges(case.attached, command, operation.id)


async def _grants(case: Case) -> AccountFacts:
    await _expect_last(case)
    detail = case.operation.detail
    name, host = case.operation.account
    revoke = detail["revoke"]
    assert isinstance(revoke, list)  # noqa: S101 - written so by the handler
    return await database_grants(case.attached.engine).change_grants(
        name,
        host,
        decode_grants(detail["grant"]),
        revoke,
        case.operation.id,
        to_come=bool(detail.get("to_come")),
    )


async def _create_database(case: Case) -> None:
    names = {database.name: database.owner for database in await case.attached.engine.databases()}
    if names.get(case.operation.target) != case.operation.detail.get("owner"):
        raise NotApplied("there is no such database")


async def _delete_database(case: Case) -> None:
    await _expect_last(case)
    await case.attached.engine.drop_database(case.operation.target)


async def _database_owner(case: Case) -> None:
    await _expect_last(case)
    owner = str(case.operation.detail["owner"])
    engine = object_privileges(case.attached.engine)
    await engine.change_database_owner(case.operation.target, owner, case.operation.id)


async def _enable_superuser(case: Case) -> None:
    """As with other accounts, the mark says whether it happened, and what is half made is taken away."""
    engine = tenant_superuser(case.attached.engine)
    facts = await engine.superuser()
    if facts is None:
        await engine.disable_superuser(case.operation.id)
    if facts is None or case.operation.id not in facts.operations:
        raise NotApplied("the engine holds no mark of it")


async def _disable_superuser(case: Case) -> None:
    await _expect_last(case)
    await tenant_superuser(case.attached.engine).disable_superuser(case.operation.id)


_REPAIRS: Mapping[Change, Callable[[Case], Awaitable[AccountFacts | None]]] = {
    Change.ACCOUNT_CREATE: _create_account,
    Change.ACCOUNT_PASSWORD: _by_marker,
    Change.ACCOUNT_LOCK: _lock,
    Change.ACCOUNT_UNLOCK: _by_marker,
    Change.ACCOUNT_MANAGE: _by_marker,
    Change.ACCOUNT_UNMANAGE: _by_marker,
    Change.ACCOUNT_REMARK: _remark,
    Change.ACCOUNT_MOVE: _move,
    Change.ACCOUNT_DELETE: _delete_account,
    Change.PRIVILEGES: _privileges,
    Change.GRANTS: _grants,
    Change.DATABASE_CREATE: _create_database,
    Change.DATABASE_DELETE: _delete_database,
    Change.DATABASE_OWNER: _database_owner,
    Change.SUPERUSER_ENABLE: _enable_superuser,
    Change.SUPERUSER_DISABLE: _disable_superuser,
}
