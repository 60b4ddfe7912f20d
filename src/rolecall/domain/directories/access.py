"""Whose a user store is, and how often an owner's stores may be changed."""

from __future__ import annotations

from typing import NoReturn
from uuid import UUID

from rolecall.domain.access.rates import Allowance, RateCounter
from rolecall.domain.directories.ports import StandingRepository
from rolecall.domain.directories.views import Standing
from rolecall.domain.reasons import Reason, Refused
from rolecall.values import Origin


class StoreAccess:
    """Every command asks for what is the owner's; what was not found is explained afterwards.

    `pace` is how many changes an owner may make in a minute; 0 is any number.
    """

    def __init__(self, repository: StandingRepository, rates: RateCounter, pace: int) -> None:
        self._repository = repository
        self._rates = rates
        self._changes = Allowance("directories", "changes", pace, 60)

    async def count(self, origin: Origin) -> None:
        """Count a change. REQUESTS_TOO_FREQUENT."""
        pace = self._changes.calls
        if pace and not await self._rates.spend(self._changes, origin):
            raise Refused(Reason.REQUESTS_TOO_FREQUENT, facts={"limit": pace})

    async def require_access(self, origin: Origin, store_id: UUID | None) -> None:
        """Return if the store is the caller's. DIRECTORIES_INACTIVE, STORE_MISSING, TENANT_FOREIGN."""
        owner_id = origin.caller.owner_id
        require_owned(await self._repository.standing(owner_id, store_id), owner_id, store_id)

    async def require_active(self, origin: Origin) -> None:
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
