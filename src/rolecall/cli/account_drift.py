"""`rolecall account check`, `adopt` and `reassert`: how accounts differ from what was recorded, and what to do then."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from rolecall.cli.account import HostOption, InstanceOption, instance_name
from rolecall.cli.confirming import YesOption
from rolecall.cli.context import find_instance, only_owner, show, with_application, with_operations
from rolecall.cli.errors import CommandError
from rolecall.cli.importing import large_imports
from rolecall.cli.options import (
    DataOption,
    FilterOption,
    JsonOption,
    LimitOption,
    OffsetOption,
    QuietOption,
)
from rolecall.cli.printing import Output, Paging, Row
from rolecall.cli.records import origin_in_owners_name
from rolecall.domain.reasons import Refused
from rolecall.server_kinds import face_of

if TYPE_CHECKING:
    from rolecall.app.application import Application
    from rolecall.domain.accounts.drift import AccountDrift, Difference
    from rolecall.domain.instances.registry import Instance

app = typer.Typer(rich_markup_mode=None)

COLUMNS = ("instance", "name", "host", "standing", "field", "subject", "recorded", "found")

Standing = Literal["drifted", "missing", "changed", "unrecorded", "foreign"]
"""`DriftStanding` but for IN_SYNC: of an account that is, there is nothing to print."""

Field = Literal[
    "password",
    "login",
    "kind",
    "attributes",
    "connection_limit",
    "valid_until",
    "memberships",
    "grants",
    "rights",
]
"""The `Difference.field` of all differences."""

AdoptableStanding = Literal["drifted", "changed", "unrecorded", "foreign"]
"""`Standing` but for missing accounts, of which the server has nothing."""

OneNameArgument = Annotated[
    str | None, typer.Argument(metavar="NAME", help="The account. Or --all, and no name.")
]
AllOption = Annotated[bool, typer.Option("--all", help="All accounts of the instance that have drifted.")]
FieldOption = Annotated[
    Field | None,
    typer.Option(metavar="FIELD", help="With --all: only accounts that differ in this field."),
]
ContainsOption = Annotated[
    str,
    typer.Option(
        "--filter", metavar="TEXT", help="With --all: only accounts that `check` lists with this filter."
    ),
]

DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and change nothing.")]


@app.command("check")
def check(
    instance: Annotated[
        str | None, typer.Argument(metavar="INSTANCE", help="Only this instance, by id or name.")
    ] = None,
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="Only this account of it.")] = None,
    host: HostOption = "",
    standing: Annotated[
        Standing | None,
        typer.Option(
            metavar="STANDING", help="Only this standing: drifted, missing, changed, unrecorded or foreign."
        ),
    ] = None,
    field: Annotated[
        Field | None,
        typer.Option(metavar="FIELD", help="Only differences of this field, such as password."),
    ] = None,
    limit: LimitOption = None,
    offset: OffsetOption = 0,
    contains: FilterOption = "",
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare accounts with what was recorded of them. The exit status is 1 if any has drifted."""
    from rolecall.domain.accounts.drift import DRIFT

    wanted = {standing} if standing else {found.value for found in DRIFT}
    paging = Paging(limit, offset, contains, COLUMNS)
    has_drifted = False

    async def work(opened: Application) -> None:
        nonlocal has_drifted
        if instance is not None:
            chosen = [await find_instance(opened, instance)]
        else:
            chosen = list(await opened.store.instances.instances())
        for registered in chosen:
            try:
                async for drift in _drifts(opened, registered, name, host):
                    rows = [row for row in rows_of(registered, drift) if field in (None, row["field"])]
                    if drift.standing.value in wanted and rows:
                        has_drifted = has_drifted or drift.is_drift
                        output.add(paging.of(rows))
            except Refused as refusal:
                if name is not None:
                    raise
                has_drifted = True
                refused = {"instance": face_of(registered), "name": "?", "standing": refusal.reason.value}
                output.add(paging.of([refused]))

    with Output(as_json=as_json, columns=COLUMNS, empty="no account has drifted") as output:
        with_application(data, work)
    if has_drifted:
        raise typer.Exit(1)


