"""Failed sign-ins, counted: by client address, and by names that nobody has.

A count begins with the first failure and is forgotten a while after it.
"""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

from rolecall.domain.reasons import Reason, Refused


@dataclass(frozen=True, slots=True)
class Failures:
    number: int
    since: datetime


class FailureBook(Protocol):
    async def failures(self, subject: str) -> Failures | None: ...
    async def add_failure(self, subject: str, at: datetime, forgotten_before: datetime) -> Failures:
        """One more, and the count with it; a count that began before `forgotten_before` begins again."""

    async def purge_failures(self, began_before: datetime) -> None: ...


class AddressLimit:
    """At most `most` failures from one client address in `seconds`; then it is refused without a look at anything."""

    def __init__(self, book: FailureBook, most: int, seconds: int) -> None:
        self._book = book
        self._most = most
        self._window = timedelta(seconds=seconds)

    @asynccontextmanager
    async def guarding(self, client: str, now: datetime) -> AsyncIterator[Callable[[], Awaitable[None]]]:
        """The door around the judging of one password, wherever passwords are shown.

            async with addresses.guarding(client, now) as expect_admitted:
                verdict = await judge(password)     # raises CREDENTIALS_INVALID for a wrong one
                await expect_admitted()             # before anything is told or done of a right one

        RATE_EXCEEDED, with the facts ``seconds`` and ``retry_after``: both, how long to wait. A CREDENTIALS_INVALID
        that leaves the door is counted, and is answered as such only up to the limit: many may have guessed at once,
        all of them admitted before the first of them was counted, and no more than the limit allows learn anything.
        """
        await self._admit(client, now)
        try:
            yield partial(self._admit, client, now)
        except Refused as refusal:
            if refusal.reason is Reason.CREDENTIALS_INVALID:
                counted = await self._book.add_failure(_address(client), now, now - self._window)
                if counted.number > self._most:
                    raise self._refusal(counted, now) from None
            raise

    async def _admit(self, client: str, now: datetime) -> None:
        known = await self._book.failures(_address(client))
        if known is not None and known.number >= self._most and known.since + self._window > now:
            raise self._refusal(known, now)

    def _refusal(self, known: Failures, now: datetime) -> Refused:
        seconds = int((known.since + self._window - now).total_seconds()) + 1
        return Refused(Reason.RATE_EXCEEDED, facts={"seconds": seconds, "retry_after": seconds})

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
