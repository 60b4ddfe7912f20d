"""Sessions of browsers, and counts of failed sign-ins."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from psycopg.errors import ForeignKeyViolation

from rolecall.domain.access.browser_sessions import BrowserSession
from rolecall.domain.access.sign_ins import Failures
from rolecall.store.connection import Pool


class PgSessionRepository:
    """When a session was last seen goes through the quick pool: losing it ends a session early, nothing worse."""

    def __init__(self, durable: Pool, quick: Pool) -> None:
        self._pool = durable
        self._quick = quick

    async def add_session(self, session: BrowserSession) -> bool:
        try:
            async with self._pool.connection() as connection:
                await connection.execute(
                    "insert into browser_sessions (digest, user_id, sub_user, mark, must_change, authenticated_at,"
                    " seen_at) values (%s, %s, %s, %s, %s, %s, %s)",
                    (
                        session.digest, session.user_id, session.sub_user, session.fingerprint, session.must_change,
                        session.authenticated_at, session.seen_at,
                    ),
                )  # fmt: skip
        except ForeignKeyViolation:
            return False
        return True

    async def session(self, digest: bytes) -> BrowserSession | None:
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "select user_id, sub_user, mark, must_change, authenticated_at, seen_at from browser_sessions"
                " where digest = %s",
                (digest,),
            )
            row = await cursor.fetchone()
        if row is None:
            return None
        user_id, sub_user, fingerprint, *rest = row
        return BrowserSession(digest, user_id, sub_user, bytes(fingerprint), *rest)

    async def touch_session(self, digest: bytes, at: datetime) -> None:
        async with self._quick.connection() as connection:
            await connection.execute(
                "update browser_sessions set seen_at = greatest(seen_at, %s) where digest = %s", (at, digest)
            )

    async def end_session(self, digest: bytes) -> None:
        async with self._pool.connection() as connection:
            await connection.execute("delete from browser_sessions where digest = %s", (digest,))

    async def end_sessions_of(self, user_id: UUID | None, sub_user: int | None) -> None:
        async with self._pool.connection() as connection:
            await connection.execute(
                "delete from browser_sessions where user_id = %s or sub_user = %s", (user_id, sub_user)
            )

    async def purge_sessions(self, seen_before: datetime) -> None:
        async with self._pool.connection() as connection:
            await connection.execute("delete from browser_sessions where seen_at < %s", (seen_before,))


class PgFailureRepository:
    def __init__(self, durable: Pool) -> None:
        self._pool = durable

    async def failures(self, subject: str) -> Failures | None:
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "select failures, since from sign_in_failures where subject = %s", (subject,)
            )
            row = await cursor.fetchone()
        return None if row is None else Failures(*row)

    async def add_failure(self, subject: str, at: datetime, forgotten_before: datetime) -> Failures:
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "insert into sign_in_failures as f (subject, failures, since) values (%(subject)s, 1, %(at)s)"
                " on conflict (subject) do update set"
                " failures = case when f.since < %(before)s then 1 else f.failures + 1 end,"
                " since = case when f.since < %(before)s then excluded.since else f.since end"
                " returning failures, since",
                {"subject": subject, "at": at, "before": forgotten_before},
            )
            row = await cursor.fetchone()
        assert row is not None  # noqa: S101 - an insert returns its row
        return Failures(*row)

    async def purge_failures(self, began_before: datetime) -> None:
        async with self._pool.connection() as connection:
            await connection.execute("delete from sign_in_failures where since < %s", (began_before,))