@app.command("adopt")
def adopt(
    instance: InstanceOption,
    name: OneNameArgument = None,
    every: AllOption = False,
    host: HostOption = "",
    standing: Annotated[
        AdoptableStanding | None,
        typer.Option(
            metavar="STANDING",
            help="With --all: drifted, changed, unrecorded or foreign. Default: drifted.",
        ),
    ] = None,
    field: FieldOption = None,
    contains: ContainsOption = "",
    recreated: Annotated[
        bool,
        typer.Option(
            "--recreated", help="Also if SQL has dropped the account and created another of its name."
        ),
    ] = False,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    quiet: QuietOption = False,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Record what the server has now as what is expected. An account that SQL created becomes managed."""
    if every:
        _require_no(name, host)
        with large_imports():
            from rolecall.cli.drifted_accounts import Run, Selection, adopt_all

        selection = Selection(instance, standing or "drifted", field, contains)
        adopt_all(selection, Run(data, dry_run, yes, quiet, as_json), recreated=recreated)
        return
    account = _required(name, standing or field or contains)
    from rolecall.domain.accounts.drift import DriftStanding
    from rolecall.domain.accounts.drift_commands import AdoptAccount

    async def work(opened: Application) -> tuple[str, AccountDrift]:
        found = await find_instance(opened, instance)
        origin = origin_in_owners_name(await only_owner(opened), "account adopt")
        command = AdoptAccount(instance_name(found), account, host, recreated, dry_run)
        return face_of(found), await opened.bus.execute(command, origin)

    face, drift = with_operations(data, work)
    is_needed = drift.standing is not DriftStanding.IN_SYNC
    row = {
        "instance": face,
        "name": name,
        "standing": drift.standing.value,
        "differences": listed(drift.differences),
        "unrecorded": list(drift.unrecorded),
        "adopted": is_needed and not dry_run,
    }
    if as_json:
        show([row], as_json=True, columns=())
    elif not is_needed:
        print(f"{name} on {face} is as recorded")
    else:
        print(f"{name} on {face} {'would be' if dry_run else 'is'} adopted, which was {drift.standing.value}")
        _print(drift.differences, "{0}: {2}, instead of {1}")


@app.command("reassert")
def reassert(
    instance: InstanceOption,
    name: OneNameArgument = None,
    every: AllOption = False,
    host: HostOption = "",
    field: FieldOption = None,
    contains: ContainsOption = "",
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    quiet: QuietOption = False,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put back on the server what was recorded of an account. Passwords cannot be put back."""
    if every:
        _require_no(name, host)
        with large_imports():
            from rolecall.cli.drifted_accounts import Run, Selection, reassert_all

        reassert_all(Selection(instance, "drifted", field, contains), Run(data, dry_run, yes, quiet, as_json))
        return
    account = _required(name, field or contains)
    from rolecall.domain.accounts.drift_commands import ReassertAccount, Reassertion

    async def work(opened: Application) -> tuple[str, Reassertion]:
        found = await find_instance(opened, instance)
        origin = origin_in_owners_name(await only_owner(opened), "account reassert")
        command = ReassertAccount(instance_name(found), account, host, dry_run)
        return face_of(found), await opened.bus.execute(command, origin)

    face, outcome = with_operations(data, work)
    row = {
        "instance": face,
        "name": name,
        "standing": outcome.drift.standing.value,
        "put_back": listed(outcome.done),
        "left": listed(outcome.left),
        "reasserted": bool(outcome.done) and not dry_run,
    }
    if as_json:
        show([row], as_json=True, columns=())
    else:
        if not outcome.drift.differences:
            print(f"{name} on {face} is as recorded")
        if outcome.done:
            print(f"{name} on {face} {'would be' if dry_run else 'is'} put back")
            _print(outcome.done, "{0}: {1}, instead of {2}")
        if outcome.left:
            print("cannot be put back:")
            _print(outcome.left, "{0}: {1}, but it is {2}")
    if outcome.left:
        raise typer.Exit(1)


def _required(name: str | None, selection: str | None) -> str:
    """The one account of a command without --all. Raises `CommandError`."""
    if name is None:
        raise CommandError("name an account, or all that have drifted by --all")
    if selection:
        raise CommandError("--standing, --field and --filter select among --all")
    return name


def _require_no(name: str | None, host: str) -> None:
    if name is not None or host:
        raise CommandError("--all takes no name and no host; --filter selects accounts")


async def _drifts(
    opened: Application, instance: Instance, name: str | None, host: str
) -> AsyncIterator[AccountDrift]:
    """Of an instance, or of one account of it, in sync or not. Raises `Refused`."""
    from rolecall.domain.accounts.drift_commands import CompareAccount

    if name is not None:
        origin = origin_in_owners_name(await only_owner(opened), "account check")
        yield await opened.bus.execute(CompareAccount(instance_name(instance), name, host), origin)
        return
    connected = await opened.instances.resolver.connect_instance(instance)
    async for drift in opened.accounts.drift.check(connected):
        yield drift


def rows_of(instance: Instance, drift: AccountDrift) -> Iterator[Row]:
    """One for each difference, or one."""
    account = {
        "instance": face_of(instance),
        "name": drift.name,
        "host": drift.host or None,
        "standing": drift.standing.value,
    }
    for difference in drift.differences:
        yield account | _row(difference)
    if not drift.differences:
        yield account | {"field": ", ".join(drift.unrecorded) or None}


def _row(difference: Difference) -> dict[str, object]:
    return {
        "field": difference.field,
        "subject": difference.subject or None,
        "recorded": difference.recorded,
        "found": difference.found,
    }


def listed(differences: Sequence[Difference]) -> list[dict[str, object]]:
    return [_row(difference) for difference in differences]


def _print(differences: Sequence[Difference], form: str) -> None:
    for difference in differences:
        field = f"{difference.field} ({difference.subject})" if difference.subject else difference.field
        print("  " + form.format(field, difference.recorded, difference.found))
