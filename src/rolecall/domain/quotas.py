"""Quotas: how many accounts an instance may have."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from rolecall.domain.reasons import Reason, Refused
from rolecall.domain.work import Target


class Quotas:
    """An account that is being made counts as made, so that calls at once do not pass a quota together.

    Processes do not see each other's: replicas may pass it by as many accounts as they make in the same moment.
    """

    def __init__(self) -> None:
        self._making: defaultdict[int, list[tuple[str, str]]] = defaultdict(list)

    @asynccontextmanager
    async def place(self, target: Target, quota: int | None) -> AsyncIterator[None]:
        """Room for one more account, kept until it is made. ACCOUNT_QUOTA, but not for a name that is taken.

        `quota` is the vendor's; an instance's option ``account_quota`` takes its place, and 0 lifts it.
        """
        if own := target.attached.instance.options.get("account_quota"):
            quota = int(own) or None
        if quota is None:
            yield
            return
        wanted, making = (target.name, target.host), self._making[target.attached.instance.id]
        earlier = set(making)  # later ones count us
        making.append(wanted)
        try:
            accounts = await target.attached.engine.accounts()
            taken = earlier.union((one.name, one.host) for one in accounts)
            counted = earlier.union((one.name, one.host) for one in accounts if not one.is_protected)
            if len(counted) >= quota and wanted not in taken:
                raise Refused(Reason.ACCOUNT_QUOTA, facts={"limit": quota})
            yield
        finally:
            making.remove(wanted)
