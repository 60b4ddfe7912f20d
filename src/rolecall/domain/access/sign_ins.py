"""Sign-ins: recorded; failures counted by client address, and by names without an account.

A count starts with the first failure and expires a while after it.
"""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from msgspec import Struct

from rolecall.domain.operations.audit import Audit, Entry, Outcome
from rolecall.domain.reasons import Reason, Refused


@dataclass(frozen=True, slots=True)
class Failures:
    number: int
    since: datetime


class FailureRepository(Protocol):
    async def failures(self, subject: str) -> Failures | None: ...
    async def add_failure(self, subject: str, at: datetime, forgotten_before: datetime) -> Failures:
        """Count one more, and return the count; a count that began before `forgotten_before` starts again."""

    async def purge_failures(self, began_before: datetime) -> None: ...


class SignInSource(Struct, frozen=True):
    """What a password came with."""

    dialect: str = ""
    action: str = "sign-in"
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class SignInSubject:
    """Whose password it is, or would be."""

    target: str = ""
    owner_id: int | None = None
    principal: int | None = None
    detail: Mapping[str, object] = field(default_factory=dict)


_UNKNOWN = SignInSubject()
"""Also of a name without an account: what was typed there may be a password, and is not recorded."""


class WrongPassword(Refused):
    """CREDENTIALS_INVALID for an account that exists. `subject` is for the audit trail alone, never for answers."""

    def __init__(self, subject: SignInSubject, note: str = "") -> None:
        super().__init__(Reason.CREDENTIALS_INVALID, note=note)
        self.subject = subject


class Attempt:
    """One password to verify. The verifier sets `subject`, whose password it is."""

    def __init__(self, limit: AddressLimit, client: str, now: datetime) -> None:
        self._limit = limit
        self._client = client
        self._now = now
        self._admitted = False
        self.subject = _UNKNOWN

    async def require_admitted(self) -> None:
        """RATE_EXCEEDED. Before a right password has any effect; at the end of the guard at the latest."""
        if not self._admitted:
            await self._limit.admit(self._client, self._now)
            self._admitted = True


class AddressLimit:
    """At most `most` failures from one client address in `seconds`; then it is refused before anything is verified."""

    def __init__(self, repository: FailureRepository, audit: Audit, most: int, seconds: int) -> None:
        self._repository = repository
        self._audit = audit
        self._most = most
        self._window = timedelta(seconds=seconds)

    @asynccontextmanager
    async def guarded(self, client: str, now: datetime, source: SignInSource) -> AsyncIterator[Attempt]:
        """The guard around the verification of a password: admit, verify, admit again, count, record.

            async with addresses.guarded(client, now, source) as attempt:
                user = await verify(password)       # raises CREDENTIALS_INVALID for a wrong one
                attempt.subject = SignInSubject(user.name, ...)

        RATE_EXCEEDED, with the facts ``seconds`` and ``retry_after``: both, how long to wait. A CREDENTIALS_INVALID
        is counted, and is answered as such only up to the limit: many guesses may have been sent at once and admitted
        before the first of them was counted, and no more than the limit allows learn anything.

        Successes, and failures up to the limit, are recorded.
        """
        await self.admit(client, now)
        attempt = Attempt(self, client, now)
        try:
            yield attempt
            await attempt.require_admitted()
        except Refused as refusal:
            if refusal.reason is Reason.CREDENTIALS_INVALID:
                counted = await self._repository.add_failure(_address(client), now, now - self._window)
                if counted.number > self._most:
                    raise self._refusal(counted, now) from None
                subject = refusal.subject if isinstance(refusal, WrongPassword) else _UNKNOWN
                await self._note(Outcome.FAILED, subject, client, source, refusal.reason.value)
            raise
        await self._note(Outcome.DONE, attempt.subject, client, source)

    async def _note(
        self, outcome: Outcome, subject: SignInSubject, client: str, source: SignInSource, reason: str = ""
    ) -> None:
        entry = Entry(
            source.dialect,
            source.action,
            outcome,
            subject.target,
            reason,
            subject.owner_id,
            subject.principal,
            request_id=source.request_id,
            client=client,
            detail=subject.detail,
        )
        await self._audit.note_quickly(entry)

    async def admit(self, client: str, now: datetime) -> None:
        """RATE_EXCEEDED."""
        known = await self._repository.failures(_address(client))
        if known is not None and known.number >= self._most and known.since + self._window > now:
            raise self._refusal(known, now)

    def _refusal(self, known: Failures, now: datetime) -> Refused:
        seconds = int((known.since + self._window - now).total_seconds()) + 1
        return Refused(Reason.RATE_EXCEEDED, facts={"seconds": seconds, "retry_after": seconds})

    async def count_unknown_login(self, where: str, login: str, now: datetime) -> None:
        """Costs what the failure of an account costs, for a login without one: timing must not tell them apart."""
        name = hashlib.sha256(f"{where}\n{login}".encode()).hexdigest()
        await self._repository.add_failure(f"name:{name}", now, now - self._window)

    async def purge(self, now: datetime) -> None:
        await self._repository.purge_failures(now - self._window)


def _address(client: str) -> str:
    """An IPv6 client controls its whole /64, which counts as one address."""
    try:
        address = ipaddress.ip_address(client)
    except ValueError:
        return f"address:{client}"
    if isinstance(address, ipaddress.IPv6Address):
        mapped = address.ipv4_mapped
        return f"address:{mapped or ipaddress.ip_network((address, 64), strict=False).network_address}"
    return f"address:{address}"
