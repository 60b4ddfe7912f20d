"""Recovery: operations that a crash left accepted are finished or undone by looking at the engine.

An account's change leaves its operation's id as a marker in the same transaction, so the marker decides. A
deletion, a change of privileges and a change of owner are repeated, which changes nothing twice, unless a later
change of the same target was recorded meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

import structlog

from rolecall.domain.accounts import apply_privileges
from rolecall.domain.commands import ChangePrivileges, InstanceName
from rolecall.domain.encoding import decode_changes
from rolecall.domain.engine import AccountChange, AccountFacts, AccountKind
from rolecall.domain.instances import Attached, Reach
from rolecall.domain.operations import Change, Journal, Ledger, Operation, State, effect_of
from rolecall.domain.reasons import OutcomeUnknown, Reason, Refused

_log = structlog.get_logger(__name__)

_LATER = frozenset({Reason.ENGINE_UNREACHABLE, Reason.INSTANCE_RESTARTING, Reason.ENGINE_BUSY})


class NotApplied(Exception):
    """The engine shows no trace of the change."""


class Recovery:
    """`pause` is the time between two rounds, in seconds."""

    def __init__(self, ledger: Ledger, journal: Journal, reach: Reach, pause: float = 5.0) -> None:
        self._ledger = ledger
        self._journal = journal
        self._reach = reach
        self._pause = pause

    async def run(self) -> None:
        """Round after round, until cancelled."""
        while True:
            await asyncio.sleep(self._pause)
            try:
                await self.round()
            except Exception:  # noqa: BLE001 - the next round may fare better
                _log.exception("recovery round failed")

    async def round(self) -> int:
        """Resolve what can be resolved now; returns how many operations are still unresolved."""
        left = 0
        replicas = (self._ledger.replica, *await self._ledger.dead_replicas())
        for operation in await self._ledger.unresolved(replicas):
            if operation.id not in self._journal.under_way:
                left += not await self.resolve(operation)
        return left

    async def resolve(self, operation: Operation) -> bool:
        """True when the operation was closed."""
        try:
            await self._finish(operation)
        except (NotApplied, Refused, OutcomeUnknown) as trouble:
            if isinstance(trouble, OutcomeUnknown) or (
                isinstance(trouble, Refused) and trouble.reason in _LATER
            ):
                return False
            await self._ledger.close(operation.id, State.UNDONE, Reason.INTERRUPTED.value, str(trouble))
            _log.info("operation undone", operation=str(operation.id), change=operation.change.value)
        return True

    async def _finish(self, operation: Operation) -> None:
        instance = await self._reach.by_id(operation.instance_id or 0)
        if instance is None:
            raise NotApplied("the instance was removed")
        attached = await self._reach.attach_instance(instance)
        facts = await _REPAIRS[operation.change](self._ledger, attached, operation)
        effect = effect_of(operation.change, operation.target, operation.detail, facts)
        if effect is not None and not effect.deleted and await self._ledger.superseded(operation):
            effect = replace(
                effect, manages=None, password_changed=False
            )  # a later change has said what holds now
        await self._ledger.record(operation.id, instance.id, effect)
        _log.info("operation finished", operation=str(operation.id), change=operation.change.value)


async def _by_marker(_ledger: Ledger, attached: Attached, operation: Operation) -> AccountFacts:
    facts = await attached.engine.account(operation.target)
    if facts is None or operation.id not in facts.operations:
        raise NotApplied("the engine holds no mark of it")
    return facts


async def _lock(ledger: Ledger, attached: Attached, operation: Operation) -> AccountFacts:
    """The lock is marked in its own transaction and sessions end after it: end them (again)."""
    await _by_marker(ledger, attached, operation)
    change = AccountChange(operation.target, operation.id, may_log_in=False, end_sessions=True)
    return await attached.engine.change_account(change)


async def _again(ledger: Ledger, operation: Operation) -> None:
    if await ledger.superseded(operation):
        raise NotApplied("a later change of the same target was recorded")


async def _delete_account(ledger: Ledger, attached: Attached, operation: Operation) -> None:
    await _again(ledger, operation)
    await attached.engine.drop_account(operation.target, operation.id)


async def _remark(ledger: Ledger, attached: Attached, operation: Operation) -> AccountFacts:
    await _again(ledger, operation)
    facts = await attached.engine.account(operation.target)
    if facts is None:
        raise NotApplied("the account is gone")
    return facts


async def _privileges(ledger: Ledger, attached: Attached, operation: Operation) -> AccountFacts:
    await _again(ledger, operation)
    kind = operation.detail.get("kind")
    command = ChangePrivileges(
        InstanceName(operation.dialect, ""),
        operation.target,
        decode_changes(operation.detail["changes"]),
        None if kind is None else AccountKind(str(kind)),
    )
    return await apply_privileges(attached, command, operation.id)


async def _create_database(_ledger: Ledger, attached: Attached, operation: Operation) -> None:
    names = {database.name: database.owner for database in await attached.engine.databases()}
    if names.get(operation.target) != operation.detail.get("owner"):
        raise NotApplied("there is no such database")


async def _delete_database(ledger: Ledger, attached: Attached, operation: Operation) -> None:
    await _again(ledger, operation)
    await attached.engine.drop_database(operation.target)


async def _database_owner(ledger: Ledger, attached: Attached, operation: Operation) -> None:
    await _again(ledger, operation)
    await attached.engine.change_database_owner(
        operation.target, str(operation.detail["owner"]), operation.id
    )


_REPAIRS: Mapping[Change, Callable[[Ledger, Attached, Operation], Awaitable[AccountFacts | None]]] = {
    Change.ACCOUNT_CREATE: _by_marker,
    Change.ACCOUNT_PASSWORD: _by_marker,
    Change.ACCOUNT_LOCK: _lock,
    Change.ACCOUNT_UNLOCK: _by_marker,
    Change.ACCOUNT_MANAGE: _by_marker,
    Change.ACCOUNT_UNMANAGE: _by_marker,
    Change.ACCOUNT_REMARK: _remark,
    Change.ACCOUNT_DELETE: _delete_account,
    Change.PRIVILEGES: _privileges,
    Change.DATABASE_CREATE: _create_database,
    Change.DATABASE_DELETE: _delete_database,
    Change.DATABASE_OWNER: _database_owner,
}
