"""Users from files: each batch and the position in the file are one transaction.

COPY writes a batch to a temporary table, and an insert moves it to the users, so that those whose name, phone number or
mail address is taken are found without failing the others. A dry run does the same with a temporary table in place of
the users', and keeps nothing.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, replace
from datetime import datetime
from uuid import UUID, uuid4

import psycopg
from psycopg.rows import class_row, dict_row, kwargs_row, scalar_row, tuple_row
from psycopg.sql import SQL
from psycopg.types.json import Jsonb

from rolecall.domain.directories.importing import ImportBusy, PastImport, Progress, Refusal
from rolecall.domain.directories.model import UserStatus
from rolecall.domain.directories.rows import NewUser
from rolecall.domain.operations.records import Record
from rolecall.domain.reasons import Reason, Refused
from rolecall.store.connection import Connection, Pool
from rolecall.store.queries import load
from rolecall.store.records import record_values

_IMPORT_LOCKS = 0x696D7074
"""The first half of the advisory locks that imports hold, one a store: "impt"."""

_WAIT_MILLISECONDS = 10_000
"""For an earlier import whose connection is not yet known to be gone."""

_TRIES = 5

_MANY = 10_000

_SQL = load("user_imports")
_RECORDS = load("records")
_TABLES = (_SQL["create_new_users"], _SQL["create_tried_users"], _SQL["create_tried_refusals"])


class PgUserImportRepository:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def groups(self, store_id: UUID) -> Mapping[str, UUID]:
        """By name."""
        query = "select name, id from user_groups where store_id = %s"
        return dict(await self._pool.rows(tuple_row, query, (store_id,)))

    async def all(self, store_id: UUID, limit: int) -> Sequence[PastImport]:
        """The newest first."""
        return await self._pool.rows(class_row(PastImport), _SQL["all"], (store_id, limit))

    async def one(self, store_id: UUID, import_id: UUID) -> PastImport | None:
        return await self._pool.row(class_row(PastImport), _SQL["one"], (store_id, import_id))

    async def of_file(self, store_id: UUID, digest: bytes) -> PastImport | None:
        return await self._pool.row(class_row(PastImport), _SQL["of_file"], (store_id, digest))

    async def refusals(self, store_id: UUID, import_id: UUID, limit: int) -> Sequence[Refusal]:
        """The first lines that were refused; none if the import is not of that store."""
        values = (store_id, import_id, limit)
        return await self._pool.rows(class_row(Refusal), _SQL["refusals_of_store"], values)

    async def owner(self, store_id: UUID) -> int | None:
        """The owner of the store; None if there is no such store."""
        owner_id: int | None = await self._pool.value(
            "select owner_id from user_stores where id = %s", (store_id,)
        )
        return owner_id

    @asynccontextmanager
    async def session(
        self, store_id: UUID, digest: bytes, record: Record, *, again: bool = False, patient: bool = True
    ) -> AsyncIterator[KeptImport]:
        """Continues where an earlier import of the same file stopped, or starts again. Raises `ImportBusy`, at once if
        it is not `patient`.

        `record` is written once, and its detail has the numbers of imported and refused users.
        """
        async with self._alone(store_id, _WAIT_MILLISECONDS if patient else 1) as connection:
            if again:
                await connection.execute(
                    "delete from user_imports where store_id = %s and digest = %s", (store_id, digest)
                )
            await connection.execute(_SQL["begin"], (uuid4(), store_id, digest))
            kept = await connection.row(dict_row, _SQL["kept"], (store_id, digest))
            if kept is None:  # the store was deleted at the same time
                raise ImportBusy
            import_id, finished_at = kept.pop("id"), kept.pop("finished_at")
            yield KeptImport(connection, store_id, import_id, Progress(**kept), record, finished_at)

    @asynccontextmanager
    async def trial(self, store_id: UUID) -> AsyncIterator[TriedImport]:
        """A dry run, of which nothing is kept. Raises `ImportBusy`."""
        async with self._alone(store_id) as connection:
            yield TriedImport(connection, store_id)

    @asynccontextmanager
    async def _alone(
        self, store_id: UUID, milliseconds: int = _WAIT_MILLISECONDS
    ) -> AsyncIterator[Connection]:
        """A connection with the tables of an import, and no other import into this store at the same time."""
        lock = (_IMPORT_LOCKS, int.from_bytes(store_id.bytes[:4], signed=True))
        async with self._pool.connection() as connection:
            try:
                async with connection.transaction():
                    await connection.execute(f"set local lock_timeout = {milliseconds}")
                    await connection.execute("select pg_advisory_lock(%s, %s)", lock)
            except psycopg.errors.LockNotAvailable:
                raise ImportBusy from None
            try:
                for table in _TABLES:
                    await connection.execute(table)
                yield connection
            finally:
                # A connection that was lost has taken both with it.
                with contextlib.suppress(psycopg.Error):
                    await connection.execute(_SQL["drop"])
                    await connection.execute("select pg_advisory_unlock(%s, %s)", lock)


class KeptImport:
    """An `ImportSession`. Each batch and its place in the file are one transaction."""

    def __init__(
        self,
        connection: Connection,
        store_id: UUID,
        import_id: UUID,
        progress: Progress,
        record: Record,
        finished_at: datetime | None,
    ) -> None:
        self.finished_at = finished_at
        self._connection = connection
        self._store_id = store_id
        self._id = import_id
        self._began = self._progress = progress
        self._record = record
        self._record_id: UUID | None = None

    @property
    def progress(self) -> Progress:
        return self._progress

    async def keep(
        self, users: Sequence[NewUser], refusals: Sequence[Refusal], position: int, line: int
    ) -> Progress:
        """Raises `Refused` (STORE_MISSING) if the store was deleted: its users are, and so is the import."""
        for left in reversed(range(_TRIES)):
            try:
                return await self._keep(users, refusals, position, line)
            except psycopg.errors.ForeignKeyViolation:  # of the store, or of a group
                await self._require_store()
                raise
            except psycopg.errors.DeadlockDetected:  # with calls that create users in another order
                if not left:
                    raise
        raise AssertionError

    async def _keep(
        self, users: Sequence[NewUser], refusals: Sequence[Refusal], position: int, line: int
    ) -> Progress:
        connection, before = self._connection, self._progress
        async with connection.transaction():
            await _stage(connection, self._store_id, users)
            taken = await _taken(connection, _SQL["add"], _SQL["why_not_added"])
            if any(user.groups for user in users):
                await connection.execute(_SQL["join_groups"])
            refused = [*refusals, *taken]
            if refused:
                async with connection.cursor() as cursor:
                    await cursor.executemany(
                        _SQL["refuse"], [(self._id, refusal.line, refusal.reason) for refusal in refused]
                    )
            now = Progress(
                position, line, before.imported + len(users) - len(taken), before.refused + len(refused)
            )
            values = (position, line, now.imported, now.refused, self._id, before.position)
            if (await connection.execute(_SQL["advance"], values)).rowcount != 1:
                await self._require_store()
                raise ImportBusy
            record_id = await self._write_record(now)
        self._progress, self._record_id = now, record_id
        return now

    async def finish(self) -> Progress:
        async with self._connection.transaction():
            await self._require_store()
            await self._connection.execute(
                "update user_imports set finished_at = now() where id = %s", (self._id,)
            )
            await self._write_record(self._progress, finished=True)
        if self._progress.imported - self._began.imported >= _MANY:
            # Otherwise queries are planned for a small table until autovacuum analyzes it.
            await self._connection.execute("analyze users")
        return self._progress

    async def _require_store(self) -> None:
        """STORE_MISSING. One that is there stays until the end of the transaction."""
        query = "select 1 from user_stores where id = %s for key share"
        if await self._connection.value(query, (self._store_id,)) is None:
            raise Refused(Reason.STORE_MISSING, facts={"value": self._store_id.hex})

    async def refusals(self, after: int, limit: int) -> Sequence[Refusal]:
        return await self._connection.rows(class_row(Refusal), _SQL["refusals"], (self._id, after, limit))

    async def _write_record(self, now: Progress, *, finished: bool = False) -> UUID:
        """One for this run, inserted with its first batch and updated with every later one."""
        detail = {
            **self._record.detail,
            "imported": now.imported - self._began.imported,
            "refused": now.refused - self._began.refused,
            "finished": finished,
        }
        if self._record_id is None:
            values = record_values(replace(self._record, detail=detail))
            await self._connection.execute(_RECORDS["write"], values)
            return UUID(str(values["record_id"]))
        await self._connection.execute(
            "update operations set detail = %s, closed_at = now() where id = %s",
            (Jsonb(detail), self._record_id),
        )
        return self._record_id


class TriedImport:
    """An `ImportSession` of a dry run."""

    def __init__(self, connection: Connection, store_id: UUID) -> None:
        self._connection = connection
        self._store_id = store_id
        self.progress = Progress()

    async def keep(
        self, users: Sequence[NewUser], refusals: Sequence[Refusal], position: int, line: int
    ) -> Progress:
        connection, before = self._connection, self.progress
        async with connection.transaction():
            await _stage(connection, self._store_id, users)
            taken = await _taken(connection, _SQL["try"], _SQL["why_not_tried"])
            refused = [*refusals, *taken]
            if refused:
                async with connection.cursor() as cursor:
                    await cursor.executemany(
                        _SQL["refuse_tried"], [(refusal.line, refusal.reason) for refusal in refused]
                    )
        self.progress = Progress(
            position, line, before.imported + len(users) - len(taken), before.refused + len(refused)
        )
        return self.progress

    async def finish(self) -> Progress:
        return self.progress

    async def refusals(self, after: int, limit: int) -> Sequence[Refusal]:
        return await self._connection.rows(class_row(Refusal), _SQL["tried_refusals"], (after, limit))


async def _stage(connection: Connection, store_id: UUID, users: Sequence[NewUser]) -> None:
    if not users:
        return
    async with connection.cursor() as cursor, cursor.copy(_SQL["copy"]) as copy:
        for user in users:
            await copy.write_row(_values(store_id, user))


def _values(store_id: UUID, user: NewUser) -> Sequence[object]:
    custom = [asdict(attribute) for attribute in user.custom]
    locked_at = user.created_at if user.status is UserStatus.LOCKED else None
    return (
        user.line, list(user.groups), user.id, store_id, user.name, user.phone, user.email, user.password_hash,
        user.must_reset, user.status.value, "import", user.nickname, user.address, user.birthdate, Jsonb(custom),
        *user.indexed, Jsonb(dict(user.profile)), True, False, 0, locked_at, 0, user.created_at, user.created_at,
    )  # fmt: skip


async def _taken(connection: Connection, add: SQL, why: SQL) -> list[Refusal]:
    """Add what was staged; returns what could not be added, with the reason."""
    lines = await connection.rows(scalar_row, add)
    return await connection.rows(kwargs_row(_refusal), why, (lines,)) if lines else []


def _refusal(*, line: int, name: bool, phone: bool) -> Refusal:
    taken = "user_name" if name else "phone" if phone else "email"
    return Refusal(line, f"{taken} is taken")
