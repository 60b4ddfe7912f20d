"""Files of users that wait to be imported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from psycopg.rows import kwargs_row, scalar_row
from psycopg.types.json import Jsonb

from rolecall.domain.directories.formats import FileFormat
from rolecall.domain.directories.uploads import Upload, origin_fields, origin_from
from rolecall.store.connection import Pool
from rolecall.store.queries import load
from rolecall.values import Origin

_SQL = load("import_uploads")


class PgUploadRepository:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def keep(self, upload: Upload, pieces: Sequence[bytes]) -> None:
        """In place of an earlier file of the store that was not confirmed."""
        async with self._pool.connection() as connection, connection.transaction():
            await connection.execute(_SQL["replace"], (upload.store_id,))
            values = (
                upload.id, upload.store_id, upload.digest, upload.format.value, upload.name, upload.size, upload.again,
            )  # fmt: skip
            await connection.execute(_SQL["add"], values)
            for number, sealed in enumerate(pieces):
                await connection.execute(_SQL["add_piece"], (upload.id, number, sealed))

    async def upload(self, store_id: UUID, upload_id: UUID) -> Upload | None:
        """One that is not confirmed."""
        return await self._pool.row(kwargs_row(_upload), _SQL["one"], (store_id, upload_id))

    async def pieces(self, upload_id: UUID) -> Sequence[bytes]:
        return await self._pool.rows(scalar_row, _SQL["pieces"], (upload_id,))

    async def confirm(self, upload: Upload, origin: Origin) -> UUID | None:
        """The id of the import; None if the file is not there any more, or was confirmed."""
        async with self._pool.connection() as connection, connection.transaction():
            if not await connection.value(_SQL["lock"], (upload.id,)):
                return None
            if upload.again:
                await connection.execute(_SQL["forget_import"], (upload.store_id, upload.digest))
            values = (uuid4(), upload.store_id, upload.digest, upload.size)
            import_id: UUID = await connection.value(_SQL["begin"], values)
            confirmed = (import_id, Jsonb(origin_fields(origin)), upload.id)
            await connection.execute(_SQL["confirm"], confirmed)
            return import_id

    async def queued(self) -> Sequence[Upload]:
        return await self._pool.rows(kwargs_row(_upload), _SQL["queued"])

    async def attempt(self, upload_id: UUID) -> int:
        """How often it has been begun, with this time."""
        attempts: int = await self._pool.value(_SQL["attempt"], (upload_id,))
        return attempts

    async def forget(self, upload_id: UUID) -> None:
        await self._pool.execute("delete from import_uploads where id = %s", (upload_id,))

    async def purge(self, age: timedelta) -> None:
        """Forget what was not confirmed in time."""
        await self._pool.execute(_SQL["purge"], (age,))


def _upload(*, format: str, origin: Mapping[str, object] | None, **rest: Any) -> Upload:  # noqa: A002 - the column
    return Upload(format=FileFormat(format), origin=None if origin is None else origin_from(origin), **rest)
