"""Stage 4: may this caller make this call now? Rates per action, region and calling principal."""

from __future__ import annotations

from limits import RateLimitItemPerSecond
from limits.aio.storage import MemoryStorage, RedisStorage, Storage
from limits.aio.strategies import FixedWindowRateLimiter
from redis.asyncio import ConnectionPool

from rolecall.contracts.model import Action
from rolecall.domain.reasons import Reason, Refused
from rolecall.values import Call, Caller


class Admission:
    """`rate` replaces every contract's own rate; None lifts the limit. `store` is a Redis URL, or empty.

    Without a Redis or Valkey the count is this process's own, which is exact where one process serves.
    """

    def __init__(self, rate: int | None, *, contract_rates: bool = True, store: str = "") -> None:
        self._rate = rate
        self._contract_rates = contract_rates
        self._pool = ConnectionPool.from_url(store) if store else None
        self._storage: Storage = MemoryStorage()
        if self._pool is not None:
            self._storage = RedisStorage(
                f"async+{store}",
                implementation="redispy",
                connection_pool=self._pool,  # type: ignore[arg-type]  # passed on; ours so that it can be closed
            )
        self._limiter = FixedWindowRateLimiter(self._storage)

    async def close(self) -> None:
        if self._pool is not None:
            await self._pool.disconnect()

    async def admit(self, call: Call, caller: Caller, action: Action) -> None:
        """RATE_EXCEEDED, with the count in this second and the limit. Nobody in particular counts by address."""
        rate = action.rate if self._contract_rates else self._rate
        if rate is None:
            return
        item = RateLimitItemPerSecond(rate, namespace="rolecall")
        who = str(caller.principal) if caller.principal else call.envelope.request.client
        identity = (call.dialect, call.service, call.action, call.region, who)
        if not await self._limiter.hit(item, *identity):
            count = await self._storage.get(item.key_for(*identity))
            raise Refused(Reason.RATE_EXCEEDED, facts={"count": max(count, rate + 1), "limit": rate})
