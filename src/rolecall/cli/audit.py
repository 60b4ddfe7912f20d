"""`rolecall audit`: who did what, from where, and what became of it; and whether the records are what they were."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, TextIO

import typer

from rolecall.assembly import House
from rolecall.cli.context import JsonOption, show, with_house
from rolecall.cli.data import DataOption, make_private_file
from rolecall.cli.records import Deed, change_house
from rolecall.domain.operations.audit import Row, Verified, Wanted
from rolecall.settings import SettingsError

app = typer.Typer(help="The audit trail: every change, denial and sign-in.", no_args_is_help=True)

_COLUMNS = ("at", "dialect", "action", "target", "outcome", "reason", "principal", "client", "request_id")
_FOLLOW_SECONDS = 1.0
_PAGE = 1000

_TIMES = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S"]


@app.command("list")
def list_records(
    since: Annotated[datetime | None, typer.Option(formats=_TIMES, help="Not older; in UTC.")] = None,
    until: Annotated[datetime | None, typer.Option(formats=_TIMES, help="Older; in UTC.")] = None,
    principal: Annotated[int | None, typer.Option(metavar="UIN", help="Only this caller's.")] = None,
    action: Annotated[str, typer.Option(help="Only this: CreateAccount, `key create`, sign-in, ...")] = "",
    target: Annotated[str, typer.Option(metavar="TEXT", help="Only where what was acted on holds it.")] = "",
    outcome: Annotated[
        str,
        typer.Option(help="Only: recorded, refused, undone, superseded, begun, done, failed or denied."),
    ] = "",
    request_id: Annotated[str, typer.Option(help="Only those of one request.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="How many, the newest.")] = 50,
    follow: Annotated[bool, typer.Option("--follow", help="Go on with what is added, until Ctrl-C.")] = False,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """List records, the newest last. With --follow, --json prints a line each."""
    wanted = Wanted(_utc(since), _utc(until), principal, action, target, outcome, request_id)

    async def work(house: House) -> list[Mapping[str, object]]:
        rows = await house.store.audit.recent(wanted, limit)
        if not follow:
            return [_shown(row) for row in rows]
        last = 0
        while True:
            for row in rows:
                _print(row, as_json=as_json)
                last = row.id
            await asyncio.sleep(_FOLLOW_SECONDS)
            rows = await house.store.audit.after(wanted, last, _PAGE)

    show(with_house(data, work), as_json=as_json, columns=_COLUMNS, empty="no records yet")


def _utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.replace(tzinfo=UTC)


def _shown(row: Row) -> Mapping[str, object]:
    return {**row.fields(), "at": row.at}


def _print(row: Row, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(row.fields(), ensure_ascii=False), flush=True)
        return
    shown = {**row.fields(), "at": row.at.strftime("%Y-%m-%d %H:%M:%S")}
    print("  ".join(str(shown[column] or "-") for column in _COLUMNS), flush=True)


@app.command("verify")
def verify(data: DataOption = None, as_json: JsonOption = False) -> None:
    """Compute the chain of records again. Exit status 1: a record is not as it was; the first is told."""

    async def work(house: House) -> Verified:
        return await house.auditing.verify()

    found = with_house(data, work)
    row = {
        "well": not found.broken,
        "records": found.records,
        "not_chained": found.unchained,
        "position": found.head.position,
        "digest": found.head.digest.hex(),
        "found": found.broken,
    }
    if as_json:
        show([row], as_json=True, columns=())
    elif not found.broken:
        print(
            f"{found.records} records are as they were chained; {found.unchained} recent ones are not chained yet"
        )
        print(f"the chain ends at {found.head.position}: {found.head.digest.hex()}")
    if found.broken:
        raise SettingsError(f"the audit trail is not whole: {found.broken}")


@app.command("export")
def export(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A new file, or - for standard output.")],
    data: DataOption = None,
) -> None:
    """Write all chained records as JSON lines, each with its place in the chain and its digest."""

    async def work(house: House) -> int:
        if str(file) == "-":
            return await _export(house, sys.stdout)
        with os.fdopen(make_private_file(file), "w", encoding="utf-8") as opened:
            return await _export(house, opened)

    written = with_house(data, work)
    print(f"{written} records are written", file=sys.stderr)


async def _export(house: House, file: TextIO) -> int:
    """What is not chained yet is chained first, unless another process is at it."""
    await house.auditing.chain()
    written = 0
    begin = await house.store.audit.checkpoint()
    async for page in house.store.audit.links(begin.position):
        for link in page:
            fields = {} if link.row is None else dict(link.row.fields())
            line = {**fields, "position": link.position, "digest": link.digest.hex()}
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
            written += 1
    return written


@app.command("prune")
def prune(data: DataOption = None) -> None:
    """Remove records older than ROLECALL_AUDIT_RETENTION_DAYS; those that stay can be verified as before."""

    async def work(house: House) -> int:
        days = house.settings.audit_retention_days
        if not days:
            raise SettingsError("ROLECALL_AUDIT_RETENTION_DAYS is 0: all records are kept")
        await house.auditing.chain()
        return await house.auditing.prune(days)

    print(f"{change_house(data, Deed('audit prune'), work)} records are removed")
