"""Ending the sessions of a role."""

from __future__ import annotations

import asyncio
import time

from rolecall.domain.reasons import OutcomeUnknown
from rolecall.engines.postgresql import errors
from rolecall.engines.postgresql.connections import Connection
from rolecall.engines.postgresql.server import only_row

END_SECONDS = 5.0
POLL_SECONDS = 0.02

END = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usesysid = %(oid)s"


async def end(connection: Connection, oid: int) -> None:
    """End every session of a role and wait until they are gone; the change before it is already committed."""
    deadline = time.monotonic() + END_SECONDS
    with errors.begun("the account is changed, and its sessions perhaps not ended"):
        while (await only_row(connection, END, oid=oid))[0]:
            if time.monotonic() > deadline:
                raise OutcomeUnknown("sessions of the account do not end")
            await asyncio.sleep(POLL_SECONDS)
