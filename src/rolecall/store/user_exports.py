"""The users of a store, all of them as they were at one moment, while others write."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from uuid import UUID

from psycopg.rows import kwargs_row

from rolecall.domain.directories.views import UserView
from rolecall.store.connection import Pool
from rolecall.store.queries import load
from rolecall.store.user_rows import view_of

_SQL = load("user_exports")

_PAGE = 1000


class PgUserExportRepository:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def pages(self, store_id: UUID) -> AsyncIterator[Sequence[UserView]]:
        """The oldest first. Each page is a query of its own by an index, all in one snapshot."""
        at, last = "-infinity", UUID(int=0)
        async with self._pool.connection() as connection, connection.transaction():
            await connection.execute("set transaction isolation level repeatable read, read only")
            while True:
                values = {"store": store_id, "at": at, "id": last, "limit": _PAGE}
                page = await connection.rows(kwargs_row(view_of), _SQL["page"], values)
                if not page:
                    return
                yield page
                at, last = page[-1].user.created_at.isoformat(), page[-1].user.id
