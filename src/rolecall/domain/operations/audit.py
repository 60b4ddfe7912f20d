"""The audit trail: who did what, from where, and what became of it.

Operations leave their records by themselves, in the commit that closes them. What is noted here writes no operation: a
change by command line, a password that is handed out, a refusal by policy, a sign-in. No record holds a secret, nor a
name that was typed and does not exist: it may be a password.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

import msgspec
from msgspec import Struct

from rolecall.values import Origin, Secret


class Outcome(StrEnum):
    """Of what is noted here. Records of operations have the operation's state."""

    BEGUN = "begun"
    """A command that will leave another record; none follows if its process was ended."""
    DONE = "done"
    FAILED = "failed"
    DENIED = "denied"
    INJECTED = "injected"
    """A call that was refused on request, by `rolecall fault`."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What is noted. `owner_id` and `principal` are None where it is not known whose it is."""

    dialect: str
    action: str
    outcome: Outcome
    target: str = ""
    reason: str = ""
    owner_id: int | None = None
    principal: int | None = None
    access_key_id: str = ""
    request_id: str = ""
    client: str = ""
    detail: Mapping[str, object] = field(default_factory=dict)


def entry_of(
    origin: Origin,
    outcome: Outcome,
    target: str,
    reason: str = "",
    detail: Mapping[str, object] | None = None,
) -> Entry:
    caller = origin.caller
    return Entry(
        origin.dialect,
        origin.action,
        outcome,
        target,
        reason,
        caller.owner_id,
        caller.principal,
        caller.access_key_id,
        origin.request_id,
        origin.client,
        detail or {},
    )


class Audit(Protocol):
    async def note(self, entry: Entry) -> None:
        """On disk when it returns."""

    async def note_quickly(self, entry: Entry) -> None:
        """Committed when it returns; a crash of the store's server may lose the last moments."""


