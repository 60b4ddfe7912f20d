"""Writes the record of a change that needs no engine, on the connection and in the transaction of the change."""

from __future__ import annotations

from uuid import uuid4

from psycopg import AsyncConnection
from psycopg.types.json import Jsonb

from rolecall.domain.records import Record
from rolecall.store.connection import Row

_RECORD = (
    "insert into operations (id, owner_id, kind, target, state, principal, access_key_id, dialect, action, request_id,"
    " client, replica, detail, closed_at) values (%s, %s, %s, %s, 'recorded', %s, %s, %s, %s, %s, %s, 0, %s, now())"
)


async def write_record(connection: AsyncConnection[Row], record: Record) -> None:
    """Within the caller's transaction: the change and its record are there together, or neither is."""
    origin = record.origin
    caller = origin.caller
    await connection.execute(
        _RECORD,
        (
            uuid4(), caller.owner_id, record.change.value, record.target, caller.principal, caller.access_key_id,
            origin.dialect, origin.action, origin.request_id, origin.client, Jsonb(dict(record.detail)),
        ),
    )  # fmt: skip
