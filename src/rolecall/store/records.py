"""Writes the record of a change that needs no engine, on the connection and in the transaction of the change."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import uuid4

from psycopg.types.json import Jsonb

from rolecall.domain.operations.records import Record
from rolecall.store.connection import Connection
from rolecall.store.queries import load

_SQL = load("records")


async def write_record(connection: Connection, record: Record) -> None:
    """Within the caller's transaction: the change and its record are both committed, or neither is."""
    await connection.execute(_SQL["write"], record_values(record))


def record_values(record: Record) -> dict[str, object]:
    """The values of `records.row`, for statements that write the record together with the change."""
    return {
        **_common_values(record),
        "record_id": uuid4(),
        "record_target": record.target,
        "record_detail": Jsonb(dict(record.detail)),
    }


def records_values(records: Sequence[Record]) -> dict[str, object]:
    """The values of `records.rows`, for several records of one call and one kind of change."""
    return {
        **_common_values(records[0]),
        "record_ids": [uuid4() for _ in records],
        "record_targets": [record.target for record in records],
        "record_details": [Jsonb(dict(record.detail)) for record in records],
    }


def _common_values(record: Record) -> dict[str, object]:
    origin = record.origin
    caller = origin.caller
    return {
        "record_owner": caller.owner_id,
        "record_kind": record.change.value,
        "record_principal": caller.principal,
        "record_key": caller.access_key_id,
        "record_dialect": origin.dialect,
        "record_action": origin.action,
        "record_request": origin.request_id,
        "record_client": origin.client,
    }
