"""The runner: brings operations to their end that no call carries out: those answered when they were accepted, and
those that a dead process, or an outage, left open.

The rows of the operations are the queue; there is no other. A row tells whose it is (a replica's, until another takes
it over), how often it was tried, and when it is due again.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from uuid import UUID

import structlog

from rolecall import spans
from rolecall.domain.operations.journal import Journal
from rolecall.domain.operations.model import OUT_OF_REACH, AccountKey, Change, Operation, Promised, Runner
from rolecall.domain.reasons import OutcomeUnknown, Refused
from rolecall.domain.secrets.sealing import SealBroken

_log = structlog.get_logger(__name__)

_PAUSES = (0.2, 0.5, 1.0, 2.0)
"""Seconds between attempts while a server is out of reach; the last one again and again."""

_FIRST_PAUSE, _LONGEST_PAUSE = 5.0, 60.0
"""Seconds until another attempt after one that failed by a fault of ours, or for want of a key; doubled each time."""

Attempt = Callable[[], Awaitable[bool]]
"""Carries out one operation. True when it was closed; False when it is to be tried again."""

Finish = Callable[[Operation], Awaitable[bool]]
"""The same for any operation."""


def may_pass(error: Exception) -> bool:
    """Whether a later attempt may fare better."""
    return isinstance(error, OutcomeUnknown) or (isinstance(error, Refused) and error.reason in OUT_OF_REACH)


def _traced(operation: UUID, change: Change | None = None) -> Mapping[str, spans.Value]:
    """Attributes of a span."""
    named: dict[str, spans.Value] = {"rolecall.operation_ids": [str(operation)]}
    return named if change is None else named | {"rolecall.change": change.value}


class OperationRunner:
    """One per process."""

    def __init__(self, journal: Journal) -> None:
        self._ledger = journal.ledger
        self._journal = journal
        self._in_flight: dict[AccountKey, asyncio.Task[None]] = {}
        self._unreachable: set[AccountKey] = set()

    async def accept(self, instance_id: int, deferred: Sequence[Promised]) -> None:
        """Accept operations, all or none, that `begin` follows: until then recovery leaves them alone.

        ACCOUNT_TAKEN, `ClaimedBefore`.
        """
        mine = {operation.id for operation in deferred}
        self._journal.under_way |= mine
        try:
            await self._ledger.promise(instance_id, deferred)
        except BaseException:
            self._journal.under_way -= mine
            raise
        for operation in deferred:
            spans.note("rolecall.operation_ids", operation.id)

    def begin(self, account: AccountKey, operation: UUID, attempt: Attempt) -> None:
        """Attempt after attempt in the background, until it is closed."""
        task = asyncio.create_task(self._attempts(account, operation, attempt))
        self._in_flight[account] = task
        task.add_done_callback(partial(self._ended, account, operation))

    def in_flight(self, account: AccountKey) -> asyncio.Task[None] | None:
        """What creates an account now."""
        return self._in_flight.get(account)

    def is_unreachable(self, account: AccountKey) -> bool:
        """Whether the server of an account that is being created was out of reach at the last attempt."""
        return account in self._unreachable

    async def round(self, finish: Finish) -> int:
        """Try what this process and dead ones left open, and is due, once; how much is still open.

        Operations of whole servers are provisioning's.
        """
        left = 0
        replicas = (self._ledger.replica, *await self._ledger.dead_replicas())
        for operation in await self._ledger.unresolved(replicas):
            if operation.id in self._journal.under_way or operation.runner is Runner.PROVISIONING:
                continue
            if not await self._ledger.are_open((operation.id,)):
                continue  # closed since it was listed: a refusal that was answered stands
            if not operation.is_due or not await self._attempt(operation, finish):
                left += 1
        return left

    async def close(self) -> None:
        """Cancel what is in flight: it is resumed by the next process."""
        tasks = tuple(self._in_flight.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _attempt(self, operation: Operation, finish: Finish) -> bool:
        """One that cannot be understood keeps no other waiting."""
        pause = 0.0
        try:
            with spans.background("recover operation", _traced(operation.id, operation.change)):
                is_closed = await finish(operation)
            if is_closed:
                return True
        except SealBroken as error:  # until its master key is listed again
            _log.error("operation waits for a master key", operation=str(operation.id), found=str(error))
            pause = min(_FIRST_PAUSE * 2**operation.attempts, _LONGEST_PAUSE)
        except Exception:  # noqa: BLE001 - a later attempt may fare better, after another release or with another key
            _log.exception("operation could not be resolved", operation=str(operation.id))
            pause = min(_FIRST_PAUSE * 2**operation.attempts, _LONGEST_PAUSE)
        await self._ledger.tried(operation.id, pause)
        return False

    async def _attempts(self, account: AccountKey, operation: UUID, attempt: Attempt) -> None:
        for pause in itertools.chain(_PAUSES, itertools.repeat(_PAUSES[-1])):
            with spans.background("carry out operation", _traced(operation)):
                is_closed = await attempt()
            if is_closed:
                return
            self._unreachable.add(account)
            await self._ledger.tried(operation, pause)
            await asyncio.sleep(pause)

    def _ended(self, account: AccountKey, operation: UUID, task: asyncio.Task[None]) -> None:
        self._journal.under_way.discard(operation)
        if self._in_flight.get(account) is task:
            del self._in_flight[account]
            self._unreachable.discard(account)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("an operation could not be carried out now", exc_info=error)
