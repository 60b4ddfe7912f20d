"""`rolecall user`: users of user stores, from files of other directories."""

from __future__ import annotations

import csv
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from rolecall.assembly import House
from rolecall.cli.context import JsonOption, show, with_house
from rolecall.cli.data import DataOption
from rolecall.cli.records import origin_in_owners_name
from rolecall.cli.user_files import FileFormat, UserFile, format_of
from rolecall.contracts.tencent.ciam.rules import PROFILE_KEYS
from rolecall.domain.directories import importing
from rolecall.domain.directories.importing import UserImport
from rolecall.domain.directories.rows import RowReader
from rolecall.domain.operations.model import Change
from rolecall.domain.operations.records import Record
from rolecall.settings import SettingsError
from rolecall.store.user_imports import ImportBusy, KeptImport, TriedImport

app = typer.Typer(help="Users of user stores.", no_args_is_help=True)

_COLUMNS = ("store", "standing", "imported", "refused", "report")
_PAGE = 10_000


@app.callback()
def _group() -> None:
    """Users of user stores."""


@app.command("import")
def import_users(
    file: Annotated[
        Path,
        typer.Argument(
            exists=True, dir_okay=False, help="CSV or NDJSON, with the columns of docs/import.md."
        ),
    ],
    store: Annotated[str, typer.Option("--store", metavar="ID", help="The user store that they come into.")],
    kind: Annotated[
        FileFormat | None, typer.Option("--format", help="What the file is. Default: by its ending.")
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(
            "--report", metavar="FILE", help="The lines refused. Default: beside FILE, FILE.refused.csv."
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Tell what would be refused, and keep nothing.")
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="From the beginning, also if the file was imported already.")
    ] = False,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Import users with the hashes of their passwords. Interrupted, the same command goes on where it stopped."""
    with file.open("rb") as opened:
        users = UserFile(opened, kind or format_of(file))
        users.open_header()
        beside = report or file.with_name(f"{file.name}.refused.csv")
        work = _Work(_store_id(store), users, beside, dry_run=dry_run, again=again)
        try:
            done = with_house(data, work.run)
        except KeyboardInterrupt:
            print("rolecall: interrupted; the same command goes on where it stopped", file=sys.stderr)
            raise typer.Exit(130) from None
    show([done], as_json=as_json, columns=_COLUMNS)
    if done["refused"]:
        raise SettingsError(f"{done['refused']} line(s) were refused; {beside} says why")


def _store_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise SettingsError(f"`{text}` is no id of a user store") from None


class _Work:
    """One run of the command."""

    def __init__(self, store_id: UUID, users: UserFile, report: Path, *, dry_run: bool, again: bool) -> None:
        if not os.access(report.parent, os.W_OK):
            raise SettingsError(f"{report.parent} cannot be written to; name another place with --report")
        self._store_id = store_id
        self._users = users
        self._report = report
        self._dry = dry_run
        self._again = again

    async def run(self, house: House) -> dict[str, object]:
        imports = house.store.imports
        record = await self._record(house)
        with _bar(self._users.size) as bar:
            digest = self._users.digest(bar.read)
            try:
                if self._dry:
                    async with imports.trial(self._store_id) as trial:
                        return await self._import(house, trial, bar, "dry run")
                async with imports.session(self._store_id, digest, record, again=self._again) as session:
                    if session.finished_at is None:
                        return await self._import(house, session, bar, "imported")
                    when = session.finished_at.strftime("%Y-%m-%d %H:%M:%S")
                    return await self._told(session, session.progress, f"was imported already, {when}")
            except ImportBusy:
                raise SettingsError("another import into this store is under way") from None

    async def _record(self, house: House) -> Record:
        holder = await house.store.imports.owner(self._store_id)
        for owner in await house.store.keys.owners():
            if owner.id == holder:
                origin = origin_in_owners_name(owner, "user import")
                return Record(Change.USER_IMPORT, self._store_id.hex, origin)
        raise SettingsError(f"there is no user store `{self._store_id.hex}`")

    async def _import(
        self, house: House, session: KeptImport | TriedImport, bar: _Bar, standing: str
    ) -> dict[str, object]:
        reader = RowReader(await house.store.imports.groups(self._store_id), datetime.now(UTC), PROFILE_KEYS)
        work = UserImport(house.passwords, session, reader, dry=self._dry)
        begun = session.progress
        bar.told(begun)
        rows = self._users.rows(begun.position, begun.line)
        return await self._told(session, await work.run(rows, bar.told), standing)

    async def _told(
        self, session: KeptImport | TriedImport, progress: importing.Progress, standing: str
    ) -> dict[str, object]:
        if progress.refused:
            await _write_report(self._report, session)
        return {
            "store": self._store_id.hex,
            "standing": standing,
            "imported": progress.imported,
            "refused": progress.refused,
            "report": str(self._report) if progress.refused else None,
        }


async def _write_report(path: Path, session: KeptImport | TriedImport) -> None:
    """Line and reason of what was refused, and nothing of the lines themselves."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("line", "reason"))
        last = 0
        while page := await session.refusals(last, _PAGE):
            writer.writerows((one.line, one.reason) for one in page)
            last = page[-1].line


class _Bar:
    """How much of the file is read, on a terminal."""

    def __init__(self, progress: Progress, size: int) -> None:
        self._progress = progress
        self._reading = progress.add_task("reading", total=size, counts="")
        self._importing = progress.add_task("importing", total=size, counts="", start=False)

    def read(self, count: int) -> None:
        self._progress.advance(self._reading, count)

    def told(self, done: importing.Progress) -> None:
        counts = f"{done.imported:,} imported, {done.refused:,} refused"
        self._progress.start_task(self._importing)
        self._progress.update(self._importing, completed=done.position, counts=counts)


@contextmanager
def _bar(size: int) -> Iterator[_Bar]:
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TextColumn("{task.fields[counts]}"),
        TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        yield _Bar(progress, size)
