"""The audit trail, for the owner: with filters, one request's whole story, export and verification."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Protocol
from urllib.parse import urlencode
from uuid import UUID

from rolecall.console import pages
from rolecall.console.paths import PREFIX
from rolecall.console.visits import Page, Visit
from rolecall.domain.operations.audit import Outcome, Row, Verified, Wanted
from rolecall.domain.operations.model import Operation, State, Unresolved
from rolecall.values import Reply

_SECTION = "operations"
_HOME = f"{PREFIX}/operations"
_SHOWN = 50
_EXPORTED = 10_000
"""Records of one export; `rolecall audit export` writes all."""


_OUTCOMES = (
    *(state.value for state in State if state is not State.ACCEPTED),
    *(each.value for each in Outcome),
)
"""Of operations, and of what is not an operation."""


class Trail(Protocol):
    """`rolecall.domain.operations.audit.AuditRepository`."""

    async def recent(self, wanted: Wanted, limit: int) -> Sequence[Row]: ...


class Verifier(Protocol):
    """`rolecall.domain.operations.audit_chain.Auditing`."""

    async def verify(self) -> Verified: ...


class OperationRecords(Protocol):
    """The store's operations."""

    async def operation(self, operation_id: UUID) -> Operation | None: ...
    async def still_open(self) -> Unresolved: ...


class OperationPages:
    def __init__(self, trail: Trail, verifier: Verifier, operations: OperationRecords) -> None:
        self._trail = trail
        self._verifier = verifier
        self._operations = operations
        self._whole = asyncio.Lock()
        """Held while much of the trail is read."""
        self.pages = (
            Page(_HOME, self._list, self._verify),
            Page(f"{_HOME}/export", self._export),
            Page(f"{_HOME}/{{request}}", self._story),
        )

    async def _list(self, visit: Visit, verified: Verified | None = None) -> Reply:
        if not visit.visitor.caller.is_owner:
            return _for_the_owner(visit)
        wanted, wrong = _wanted(visit)
        rows = await self._trail.recent(replace(wanted, before=_before(visit)), _SHOWN + 1)
        shown = rows[-_SHOWN:][::-1]
        kept = {name: value for name, value in visit.query if name not in ("before", "done") and value}
        older = urlencode({**kept, "before": shown[-1].id}) if len(rows) > _SHOWN else ""
        return pages.page(
            visit,
            "operations.html",
            section=_SECTION,
            rows=shown,
            query=visit.query,
            outcomes=_OUTCOMES,
            wrong=wrong,
            older=f"{_HOME}?{older}" if older else "",
            first=f"{_HOME}?{urlencode(kept)}" if visit.query["before"] else "",
            export=f"{_HOME}/export?{urlencode(kept)}",
            verified=verified,
        )

    async def _verify(self, visit: Visit) -> Reply:
        if not visit.visitor.caller.is_owner:
            return _for_the_owner(visit)
        if self._whole.locked():
            return _busy(visit)
        async with self._whole:
            verified = await self._verifier.verify()
        return await self._list(visit, verified)

    async def _export(self, visit: Visit) -> Reply:
        """The newest records that the filters want, as JSON lines."""
        if not visit.visitor.caller.is_owner:
            return _for_the_owner(visit)
        if self._whole.locked():
            return _busy(visit)
        wanted, _ = _wanted(visit)
        async with self._whole:
            rows = await self._trail.recent(wanted, _EXPORTED)
            lines = "".join(f"{json.dumps(row.fields(), ensure_ascii=False)}\n" for row in rows)
        headers = (
            ("content-type", "application/jsonl; charset=utf-8"),
            ("content-disposition", 'attachment; filename="rolecall-audit.jsonl"'),
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
        )
        return Reply(200, headers, lines.encode())

    async def _story(self, visit: Visit) -> Reply:
        """Every record of one request, and the operations among them as they stand."""
        if not visit.visitor.caller.is_owner:
            return _for_the_owner(visit)
        rows = await self._trail.recent(Wanted(request_id=visit.path["request"]), _SHOWN)
        if not rows:
            return pages.error(visit.request, 404, "not_found")
        ids = dict.fromkeys(row.operation for row in rows if row.operation is not None)
        found = [await self._operations.operation(each) for each in ids]
        return pages.page(
            visit,
            "story.html",
            section=_SECTION,
            rows=[(row, _detail(row)) for row in rows],
            operations=[operation for operation in found if operation is not None],
            request_id=visit.path["request"],
        )


def _busy(visit: Visit) -> Reply:
    """Another verification or export is under way: each reads much of the trail, and a process does one at a time."""
    return pages.error(visit.request, 503, "busy", (("retry-after", "5"),))


def _for_the_owner(visit: Visit) -> Reply:
    message = visit.text("for_the_owner")
    return pages.page(visit, "error.html", section=_SECTION, status=403, message=message)


def _wanted(visit: Visit) -> tuple[Wanted, str]:
    """The filters, and the name of the first that cannot be read."""
    query, wrong = visit.query, ""
    moments: dict[str, datetime | None] = {}
    for name in ("since", "until"):
        try:
            moments[name] = _utc(datetime.fromisoformat(query[name])) if query[name] else None
        except ValueError:
            moments[name], wrong = None, wrong or name
    text = query["principal"].strip()
    is_number = text.isascii() and text.isdecimal() and len(text) <= 18
    if text and not is_number:
        wrong = wrong or "principal"
    wanted = Wanted(
        moments["since"],
        moments["until"],
        int(text) if is_number else None,
        query["action"].strip(),
        query["target"].strip(),
        query["outcome"],
    )
    return wanted, wrong


def _utc(moment: datetime) -> datetime:
    """A moment without an offset is in UTC."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _before(visit: Visit) -> int | None:
    text = visit.query["before"]
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 18 else None


def _detail(row: Row) -> str:
    content: Mapping[str, object] = json.loads(row.detail)
    return json.dumps(content, indent=2, ensure_ascii=False) if content else ""
