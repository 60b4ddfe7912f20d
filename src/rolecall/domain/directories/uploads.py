"""Files of users that are sent in a browser: looked at, kept sealed until they are confirmed, then imported.

A process that serves imports what was confirmed. If it ends, another continues after the last batch that was kept.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import io
from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

import structlog

from rolecall import ambient
from rolecall.domain.directories.files import UserFile
from rolecall.domain.directories.formats import FileFormat
from rolecall.domain.directories.importing import (
    ImportBusy,
    ImportSession,
    Refusal,
    UserImport,
    entry_of_run,
)
from rolecall.domain.directories.masking import masked_mail, masked_phone
from rolecall.domain.directories.rows import RowReader, RowRefused
from rolecall.domain.operations.audit import Audit
from rolecall.domain.operations.model import Change
from rolecall.domain.operations.records import Record
from rolecall.domain.reasons import Refused
from rolecall.domain.secrets.passwords import Passwords
from rolecall.domain.secrets.sealing import SealBroken, Sealer
from rolecall.values import Caller, Origin, Secret

_log = structlog.get_logger(__name__)

LARGEST = 8 * 1024 * 1024
"""Bytes of a file."""

KEPT = timedelta(hours=1)
"""How long a file waits to be confirmed."""

READ = 2000
"""Rows that a preview reads."""

SHOWN = 5
_ERRORS = 50
_PIECE = 256 * 1024
_BATCH = 100
"""Rows: reading them takes the event loop about three milliseconds, in which no call is answered."""

_ROUND = 15.0
"""Seconds between looks for files that another process accepted."""

_MOST_ATTEMPTS = 20
"""Times that an import is begun again after its process ended, or an error."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file of users. `again`: start over if it was imported before. `import_id` and `origin` are None until it is
    confirmed."""

    id: UUID
    store_id: UUID
    digest: bytes
    format: FileFormat
    name: str
    size: int
    again: bool
    import_id: UUID | None = None
    origin: Origin | None = None


@dataclass(frozen=True, slots=True)
class PreviewRow:
    """Phone number and mail address are masked. `credential`: ``hash``, ``password`` or ``none``."""

    line: int
    name: str
    phone: str
    email: str
    credential: str
    status: str


@dataclass(frozen=True, slots=True)
class Preview:
    """What the first rows hold; `read` of them were looked at, and all if `is_whole`."""

    columns: Sequence[str]
    rows: Sequence[PreviewRow]
    errors: Sequence[Refusal]
    read: int
    refused: int
    is_whole: bool


class UploadRepository(Protocol):
    async def keep(self, upload: Upload, pieces: Sequence[bytes]) -> None:
        """In place of an earlier file of the store that was not confirmed."""

    async def upload(self, store_id: UUID, upload_id: UUID) -> Upload | None:
        """One that is not confirmed."""

    async def pieces(self, upload_id: UUID) -> Sequence[bytes]: ...

    async def confirm(self, upload: Upload, origin: Origin) -> UUID | None:
        """The id of the import; None if the file is not there any more, or was confirmed."""

    async def queued(self) -> Sequence[Upload]: ...
    async def attempt(self, upload_id: UUID) -> int:
        """How often it has been begun, with this time."""

    async def forget(self, upload_id: UUID) -> None: ...
    async def purge(self, age: timedelta) -> None:
        """Forget what was not confirmed in time."""


class FinishedAt(ImportSession, Protocol):
    finished_at: datetime | None


class ImportRepository(Protocol):
    async def groups(self, store_id: UUID) -> Mapping[str, UUID]: ...
    def session(
        self, store_id: UUID, digest: bytes, record: Record, *, again: bool = False, patient: bool = True
    ) -> AbstractAsyncContextManager[FinishedAt]: ...


class UserUploads:
    """`profile`: the keys of a profile."""

    def __init__(
        self,
        uploads: UploadRepository,
        imports: ImportRepository,
        audit: Audit,
        passwords: Passwords,
        sealer: Sealer,
        profile: Collection[str],
    ) -> None:
        self._uploads = uploads
        self._imports = imports
        self._audit = audit
        self._passwords = passwords
        self._sealer = sealer
        self._profile = profile
        self._wanted = asyncio.Event()

    async def keep(
        self, store_id: UUID, name: str, kind: FileFormat, content: bytes, *, again: bool
    ) -> Upload:
        """Raises `FileRefused` if the file cannot be imported at all."""
        upload = Upload(ambient.new_id(), store_id, digest_of(content), kind, name, len(content), again)
        pieces = await asyncio.to_thread(self._sealed, upload, content)
        await self._uploads.keep(upload, pieces)
        return upload

    async def find(self, store_id: UUID, upload_id: UUID) -> Upload | None:
        """A file that waits to be confirmed."""
        return await self._uploads.upload(store_id, upload_id)

    async def preview(self, upload: Upload) -> Preview:
        """SealBroken."""
        groups = await self._imports.groups(upload.store_id)
        pieces = await self._uploads.pieces(upload.id)
        reader = RowReader(groups, ambient.now(), self._profile)
        return await asyncio.to_thread(self._preview, upload, pieces, reader)

    async def confirm(self, upload: Upload, origin: Origin) -> UUID | None:
        """The id of the import, which begins soon; None if the file is not there any more, or was confirmed."""
        found = await self._uploads.confirm(upload, origin)
        self._wanted.set()
        return found

    async def run(self) -> None:
        """Import what is confirmed, until cancelled."""
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wanted.wait(), _ROUND)
            self._wanted.clear()
            try:
                await self.round()
            except Exception as error:  # noqa: BLE001 - the next round may succeed
                _log.warning("files of users could not be imported", error=type(error).__name__)

    async def round(self) -> None:
        await self._uploads.purge(KEPT)
        for upload in await self._uploads.queued():
            try:
                await self._import(upload)
            except ImportBusy:
                continue
            except Refused as refusal:  # the store was deleted meanwhile, with its users and this file
                _log.info("an import ended", store=upload.store_id.hex, reason=refusal.reason.value)
            except SealBroken as error:
                _log.error("a file of users cannot be opened", store=upload.store_id.hex, found=str(error))
                await self._uploads.forget(upload.id)
            except Exception as error:  # noqa: BLE001 - the other files do not wait for this one
                _log.warning(
                    "a file of users could not be imported",
                    store=upload.store_id.hex,
                    error=type(error).__name__,
                )

    async def _import(self, upload: Upload) -> None:
        if upload.origin is None:
            raise ValueError("the file is not confirmed")
        record = Record(Change.USER_IMPORT, upload.store_id.hex, upload.origin)
        async with self._imports.session(upload.store_id, upload.digest, record, patient=False) as session:
            if session.finished_at is None and await self._uploads.attempt(upload.id) <= _MOST_ATTEMPTS:
                groups = await self._imports.groups(upload.store_id)
                reader = RowReader(groups, ambient.now(), self._profile)
                pieces = await self._uploads.pieces(upload.id)
                file = await asyncio.to_thread(self._opened, upload, pieces)
                begun = session.progress
                work = UserImport(self._passwords, session, reader, batch=_BATCH, turns=1)
                done = await work.run(file.rows(begun.position, begun.line), lambda _: None)
                await self._audit.note(entry_of_run(record, begun, done))
            await self._uploads.forget(upload.id)

    def _sealed(self, upload: Upload, content: bytes) -> list[bytes]:
        self._file(upload, content)
        starts = enumerate(range(0, len(content), _PIECE))
        return [
            self._sealer.seal(
                Secret(content[start : start + _PIECE].decode("latin-1")), _purpose(upload, number)
            )
            for number, start in starts
        ]

    def _opened(self, upload: Upload, pieces: Sequence[bytes]) -> UserFile:
        opened = (self._sealer.open(piece, _purpose(upload, number)) for number, piece in enumerate(pieces))
        return self._file(upload, b"".join(piece.reveal().encode("latin-1") for piece in opened))

    def _file(self, upload: Upload, content: bytes) -> UserFile:
        file = UserFile(io.BytesIO(content), upload.format, self._profile)
        file.open_header()
        return file

    def _preview(self, upload: Upload, pieces: Sequence[bytes], reader: RowReader) -> Preview:
        file = self._opened(upload, pieces)
        columns = dict.fromkeys(file.header)
        rows: list[PreviewRow] = []
        errors: list[Refusal] = []
        read = refused = 0
        for row in file.rows(0, 0):
            if read == READ:
                return Preview(list(columns), rows, errors, read, refused, is_whole=False)
            read += 1
            columns |= dict.fromkeys(name for name in row.values if isinstance(name, str))
            try:
                if row.error:
                    raise RowRefused(row.error)
                user = reader.read(row.line, row.values)
            except RowRefused as refusal:
                refused += 1
                if len(errors) < _ERRORS:
                    errors.append(Refusal(row.line, str(refusal)))
                continue
            if len(rows) < SHOWN:
                credential = "hash" if user.password_hash else "password" if user.password else "none"
                phone, email = user.phone and masked_phone(user.phone), user.email and masked_mail(user.email)
                shown = PreviewRow(
                    row.line, user.name or "", phone or "", email or "", credential, user.status.value
                )
                rows.append(shown)
        return Preview(list(columns), rows, errors, read, refused, is_whole=True)


def digest_of(content: bytes) -> bytes:
    """By which a file is known, as `UserFile.digest`."""
    return hashlib.sha256(content).digest()


def origin_fields(origin: Origin) -> dict[str, object]:
    """An origin as JSON takes it; `origin_from` reads it again."""
    caller = origin.caller
    return {
        "owner_id": caller.owner_id,
        "owner_number": caller.owner_number,
        "app_id": caller.app_id,
        "principal": caller.principal,
        "access_key_id": caller.access_key_id,
        "dialect": origin.dialect,
        "action": origin.action,
        "request_id": origin.request_id,
        "client": origin.client,
        "secure": origin.secure,
    }


def origin_from(fields: Mapping[str, object]) -> Origin:
    kept = dict(fields)
    names = ("owner_id", "owner_number", "app_id", "principal", "access_key_id")
    caller = Caller(**{name: kept.pop(name) for name in names})  # type: ignore[arg-type]
    return Origin(caller, **kept)  # type: ignore[arg-type]


def _purpose(upload: Upload, number: int) -> str:
    return piece_purpose(upload.store_id.hex, upload.id.hex, number)


def piece_purpose(store: str, upload: str, number: int | str) -> str:
    """What a piece of a file is sealed for; ids as 32 hexadecimal digits."""
    return f"file of users:{store}:{upload}:{number}"
