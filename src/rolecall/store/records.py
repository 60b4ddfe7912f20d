"""Writes the record of a change that needs no engine, on the connection and in the transaction of the change."""

from __future__ import annotations

from uuid import uuid4

from psycopg import AsyncConnection
from psycopg.types.json import Jsonb

from rolecall.domain.operations.records import Record
from rolecall.store.connection import Row

INSERT_RECORD = (
    "insert into operations (id, owner_id, kind, target, state, principal, access_key_id, dialect, action, request_id,"
    " client, replica, detail, closed_at)"
)

RECORDED = (
    "%(record_id)s, %(record_owner)s, %(record_kind)s, %(record_target)s, 'recorded', %(record_principal)s,"
    " %(record_key)s, %(record_dialect)s, %(record_action)s, %(record_request)s, %(record_client)s, 0,"
    " %(record_detail)s, now()"
)
"""The record's values, for statements that write it together with the change: see `record_values`."""


async def write_record(connection: AsyncConnection[Row], record: Record) -> None:
    """Within the caller's transaction: the change and its record are there together, or neither is."""
    await connection.execute(f"{INSERT_RECORD} values ({RECORDED})".encode(), record_values(record))


def record_values(record: Record) -> dict[str, object]:
    origin = record.origin
    caller = origin.caller
    return {
        "record_id": uuid4(),
        "record_owner": caller.owner_id,
        "record_kind": record.change.value,
        "record_target": record.target,
        "record_principal": caller.principal,
        "record_key": caller.access_key_id,
        "record_dialect": origin.dialect,
        "record_action": origin.action,
        "record_request": origin.request_id,
        "record_client": origin.client,
        "record_detail": Jsonb(dict(record.detail)),
    }
