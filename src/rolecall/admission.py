"""Stage 4: may this caller make this call now? Rates per action, region and calling principal.

Actions of a service may be counted together (`Action.rate_group`): for the calling principal and, once the call is
permitted, for the whole owner. A sub-user whose calls are refused thus uses up its own share only.

A rate per second is counted from the first call of a second, a longer one in a moving window, so that it holds in every
span of that length.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import structlog
from limits import RateLimitItem, RateLimitItemPerSecond
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import FixedWindowRateLimiter, MovingWindowRateLimiter, RateLimiter

from rolecall.contracts.model import Action
from rolecall.domain.access.rates import Allowance, Standing
from rolecall.domain.reasons import Reason, Refused
from rolecall.values import Call, Caller, Origin

if TYPE_CHECKING:
    from limits.aio.storage import RedisStorage

    from rolecall.rate_store import RateStore
    from rolecall.worker_counts import WorkerCounts

_log = structlog.get_logger(__name__)

_NAMESPACE = "rolecall"

_RETRY_SECONDS = 1.0
"""How long an unreachable rate store is left alone before it is tried again."""

Identity = tuple[str, ...]
"""The key of a count: calls with the same key are counted together."""

T = TypeVar("T")


class _Counts:
    """The counts of one storage, by either rule."""

    def __init__(self, storage: MemoryStorage | RedisStorage | WorkerCounts) -> None:
        self.storage = storage
        self.fixed = FixedWindowRateLimiter(storage)
        self.moving = MovingWindowRateLimiter(storage)

    def limiter(self, allowance: Allowance) -> RateLimiter:
        return self.fixed if allowance.seconds == 1 else self.moving


class Admission:
    """`rate` replaces every contract's own rate, per second; None lifts the limit. `store` is a Redis URL, or empty.

    Without a Redis or Valkey, and while it is unreachable, each server counts its own calls: the workers of a server
    together, in the directory that they share (`workers`), so that a caller has the rate once per server. `alone` is
    called for each call that is counted so although there is a Redis.
    """

    def __init__(
        self,
        rate: int | None,
        *,
        contract_rates: bool = True,
        store: str = "",
        workers: Path | None = None,
        alone: Callable[[], None] = lambda: None,
    ) -> None:
        self._rate = rate
        self._contract_rates = contract_rates
        self._alone = alone
        self._own = _Counts(MemoryStorage())
        self._workers = None if workers is None else _open_workers(workers)
        self._of_workers = None if self._workers is None else _Counts(self._workers)
        self._store = _open_store(store) if store else None
        self._shared = None if self._store is None else _Counts(self._store.storage)
        self._retry_at = 0.0
        self.shares = True
        """False while there is a rate store and it is unreachable."""

    async def close(self) -> None:
        if self._store is not None:
            await self._store.close()
        if self._workers is not None:
            self._workers.close()

    async def _counted(self, ask: Callable[[_Counts], Awaitable[T]]) -> T:
        """The answer of the shared counts, else of this server's."""
        if self._shared is None or self._store is None:
            return await self._counted_here(ask)
        if self.shares or time.monotonic() >= self._retry_at:
            self._retry_at = time.monotonic() + _RETRY_SECONDS  # other calls do not wait meanwhile
            try:
                async with asyncio.timeout(self._store.timeout):
                    answer = await ask(self._shared)
            except self._store.errors as error:
                self._note(shares=False, error=error)
            else:
                self._note(shares=True)
                return answer
        self._alone()
        return await self._counted_here(ask)

    async def _counted_here(self, ask: Callable[[_Counts], Awaitable[T]]) -> T:
        if self._workers is not None and self._of_workers is not None:
            try:
                return await ask(self._of_workers)
            except self._workers.errors as error:  # the disk is full, for example
                _log.warning("a rate is counted per worker: their file cannot be used", error=str(error))
        return await ask(self._own)

    def _note(self, *, shares: bool, error: Exception | None = None) -> None:
        if shares and not self.shares:
            _log.warning("rates are shared again")
        if self.shares and not shares:
            _log.warning(
                "rates are counted per server: their store is out of reach", error=type(error).__name__
            )
        self.shares = shares

    async def admit(self, call: Call, caller: Caller, action: Action, regions: Collection[str] = ()) -> None:
        """Count a call for its caller. RATE_EXCEEDED, also if the owner's rate is used up, which is not counted yet.

        `regions` are counted separately; every other text counts as the same region. A caller that is not
        authenticated counts by its address. Facts: ``count``, ``limit``, ``seconds`` and ``retry_after`` (seconds to
        wait).
        """
        allowance = self._kept(_allowance(call, action))
        if allowance is None:
            return
        region = call.region if call.region in regions else ""
        sender = str(caller.principal) if caller.principal else f"at {call.envelope.request.client}"
        await self._hit(allowance, (call.dialect, allowance.service, allowance.name, region, sender))
        if action.rate_group and caller.principal:
            await self._hit(allowance, _of_owner(call.dialect, allowance, caller), test=True)

    async def charge(self, call: Call, caller: Caller, action: Action) -> None:
        """Count a permitted call for its owner, if its action has a rate group. RATE_EXCEEDED, as `admit`."""
        allowance = self._kept(_allowance(call, action))
        if allowance is not None and action.rate_group and caller.principal:
            await self._hit(allowance, _of_owner(call.dialect, allowance, caller))

    async def _hit(self, allowance: Allowance, identity: Identity, *, test: bool = False) -> None:
        """Count one more call, or only test whether the rate allows it."""
        item = _item(allowance)

        async def hit(counts: _Counts) -> tuple[int, float] | None:
            """None; or the number of calls, as far as it is known, and the time when more are allowed."""
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

    async def spend(self, allowance: Allowance, origin: Origin) -> bool:
        """Count a call for its owner, whatever its dialect. False if the allowance is used up.

        In fixed windows: a window that moves keeps the time of every call, and there may be thousands of them.
        """
        identity = (allowance.service, allowance.name, "of owner", str(origin.caller.owner_number))
        return await self._counted(lambda counts: counts.fixed.hit(_item(allowance), *identity))

    async def standing(self, allowance: Allowance, origin: Origin) -> Standing | None:
        """What remains of an owner's rate for a rate group."""
        kept = self._kept(allowance)
        if kept is None:
            return None
        item = _item(kept)
        identity = _of_owner(origin.dialect, kept, origin.caller)
        stats = await self._counted(lambda counts: counts.limiter(kept).get_window_stats(item, *identity))
        resets_at, remaining = stats
        return Standing(kept, max(0, remaining), resets_at)

    def _kept(self, allowance: Allowance) -> Allowance | None:
        """The contract's rate, or the one that replaces all rates."""
        if self._contract_rates:
            return allowance
        if self._rate is None:
            return None
        return Allowance(allowance.service, allowance.name, self._rate, 1)


def _open_workers(directory: Path) -> WorkerCounts:
    from rolecall.worker_counts import WorkerCounts

    return WorkerCounts(directory)


def _open_store(url: str) -> RateStore:
    from rolecall.rate_store import RateStore

    return RateStore(url)


def _item(allowance: Allowance) -> RateLimitItem:
    return RateLimitItemPerSecond(allowance.calls, allowance.seconds, namespace=_NAMESPACE)


def _of_owner(dialect: str, allowance: Allowance, caller: Caller) -> Identity:
    return (dialect, allowance.service, allowance.name, "of owner", str(caller.owner_number))


def _allowance(call: Call, action: Action) -> Allowance:
    return Allowance(call.service, action.rate_group or call.action, action.rate, action.rate_seconds)
