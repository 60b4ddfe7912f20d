"""Whose a user store is, and how often an owner's stores may be changed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import NoReturn
from uuid import UUID

from rolecall import ambient
from rolecall.domain.directories.ports import StandingRepository
from rolecall.domain.directories.views import Standing
from rolecall.domain.reasons import Reason, Refused
from rolecall.values import Origin

_WINDOW = 60.0


class StoreAccess:
    """Every command asks for what is the owner's; what was not found is explained afterwards.

    `pace` is how many changes an owner's stores may see in a minute, in this process; 0 is any number.
    """

    def __init__(
        self, repository: StandingRepository, pace: int, clock: Callable[[], float] = ambient.monotonic
    ) -> None:
        self._repository = repository
        self._pace = pace
        self._clock = clock
        self._window = 0.0
        self._changes: defaultdict[int, int] = defaultdict(int)

    def count(self, origin: Origin) -> None:
        """One change more. REQUESTS_TOO_FREQUENT."""
        if not self._pace:
            return
        window = self._clock() // _WINDOW
        if window != self._window:
            self._window = window
            self._changes.clear()
        self._changes[origin.caller.owner_id] += 1
        if self._changes[origin.caller.owner_id] > self._pace:
            raise Refused(Reason.REQUESTS_TOO_FREQUENT, facts={"limit": self._pace})

    async def require_access(self, origin: Origin, store_id: UUID | None) -> None:
        """Return if the store is the caller's. DIRECTORIES_INACTIVE, STORE_MISSING, TENANT_FOREIGN."""
        owner_id = origin.caller.owner_id
        require_owned(await self._repository.standing(owner_id, store_id), owner_id, store_id)

    async def active(self, origin: Origin) -> None:
        """DIRECTORIES_INACTIVE."""
        if not (await self._repository.standing(origin.caller.owner_id, None)).active:
            raise Refused(Reason.DIRECTORIES_INACTIVE)


def require_owned(standing: Standing, owner_id: int, store_id: UUID | None) -> None:
    """Return if the store is the owner's."""
    if not standing.active:
        raise Refused(Reason.DIRECTORIES_INACTIVE)
    if standing.holder is None:
        raise Refused(Reason.STORE_MISSING, facts={"value": store_id.hex if store_id else ""})
    if standing.holder != owner_id:
        raise Refused(Reason.TENANT_FOREIGN, note="the user store is another owner's")


def dry_run() -> NoReturn:
    """The end of a command that was only tried."""
    raise Refused(Reason.DRY_RUN)
