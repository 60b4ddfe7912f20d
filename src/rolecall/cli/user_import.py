"""One run of `rolecall user import`."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from rolecall.app.application import Application
from rolecall.cli.errors import CommandError
from rolecall.cli.progress import progress
from rolecall.cli.records import origin_in_owners_name
from rolecall.contracts.tencent.ciam.rules import PROFILE_KEYS
from rolecall.domain.directories import importing
from rolecall.domain.directories.files import FileRefused, UserFile
from rolecall.domain.directories.formats import FileFormat
from rolecall.domain.directories.importing import ImportBusy, UserImport
from rolecall.domain.directories.rows import RowReader
from rolecall.domain.operations.model import Change
from rolecall.domain.operations.records import Record
from rolecall.store.user_imports import KeptImport, TriedImport

_PAGE = 10_000


def _store_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise CommandError(f"`{text}` is not the id of a user store") from None


class ImportRun:
    """Imports `file` into the user store `store`. Refused lines are listed in `report`."""

    def __init__(
        self,
        file: BinaryIO,
        kind: FileFormat,
        store: str,
        report: Path,
        *,
        dry_run: bool,
        again: bool,
        quiet: bool = False,
    ) -> None:
        self._users = UserFile(file, kind, PROFILE_KEYS)
        try:
            self._users.open_header()
        except FileRefused as refused:
            raise CommandError(str(refused)) from None
        if not os.access(report.parent, os.W_OK):
            raise CommandError(f"{report.parent} is not writable; choose another directory with --report")
        self._store_id = _store_id(store)
        self._report = report
        self._dry = dry_run
        self._again = again
        self._quiet = quiet

    async def run(self, opened: Application) -> dict[str, object]:
        imports = opened.store.imports
        record = await self._record(opened)
        with _bar(self._users.size, quiet=self._quiet) as bar:
            digest = self._users.digest(bar.read)
            try:
                if self._dry:
                    async with imports.trial(self._store_id) as trial:
                        return await self._import(opened, trial, bar, "dry run")
                async with imports.session(self._store_id, digest, record, again=self._again) as session:
                    if session.finished_at is None:
                        begun = session.progress
                        result = await self._import(opened, session, bar, "imported")
                        await opened.store.audit.note(importing.entry_of_run(record, begun, session.progress))
                        return result
                    when = session.finished_at.strftime("%Y-%m-%d %H:%M:%S")
                    return await self._result(session, session.progress, f"already imported at {when}")
            except ImportBusy:
                raise CommandError("another import into this store is running") from None
            except FileRefused as refused:
                raise CommandError(str(refused)) from None

    async def _record(self, opened: Application) -> Record:
        holder = await opened.store.imports.owner(self._store_id)
        for owner in await opened.store.keys.owners():
            if owner.id == holder:
                origin = origin_in_owners_name(owner, "user import")
                return Record(Change.USER_IMPORT, self._store_id.hex, origin)
        raise CommandError(f"there is no user store `{self._store_id.hex}`")

    async def _import(
        self, opened: Application, session: KeptImport | TriedImport, bar: _Bar, standing: str
    ) -> dict[str, object]:
        reader = RowReader(await opened.store.imports.groups(self._store_id), datetime.now(UTC), PROFILE_KEYS)
        work = UserImport(opened.passwords, session, reader, dry=self._dry)
        begun = session.progress
        bar.show_progress(begun)
        rows = self._users.rows(begun.position, begun.line)
        return await self._result(session, await work.run(rows, bar.show_progress), standing)

    async def _result(
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
    """Write the number and the reason of each refused line, but not its content."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("line", "reason"))
        last = 0
        while page := await session.refusals(last, _PAGE):
            writer.writerows((refusal.line, refusal.reason) for refusal in page)
            last = page[-1].line


class _Bar:
    """Progress bars on a terminal."""

    def __init__(self, progress: Progress, size: int) -> None:
        self._progress = progress
        self._reading = progress.add_task("reading", total=size, counts="")
        self._importing = progress.add_task("importing", total=size, counts="", start=False)

    def read(self, count: int) -> None:
        self._progress.advance(self._reading, count)

    def show_progress(self, done: importing.Progress) -> None:
        counts = f"{done.imported:,} imported, {done.refused:,} refused"
        self._progress.start_task(self._importing)
        self._progress.update(self._importing, completed=done.position, counts=counts)


@contextmanager
def _bar(size: int, *, quiet: bool) -> Iterator[_Bar]:
    columns = (
        TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TextColumn("{task.fields[counts]}"),
        TimeRemainingColumn(),
    )  # fmt: skip
    with progress(*columns, quiet=quiet) as shown:
        yield _Bar(shown, size)
