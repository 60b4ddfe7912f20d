"""Ending sessions: an account's, and of whoever holds a lock of ours."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Sequence

from asyncmy.errors import MySQLError

from rolecall.domain.reasons import OutcomeUnknown
from rolecall.engines.mysql import quoting
from rolecall.engines.mysql.connections import Session

END_SECONDS = 5.0
POLL_SECONDS = 0.01

_SESSIONS = """
SELECT ID FROM information_schema.PROCESSLIST WHERE CONVERT(USER USING utf8mb4) COLLATE utf8mb4_bin = {user}
"""


_USER = "SELECT USER FROM information_schema.PROCESSLIST WHERE ID = {number} AND ID <> CONNECTION_ID()"


async def end(session: Session, user: str, listing: str = _SESSIONS) -> None:
    """End every session of a user and wait until they are gone; the change before it is already made.

    Of every host: the list of sessions shows where a client is, not as which account it was let in. `listing` is
    the query for their ids.
    """
    deadline = time.monotonic() + END_SECONDS
    query = listing.replace("{user}", quoting.text(user))
    told: set[int] = set()
    while alive := {int(row[0]) for row in await session.fetch(query)}:
        for number in alive - told:
            await _kill(session, number)
        told |= alive
        if time.monotonic() > deadline:
            raise OutcomeUnknown("sessions of the account do not end")
        await asyncio.sleep(POLL_SECONDS)


async def end_holders(session: Session, locks: Sequence[str], administrator: str) -> None:
    """End the sessions that hold these locks, but for our own and the administrator's."""
    held = ", ".join(f"IS_USED_LOCK('{lock}')" for lock in locks)
    (holders,) = await session.fetch(f"SELECT {held}")
    for number in {int(holder) for holder in holders if holder is not None}:
        for (user,) in await session.fetch(_USER.replace("{number}", str(number))):
            if user.casefold() != administrator.casefold():
                await _kill(session, number)


async def _kill(session: Session, number: int) -> None:
    with contextlib.suppress(
        MySQLError
    ):  # it may have ended by itself; whoever cannot be ended is still listed
        await session.fetch(f"KILL CONNECTION {number}")
