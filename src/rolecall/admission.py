"""Stage 4: may this caller make this call now? Rates per action, region and calling principal.

Actions of one service may be counted together for a whole owner (`Action.rate_group`). A rate per second is counted
from the first call of that second; a longer one in a window that moves, so that it is kept in every such span.
"""

from __future__ import annotations

import math
import time

from limits import RateLimitItem, RateLimitItemPerSecond
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import FixedWindowRateLimiter, MovingWindowRateLimiter, RateLimiter
from redis.asyncio import ConnectionPool

from rolecall.contracts.model import Action
from rolecall.domain.rates import Allowance, Standing
from rolecall.domain.reasons import Reason, Refused
from rolecall.values import Call, Caller, Origin

_NAMESPACE = "rolecall"


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

    async def admit(self, call: Call, caller: Caller, action: Action) -> None:
        """RATE_EXCEEDED, with the facts ``count``, ``limit``, ``seconds`` and, to wait, ``retry_after`` (seconds).

        Nobody in particular counts by address.
        """
        allowance = self._kept(_allowance(call, action))
        if allowance is None:
            return
        who = str(caller.owner_number if action.rate_group else caller.principal)
        if not caller.principal:
            who = call.envelope.request.client
        identity = (call.dialect, allowance.service, allowance.name, call.region, who)
        item, limiter = self._counted(allowance)
        if await limiter.hit(item, *identity):
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
        who = str(origin.caller.owner_number)
        identity = (origin.dialect, kept.service, kept.name, origin.region, who)
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


def _allowance(call: Call, action: Action) -> Allowance:
    return Allowance(call.service, action.rate_group or call.action, action.rate, action.rate_seconds)
