"""Users from a file, into a store, a batch at a time: a batch and the place in the file are kept together, or neither.

So an import that was interrupted resumes after the last batch that was stored, and no user is imported twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice
from typing import Protocol
from uuid import UUID

from rolecall.domain.directories.rows import NewUser, RowReader, RowRefused
from rolecall.domain.operations.audit import Entry, Outcome, entry_of
from rolecall.domain.operations.records import Record
from rolecall.domain.reasons import Reason, Refused
from rolecall.domain.secrets.passwords import Passwords
from rolecall.values import Secret

BATCH = 1000
BATCH_PASSWORDS = 64
"""Hashing takes its time: what was hashed in a batch that is cut is hashed again."""

_READ = 100
"""Rows that are read at once: each may have a megabyte."""

_BUSY = 0.2
"""Seconds to wait for a place among those whose passwords are hashed."""


@dataclass(frozen=True, slots=True)
class FileRow:
    """What stands on a line of the file, or on several, up to `last`. `end` is the place in the file behind them.

    `error`: why it cannot be read.
    """

    line: int
    last: int
    end: int
    values: Mapping[str, object] = field(repr=False)
    error: str = ""


@dataclass(frozen=True, slots=True)
class Refusal:
    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an import has come: `position` in bytes, `line` the last one that is done."""

    position: int = 0
    line: int = 0
    imported: int = 0
    refused: int = 0


@dataclass(frozen=True, slots=True)
class PastImport:
    """An import of a file, finished or under way, as it is now; the `digest` is of the file.

    `position` of `size` bytes are done; the size is None for what the command line imports. `is_queued`: it is, or will
    be, carried out by a process that serves.
    """

    id: UUID
    digest: bytes
    position: int
    size: int | None
    is_queued: bool
    line: int
    imported: int
    refused: int
    started_at: datetime
    finished_at: datetime | None


def entry_of_run(record: Record, begun: Progress, done: Progress) -> Entry:
    """What the audit trail says at the end of a run: its record has the numbers of the first batch there."""
    detail = {"imported": done.imported - begun.imported, "refused": done.refused - begun.refused}
    return entry_of(record.origin, Outcome.DONE, record.target, detail=detail)


class ImportBusy(Exception):
    """Another import into the same store is under way."""


class ImportRecords(Protocol):
    async def one(self, store_id: UUID, import_id: UUID) -> PastImport | None: ...
    async def of_file(self, store_id: UUID, digest: bytes) -> PastImport | None: ...

    async def all(self, store_id: UUID, limit: int) -> Sequence[PastImport]:
        """The newest first."""

    async def refusals(self, store_id: UUID, import_id: UUID, limit: int) -> Sequence[Refusal]:
        """The first lines that were refused; none if the import is not of that store."""


class ImportSession(Protocol):
    """One import that is under way; no other goes on in the same store."""

    @property
    def progress(self) -> Progress: ...

    async def keep(
        self, users: Sequence[NewUser], refusals: Sequence[Refusal], position: int, line: int
    ) -> Progress:
        """Add the users that can be added, note what was refused and what is taken by others, and move on."""

    async def finish(self) -> Progress: ...


class UserImport:
    """`batch`: rows that are kept at once. `turns`: passwords that are hashed at once."""

    def __init__(
        self,
        passwords: Passwords,
        session: ImportSession,
        reader: RowReader,
        *,
        dry: bool = False,
        batch: int = BATCH,
        turns: int | None = None,
    ) -> None:
        self._passwords = passwords
        self._session = session
        self._reader = reader
        self._dry = dry
        self._batch = batch
        self._turns = turns or passwords.threads
        self._users: list[NewUser] = []
        self._refusals: list[Refusal] = []

    async def run(self, rows: Iterable[FileRow], report: Callable[[Progress], None]) -> Progress:
        """`rows` begin where the session's progress ends. A thread reads them: empty lines and long rows may take
        seconds, in which the event loop answers calls."""
        last: FileRow | None = None
        waiting, left = 0, iter(rows)
        while part := await asyncio.to_thread(self._read, left):
            for row, found in part:
                last = row
                waiting += self._take(found)
                if len(self._users) + len(self._refusals) >= self._batch or waiting >= BATCH_PASSWORDS:
                    report(await self._keep(row))
                    waiting = 0
        if last is not None and (self._users or self._refusals):
            report(await self._keep(last))
        return await self._session.finish()

    def _read(self, rows: Iterator[FileRow]) -> list[tuple[FileRow, NewUser | Refusal]]:
        """The next rows."""
        return [(row, self._found(row)) for row in islice(rows, _READ)]

    def _found(self, row: FileRow) -> NewUser | Refusal:
        if row.error:
            return Refusal(row.line, row.error)
        try:
            return self._reader.read(row.line, row.values)
        except RowRefused as refusal:
            return Refusal(row.line, str(refusal))

    def _take(self, found: NewUser | Refusal) -> bool:
        """Whether a password has to be hashed."""
        if isinstance(found, Refusal):
            self._refusals.append(found)
            return False
        self._users.append(found)
        return found.password is not None

    async def _keep(self, row: FileRow) -> Progress:
        users, refusals = self._users, self._refusals
        self._users, self._refusals = [], []
        if not self._dry:
            users = await self._hashed(users, refusals)
        return await self._session.keep(users, refusals, row.end, row.last)

    async def _hashed(self, users: Sequence[NewUser], refusals: list[Refusal]) -> list[NewUser]:
        """Those whose passwords can be hashed, with hashes; as many at once as there are threads."""
        turns = asyncio.Semaphore(self._turns)

        async def hashed(user: NewUser) -> NewUser | None:
            if user.password is None:
                return user
            async with turns:
                try:
                    made = await self._hash(user.password)
                except Refused as refusal:
                    refusals.append(Refusal(user.line, f"password: {refusal.note or refusal.reason.value}"))
                    return None
            return replace(user, password=None, password_hash=made)

        if all(user.password is None for user in users):
            return list(users)
        return [user for user in await asyncio.gather(*map(hashed, users)) if user is not None]

    async def _hash(self, password: Secret) -> str:
        """Those who sign in meanwhile go first."""
        while True:
            try:
                return await self._passwords.hash(password)
            except Refused as refusal:
                if refusal.reason is not Reason.HASHING_BUSY:
                    raise
            await asyncio.sleep(_BUSY)
