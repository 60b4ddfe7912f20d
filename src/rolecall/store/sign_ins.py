"""Who may sign in with a password, and how often it went wrong."""

from __future__ import annotations

from rolecall.domain.access.keys import Owner
from rolecall.domain.iam.model import SubUser
from rolecall.domain.iam.sign_in import Candidate, Subject
from rolecall.domain.iam.sub_users import Revision
from rolecall.domain.operations.records import Record
from rolecall.store.connection import Pool
from rolecall.store.people import SUB_USER_COLUMNS, PgSubUserRepository, rules_of
from rolecall.store.replica import NotifiedCache, Replica

_CANDIDATES = (
    f"select {SUB_USER_COLUMNS}, o.id, o.number, o.app_id, coalesce(u.locked_until > now(), false), r.rules"
    " from sub_users u join owners o on o.id = u.owner_id left join password_rules r on r.owner_id = u.owner_id"
    " where u.name = %(name)s and (%(owner)s::bigint is null or o.number = %(owner)s) limit 2"
)
_SUBJECT = (
    f"select {SUB_USER_COLUMNS}, o.id, o.number, o.app_id"
    " from sub_users u join owners o on o.id = u.owner_id where u.number = %s"
)
# An hour without a failure begins the count anew; a lock is not made longer by knocking at it.
_FAILED = (
    "update sub_users u set failed_logins = n.failures, first_failed_at = n.since, locked_until ="
    " case when %(limit)s > 0 and n.failures >= %(limit)s then now() + interval '1 hour' end"
    " from (select number,"
    " case when first_failed_at > now() - interval '1 hour' then failed_logins + 1 else 1 end as failures,"
    " case when first_failed_at > now() - interval '1 hour' then first_failed_at else now() end as since"
    " from sub_users where number = %(number)s for update) n"
    " where u.number = n.number and (u.locked_until is null or u.locked_until <= now())"
)
_SUCCEEDED = (
    "update sub_users set failed_logins = 0, first_failed_at = null, locked_until = null,"
    " last_login_at = case when %(client)s::text is null then last_login_at else now() end,"
    " last_login_ip = coalesce(%(client)s, last_login_ip)"
    " where number = %(number)s and (locked_until is null or locked_until <= now())"
)
# Most who ask for tokens have nothing to forget: they only look.
_UNLOCKED = (
    "select failed_logins = 0 from sub_users"
    " where number = %s and (locked_until is null or locked_until <= now())"
)
_COLUMNS = SUB_USER_COLUMNS.count(",") + 1


class PgSignInRepository:
    """Failures and successes do not wait for the disk: a crash of the store's server may forgive the last of them."""

    def __init__(self, durable: Pool, quick: Pool, replica: Replica, sub_users: PgSubUserRepository) -> None:
        self._pool = durable
        self._quick = quick
        self._sub_users = sub_users
        self._subjects: NotifiedCache[int, Subject] = replica.cache()

    async def candidate(self, name: str, owner_number: int | None) -> Candidate | None:
        async with self._pool.connection() as connection:
            rows = await (
                await connection.execute(_CANDIDATES, {"name": name, "owner": owner_number})
            ).fetchall()
        if len(rows) != 1:
            return None
        row = rows[0]
        owner_id, number, app_id, locked, rules = row[_COLUMNS:]
        return Candidate(SubUser(*row[:_COLUMNS]), Owner(owner_id, number, app_id), locked, rules_of(rules))

    async def subject(self, number: int) -> Subject | None:
        async def read() -> Subject | None:
            async with self._pool.connection() as connection:
                row = await (await connection.execute(_SUBJECT, (number,))).fetchone()
            return None if row is None else Subject(SubUser(*row[:_COLUMNS]), Owner(*row[_COLUMNS:]))

        return await self._subjects.get_or_read(number, read)

    async def failed(self, number: int, limit: int) -> None:
        async with self._quick.connection() as connection:
            await connection.execute(_FAILED, {"number": number, "limit": limit})

    async def succeeded(self, number: int, client: str | None) -> bool:
        async with self._quick.connection() as connection:
            if client is None:
                row = await (await connection.execute(_UNLOCKED, (number,))).fetchone()
                if row is None or row[0]:
                    return row is not None
            cursor = await connection.execute(_SUCCEEDED, {"number": number, "client": client})
            return cursor.rowcount == 1

    async def rehashed(self, number: int, old: str, new: str) -> None:
        async with self._pool.connection() as connection:
            await connection.execute(
                "update sub_users set password_hash = %s where number = %s and password_hash = %s",
                (new, number, old),
            )

    async def change(self, number: int, revision: Revision, record: Record) -> None:
        await self._sub_users.change(number, revision, record)
