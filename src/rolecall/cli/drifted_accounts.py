"""`rolecall account adopt --all` and `reassert --all`: the drifted accounts of an instance, one after another.

Each is an operation of its own, with its own audit record. What was done is as recorded afterwards and is not found
again: a run that was interrupted is repeated as it was.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import typer

from rolecall.app.application import Application
from rolecall.cli.account import instance_name
from rolecall.cli.account_drift import COLUMNS, listed, rows_of
from rolecall.cli.confirming import confirm
from rolecall.cli.context import find_instance, only_owner, with_application, with_operations
from rolecall.cli.failures import explain
from rolecall.cli.printing import Output, Paging, Row
from rolecall.cli.progress import bar
from rolecall.cli.records import origin_in_owners_name
from rolecall.domain.accounts.drift import AccountDrift, DriftStanding
from rolecall.domain.accounts.drift_commands import AdoptAccount, ReassertAccount
from rolecall.domain.messages import InstanceName
from rolecall.domain.operations.model import StillUnknown
from rolecall.domain.reasons import OutcomeUnknown, Reason, Refused
from rolecall.server_kinds import face_of
from rolecall.values import Origin

_COLUMNS = ("instance", "name", "host", "standing", "result", "reason")

_AS_RECORDED = "as recorded"
_LEFT, _REFUSED, _UNKNOWN, _IN_PART = "left", "refused", "unknown", "in part"
_FAILED = frozenset({_LEFT, _REFUSED, _UNKNOWN, _IN_PART})
"""Results with which the exit status is 1. LEFT: not tried, since the server was out of reach."""

_OUT_OF_REACH = frozenset({Reason.ENGINE_UNREACHABLE, Reason.INSTANCE_RESTARTING})


@dataclass(frozen=True, slots=True)
class Selection:
    """The accounts that `rolecall account check` lists with the same options."""

    instance: str
    standing: str
    field: str | None
    contains: str


@dataclass(frozen=True, slots=True)
class Run:
    """How accounts are resolved. `yes` asks nothing first."""

    data: Path | None
    dry_run: bool
    yes: bool
    quiet: bool
    as_json: bool


Resolve = Callable[[Application, InstanceName, AccountDrift, Origin], Awaitable[Row]]
"""Resolves one account. What to report of it: `result` and more."""


def adopt_all(selection: Selection, run: Run, *, recreated: bool) -> None:
    async def adopt(opened: Application, place: InstanceName, found: AccountDrift, origin: Origin) -> Row:
        command = AdoptAccount(place, found.name, found.host, recreated, run.dry_run)
        drift = await opened.bus.execute(command, origin)
        done = "would be adopted" if run.dry_run else "adopted"
        return {
            "standing": drift.standing.value,
            "result": _AS_RECORDED if drift.standing is DriftStanding.IN_SYNC else done,
            "differences": listed(drift.differences),
            "unrecorded": list(drift.unrecorded),
        }

    _resolve_all("adopt", selection, run, adopt)


def reassert_all(selection: Selection, run: Run) -> None:
    async def reassert(opened: Application, place: InstanceName, found: AccountDrift, origin: Origin) -> Row:
        command = ReassertAccount(place, found.name, found.host, run.dry_run)
        outcome = await opened.bus.execute(command, origin)
        fields = ", ".join(sorted({difference.field for difference in outcome.left}))
        if outcome.left:
            result = _IN_PART if outcome.done else _REFUSED
        elif outcome.done:
            result = "would be put back" if run.dry_run else "put back"
        else:
            result = _AS_RECORDED
        return {
            "standing": outcome.drift.standing.value,
            "result": result,
            "reason": f"{fields} cannot be put back" if fields else None,
            "put_back": listed(outcome.done),
            "left": listed(outcome.left),
        }

    _resolve_all("reassert", selection, run, reassert)


def _resolve_all(verb: str, selection: Selection, run: Run, resolve: Resolve) -> None:
    """The exit status is 1 if an account is not resolved whole."""
    with bar("comparing accounts", None, quiet=run.quiet) as advance:
        found = with_application(run.data, lambda opened: _found(opened, selection, advance))
    if found and not run.dry_run:
        confirm(f"{verb.capitalize()} {len(found)} accounts on {selection.instance}?", yes=run.yes)
    results: list[Row] = []
    with Output(as_json=run.as_json, columns=_COLUMNS, empty=f"nothing to {verb}") as output:
        try:
            if found:
                with bar(f"{verb} accounts", len(found), quiet=run.quiet) as advance:

                    async def work(opened: Application) -> None:
                        async for row in _resolved(opened, verb, selection, found, resolve):
                            results.append(row)
                            advance(1)

                    with_operations(run.data, work)
        finally:  # what was done before an error is reported, too
            output.add(results)
    counts = Counter(str(row["result"]) for row in results)
    if counts and not run.as_json:
        print(", ".join(f"{count} {result}" for result, count in counts.items()))
    if not _FAILED.isdisjoint(counts):
        raise typer.Exit(1)


async def _found(
    opened: Application, selection: Selection, advance: Callable[[int], None]
) -> Sequence[AccountDrift]:
    instance = await find_instance(opened, selection.instance)
    connected = await opened.instances.resolver.connect_instance(instance)
    paging = Paging(None, 0, selection.contains, COLUMNS)
    found = []
    async for drift in opened.accounts.drift.check(connected):
        rows = [row for row in rows_of(instance, drift) if selection.field in (None, row["field"])]
        if drift.standing.value == selection.standing and any(True for _ in paging.of(rows)):
            found.append(drift)
            advance(1)
    return found


async def _resolved(
    opened: Application, verb: str, selection: Selection, found: Sequence[AccountDrift], resolve: Resolve
) -> AsyncIterator[Row]:
    """A row for each account. Those after one that found the server out of reach are not tried."""
    instance, owner = await find_instance(opened, selection.instance), await only_owner(opened)
    unreachable = ""
    for drift in found:
        row: Row = {
            "instance": face_of(instance),
            "name": drift.name,
            "host": drift.host or None,
            "standing": drift.standing.value,
            "reason": None,
        }
        if unreachable:
            yield {**row, "result": _LEFT, "reason": unreachable}
            continue
        try:
            origin = origin_in_owners_name(owner, f"account {verb}")
            yield {**row, **await resolve(opened, instance_name(instance), drift, origin)}
        except (Refused, OutcomeUnknown) as error:
            is_unknown = isinstance(error, StillUnknown | OutcomeUnknown)
            reason = explain(error) or ""
            if isinstance(error, Refused) and error.reason in _OUT_OF_REACH:
                unreachable = reason
            yield {**row, "result": _UNKNOWN if is_unknown else _REFUSED, "reason": reason}
