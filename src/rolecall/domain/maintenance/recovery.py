"""Recovery: operations that a crash, or an outage, left accepted are finished or undone by looking at the engine."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from rolecall.domain.accounts.deferred import DeferredCreates
from rolecall.domain.accounts.repairs import Case, NotApplied, Overtaken, is_shown, repair
from rolecall.domain.engine.identity import Superseded
from rolecall.domain.instances.registry import ConnectedInstance, InstanceResolver
from rolecall.domain.operations.effects import AccountEffect, effect_of
from rolecall.domain.operations.journal import Journal, record
from rolecall.domain.operations.model import (
    Change,
    Intent,
    Ledger,
    Operation,
    Promised,
    Runner,
    State,
    StillUnknown,
    Unresolved,
)
from rolecall.domain.operations.runner import OperationRunner, may_pass
from rolecall.domain.reasons import OutcomeUnknown, Reason, Refused
from rolecall.domain.secrets.sealing import SealBroken

_log = structlog.get_logger(__name__)


class Recovery:
    """`pause` is the time between two rounds, in seconds. After each, `report` is given what is open."""

    def __init__(
        self,
        ledger: Ledger,
        journal: Journal,
        runner: OperationRunner,
        resolver: InstanceResolver,
        deferred: DeferredCreates,
        report: Callable[[Unresolved], None] = lambda _: None,
        pause: float = 5.0,
    ) -> None:
        self._ledger = ledger
        self._journal = journal
        self._runner = runner
        self._resolver = resolver
        self._deferred = deferred
        self._pause = pause
        self._report = report

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
        left = await self._runner.round(self.resolve)
        await self._look_again()
        self._report(await self._ledger.still_open())
        return left

    async def resolve(self, operation: Operation) -> bool:
        """True when the operation was closed."""
        try:
            connected = await self._connect(operation)
            is_begun = await self._ledger.take_over(operation.id)
            if operation.runner is Runner.DEFERRED:
                return await self._complete_deferred(connected, operation)
            await self._finish(Case(operation, connected, self._ledger, is_begun))
        except StillUnknown:
            return False
        except (NotApplied, Overtaken, Refused, OutcomeUnknown) as error:
            if may_pass(error):
                return False
            await self._undo(operation, error)
        return True

    async def _undo(self, operation: Operation, why: Exception) -> None:
        """Nothing shows it now. If something did before the account was deleted, that was written down (`removal`)."""
        if await self._ledger.witnessed(operation.id):
            instance, expected = await self._resolver.by_id(operation.instance_id or 0), operation.expected
            if instance is None or expected is None or operation.change is not Change.ACCOUNT_MOVE:
                await self._ledger.record(operation.id, operation.instance_id or 0, None)
                return
            name, host = operation.account  # moved, and deleted since
            left = AccountEffect(name, host, identity=expected.identity, deleted=True)
            connected = await self._resolver.connect_instance(instance)
            await record(self._ledger, connected, operation.id, left)
            return
        state = State.SUPERSEDED if isinstance(why, (Superseded, Overtaken)) else State.UNDONE
        await self._ledger.close(operation.id, state, Reason.INTERRUPTED.value, str(why))
        _log.info(f"operation {state.value}", operation=str(operation.id), change=operation.change.value)

    async def _look_again(self) -> None:
        """A process that was taken for dead, and was only held up, may have applied what was closed as interrupted.

        It records that itself, unless it ends before.
        """
        for operation in await self._ledger.interrupted():
            if operation.id in self._journal.under_way or operation.runner is Runner.PROVISIONING:
                continue
            try:
                connected = await self._connect(operation)
                if await is_shown(case := Case(operation, connected, self._ledger)):
                    await self._finish(case)
                elif await self._ledger.witnessed(operation.id):
                    await self._ledger.record(operation.id, operation.instance_id or 0, None)
            except (NotApplied, Overtaken, Refused, OutcomeUnknown, SealBroken):
                continue

    async def _connect(self, operation: Operation) -> ConnectedInstance:
        instance = await self._resolver.by_id(operation.instance_id or 0)
        if instance is None:
            raise NotApplied("the instance was removed")
        return await self._resolver.connect_instance(instance)

    async def _complete_deferred(self, connected: ConnectedInstance, operation: Operation) -> bool:
        intent = Intent(
            operation.change,
            operation.target,
            None,
            operation.detail,
            operation.sealed,
            runner=operation.runner,
        )
        return await self._deferred.make(connected, Promised(operation.id, intent))

    async def _finish(self, case: Case) -> None:
        operation, facts = case.operation, await repair(case)
        await record(self._ledger, case.connected, operation.id, effect_of(operation, operation.id, facts))
        _log.info("operation finished", operation=str(operation.id), change=operation.change.value)
