"""Stage 4: may this caller make this call now? Rates per action, region and calling principal.

Actions of one service may be counted together (`Action.rate_group`): for whoever calls, and, once the call was found to
be permitted, for its whole owner, so that a sub-user whose calls are refused uses up nothing but its own share.

A rate per second is counted from the first call of that second; a longer one in a window that moves, so that it is
kept in every such span.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Collection
from typing import TypeVar

import structlog
from limits import RateLimitItem, RateLimitItemPerSecond
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import FixedWindowRateLimiter, MovingWindowRateLimiter, RateLimiter
from redis.asyncio import ConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from rolecall.contracts.model import Action
from rolecall.domain.access.rates import Allowance, Standing
from rolecall.domain.reasons import Reason, Refused
from rolecall.values import Call, Caller, Origin

_log = structlog.get_logger(__name__)

_NAMESPACE = "rolecall"

_PATIENCE = 0.5
"""Seconds to wait for the shared counts."""

_PAUSE = 1.0
"""Seconds until they are asked for again, once they could not be had."""

Identity = tuple[str, ...]
"""What is counted together."""

T = TypeVar("T")


class _Counts:
    """Counts in one place, by both rules."""

    def __init__(self, storage: MemoryStorage | RedisStorage) -> None:
        self.storage = storage
        self.fixed = FixedWindowRateLimiter(storage)
        self.moving = MovingWindowRateLimiter(storage)

    def limiter(self, allowance: Allowance) -> RateLimiter:
        return self.fixed if allowance.seconds == 1 else self.moving


class Admission:
    """`rate` replaces every contract's own rate, per second; None lifts the limit. `store` is a Redis URL, or empty.

    Without a Redis or Valkey the count is this process's own, which is exact where one process serves. So it is while
    the Redis cannot be reached: a caller then has the rate once per process, and is not refused. `alone` is told of
    each call that was counted so.
    """

    def __init__(
        self,
        rate: int | None,
        *,
        contract_rates: bool = True,
        store: str = "",
        alone: Callable[[], None] = lambda: None,
    ) -> None:
        self._rate = rate
        self._contract_rates = contract_rates
        self._alone = alone
        self._own = _Counts(MemoryStorage())
        self._pool = _pool(store) if store else None
        self._shared: _Counts | None = None
        if self._pool is not None:
            storage = RedisStorage(
                f"async+{store}",
                implementation="redispy",
                connection_pool=self._pool,  # type: ignore[arg-type]  # passed on; ours so that it can be closed
            )
            self._shared = _Counts(storage)
        self._retry_at = 0.0
        self.shares = True
        """False while the shared counts, if there are any, cannot be had."""

    async def close(self) -> None:
        if self._pool is not None:
            await self._pool.disconnect()

    async def _counted(self, ask: Callable[[_Counts], Awaitable[T]]) -> T:
        """What the shared counts say, or our own."""
        if self._shared is None:
            return await ask(self._own)
        if self.shares or time.monotonic() >= self._retry_at:
            self._retry_at = time.monotonic() + _PAUSE  # others do not wait for the same
            try:
                async with asyncio.timeout(_PATIENCE):
                    answer = await ask(self._shared)
            except (RedisError, OSError, TimeoutError) as error:
                self._note(shares=False, error=error)
            else:
                self._note(shares=True)
                return answer
        self._alone()
        return await ask(self._own)

    def _note(self, *, shares: bool, error: Exception | None = None) -> None:
        if shares and not self.shares:
            _log.warning("rates are shared again")
        if self.shares and not shares:
            _log.warning(
                "rates are counted per process: their store is out of reach", error=type(error).__name__
            )
        self.shares = shares

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
        item = _item(allowance)

        async def hit(counts: _Counts) -> tuple[int, float] | None:
            """None, or how many calls there were, as far as is known, and when there may be more."""
            limiter = counts.limiter(allowance)
            if await (limiter.test if test else limiter.hit)(item, *identity):
                return None
            count = await counts.storage.get(item.key_for(*identity)) if limiter is counts.fixed else 0
            resets_at, _ = await limiter.get_window_stats(item, *identity)
            return count, resets_at

        exceeded = await self._counted(hit)
        if exceeded is None:
            return
        count, resets_at = exceeded
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
        item = _item(kept)
        identity = _of_owner(origin.dialect, kept, origin.caller)
        stats = await self._counted(lambda counts: counts.limiter(kept).get_window_stats(item, *identity))
        resets_at, remaining = stats
        return Standing(kept, max(0, remaining), resets_at)

    def _kept(self, allowance: Allowance) -> Allowance | None:
        """The contract's, or the one number that replaces them all."""
        if self._contract_rates:
            return allowance
        if self._rate is None:
            return None
        return Allowance(allowance.service, allowance.name, self._rate, 1)


async def unreachable(store: str) -> str:
    """Why a Redis cannot be reached; empty if it can."""
    pool = _pool(store)
    try:
        async with asyncio.timeout(_PATIENCE):
            await Redis(connection_pool=pool).ping()
    except (RedisError, OSError, TimeoutError) as error:
        return str(error) or type(error).__name__
    finally:
        await pool.disconnect()
    return ""


def _pool(url: str) -> ConnectionPool:
    """Every wait has an end, and nothing is tried twice."""
    return ConnectionPool.from_url(
        url, socket_timeout=_PATIENCE, socket_connect_timeout=_PATIENCE, retry=Retry(NoBackoff(), 0)
    )


def _item(allowance: Allowance) -> RateLimitItem:
    return RateLimitItemPerSecond(allowance.calls, allowance.seconds, namespace=_NAMESPACE)


def _of_owner(dialect: str, allowance: Allowance, caller: Caller) -> Identity:
    return (dialect, allowance.service, allowance.name, "of owner", str(caller.owner_number))


def _allowance(call: Call, action: Action) -> Allowance:
    return Allowance(call.service, action.rate_group or call.action, action.rate, action.rate_seconds)
