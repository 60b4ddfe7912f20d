"""Users from files, a batch in a transaction, together with how far the file is read.

A batch goes into a temporary table by COPY and from there to the users, so that those whose name, phone number or mail
address is taken are found without stopping the others. A dry run does the same with a temporary table in place of the
users', and keeps nothing.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from uuid import UUID, uuid4

import psycopg
from psycopg import AsyncConnection
from psycopg.types.json import Jsonb

from rolecall.domain.directories.importing import Progress, Refusal
from rolecall.domain.directories.model import UserStatus
from rolecall.domain.directories.rows import NewUser
from rolecall.domain.operations.records import Record
from rolecall.store.connection import Pool, Row
from rolecall.store.records import INSERT_RECORD, RECORDED, record_values

_IMPORT_LOCKS = 0x696D7074
"""The first half of the advisory locks that imports hold, one a store: "impt"."""

_WAIT_MILLISECONDS = 10_000
"""For an earlier import whose connection is not yet known to be gone."""

_TRIES = 5

_MANY = 10_000

_TABLES = (
    "create temp table new_users (line bigint, in_groups uuid[], like users) on commit delete rows",
    "create temp table tried_users (id uuid, name text unique, phone text unique, email text unique)",
    "create temp table tried_refusals (line bigint, reason text)",
)
_DROP = "drop table if exists pg_temp.new_users, pg_temp.tried_users, pg_temp.tried_refusals"

_COPY = (
    "copy pg_temp.new_users (line, in_groups, id, store_id, name, phone, email, password_hash, must_reset, status,"
    " source, nickname, address, birthdate, custom, indexed_1, indexed_2, indexed_3, indexed_4, indexed_5, profile,"
    " is_primary, signed_in_before, failed_sign_ins, locked_at, version, created_at, modified_at) from stdin"
)

_ADD = """
with added as (
    insert into users (id, store_id, name, phone, email, password_hash, must_reset, status, source, nickname, address,
           birthdate, custom, indexed_1, indexed_2, indexed_3, indexed_4, indexed_5, profile, is_primary,
           signed_in_before, failed_sign_ins, locked_at, version, created_at, modified_at)
    select id, store_id, name, phone, email, password_hash, must_reset, status, source, nickname, address,
           birthdate, custom, indexed_1, indexed_2, indexed_3, indexed_4, indexed_5, profile, is_primary,
           signed_in_before, failed_sign_ins, locked_at, version, created_at, modified_at
      from pg_temp.new_users order by line
    on conflict do nothing
    returning id
)
select line from pg_temp.new_users where id not in (select id from added) order by line
"""

_TRY = """
with added as (
    insert into pg_temp.tried_users (id, name, phone, email)
    select id, name, phone, email from pg_temp.new_users n
     where not exists (select from users u where u.store_id = n.store_id and u.name = n.name)
       and not exists (select from users u where u.store_id = n.store_id and u.phone = n.phone)
       and not exists (select from users u where u.store_id = n.store_id and u.email = n.email)
     order by line
    on conflict do nothing
    returning id
)
select line from pg_temp.new_users where id not in (select id from added) order by line
"""

_WHY = """
select n.line,
       exists (select from users u where u.store_id = n.store_id and u.name = n.name),
       exists (select from users u where u.store_id = n.store_id and u.phone = n.phone)
  from pg_temp.new_users n where n.line = any(%s)
"""

_WHY_TRIED = """
select n.line,
       exists (select from users u where u.store_id = n.store_id and u.name = n.name)
           or exists (select from pg_temp.tried_users t where t.name = n.name),
       exists (select from users u where u.store_id = n.store_id and u.phone = n.phone)
           or exists (select from pg_temp.tried_users t where t.phone = n.phone)
  from pg_temp.new_users n where n.line = any(%s)
"""

# A group that was deleted since the file was begun is no reason to refuse its members.
_JOIN = """
insert into user_group_members (user_id, group_id)
select u.id, g.id from pg_temp.new_users n
  join users u on u.id = n.id
  join user_groups g on g.id = any(n.in_groups) and g.store_id = n.store_id
 where n.in_groups <> '{}'
