"""The events that are posted: audit records, and gaps of the chain, as CloudEvents 1.0 in structured JSON.

The id of a record's event is its place in the chain and the beginning of its digest, which a store that was restored
to an earlier state gives to no other record.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from rolecall import ambient
from rolecall.domain.operations.audit import Link, Row

CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"

RECORD = "rolecall.audit.record.v1"
GAP = "rolecall.audit.gap.v1"

_DIGEST = 8
"""Bytes of the digest that are part of an id."""


@dataclass(frozen=True, slots=True)
class Event:
    """`position` is the last place of the chain that it stands for. `lost` is how many records cannot be posted."""

    id: str
    position: int
    body: bytes
    lost: int = 0


def events(webhook: UUID, position: int, links: Sequence[Link]) -> Iterator[Event]:
    """What is posted of the next places behind a position. Records that were pruned or removed are a gap."""
    for link in links:
        if link.position > position + 1:
            yield _gap(webhook, position + 1, link.position - 1)
        if link.row is None:
            yield _gap(webhook, link.position, link.position)
        else:
            yield _record(webhook, link, link.row)
        position = link.position


def _record(webhook: UUID, link: Link, row: Row) -> Event:
    event = f"{link.position}-{link.digest[:_DIGEST].hex()}"
    data = {**row.fields(), "position": link.position}
    return Event(event, link.position, _body(webhook, event, RECORD, row.at, row.target, data))


def _gap(webhook: UUID, first: int, last: int) -> Event:
    event = f"gap-{first}-{last}"
    data = {"first": first, "last": last}
    return Event(event, last, _body(webhook, event, GAP, ambient.now(), "", data), last - first + 1)


def _body(
    webhook: UUID, event: str, kind: str, at: datetime, subject: str, data: Mapping[str, object]
) -> bytes:
    document = {
        "specversion": "1.0",
        "id": event,
        "source": f"urn:uuid:{webhook}",
        "type": kind,
        **({"subject": subject} if subject else {}),
        "time": at.isoformat(timespec="microseconds").replace("+00:00", "Z"),
        "datacontenttype": "application/json",
        "data": data,
    }
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
