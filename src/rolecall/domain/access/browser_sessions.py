"""Browser sessions: who is signed in, until when, and for what.

A session ends when it was not used for an hour, twelve hours after the credential was shown, and when that password is
replaced or that access key is disabled. Its id is random, is new after each sign-in and change of password, and only
its digest is kept.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from rolecall.domain.secrets import bearer
from rolecall.values import Secret

IDLE = timedelta(hours=1)
ABSOLUTE = timedelta(hours=12)
CHANGE = timedelta(minutes=15)
"""Time to choose the new password that is required."""

_TOUCHED_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class BrowserSession:
    """Of a user store's user, a sub-user, or an owner. `must_change`: it permits changing the password, nothing else.

    An owner's session names the access key that was shown, or none after a sign-in link.
    """

    digest: bytes = field(repr=False)
    user_id: UUID | None
    sub_user: int | None
    fingerprint: bytes = field(repr=False)
    must_change: bool
    authenticated_at: datetime
    seen_at: datetime
    owner_id: int | None = None
    key_id: str | None = None


def password_fingerprint(password_hash: str | None) -> bytes:
    """Identifies a password: what was issued on it ends when another is set."""
    return hashlib.sha256((password_hash or "").encode()).digest()[:16]


class SessionRepository(Protocol):
    async def add_session(self, session: BrowserSession) -> bool:
        """False if its user or its key was deleted."""

    async def session(self, digest: bytes) -> BrowserSession | None: ...
    async def touch_session(self, digest: bytes, at: datetime) -> None: ...
    async def end_session(self, digest: bytes) -> None: ...
    async def end_sessions_of(
        self, user_id: UUID | None, sub_user: int | None, owner_id: int | None
    ) -> None: ...
    async def purge_sessions(self, seen_before: datetime) -> None: ...


class BrowserSessions:
    def __init__(self, repository: SessionRepository) -> None:
        self._repository = repository

    async def begin(
        self,
        *,
        user_id: UUID | None = None,
        sub_user: int | None = None,
        owner_id: int | None = None,
        key_id: str | None = None,
        fingerprint: bytes = b"",
        must_change: bool = False,
        at: datetime,
        seen_at: datetime,
        instead_of: Secret | None = None,
    ) -> Secret | None:
        """A new session's id; the one that the browser had ends. None if the user or the key was deleted.

        `at` is when the credential was shown.
        """
        if instead_of is not None:
            await self.end(instead_of)
        fresh = bearer.fresh()
        session = BrowserSession(
            bearer.digest(fresh), user_id, sub_user, fingerprint, must_change, at, seen_at, owner_id, key_id
        )
        return fresh if await self._repository.add_session(session) else None

    async def find(self, session_id: Secret, now: datetime) -> BrowserSession | None:
        """None if there is none, or it has ended. The caller checks whether its user may still sign in."""
        session = await self._repository.session(bearer.digest(session_id))
        if session is None:
            return None
        longest = CHANGE if session.must_change else ABSOLUTE
        if now - session.seen_at >= IDLE or now - session.authenticated_at >= longest:
            await self._repository.end_session(session.digest)
            return None
        if now - session.seen_at >= _TOUCHED_EVERY:
            await self._repository.touch_session(session.digest, now)
        return session

    async def end(self, session_id: Secret) -> None:
        await self._repository.end_session(bearer.digest(session_id))

    async def end_all(
        self, *, user_id: UUID | None = None, sub_user: int | None = None, owner_id: int | None = None
    ) -> None:
        """Every session of one user, sub-user or owner."""
        await self._repository.end_sessions_of(user_id, sub_user, owner_id)

    async def purge(self, now: datetime) -> None:
        await self._repository.purge_sessions(now - IDLE)
