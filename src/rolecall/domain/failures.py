"""Failed sign-ins, counted: by client address, and by names that nobody has.

A count begins with the first failure and is forgotten a while after it.
"""

from __future__ import annotations

import hashlib
import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from rolecall.domain.reasons import Reason, Refused


@dataclass(frozen=True, slots=True)
class Failures:
    number: int
    since: datetime


class FailureBook(Protocol):
    async def failures(self, subject: str) -> Failures | None: ...
    async def add_failure(self, subject: str, at: datetime, forgotten_before: datetime) -> None:
        """One more; a count that began before `forgotten_before` begins anew."""

    async def purge_failures(self, began_before: datetime) -> None: ...


class AddressLimit:
    """At most `most` failures from one client address in `seconds`; then it is refused without a look at anything."""

    def __init__(self, book: FailureBook, most: int, seconds: int) -> None:
        self._book = book
        self._most = most
        self._window = timedelta(seconds=seconds)

    async def admit(self, client: str, now: datetime) -> None:
        """RATE_EXCEEDED, with the facts ``seconds`` and ``retry_after``: both, how long to wait."""
        known = await self._book.failures(_address(client))
        if known is None or known.number < self._most:
            return
        left = known.since + self._window - now
        if left > timedelta():
            seconds = int(left.total_seconds()) + 1
            raise Refused(Reason.RATE_EXCEEDED, facts={"seconds": seconds, "retry_after": seconds})

    async def failed(self, client: str, now: datetime) -> None:
        await self._book.add_failure(_address(client), now, now - self._window)

    async def nobody_failed(self, where: str, login: str, now: datetime) -> None:
        """What a failure of an account costs, for a login that has none: so that no timing tells them apart."""
        name = hashlib.sha256(f"{where}\n{login}".encode()).hexdigest()
        await self._book.add_failure(f"name:{name}", now, now - self._window)

    async def purge(self, now: datetime) -> None:
        await self._book.purge_failures(now - self._window)


def _address(client: str) -> str:
    """An IPv6 client has its whole /64: it counts as one."""
    try:
        address = ipaddress.ip_address(client)
    except ValueError:
        return f"address:{client}"
    if isinstance(address, ipaddress.IPv6Address):
        mapped = address.ipv4_mapped
        return f"address:{mapped or ipaddress.ip_network((address, 64), strict=False).network_address}"
    return f"address:{address}"
