"""Limits before authentication: the bytes of bodies, and requests per client address."""

from __future__ import annotations

import hashlib
import ipaddress
import time
from collections import Counter, OrderedDict
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, TypeVar

from rolecall.domain.reasons import Reason, Refused

SMALL = 64 * 1024
"""Bytes of a body that are always accepted and parsed on the event loop; larger bodies count, and are parsed off it."""

_MOST_REMEMBERED = 10_000
"""Addresses, and keys at addresses; the least recently used is forgotten first."""

_MINUTE = 60

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]


class ClientGone(Exception):
    """The client closed the connection before the whole body was received, so there is nothing to answer."""


class Budget:
    """The bytes of bodies, beyond `SMALL` of each, that a process holds at once. A client address may hold a quarter,
    so that it cannot block the others; loopback, where a proxy may forward every client, may hold all.
    """

    def __init__(self, total: int) -> None:
        self._left = total
        self._most = total // 4
        self._held: Counter[str] = Counter()

    def take(self, count: int, client: str = "") -> bool:
        """Take bytes for a client; False if there are not enough left."""
        place = _place(client)
        if count > self._left or (place is not None and self._held[place] + count > self._most):
            return False
        self._left -= count
        if place is not None:
            self._held[place] += count
        return True

    def give_back(self, count: int, client: str = "") -> None:
        self._left += count
        if (place := _place(client)) is not None:
            self._held[place] -= count
            if not self._held[place]:
                del self._held[place]


@dataclass(slots=True)
class Body:
    """The body of a request. `taken` bytes of the budget are held until `release`.

    The first `SMALL` bytes of a refused body are kept, since they show its dialect.
    """

    budget: Budget
    limit: int
    client: str = ""
    content: bytes = field(default=b"", repr=False)
    too_large: bool = False
    crowded: bool = False
    sha256: str = field(default="", repr=False)
    taken: int = 0

    async def receive(self, receive: Receive) -> None:
        """Read to the end, even what is not kept: a client that still sends does not read an answer. `ClientGone`."""
        kept, size, digest = bytearray(), 0, hashlib.sha256()
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ClientGone
            chunk: bytes = message.get("body", b"")
            size += len(chunk)
            if self._may_keep(size):
                kept += chunk
                digest.update(chunk)
            else:
                del kept[SMALL:]
            if not message.get("more_body", False):
                break
        self.content = bytes(kept)
        if not (self.too_large or self.crowded):
            self.sha256 = digest.hexdigest()

    def _may_keep(self, size: int) -> bool:
        if self.too_large or self.crowded:
            return False
        if size > self.limit:
            self.too_large = True
        elif size > SMALL:
            more = size - SMALL - self.taken
            self.crowded = not self.budget.take(more, self.client)
            self.taken += 0 if self.crowded else more
        if self.too_large or self.crowded:
            self.release()
            return False
        return True

    def release(self) -> None:
        """Return the bytes to the budget. May be called again."""
        self.budget.give_back(self.taken, self.client)
        self.taken = 0


class Strangers:
    """Failed authentications by client address: after `rate` within a minute no more signatures are checked.

    A key that was proven from an address is still accepted there, so that callers behind a gateway are not locked out
    by a stranger behind it. Loopback is not counted, since a proxy there may forward every client.
    """

    def __init__(self, rate: int, clock: Callable[[], float] = time.monotonic) -> None:
        """A `rate` of 0 lifts the limit."""
        self._rate = rate
        self._clock = clock
        self._spent: OrderedDict[str, tuple[float, float]] = OrderedDict()
        """By address: how much of the rate was used, and when."""
        self._known: OrderedDict[tuple[str, str], None] = OrderedDict()

    def admit(self, client: str, key_id: str) -> None:
        """RATE_EXCEEDED, with the facts ``count``, ``limit``, ``seconds`` and ``retry_after``."""
        place = _place(client)
        if not self._rate or place is None or (place, key_id) in self._known:
            return
        used = self._used(place)
        if used > self._rate - 1:
            facts = {"count": int(used) + 1, "limit": self._rate, "seconds": _MINUTE, "retry_after": 1}
            raise Refused(Reason.RATE_EXCEEDED, facts=facts, note="too many failed authentications")

    def failed(self, client: str) -> None:
        place = _place(client)
        if self._rate and place is not None:
            used = min(self._used(place) + 1, self._rate)
            _remember(self._spent, place, (used, self._clock()))

    def proven(self, client: str, key_id: str) -> None:
        place = _place(client)
        if place is not None:
            _remember(self._known, (place, key_id), None)

    def _used(self, place: str) -> float:
        used, then = self._spent.get(place, (0.0, 0.0))
        return max(0.0, used - (self._clock() - then) * self._rate / _MINUTE)


def _remember(kept: OrderedDict[_Key, _Value], key: _Key, value: _Value) -> None:
    kept[key] = value
    kept.move_to_end(key)
    if len(kept) > _MOST_REMEMBERED:
        kept.popitem(last=False)


@lru_cache(maxsize=_MOST_REMEMBERED)
def _place(client: str) -> str | None:
    """The network of an address: itself, or the /64 of an IPv6 address; None for loopback."""
    try:
        address = ipaddress.ip_address(client)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        elif not address.is_loopback:
            return str(ipaddress.IPv6Network((int(address) >> 64 << 64, 64)))
    return None if address.is_loopback else str(address)
