"""Links that sign an owner in to the console once, for the operator who starts Rolecall on the same machine.

Only the digest of a link's text is kept.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Protocol

from rolecall.domain.access.keys import Owner
from rolecall.domain.secrets import bearer
from rolecall.values import Secret

VALID = timedelta(minutes=15)


class SignInLinkRepository(Protocol):
    async def add_link(self, digest: bytes, owner_id: int, expires_at: datetime) -> None:
        """Links that have expired are deleted meanwhile."""

    async def take_link(self, digest: bytes, now: datetime) -> Owner | None:
        """Delete the link: its owner, None if there is none or it has expired."""


class SignInLinks:
    def __init__(self, repository: SignInLinkRepository) -> None:
        self._repository = repository

    async def create(self, owner: Owner, now: datetime) -> Secret:
        """The text of a new link, good for one sign-in within `VALID`."""
        text = bearer.fresh()
        await self._repository.add_link(bearer.digest(text), owner.id, now + VALID)
        return text

    async def redeem(self, text: Secret, now: datetime) -> Owner | None:
        """The owner that the link signs in; None if it was used, has expired or never was."""
        return await self._repository.take_link(bearer.digest(text), now)
