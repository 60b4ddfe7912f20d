"""Ending the sessions of an account."""

from __future__ import annotations

import asyncio
import contextlib
import time

from asyncmy.errors import MySQLError

from rolecall.domain.reasons import OutcomeUnknown
from rolecall.engines.mysql import quoting
from rolecall.engines.mysql.connections import Session

END_SECONDS = 5.0
POLL_SECONDS = 0.01

_SESSIONS = """
SELECT ID FROM information_schema.PROCESSLIST WHERE CONVERT(USER USING utf8mb4) COLLATE utf8mb4_bin = {user}
"""


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


async def _kill(session: Session, number: int) -> None:
    with contextlib.suppress(
        MySQLError
    ):  # it may have ended by itself; whoever cannot be ended is still listed
        await session.fetch(f"KILL CONNECTION {number}")