"""

_RECORD = f"{INSERT_RECORD} values ({RECORDED}) returning id"

_ADVANCE = (
    "update user_imports set position = %s, line = %s, imported = %s, refused = %s"
    " where id = %s and position = %s and finished_at is null"
)


class ImportBusy(Exception):
    """Another import into the same store is under way."""


class PgUserImportRepository:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def groups(self, store_id: UUID) -> Mapping[str, UUID]:
        """By name."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "select name, id from user_groups where store_id = %s", (store_id,)
            )
            return dict(await cursor.fetchall())

    async def owner(self, store_id: UUID) -> int | None:
        """Whose the store is; None: there is no such store."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute("select owner_id from user_stores where id = %s", (store_id,))
            row = await cursor.fetchone()
        return None if row is None else int(row[0])

    @asynccontextmanager
    async def session(
        self, store_id: UUID, digest: bytes, record: Record, *, again: bool = False
    ) -> AsyncIterator[KeptImport]:
        """Goes on where an earlier one of the same file stopped, or begins again. Raises `ImportBusy`.

        `record` is written once, and says in the end how much was imported.
        """
        async with self._alone(store_id) as connection:
            if again:
                await connection.execute(
                    "delete from user_imports where store_id = %s and digest = %s", (store_id, digest)
                )
            await connection.execute(
                "insert into user_imports (id, store_id, digest) values (%s, %s, %s) on conflict do nothing",
                (uuid4(), store_id, digest),
            )
            cursor = await connection.execute(
                "select id, finished_at, position, line, imported, refused from user_imports"
                " where store_id = %s and digest = %s",
                (store_id, digest),
            )
            import_id, finished_at, *progress = await cursor.fetchone() or (None, None)
            if import_id is None:  # the store was deleted in this moment
                raise ImportBusy
            yield KeptImport(connection, store_id, import_id, Progress(*progress), record, finished_at)

    @asynccontextmanager
    async def trial(self, store_id: UUID) -> AsyncIterator[TriedImport]:
        """Of which nothing is kept. Raises `ImportBusy`."""
        async with self._alone(store_id) as connection:
            yield TriedImport(connection, store_id)

    @asynccontextmanager
    async def _alone(self, store_id: UUID) -> AsyncIterator[AsyncConnection[Row]]:
        """A connection with the tables of an import, and no other import into this store at the same time."""
        lock = (_IMPORT_LOCKS, int.from_bytes(store_id.bytes[:4], signed=True))
        async with self._pool.connection() as connection:
            try:
                async with connection.transaction():
                    await connection.execute(f"set local lock_timeout = {_WAIT_MILLISECONDS}")
                    await connection.execute("select pg_advisory_lock(%s, %s)", lock)
            except psycopg.errors.LockNotAvailable:
                raise ImportBusy from None
            try:
                for table in _TABLES:
                    await connection.execute(table.encode())
                yield connection
            finally:
                # A connection that was lost has taken both with it.
                with contextlib.suppress(psycopg.Error):
                    await connection.execute(_DROP)
                    await connection.execute("select pg_advisory_unlock(%s, %s)", lock)


class KeptImport:
    """An `ImportSession`. Each batch and its place in the file are one transaction."""

    def __init__(
        self,
        connection: AsyncConnection[Row],
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
        for left in reversed(range(_TRIES)):
            try:
                return await self._keep(users, refusals, position, line)
            except psycopg.errors.DeadlockDetected:  # with users made by calls, in another order
                if not left:
                    raise
        raise AssertionError

    async def _keep(
        self, users: Sequence[NewUser], refusals: Sequence[Refusal], position: int, line: int
    ) -> Progress:
        connection, before = self._connection, self._progress
        async with connection.transaction():
            await _stage(connection, self._store_id, users)
            taken = await _taken(connection, _ADD, _WHY)
            if any(user.groups for user in users):
                await connection.execute(_JOIN)
            refused = [*refusals, *taken]
            if refused:
                async with connection.cursor() as cursor:
                    await cursor.executemany(
                        "insert into user_import_refusals (import_id, line, reason) values (%s, %s, %s)",
                        [(self._id, one.line, one.reason) for one in refused],
                    )
            now = Progress(
                position, line, before.imported + len(users) - len(taken), before.refused + len(refused)
            )
            values = (position, line, now.imported, now.refused, self._id, before.position)
            if (await connection.execute(_ADVANCE, values)).rowcount != 1:
                raise ImportBusy
            record_id = await self._write_record(now)
        self._progress, self._record_id = now, record_id
        return now

    async def finish(self) -> Progress:
        async with self._connection.transaction():
            await self._connection.execute(
                "update user_imports set finished_at = now() where id = %s", (self._id,)
            )
            await self._write_record(self._progress, finished=True)
        if self._progress.imported - self._began.imported >= _MANY:
            # Or reads are planned for a small table, until the server finds out by itself.
            await self._connection.execute("analyze users")
        return self._progress

    async def refusals(self, after: int, limit: int) -> Sequence[Refusal]:
        cursor = await self._connection.execute(
            "select line, reason from user_import_refusals where import_id = %s and line > %s"
            " order by line limit %s",
            (self._id, after, limit),
        )
        return [Refusal(*row) for row in await cursor.fetchall()]

    async def _write_record(self, now: Progress, *, finished: bool = False) -> UUID:
        """One for this run, begun with its first batch and brought up to date with every other."""
        detail = {
            **self._record.detail,
            "imported": now.imported - self._began.imported,
            "refused": now.refused - self._began.refused,
            "finished": finished,
        }
        if self._record_id is None:
            values = record_values(replace(self._record, detail=detail))
            cursor = await self._connection.execute(_RECORD.encode(), values)
            row = await cursor.fetchone()
            assert row is not None  # noqa: S101 - it was just written
            return UUID(str(row[0]))
        await self._connection.execute(
            "update operations set detail = %s, closed_at = now() where id = %s",
            (Jsonb(detail), self._record_id),
        )
        return self._record_id


class TriedImport:
    """An `ImportSession` of a dry run."""

    def __init__(self, connection: AsyncConnection[Row], store_id: UUID) -> None:
        self._connection = connection
        self._store_id = store_id
        self.progress = Progress()

    async def keep(
        self, users: Sequence[NewUser], refusals: Sequence[Refusal], position: int, line: int
    ) -> Progress:
        connection, before = self._connection, self.progress
        async with connection.transaction():
            await _stage(connection, self._store_id, users)
            taken = await _taken(connection, _TRY, _WHY_TRIED)
            refused = [*refusals, *taken]
            if refused:
                async with connection.cursor() as cursor:
                    await cursor.executemany(
                        "insert into pg_temp.tried_refusals (line, reason) values (%s, %s)",
                        [(one.line, one.reason) for one in refused],
                    )
        self.progress = Progress(
            position, line, before.imported + len(users) - len(taken), before.refused + len(refused)
        )
        return self.progress

    async def finish(self) -> Progress:
        return self.progress

    async def refusals(self, after: int, limit: int) -> Sequence[Refusal]:
        cursor = await self._connection.execute(
            "select line, reason from pg_temp.tried_refusals where line > %s order by line limit %s",
            (after, limit),
        )
        return [Refusal(*row) for row in await cursor.fetchall()]


async def _stage(connection: AsyncConnection[Row], store_id: UUID, users: Sequence[NewUser]) -> None:
    if not users:
        return
    async with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
        for user in users:
            await copy.write_row(_values(store_id, user))


def _values(store_id: UUID, user: NewUser) -> Sequence[object]:
    custom = [{"name": one.name, "value": one.value, "type": one.type} for one in user.custom]
    locked_at = user.created_at if user.status is UserStatus.LOCKED else None
    return (
        user.line, list(user.groups), user.id, store_id, user.name, user.phone, user.email, user.password_hash,
        user.must_reset, user.status.value, "import", user.nickname, user.address, user.birthdate, Jsonb(custom),
        *user.indexed, Jsonb(dict(user.profile)), True, False, 0, locked_at, 0, user.created_at, user.created_at,
    )  # fmt: skip


async def _taken(connection: AsyncConnection[Row], add: str, why: str) -> list[Refusal]:
    """Add what was staged; what could not be added, with the reason."""
    lines = [row[0] for row in await (await connection.execute(add.encode())).fetchall()]
    if not lines:
        return []
    rows = await (await connection.execute(why.encode(), (lines,))).fetchall()
    return [Refusal(line, _reason(name=name, phone=phone)) for line, name, phone in rows]


def _reason(*, name: bool, phone: bool) -> str:
    if name:
        return "user_name is taken"
    return "phone is taken" if phone else "email is taken"
