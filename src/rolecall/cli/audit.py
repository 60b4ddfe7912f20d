"""`rolecall audit`: who did what, from where and with which outcome; and whether the records are unchanged."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rolecall.cli.context import report, show, with_application, with_store
from rolecall.cli.errors import CommandError
from rolecall.cli.options import DataOption, JsonOption, OffsetOption, QuietOption
from rolecall.cli.private_files import new_private_file
from rolecall.cli.records import AuditedCommand, change_application
from rolecall.domain.operations.audit import Link, Row, Verified, Wanted

if TYPE_CHECKING:
    from rolecall.app.application import Application
    from rolecall.cli.opening import OpenStore

app = typer.Typer(rich_markup_mode=None)

_COLUMNS = ("at", "dialect", "action", "target", "outcome", "reason", "principal", "client", "request_id")
_FOLLOW_SECONDS = 1.0
_PAGE = 1000

_TIMES = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S"]


@app.command("list")
def list_records(
    since: Annotated[
        datetime | None, typer.Option(formats=_TIMES, help="Not older than this, in UTC.")
    ] = None,
    until: Annotated[datetime | None, typer.Option(formats=_TIMES, help="Older than this, in UTC.")] = None,
    principal: Annotated[
        int | None, typer.Option(metavar="UIN", help="Only the records of this caller.")
    ] = None,
    action: Annotated[
        str, typer.Option(help="Only this action: CreateAccount, `key create`, sign-in, ...")
    ] = "",
    target: Annotated[str, typer.Option(metavar="TEXT", help="Only targets that contain this text.")] = "",
    outcome: Annotated[
        str,
        typer.Option(
            help="Only this outcome: recorded, refused, undone, superseded, begun, done, failed, denied or injected."
        ),
    ] = "",
    request_id: Annotated[str, typer.Option(help="Only the records of this request.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="How many of the newest records.")] = 50,
    offset: OffsetOption = 0,
    follow: Annotated[
        bool, typer.Option("--follow", help="Print new records as they are chained, until Ctrl-C.")
    ] = False,
    after: Annotated[
        int | None,
        typer.Option(
            min=0,
            metavar="POSITION",
            help="With --follow: begin behind this position of the chain. 0: with the oldest record.",
        ),
    ] = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """List records, the newest last. With --follow, in the order of the chain; --json prints one line per record."""
    if follow and offset:
        raise CommandError("--follow begins at the newest record; omit --offset")
    if after is not None and not follow:
        raise CommandError("--after is for --follow")
    wanted = Wanted(_utc(since), _utc(until), principal, action, target, outcome, request_id)

    async def work(opened: OpenStore) -> list[Mapping[str, object]]:
        rows = await opened.store.audit.recent(wanted, limit + offset)
        rows = rows[: len(rows) - offset] if offset < len(rows) else []
        return [_shown(row) for row in rows]

    if follow:
        with_application(data, lambda opened: _follow(opened, wanted, after, limit, as_json=as_json))
        return
    show(with_store(data, work), as_json=as_json, columns=_COLUMNS, empty="no records yet")


async def _follow(
    opened: Application, wanted: Wanted, after: int | None, limit: int, *, as_json: bool
) -> None:
    """Print chained records, in the order of the chain, which misses none. Adds to the chain, so that it need not wait
    for a serving process to do so. CommandError if records behind `after` were pruned."""
    audit = opened.store.audit
    await opened.operations.auditing.chain()
    last = await audit.end() if after is None else after or (await audit.checkpoint()).position
    if after is None:
        _print(await audit.recent_links(wanted, last, limit), as_json=as_json)
    while True:
        while page := await audit.after(wanted, last, _PAGE):
            if page.first > last + 1:
                raise CommandError(
                    f"the records from position {last + 1} to {page.first - 1} were pruned; --after {page.first - 1}"
                    " begins behind them"
                )
            _print(page.links, as_json=as_json)
            last = page.last
        await asyncio.sleep(_FOLLOW_SECONDS)
        await opened.operations.auditing.chain()


def _utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.replace(tzinfo=UTC)


def _shown(row: Row) -> Mapping[str, object]:
    return {**row.fields(), "at": row.at}


def _print(links: Sequence[Link], *, as_json: bool) -> None:
    for link in links:
        row = link.row
        if row is None:
            continue
        if as_json:
            print(json.dumps({**row.fields(), "position": link.position}, ensure_ascii=False), flush=True)
            continue
        shown = {**row.fields(), "at": row.at.strftime("%Y-%m-%d %H:%M:%S")}
        print("  ".join(str(shown[column] or "-") for column in _COLUMNS), flush=True)


@app.command("verify")
def verify(quiet: QuietOption = False, data: DataOption = None, as_json: JsonOption = False) -> None:
    """Verify the chain of records. Exit status 1: a record was changed, removed or inserted; the first is named."""

    async def work(opened: Application) -> Verified:
        with await _bar(opened, "verifying", quiet=quiet) as passed:
            return await opened.operations.auditing.verify(passed)

    found = with_application(data, work)
    row = {
        "ok": not found.broken,
        "records": found.records,
        "not_chained": found.unchained,
        "position": found.head.position,
        "digest": found.head.digest.hex(),
        "detail": found.broken,
    }
    if as_json:
        show([row], as_json=True, columns=())
    elif not found.broken:
        print(f"{found.records} records are unchanged; {found.unchained} recent records are not chained yet")
        print(f"the chain ends at {found.head.position}: {found.head.digest.hex()}")
    if found.broken:
        raise CommandError(f"the audit trail is broken: {found.broken}")


@app.command("export")
def export(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A new file, or - for standard output.")],
    quiet: QuietOption = False,
    data: DataOption = None,
) -> None:
    """Write all chained records as JSON lines. Each has its position in the chain and its digest."""

    async def work(opened: Application) -> int:
        if str(file) == "-":
            return await _export(opened, sys.stdout.write, quiet=quiet)
        with new_private_file(file) as output:
            return await _export(opened, lambda line: output.write(line.encode()), quiet=quiet)

    written = with_application(data, work)
    print(f"{written} records written", file=sys.stderr)


async def _export(opened: Application, write: Callable[[str], object], *, quiet: bool) -> int:
    """Chain the remaining records first, unless another process is chaining them."""
    await opened.operations.auditing.chain()
    written = 0
    begin = await opened.store.audit.checkpoint()
    with await _bar(opened, "exporting", quiet=quiet) as passed:
        async for page in opened.store.audit.links(begin.position):
            for link in page:
                fields = {} if link.row is None else dict(link.row.fields())
                line = {**fields, "position": link.position, "digest": link.digest.hex()}
                write(json.dumps(line, ensure_ascii=False) + "\n")
            written += len(page)
            passed(len(page))
    return written


async def _bar(
    opened: Application, what: str, *, quiet: bool
) -> AbstractContextManager[Callable[[int], None]]:
    """A progress bar over the chained records."""
    from rolecall.cli.progress import bar

    return bar(f"{what} records", await opened.store.audit.chained(), quiet=quiet)


@app.command("prune")
def prune(data: DataOption = None, as_json: JsonOption = False) -> None:
    """Remove records older than ROLECALL_AUDIT_RETENTION_DAYS. The remaining chain can still be verified."""

    async def work(opened: Application) -> int:
        days = opened.settings.audit_retention_days
        if not days:
            raise CommandError("ROLECALL_AUDIT_RETENTION_DAYS is 0: all records are kept")
        await opened.operations.auditing.chain()
        return await opened.operations.auditing.prune(days)

    removed = change_application(data, AuditedCommand("audit prune"), work)
    report({"removed": removed}, f"{removed} records removed", as_json=as_json)
