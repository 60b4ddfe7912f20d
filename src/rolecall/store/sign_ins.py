"""Sub-users that may sign in with a password, and their failed sign-ins."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from psycopg.rows import kwargs_row

from rolecall.domain.access.keys import Owner
from rolecall.domain.iam.model import SubUser
from rolecall.domain.iam.sign_in import Candidate, Subject
from rolecall.domain.iam.sub_users import Revision
from rolecall.domain.operations.records import Record
from rolecall.store.connection import Pool
from rolecall.store.people import PgSubUserRepository, rules_of
from rolecall.store.queries import load
from rolecall.store.replica import NotifiedCache, Replica

_SQL = load("sub_users")


class PgSignInRepository:
    """Failures and successes do not wait for the disk: a crash of the store's server may lose the last of them."""

    def __init__(self, durable: Pool, quick: Pool, replica: Replica, sub_users: PgSubUserRepository) -> None:
        self._pool = durable
        self._quick = quick
        self._sub_users = sub_users
        self._subjects: NotifiedCache[int, Subject] = replica.cache("sub_users", "owners")

    async def candidate(self, name: str, owner_number: int | None) -> Candidate | None:
        values = {"name": name, "owner": owner_number}
        found = await self._pool.rows(kwargs_row(_candidate), _SQL["candidates"], values)
        return found[0] if len(found) == 1 else None

    async def subject(self, number: int) -> Subject | None:
        return await self._subjects.get_or_read(
            number, lambda: self._pool.row(kwargs_row(_subject), _SQL["subject"], (number,))
        )

    async def failed(self, number: int, limit: int) -> None:
        await self._quick.execute(_SQL["failed"], {"number": number, "limit": limit})

    async def succeeded(self, number: int, client: str | None) -> bool:
        async with self._quick.connection() as connection:
            if client is None:
                is_clear = await connection.value(_SQL["unlocked"], (number,))
                if is_clear is not False:
                    return is_clear is not None
            cursor = await connection.execute(_SQL["succeeded"], {"number": number, "client": client})
            return cursor.rowcount == 1

    async def rehashed(self, number: int, old: str, new: str) -> None:
        query = "update sub_users set password_hash = %s where number = %s and password_hash = %s"
        await self._pool.execute(query, (new, number, old))

    async def change(self, number: int, revision: Revision, record: Record) -> None:
        await self._sub_users.change(number, revision, record)


def _subject(*, owner_number: int, app_id: int, **user: Any) -> Subject:
    found = SubUser(**user)
    return Subject(found, Owner(found.owner_id, owner_number, app_id))


def _candidate(*, locked: bool, rules: Mapping[str, Any] | None, **subject: Any) -> Candidate:
    found = _subject(**subject)
    return Candidate(found.user, found.owner, locked, rules_of(rules))
