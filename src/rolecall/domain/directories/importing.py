"""Users from a file, into a store, a batch at a time: a batch and the place in the file are kept together, or neither.

So an import that was interrupted resumes after the last batch that was stored, and no user is imported twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol
from uuid import UUID

from rolecall.domain.directories.rows import NewUser, RowReader, RowRefused
from rolecall.domain.reasons import Refused
from rolecall.domain.secrets.passwords import Passwords

BATCH = 1000
BATCH_PASSWORDS = 64
"""Hashing takes its time: what was hashed in a batch that is cut is hashed again."""


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
    """An import of a file, finished or under way, as it is now; the `digest` is of the file."""

    id: UUID
    digest: bytes
    line: int
    imported: int
    refused: int
    started_at: datetime
    finished_at: datetime | None


class ImportRecords(Protocol):
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
    def __init__(self, passwords: Passwords, session: ImportSession, reader: RowReader, *, dry: bool) -> None:
        self._passwords = passwords
        self._session = session
        self._reader = reader
        self._dry = dry
        self._users: list[NewUser] = []
        self._refusals: list[Refusal] = []

    async def run(self, rows: Iterable[FileRow], report: Callable[[Progress], None]) -> Progress:
        """`rows` begin where the session's progress ends."""
        last: FileRow | None = None
        waiting = 0
        for row in rows:
            last = row
            waiting += self._take(row)
            if len(self._users) + len(self._refusals) >= BATCH or waiting >= BATCH_PASSWORDS:
                report(await self._keep(row))
                waiting = 0
        if last is not None and (self._users or self._refusals):
            report(await self._keep(last))
        return await self._session.finish()

    def _take(self, row: FileRow) -> bool:
        """Whether a password has to be hashed."""
        if row.error:
            self._refusals.append(Refusal(row.line, row.error))
            return False
        try:
            user = self._reader.read(row.line, row.values)
        except RowRefused as refusal:
            self._refusals.append(Refusal(row.line, str(refusal)))
            return False
        self._users.append(user)
        return user.password is not None

    async def _keep(self, row: FileRow) -> Progress:
        users, refusals = self._users, self._refusals
        self._users, self._refusals = [], []
        if not self._dry:
            users = await self._hashed(users, refusals)
        return await self._session.keep(users, refusals, row.end, row.last)

    async def _hashed(self, users: Sequence[NewUser], refusals: list[Refusal]) -> list[NewUser]:
        """Those whose passwords can be hashed, with hashes; as many at once as there are threads."""
        turns = asyncio.Semaphore(self._passwords.threads)

        async def hashed(user: NewUser) -> NewUser | None:
            if user.password is None:
                return user
            async with turns:
                try:
                    made = await self._passwords.hash(user.password)
                except Refused as refusal:
                    refusals.append(Refusal(user.line, f"password: {refusal.note or refusal.reason.value}"))
                    return None
            return replace(user, password=None, password_hash=made)

        if not any(user.password for user in users):
            return list(users)
        return [user for user in await asyncio.gather(*map(hashed, users)) if user is not None]
