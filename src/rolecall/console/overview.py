"""The console's home: what there is, and how it goes. What the visitor may not see is left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from rolecall.console import pages
from rolecall.console.actions import ActionName, Actions
from rolecall.console.charts import last_hour
from rolecall.console.instances import Seen, VisibleInstances
from rolecall.console.paths import PREFIX
from rolecall.console.visits import Page, Visit
from rolecall.domain.maintenance.call_history import CallMinute
from rolecall.domain.operations.audit import Row, Wanted
from rolecall.domain.operations.model import Unresolved
from rolecall.values import Reply
from rolecall.web.forms import moment

_LATEST = 8
_HOUR = timedelta(hours=1)
_CENSUS = ActionName("tencent", "cam", "GetAccountSummary")


class History(Protocol):
    """`rolecall.domain.maintenance.call_history.CallHistory`."""

    async def since(self, moment: datetime) -> Sequence[CallMinute]: ...


class Trail(Protocol):
    """`rolecall.domain.operations.audit.AuditRepository`."""

    async def recent(self, wanted: Wanted, limit: int) -> Sequence[Row]: ...


class OpenOperations(Protocol):
    """`rolecall.domain.operations.model.Ledger`."""

    async def still_open(self) -> Unresolved: ...


class Overview:
    def __init__(
        self,
        actions: Actions,
        visible: VisibleInstances,
        history: History,
        trail: Trail,
        operations: OpenOperations,
    ) -> None:
        self._actions = actions
        self._visible = visible
        self._history = history
        self._trail = trail
        self._operations = operations
        self.pages = (Page(PREFIX, self._show),)

    async def _show(self, visit: Visit) -> Reply:
        """Figures of the whole house are for the owner."""
        instances = await self._visible.all(visit)
        owner_sees: Mapping[str, object] = {}
        if visit.visitor.caller.is_owner:
            now = moment(visit.request)
            found = await self._history.since(now - _HOUR)
            owner_sees = {
                "chart": last_hour(found, now),
                "by_dialect": _by_dialect(found),
                "latest": (await self._trail.recent(Wanted(), _LATEST))[::-1],
                "unresolved": await self._operations.still_open(),
            }
        # Every visitor opens the home page: that alone leaves no denial in the audit trail.
        shows = await self._actions.permits(visit, _CENSUS)
        census = await self._actions.try_call(visit, _CENSUS, {}) if shows else None
        return pages.page(
            visit,
            "overview.html",
            section="overview",
            instances=instances,
            running=sum(seen.state == "running" for seen in instances),
            unreachable=[seen for seen in instances if _needs_care(seen)],
            census=census if isinstance(census, Mapping) else None,
            owner_sees=owner_sees,
        )


def _needs_care(seen: Seen) -> bool:
    return seen.state in ("unreachable", "failed")


def _by_dialect(found: Sequence[CallMinute]) -> Sequence[tuple[str, int, float]]:
    """Dialects with their calls, and the share of errors among them in percent; the busiest first."""
    calls: dict[str, int] = {}
    errors: dict[str, int] = {}
    for each in found:
        calls[each.dialect] = calls.get(each.dialect, 0) + each.calls
        errors[each.dialect] = errors.get(each.dialect, 0) + each.errors
    return [
        (dialect, number, 100 * errors[dialect] / number)
        for dialect, number in sorted(calls.items(), key=lambda pair: -pair[1])
    ]
