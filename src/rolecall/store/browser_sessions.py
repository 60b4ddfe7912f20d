"""Sessions of browsers, links that sign in once, and counts of failed sign-ins."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from psycopg.errors import ForeignKeyViolation
from psycopg.rows import class_row

from rolecall.domain.access.browser_sessions import BrowserSession
from rolecall.domain.access.keys import Owner
from rolecall.domain.access.sign_ins import Failures
from rolecall.store.connection import Pool
from rolecall.store.queries import load

_SQL = load("sessions")


class PgSessionRepository:
    """When a session was last seen goes through the quick pool: losing it ends a session early, nothing worse."""

    def __init__(self, durable: Pool, quick: Pool) -> None:
        self._pool = durable
        self._quick = quick

    async def add_session(self, session: BrowserSession) -> bool:
        try:
            await self._pool.execute(_SQL["add"], asdict(session))
        except ForeignKeyViolation:
            return False
        return True

    async def session(self, digest: bytes) -> BrowserSession | None:
        return await self._pool.row(class_row(BrowserSession), _SQL["one"], (digest,))

    async def touch_session(self, digest: bytes, at: datetime) -> None:
        query = "update browser_sessions set seen_at = greatest(seen_at, %s) where digest = %s"
        await self._quick.execute(query, (at, digest))

    async def end_session(self, digest: bytes) -> None:
        await self._pool.execute("delete from browser_sessions where digest = %s", (digest,))

    async def end_sessions_of(self, user_id: UUID | None, sub_user: int | None, owner_id: int | None) -> None:
        query = "delete from browser_sessions where user_id = %s or sub_user = %s or owner_id = %s"
        await self._pool.execute(query, (user_id, sub_user, owner_id))

    async def purge_sessions(self, seen_before: datetime) -> None:
        await self._pool.execute("delete from browser_sessions where seen_at < %s", (seen_before,))


class PgSignInLinkRepository:
    def __init__(self, durable: Pool) -> None:
        self._pool = durable

    async def add_link(self, digest: bytes, owner_id: int, expires_at: datetime) -> None:
        await self._pool.execute(_SQL["add_link"], (digest, owner_id, expires_at))

    async def take_link(self, digest: bytes, now: datetime) -> Owner | None:
        return await self._pool.row(class_row(Owner), _SQL["take_link"], (digest, now))


class PgFailureRepository:
    def __init__(self, durable: Pool) -> None:
        self._pool = durable

    async def failures(self, subject: str) -> Failures | None:
        query = "select failures as number, since from sign_in_failures where subject = %s"
        return await self._pool.row(class_row(Failures), query, (subject,))

    async def add_failure(self, subject: str, at: datetime, forgotten_before: datetime) -> Failures:
        values = {"subject": subject, "at": at, "before": forgotten_before}
        return await self._pool.only(class_row(Failures), _SQL["add_failure"], values)

    async def purge_failures(self, began_before: datetime) -> None:
        await self._pool.execute("delete from sign_in_failures where since < %s", (began_before,))