class Row(Struct, frozen=True):
    """A record as it is kept. `detail` is the text of a JSON object, as the store has it."""

    id: int
    at: datetime
    owner_id: int | None
    principal: int | None
    access_key_id: str
    dialect: str
    action: str
    target: str
    outcome: str
    reason: str
    request_id: str
    client: str
    operation: UUID | None
    detail: str

    def fields(self) -> Mapping[str, object]:
        """As JSON takes them, the detail as an object."""
        return {
            "id": self.id,
            "at": self.at.isoformat(timespec="microseconds"),
            "owner_id": self.owner_id,
            "principal": self.principal,
            "access_key_id": self.access_key_id,
            "dialect": self.dialect,
            "action": self.action,
            "target": self.target,
            "outcome": self.outcome,
            "reason": self.reason,
            "request_id": self.request_id,
            "client": self.client,
            "operation": None if self.operation is None else str(self.operation),
            "detail": json.loads(self.detail),
        }


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which records. What is None or empty excludes none; `target` may be a part of it. `before` is an id."""

    since: datetime | None = None
    until: datetime | None = None
    principal: int | None = None
    action: str = ""
    target: str = ""
    outcome: str = ""
    request_id: str = ""
    before: int | None = None


class Link(Struct, frozen=True):
    """A place of the chain, with its record if that is there."""

    position: int
    audit_id: int
    digest: bytes
    row: Row | None


class Head(Struct, frozen=True):
    """Where a chain ends, or where the part that was pruned did."""

    position: int = 0
    digest: bytes = b""


HEAD_FACT = "audit chain head"
"""The fact in which the end of the chain is kept, and what it is sealed for."""


class ChainBroken(Exception):
    """The chain does not end as it did when it was added to last: nothing is added to it."""


class HeadSeal(Protocol):
    """How the end of the chain is kept beside it, so that it cannot be cut off and made again."""

    def seal(self, head: Head) -> bytes: ...
    def open(self, sealed: bytes) -> Head:
        """ChainBroken."""


class Page(Struct, frozen=True):
    """The places `first` to `last` of the chain, of which `links` are those whose records are wanted."""

    first: int
    last: int
    links: Sequence[Link]


class AuditRepository(Audit, Protocol):
    """The records and their chain.

    A record that commits late has a smaller id than others that were read before: only positions of the chain are an
    order in which a reader that goes on where it was misses none.
    """

    async def recent(self, wanted: Wanted, limit: int) -> Sequence[Row]:
        """The newest, in the order of their ids."""

    async def recent_links(self, wanted: Wanted, last: int, limit: int) -> Sequence[Link]:
        """The newest that are chained, up to a position."""

    async def after(self, wanted: Wanted, position: int, limit: int) -> Page | None:
        """The next places of the chain, `limit` at most; None if there are none. `first` is greater than the next
        position if records were pruned."""

    async def end(self) -> int:
        """The last position of the chain; 0 without any."""

    async def chain(self, key: Secret, seal: HeadSeal, known: Head) -> Head | None:
        """Chain what is not chained yet; where it ends then. None if another process is at it.

        ChainBroken, also if it does not hold what is `known` of it.
        """

    def links(self, after: int) -> AsyncIterator[Sequence[Link]]:
        """The chain behind a position, a page at a time."""

    async def checkpoint(self) -> Head: ...
    async def kept_head(self) -> bytes | None:
        """The end of the chain as it was sealed."""

    async def unchained(self) -> tuple[int, Sequence[int]]:
        """How many are not chained yet, and the first ids of those that can have come in only behind its back."""

    async def prune(self, before: datetime) -> int:
        """Remove the chained records that are older, from the beginning; how many. At least seven days stay."""


@dataclass(frozen=True, slots=True)
class Verified:
    """`broken` says what was found first that should not be; empty if nothing was. `head` is the last good place."""

    records: int
    unchained: int
    head: Head
    broken: str = ""


def digest(key: Secret, before: bytes, row: Row) -> bytes:
    """HMAC-SHA256 of the digest before (nothing for the first) and of the row: a JSON array of its columns in order,
    times as ISO 8601 in UTC to the microsecond, the detail as text; in ASCII, without blanks."""
    columns = (
        row.id, row.at.isoformat(timespec="microseconds"), row.owner_id, row.principal, row.access_key_id, row.dialect,
        row.action, row.target, row.outcome, row.reason, row.request_id, row.client,
        None if row.operation is None else str(row.operation), row.detail,
    )  # fmt: skip
    return hmac.digest(key.reveal().encode(), before + _text(columns), "sha256")


def _text(columns: tuple[int | str | None, ...]) -> bytes:
    """What `json.dumps` makes of them. Nearly all texts have nothing that it would escape, unlike msgspec."""
    try:
        text = msgspec.json.encode(columns)
    except UnicodeEncodeError:  # a lone surrogate
        text = b"\x7f"
    return (
        text
        if text.isascii() and b"\x7f" not in text
        else json.dumps(columns, separators=(",", ":")).encode()
    )


async def verify(
    repository: AuditRepository, key: Secret, seal: HeadSeal, passed: Callable[[int], None] = lambda _: None
) -> Verified:
    """Compute the chain again, from where it was pruned last. If it is pruned meanwhile, once more.

    `passed` is given the number of records of each page.
    """
    begun = await repository.checkpoint()
    found = await _verify(repository, key, seal, begun, passed)
    if found.broken and await repository.checkpoint() != begun:
        return await verify(repository, key, seal, passed)
    return found


async def _verify(
    repository: AuditRepository, key: Secret, seal: HeadSeal, head: Head, passed: Callable[[int], None]
) -> Verified:
    sealed = await repository.kept_head()
    waiting, late = await repository.unchained()
    try:
        end = head if sealed is None else seal.open(sealed)
    except ChainBroken as error:
        return Verified(0, waiting, head, str(error))
    records = 0
    async for page in repository.links(head.position):
        for link in page:
            if broken := _fault(key, head, link, end):
                return Verified(records, waiting, head, broken)
            head = Head(link.position, link.digest)
            records += 1
        passed(len(page))
    broken = ""
    if head.position < end.position:
        broken = f"the chain ends at place {head.position}, and had {end.position}: its end was removed"
    elif late:
        broken = f"record {late[0]} was inserted: it is older than what was chained before it came"
    return Verified(records, waiting, head, broken)


def _fault(key: Secret, before: Head, link: Link, end: Head) -> str:
    if link.position != before.position + 1:
        return f"the chain has no place {before.position + 1}: a record was removed before record {link.audit_id}"
    if link.row is None:
        return f"record {link.audit_id}, place {link.position} of the chain, was removed"
    fresh = digest(key, before.digest, link.row)
    if not hmac.compare_digest(fresh, link.digest):
        return f"record {link.audit_id}, place {link.position} of the chain, was changed or inserted"
    if link.position == end.position and fresh != end.digest:
        return f"record {link.audit_id}, place {link.position} of the chain, is not the one that was chained there"
    return ""
