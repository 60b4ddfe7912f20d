"""Rotation: passwords that Rolecall manages are replaced from time to time.

An account's own row says when it is due, so nothing is lost by a restart; one replica at a time does the
work. A rotation is an operation like any other: written down before the server is touched, and finished or undone by
recovery. A server out of reach is tried again, after pauses that grow.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Sequence

import structlog

from rolecall import ambient
from rolecall.domain.access.keys import Owner
from rolecall.domain.accounts.context import AccountContext, Target
from rolecall.domain.accounts.credentials import Credentials
from rolecall.domain.accounts.ports import Due, RotationRepository
from rolecall.domain.instances.registry import InstanceResolver, not_ready
from rolecall.domain.operations.model import AccountKey
from rolecall.domain.reasons import OutcomeUnknown, Refused
from rolecall.domain.secrets.sealing import SealBroken
from rolecall.values import Caller, Origin

_log = structlog.get_logger(__name__)

_AT_ONCE = 4
"""Instances being worked on at once."""

_PAUSES = (5.0, 15.0, 60.0, 300.0)
"""Seconds until another attempt at one account; the last one again and again."""

_QUICKEST, _SLOWEST = 0.2, 30.0
"""Seconds between two looks for what is due."""


class Rotation:
    """`period` in seconds."""

    def __init__(
        self,
        context: AccountContext,
        resolver: InstanceResolver,
        credentials: Credentials,
        repository: RotationRepository,
        period: int,
        clock: Callable[[], float] = ambient.monotonic,
    ) -> None:
        self._context = context
        self._resolver = resolver
        self._credentials = credentials
        self._repository = repository
        self._period = period
        self._clock = clock
        self._attempts: dict[AccountKey, tuple[int, float]] = {}
        """Of accounts that failed: how often, and when to try again."""

    async def run(self) -> None:
        """Round after round, until cancelled."""
        while True:
            await asyncio.sleep(min(max(self._period / 20, _QUICKEST), _SLOWEST))
            try:
                await self.round()
            except Exception:  # noqa: BLE001 - the next round may fare better
                _log.exception("rotation round failed")

    async def round(self) -> int:
        """Replace what is due; returns how many were replaced."""
        async with self._repository.turn() as mine:
            due = await self._repository.due(self._period) if mine else ()
            self._attempts = {
                account.key: self._attempts[account.key] for account in due if account.key in self._attempts
            }
            ready = [account for account in due if self._may_try(account)]
            slots = asyncio.Semaphore(_AT_ONCE)
            groups = [list(group) for _, group in itertools.groupby(_sorted(ready), _instance_of)]
            done = await asyncio.gather(*(self._rotate_all(group, slots) for group in groups))
        return sum(done)

    def _may_try(self, due: Due) -> bool:
        return self._attempts.get(due.key, (0, 0.0))[1] <= self._clock()

    async def _rotate_all(self, due: Sequence[Due], slots: asyncio.Semaphore) -> int:
        """Those of one instance, one after another: its lane takes one writer, or few."""
        async with slots:
            return sum([await self._rotate(account) for account in due])

    async def _rotate(self, due: Due) -> bool:
        try:
            target = await self._target(due)
            if target is None:
                return False
            await self._credentials.rotate(target, _origin(due.owner))
        except (Refused, OutcomeUnknown, SealBroken) as error:
            failed = self._attempts.get(due.key, (0, 0.0))[0]
            pause = min(_PAUSES[min(failed, len(_PAUSES) - 1)], max(self._period / 2, _QUICKEST))
            self._attempts[due.key] = (failed + 1, self._clock() + pause)
            _log.warning(
                "a password was not rotated", account=due.name, instance=due.instance_id, error=str(error)
            )
            return False
        self._attempts.pop(due.key, None)
        return True

    async def _target(self, due: Due) -> Target | None:
        """None while nothing can be done on the instance: when it is back, this is due still."""
        instance = await self._resolver.by_id(due.instance_id)
        if instance is None or not_ready(instance) is not None:
            return None
        return Target(await self._resolver.connect_instance(instance), due.name, due.host)


def _instance_of(due: Due) -> int:
    return due.instance_id


def _sorted(due: Sequence[Due]) -> list[Due]:
    return sorted(due, key=_instance_of)


def _origin(owner: Owner) -> Origin:
    """Nobody asked for it: the principal is 0."""
    return Origin(Caller(owner.id, owner.number, owner.app_id, 0, ""), "", "rotation", str(ambient.new_id()))
