"""Stage 4: may this caller make this call now? Rates per action, region and calling principal.

Actions of one service may be counted together (`Action.rate_group`): for whoever calls, and, once the call was found to
be permitted, for its whole owner, so that a sub-user whose calls are refused uses up nothing but its own share.

A rate per second is counted from the first call of that second; a longer one in a window that moves, so that it is
kept in every such span.
"""

from __future__ import annotations

import math
import time
from collections.abc import Collection

from limits import RateLimitItem, RateLimitItemPerSecond
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import FixedWindowRateLimiter, MovingWindowRateLimiter, RateLimiter
from redis.asyncio import ConnectionPool

from rolecall.contracts.model import Action
from rolecall.domain.rates import Allowance, Standing
from rolecall.domain.reasons import Reason, Refused
from rolecall.values import Call, Caller, Origin

_NAMESPACE = "rolecall"

Identity = tuple[str, ...]
"""What is counted together."""


class Admission:
    """`rate` replaces every contract's own rate, per second; None lifts the limit. `store` is a Redis URL, or empty.

    Without a Redis or Valkey the count is this process's own, which is exact where one process serves.
    """

    def __init__(self, rate: int | None, *, contract_rates: bool = True, store: str = "") -> None:
        self._rate = rate
        self._contract_rates = contract_rates
        self._pool = ConnectionPool.from_url(store) if store else None
        self._storage: MemoryStorage | RedisStorage = MemoryStorage()
        if self._pool is not None:
            self._storage = RedisStorage(
                f"async+{store}",
                implementation="redispy",
                connection_pool=self._pool,  # type: ignore[arg-type]  # passed on; ours so that it can be closed
            )
        self._fixed = FixedWindowRateLimiter(self._storage)
        self._moving = MovingWindowRateLimiter(self._storage)

    async def close(self) -> None:
        if self._pool is not None:
            await self._pool.disconnect()

    async def admit(self, call: Call, caller: Caller, action: Action, regions: Collection[str] = ()) -> None:
        """Count a call for its sender. RATE_EXCEEDED, also if the owner's share is used up, which is not counted yet.

        `regions` are those that are counted apart; any other text is one region, however it is spelled.
        Facts: ``count``, ``limit``, ``seconds`` and, to wait, ``retry_after`` (seconds). Nobody in particular counts
        by address.
        """
        allowance = self._kept(_allowance(call, action))
        if allowance is None:
            return
        region = call.region if call.region in regions else ""
        who = str(caller.principal) if caller.principal else f"at {call.envelope.request.client}"
        await self._hit(allowance, (call.dialect, allowance.service, allowance.name, region, who))
        if action.rate_group and caller.principal:
            await self._hit(allowance, _of_owner(call.dialect, allowance, caller), test=True)

    async def charge(self, call: Call, caller: Caller, action: Action) -> None:
        """Count a call that is permitted for its owner, where that is done. RATE_EXCEEDED, as `admit`."""
        allowance = self._kept(_allowance(call, action))
        if allowance is not None and action.rate_group and caller.principal:
            await self._hit(allowance, _of_owner(call.dialect, allowance, caller))

    async def _hit(self, allowance: Allowance, identity: Identity, *, test: bool = False) -> None:
        """Count one more, or only look whether there is room for it."""
        item, limiter = self._counted(allowance)
        if await (limiter.test if test else limiter.hit)(item, *identity):
            return
        count = await self._storage.get(item.key_for(*identity)) if limiter is self._fixed else 0
        resets_at, _ = await limiter.get_window_stats(item, *identity)
        facts = {
            "count": max(count, allowance.calls + 1),
            "limit": allowance.calls,
            "seconds": allowance.seconds,
            "retry_after": max(1, math.ceil(resets_at - time.time())),
        }
        raise Refused(Reason.RATE_EXCEEDED, facts=facts)

    async def standing(self, allowance: Allowance, origin: Origin) -> Standing | None:
        """What is left to an owner of what is counted together for it."""
        kept = self._kept(allowance)
        if kept is None:
            return None
        item, limiter = self._counted(kept)
        identity = _of_owner(origin.dialect, kept, origin.caller)
        resets_at, remaining = await limiter.get_window_stats(item, *identity)
        return Standing(kept, max(0, remaining), resets_at)

    def _kept(self, allowance: Allowance) -> Allowance | None:
        """The contract's, or the one number that replaces them all."""
        if self._contract_rates:
            return allowance
        if self._rate is None:
            return None
        return Allowance(allowance.service, allowance.name, self._rate, 1)

    def _counted(self, allowance: Allowance) -> tuple[RateLimitItem, RateLimiter]:
        item = RateLimitItemPerSecond(allowance.calls, allowance.seconds, namespace=_NAMESPACE)
        return item, self._fixed if allowance.seconds == 1 else self._moving


def _of_owner(dialect: str, allowance: Allowance, caller: Caller) -> Identity:
    return (dialect, allowance.service, allowance.name, "of owner", str(caller.owner_number))


def _allowance(call: Call, action: Action) -> Allowance:
    return Allowance(call.service, action.rate_group or call.action, action.rate, action.rate_seconds)
