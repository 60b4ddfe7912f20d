"""Files of users that wait to be imported: sealed, taken over by another process, forgotten in time."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from tests.waiting import PATIENCE

from rolecall import ambient
from rolecall.domain.access.keys import Keys, Owner
from rolecall.domain.directories import uploads
from rolecall.domain.directories.files import FileRefused
from rolecall.domain.directories.formats import FileFormat
from rolecall.domain.directories.importing import FileRow, PastImport
from rolecall.domain.directories.rows import RowReader
from rolecall.domain.directories.uploads import UserUploads
from rolecall.domain.maintenance.resealing import SealedPlace, SealedValue, reseal
from rolecall.domain.operations.model import Change
from rolecall.domain.operations.records import Record
from rolecall.domain.reasons import Refused
from rolecall.domain.secrets.passwords import Passwords
from rolecall.domain.secrets.sealing import SealBroken, Sealer, new_master_key, parse_master_keys
from rolecall.store import Store
from rolecall.values import Caller, Origin, Secret

SEALER = Sealer(parse_master_keys(new_master_key()))
ROWS = 350


@dataclass
class Desk:
    store: Store
    owner: Owner
    user_store: UUID
    passwords: Passwords

    @property
    def origin(self) -> Origin:
        owner = self.owner
        return Origin(
            Caller(owner.id, owner.number, owner.app_id, owner.number, "key"),
            "console",
            "user import",
            "r",
            client="::1",
        )

    def process(self, sealer: Sealer = SEALER) -> UserUploads:
        """What one process has."""
        store = self.store
        return UserUploads(
            store.import_uploads, store.imports, store.audit, self.passwords, sealer, ("name",)
        )

    async def confirmed(self, content: bytes, *, again: bool = False) -> UUID:
        files = self.process()
        upload = await files.keep(self.user_store, "users.csv", FileFormat.CSV, content, again=again)
        import_id = await files.confirm(upload, self.origin)
        assert import_id is not None
        assert await files.confirm(upload, self.origin) is None
        assert await files.find(self.user_store, upload.id) is None
        return import_id

    async def past(self, import_id: UUID) -> PastImport:
        found = await self.store.imports.one(self.user_store, import_id)
        assert found is not None
        return found


@pytest.fixture
async def desk(dsn: Secret) -> AsyncIterator[Desk]:
    store, passwords = Store(dsn), Passwords(1, 8)
    await store.open()
    owner = await Keys(store.keys, SEALER).create_owner()
    user_store = uuid4()
    async with store.imports._pool.connection() as connection:
        await connection.execute(
            "insert into user_stores (id, owner_id, name) values (%s, %s, 'people')", (user_store, owner.id)
        )
    yield Desk(store, owner, user_store, passwords)
    passwords.close()
    await store.close()


def file_of(rows: int = ROWS, prefix: str = "u") -> bytes:
    return b"user_name\n" + b"".join(b"%s%d\n" % (prefix.encode(), number) for number in range(rows))


async def test_another_process_continues_what_one_began(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    import_id = await desk.confirmed(file_of())
    begun = await desk.past(import_id)
    assert (begun.is_queued, begun.position, begun.size) == (True, 0, len(file_of()))
    kept = 0
    keep = uploads.UserImport._keep

    async def interrupted(self: uploads.UserImport, row: object) -> object:
        nonlocal kept
        kept += 1
        if kept == 3:
            raise RuntimeError("the process ended")
        return await keep(self, row)  # type: ignore[arg-type]

    monkeypatch.setattr(uploads.UserImport, "_keep", interrupted)
    with suppress(RuntimeError):
        await desk.process().round()
    half = await desk.past(import_id)
    assert (half.imported, half.is_queued, half.finished_at) == (200, True, None)
    await desk.process().round()
    whole = await desk.past(import_id)
    assert (whole.imported, whole.refused, whole.is_queued, whole.line) == (ROWS, 0, False, ROWS + 1)
    assert whole.finished_at is not None


async def test_an_import_waits_while_another_fills_the_store(desk: Desk) -> None:
    import_id = await desk.confirmed(file_of(3))
    record = Record(Change.USER_IMPORT, "elsewhere", desk.origin)
    async with desk.store.imports.session(desk.user_store, b"another file", record):
        await desk.process().round()
        assert (await desk.past(import_id)).imported == 0
    await desk.process().round()
    assert (await desk.past(import_id)).imported == 3


async def test_a_file_is_imported_again_only_if_that_was_asked_for(desk: Desk) -> None:
    first = await desk.confirmed(file_of(3))
    await desk.process().round()
    assert await desk.confirmed(file_of(3)) == first
    await desk.process().round()
    assert (await desk.past(first)).refused == 0
    again = await desk.confirmed(file_of(3), again=True)
    await desk.process().round()
    assert again != first
    assert ((await desk.past(again)).imported, (await desk.past(again)).refused) == (0, 3)
    assert await desk.store.imports.one(desk.user_store, first) is None


async def test_a_file_that_does_not_open_or_fails_for_ever_is_given_up(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    import_id = await desk.confirmed(file_of(3))
    other = Sealer(parse_master_keys(new_master_key()))
    await desk.process(other).round()
    assert not (await desk.past(import_id)).is_queued
    monkeypatch.setattr(uploads, "_MOST_ATTEMPTS", 0)
    import_id = await desk.confirmed(file_of(4))
    await desk.process().round()
    given_up = await desk.past(import_id)
    assert (given_up.is_queued, given_up.imported, given_up.finished_at) == (False, 0, None)


async def test_a_file_that_waits_is_resealed_with_everything_else(desk: Desk) -> None:
    old, new = parse_master_keys(new_master_key()), parse_master_keys(new_master_key())
    upload = await desk.process(Sealer(old)).keep(
        desk.user_store, "users.csv", FileFormat.CSV, file_of(60_000), again=False
    )
    found = await desk.store.sealed.sealed_values(SealedPlace.UPLOAD)
    values = [value for value in found if value.key[1] == upload.id.hex]
    assert len(values) > 1

    class OfThisTest:
        """Other tests of this store have sealed their values with keys of their own."""

        replace = desk.store.sealed.replace

        async def sealed_values(self, *_: SealedPlace) -> Sequence[SealedValue]:
            return values

    assert await reseal(OfThisTest(), Sealer((*new, *old))) == len(values)
    assert (await desk.process(Sealer(new)).preview(upload)).read == uploads.READ
    with pytest.raises(SealBroken):
        await desk.process(Sealer(old)).preview(upload)


async def test_what_is_not_confirmed_is_replaced_and_forgotten(desk: Desk) -> None:
    files, store = desk.process(), desk.user_store
    with pytest.raises(FileRefused):
        await files.keep(store, "x", FileFormat.CSV, b"nothing known\n", again=False)
    first = await files.keep(store, "x", FileFormat.CSV, file_of(2), again=False)
    second = await files.keep(store, "y", FileFormat.CSV, file_of(3000, "secret_name"), again=False)
    assert await files.find(store, first.id) is None
    assert await files.find(uuid4(), second.id) is None
    preview = await files.preview(second)
    assert (preview.read, preview.is_whole, preview.columns) == (uploads.READ, False, ["user_name"])
    assert b"secret_name" not in b"".join(await desk.store.import_uploads.pieces(second.id))
    await desk.store.import_uploads.purge(timedelta(hours=1))
    assert await files.find(store, second.id) is not None
    await desk.store.import_uploads.purge(timedelta(0))
    assert await files.find(store, second.id) is None


async def test_a_row_that_no_store_takes_is_refused_and_the_rest_imported(desk: Desk) -> None:
    lines = [b'{"a\\u0000b": 1}', b'{"user_name": %s}' % (b"[" * 100_000), b'{"user_name": "whole"}', b""]
    files = desk.process()
    kept = await files.keep(desk.user_store, "x.jsonl", FileFormat.NDJSON, b"\n".join(lines), again=False)
    preview = await files.preview(kept)
    assert (preview.read, preview.refused) == (3, 2)
    import_id = await files.confirm(kept, desk.origin)
    assert import_id is not None
    await files.round()
    past = await desk.past(import_id)
    assert (past.imported, past.refused, past.is_queued) == (1, 2, False)
    reasons = await desk.store.imports.refusals(desk.user_store, import_id, 9)
    assert [refusal.line for refusal in reasons] == [1, 2]


async def test_a_file_that_fails_does_not_hold_up_others(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = await desk.confirmed(file_of(3)), await desk.confirmed(file_of(4, "other"))
    keep = uploads.UserImport._keep

    async def failing(self: uploads.UserImport, row: FileRow) -> object:
        if row.values["user_name"] == "u2":
            raise RuntimeError("as the store might")
        return await keep(self, row)

    monkeypatch.setattr(uploads.UserImport, "_keep", failing)
    await desk.process().round()
    assert ((await desk.past(first)).imported, (await desk.past(first)).is_queued) == (0, True)
    assert ((await desk.past(second)).imported, (await desk.past(second)).is_queued) == (4, False)


async def test_calls_are_answered_while_rows_are_read(desk: Desk) -> None:
    """A long run of empty lines, or a row of a megabyte, takes a while to read."""
    answered = threading.Event()

    def rows() -> Iterator[FileRow]:
        assert answered.wait(PATIENCE)
        yield FileRow(1, 1, 2, {"user_name": "late"})

    record = Record(Change.USER_IMPORT, "elsewhere", desk.origin)
    async with desk.store.imports.session(desk.user_store, b"slow", record) as session:
        asyncio.get_running_loop().call_soon(answered.set)
        reader = RowReader({}, ambient.now(), ("name",))
        done = await uploads.UserImport(desk.passwords, session, reader).run(rows(), lambda _: None)
    assert done.imported == 1


async def test_a_store_that_is_deleted_while_users_are_imported_takes_all_of_them_along(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    import_id = await desk.confirmed(file_of())
    kept = list[int]()
    keep = uploads.UserImport._keep

    async def deleting(self: uploads.UserImport, row: FileRow) -> object:
        kept.append(row.line)
        if len(kept) == 3:
            record = Record(Change.STORE_DELETE, desk.user_store.hex, desk.origin)
            assert await desk.store.directories.delete_store(desk.owner.id, desk.user_store, record)
        return await keep(self, row)

    monkeypatch.setattr(uploads.UserImport, "_keep", deleting)
    await desk.process().round()
    assert len(kept) == 3
    assert await desk.store.imports.one(desk.user_store, import_id) is None
    assert await desk.store.import_uploads.queued() == []
    left = "select count(*) from users where store_id = %s"
    assert await desk.store.imports._pool.value(left, (desk.user_store,)) == 0
    await desk.process().round()  # there is nothing to go on with


@pytest.mark.parametrize("rows", [0, 3], ids=["at its end", "at its last rows"])
async def test_an_import_whose_store_was_deleted_says_so(desk: Desk, rows: int) -> None:
    record = Record(Change.USER_IMPORT, desk.user_store.hex, desk.origin)
    found = (FileRow(line, line, line, {"user_name": f"u{line}"}) for line in range(1, rows + 1))
    async with desk.store.imports.session(desk.user_store, b"digest", record) as session:
        gone = Record(Change.STORE_DELETE, desk.user_store.hex, desk.origin)
        assert await desk.store.directories.delete_store(desk.owner.id, desk.user_store, gone)
        work = uploads.UserImport(desk.passwords, session, RowReader({}, ambient.now(), ("name",)))
        with pytest.raises(Refused, match="store-missing"):
            await work.run(found, lambda _: None)
