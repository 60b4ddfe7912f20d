"""Ending sessions: those of an account, and those that hold Rolecall's locks."""

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

BY_NAME = """
SELECT ID FROM information_schema.PROCESSLIST WHERE CONVERT(USER USING utf8mb4) COLLATE utf8mb4_bin = {user}
"""


IDLE_SECONDS = 5
"""Whole seconds after which a session of Rolecall's own that holds a lock and asks for nothing is ended: its process is
stopped or gone, and may not keep an account from being locked. If it goes on, it finds its connection lost.
"""

_HOLDER = """
SELECT USER, COMMAND = 'Sleep' AND TIME >= {idle} FROM information_schema.PROCESSLIST
WHERE ID = {number} AND ID <> CONNECTION_ID()
"""


async def are_open(session: Session, user: str, listing: str = BY_NAME) -> bool:
    return bool(await session.fetch(listing.replace("{user}", quoting.text(user))))


async def end(session: Session, user: str, listing: str = BY_NAME) -> None:
    """End every session of a user, and wait until they are gone. The change before it is already committed.

    At every host: the list of sessions shows where a client is, not which account admitted it. `listing` is the query
    for the sessions' ids. OutcomeUnknown if they do not end.
    """
    deadline = time.monotonic() + END_SECONDS
    query = listing.replace("{user}", quoting.text(user))
    killed: set[int] = set()
    while alive := {int(row[0]) for row in await session.fetch(query)}:
        for number in alive - killed:
            await _kill(session, number)
        killed |= alive
        if time.monotonic() > deadline:
            raise OutcomeUnknown("sessions of the account do not end")
        await asyncio.sleep(POLL_SECONDS)


async def end_holders(session: Session, locks: Sequence[str], administrator: str) -> None:
    """End the sessions that hold these locks, except this one and those of the administrator that are at work."""
    held = ", ".join(f"IS_USED_LOCK('{lock}')" for lock in locks)
    (holders,) = await session.fetch(f"SELECT {held}")
    for number in {int(holder) for holder in holders if holder is not None}:
        asked = _HOLDER.replace("{number}", str(number)).replace("{idle}", str(IDLE_SECONDS))
        for user, is_idle in await session.fetch(asked):
            if int(is_idle) or user.casefold() != administrator.casefold():
                await _kill(session, number)


async def _kill(session: Session, number: int) -> None:
    with contextlib.suppress(
        MySQLError
    ):  # it may have ended by itself; one that cannot be ended is still listed
        await session.fetch(f"KILL CONNECTION {number}")
