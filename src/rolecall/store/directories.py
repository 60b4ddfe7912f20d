"""User stores, groups and events; and what sign-in asks of users."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from psycopg import errors

from rolecall.domain.directories.commands import ListDirectoryEvents, ListUserGroups
from rolecall.domain.directories.model import User, UserGroup, UserStore
from rolecall.domain.directories.views import USER_CHANGED, USER_SIGNED_IN, DirectoryEvent, Standing
from rolecall.domain.messages import Page
from rolecall.domain.operations.records import Record
from rolecall.domain.reasons import Reason, Refused
from rolecall.store.batches import Batches
from rolecall.store.connection import Pool, Row
from rolecall.store.errors import reasons
from rolecall.store.records import INSERT_RECORD, RECORDED, record_values, write_record
from rolecall.store.scans import Scans
from rolecall.store.user_rows import MINE, USER, view_of
from rolecall.store.users import PgUserRepository

_STORE = (
    "select s.id, s.owner_id, s.name, s.description, s.logo, s.is_default, s.created_at, s.changed_at,"
    " (select coalesce(sum(c.users), 0)::bigint from user_counts c where c.store_id = s.id),"
    " (select count(*) from applications a where a.store_id = s.id) from user_stores s"
)
_GROUP = "select g.id, g.store_id, g.name, g.description, g.created_at, g.modified_at from user_groups g"
_EVENT = (
    "select e.id, e.store_id, e.kind, e.user_id, e.user_name, e.at, e.client,"
    " coalesce((e.detail->>'principal')::bigint, 0) from directory_events e"
)

# Of several users that a login names (one by its name, another by its phone number) the name's comes first.
_BY_LOGIN = f"""
with named as (
    select id, 1 as rank from users where store_id = %(store)s and name = %(login)s
    union all select id, 2 from users where store_id = %(store)s and phone = %(login)s
    union all select id, 3 from users where store_id = %(store)s and email = %(login)s
    order by rank limit 1
)
{USER} join named on named.id = u.id
"""

# Guesses that were sent at once are decided here, one after another: who is locked meanwhile stays out.
_SIGNED_IN = f"""
with seen as (
    update users set last_sign_in_at = %(at)s, signed_in_before = true, failed_sign_ins = 0, locked_until = null,
           locked_at = null,
           password_hash = case when password_hash = %(proven)s then coalesce(%(renewed)s, password_hash)
                                else password_hash end
     where id = %(user)s and status = 'normal' and (locked_until is null or locked_until <= %(at)s)
    returning store_id, id, name
)
insert into directory_events (id, store_id, kind, user_id, user_name, at, client)
select gen_random_uuid(), store_id, '{USER_SIGNED_IN}', id, coalesce(name, ''), %(at)s, %(client)s from seen
returning true
"""

_OWN_PASSWORD = f"""
with changed as (
    update users set password_hash = %(hash)s, must_reset = false, version = version + 1, modified_at = now()
     where id = %(user)s and password_hash = %(proven)s and status = 'normal'
    returning store_id, id, name
), told as (
    insert into directory_events (id, store_id, kind, user_id, user_name, client, detail)
    select gen_random_uuid(), store_id, '{USER_CHANGED}', id, coalesce(name, ''), %(record_client)s,
           jsonb_build_object('principal', %(record_principal)s::bigint)
      from changed
)
{INSERT_RECORD} select {RECORDED} from changed returning true
"""

# A lock that has passed is forgotten, and counting begins anew; one that holds is not made longer.
_FAILED = """
with counted as (
    select id, case when locked_until <= %(at)s then 1 else failed_sign_ins + 1 end as failures
      from users where id = %(user)s and (locked_until is null or locked_until <= %(at)s) for update
)
update users u set failed_sign_ins = c.failures,
       locked_until = case when c.failures >= %(most)s then %(at)s + make_interval(secs => %(seconds)s)
                           when u.locked_until <= %(at)s then null else u.locked_until end,
       locked_at = case when u.status <> 'normal' then u.locked_at
                        when c.failures = %(most)s then %(at)s
                        when c.failures < %(most)s then null else u.locked_at end
  from counted c where u.id = c.id
"""


class PgDirectoryRepository:
    """`users` is the table of the users in them."""

    def __init__(self, durable: Pool, scans: Scans, users: PgUserRepository) -> None:
        self._pool = durable
        self._scans = scans
        self._users = users
        self._sign_ins = Batches(durable)

    async def standing(self, owner_id: int, store_id: UUID | None) -> Standing:
        return await self._users.standing(owner_id, store_id)

    async def activate(self, owner_id: int, *, active: bool) -> None:
        """Whether the owner has directories at all. What is in them stays."""
        async with self._pool.connection() as connection:
            await connection.execute("update owners set directories = %s where id = %s", (active, owner_id))

    async def store(self, store_id: UUID) -> UserStore | None:
        rows = await self._rows(
            f"{_STORE} join owners o on o.id = s.owner_id and o.directories where s.id = %(store)s",
            {"store": store_id},
        )
        return UserStore(*rows[0]) if rows else None

    async def stores(self, owner_id: int) -> Sequence[UserStore]:
        query = f"{_STORE} where s.owner_id = %(owner)s order by s.created_at, s.id"
        return [UserStore(*row) for row in await self._rows(query, {"owner": owner_id})]

    async def add_store(self, store: UserStore, record: Record | None) -> UserStore:
        """`record` None: made while setting up, by nobody's call."""
        with reasons():
            async with self._pool.connection() as connection:
                try:
                    async with connection.transaction():
                        await connection.execute(
                            "insert into user_stores (id, owner_id, name, description, logo, is_default)"
                            " values (%s, %s, %s, %s, %s, %s)",
                            (
                                store.id, store.owner_id, store.name, store.description, store.logo,
                                store.is_default,
                            ),
                        )  # fmt: skip
                        if record is not None:
                            await write_record(connection, record)
                except errors.UniqueViolation:
                    raise Refused(Reason.STORE_TAKEN, facts={"value": store.name}) from None
        return await self.store(store.id) or store

    async def change_store(
        self,
        owner_id: int,
        store_id: UUID,
        name: str | None,
        description: str | None,
        logo: str | None,
        record: Record,
    ) -> bool:
        values = {
            "owner": owner_id, "store": store_id, "name": name, "description": description, "logo": logo,
        }  # fmt: skip
        statement = (
            "update user_stores set name = coalesce(%(name)s, name), logo = coalesce(%(logo)s, logo),"
            " description = coalesce(%(description)s, description), changed_at = now()"
            f" where id = %(store)s and {MINE}"
        )
        return bool(await self._change(statement, values, record, Reason.STORE_TAKEN, name))

    async def delete_store(self, owner_id: int, store_id: UUID, record: Record) -> bool:
        statement = f"delete from user_stores where id = %(store)s and {MINE}"
        values = {"owner": owner_id, "store": store_id}
        return bool(await self._change(statement, values, record, Reason.STORE_TAKEN, None))

    async def groups(self, owner_id: int, wanted: ListUserGroups) -> Page[UserGroup] | None:
        asked = (
            "(%(ids)s::uuid[] is null or g.id = any(%(ids)s)) and (cardinality(%(texts)s::text[]) = 0 or exists ("
            "select from unnest(%(texts)s::text[]) asked(part) where replace(g.id::text, '-', '') = part"
            " or position(lower(part) in lower(g.name)) > 0))"
        )
        values = {
            "owner": owner_id,
            "store": wanted.store,
            "ids": None if wanted.ids is None else list(wanted.ids),
            "texts": list(wanted.texts),
            "limit": wanted.limit,
            "offset": wanted.offset,
        }
        among = f"g.store_id = %(store)s and {'not ' if wanted.negated else ''}({asked})"
        found = await self._page(
            owner_id,
            f"select (select count(*) from user_groups g where {among}) where {MINE}",
            f"{_GROUP} where {among} and {MINE} order by g.created_at, g.id limit %(limit)s offset %(offset)s",
            values,
        )
        if found is None:
            return None
        return Page(tuple(UserGroup(*row) for row in found[1]), found[0])

    async def group_count(self, store_id: UUID) -> int:
        query = "select count(*) from user_groups where store_id = %(store)s"
        return int((await self._rows(query, {"store": store_id}))[0][0])

    async def groups_of(self, user_id: UUID) -> Sequence[UserGroup]:
        query = (
            f"{_GROUP} join user_group_members m on m.group_id = g.id where m.user_id = %(user)s"
            " order by g.created_at, g.id"
        )
        return [UserGroup(*row) for row in await self._rows(query, {"user": user_id})]

    async def add_group(self, owner_id: int, group: UserGroup, record: Record) -> UserGroup | None:
        values = {
            "owner": owner_id, "store": group.store_id, "id": group.id, "name": group.name,
            "description": group.description,
        }  # fmt: skip
        statement = (
            "insert into user_groups (id, store_id, name, description)"
            f" select %(id)s, %(store)s, %(name)s, %(description)s where {MINE}"
        )
        try:
            made = await self._change(statement, values, record, Reason.USER_GROUP_TAKEN, group.name)
        except errors.ForeignKeyViolation:  # the store was deleted in this very moment
            return None
        return group if made else None

    async def change_group(
        self,
        owner_id: int,
        store_id: UUID,
        group_id: UUID,
        name: str,
        description: str | None,
        record: Record,
    ) -> bool:
        values = {
            "owner": owner_id, "store": store_id, "group": group_id, "name": name, "description": description,
        }  # fmt: skip
        statement = (
            "update user_groups set name = %(name)s, description = coalesce(%(description)s, description),"
            f" modified_at = now() where id = %(group)s and store_id = %(store)s and {MINE}"
        )
        return bool(await self._change(statement, values, record, Reason.USER_GROUP_TAKEN, name))

    async def delete_groups(
        self, owner_id: int, store_id: UUID, groups: Sequence[UUID], record: Record
    ) -> int:
        statement = f"delete from user_groups where store_id = %(store)s and id = any(%(groups)s) and {MINE}"
        values = {"owner": owner_id, "store": store_id, "groups": list(groups)}
        return await self._change(statement, values, record, Reason.USER_GROUP_TAKEN, None)

    async def events(self, owner_id: int, wanted: ListDirectoryEvents) -> Page[DirectoryEvent] | None:
        among = (
            "e.store_id = %(store)s and e.at >= %(since)s"
            " and (cardinality(%(kinds)s::text[]) = 0 or e.kind = any(%(kinds)s))"
        )
        values = {
            "owner": owner_id, "store": wanted.store, "since": wanted.since, "kinds": list(wanted.kinds),
            "limit": wanted.limit, "offset": wanted.offset,
        }  # fmt: skip
        found = await self._page(
            owner_id,
            f"select (select count(*) from directory_events e where {among}) where {MINE}",
            f"{_EVENT} where {among} and {MINE} order by e.at desc, e.id limit %(limit)s offset %(offset)s",
            values,
        )
        if found is None:
            return None
        return Page(tuple(DirectoryEvent(*row) for row in found[1]), found[0])

    # what sign-in asks (`UserSignInRepository`)

    async def user(self, store_id: UUID, user_id: UUID) -> User | None:
        query = f"{USER} where u.store_id = %(store)s and u.id = %(user)s"
        rows = await self._rows(query, {"store": store_id, "user": user_id})
        return view_of(rows[0]).user if rows else None

    async def user_by_login(self, store_id: UUID, login: str) -> User | None:
        if "\0" in login:
            return None
        rows = await self._rows(_BY_LOGIN, {"store": store_id, "login": login})
        return view_of(rows[0]).user if rows else None

    async def signed_in(
        self, user_id: UUID, at: datetime, proven_hash: str | None, renewed_hash: str | None, client: str
    ) -> bool:
        values = {
            "user": user_id, "at": at, "proven": proven_hash, "renewed": renewed_hash, "client": client,
        }  # fmt: skip
        with reasons():
            return await self._sign_ins.fetch(_SIGNED_IN, values) is not None

    async def sign_in_failed(self, user_id: UUID, at: datetime, most: int, seconds: int) -> None:
        values = {"user": user_id, "at": at, "most": most, "seconds": seconds}
        with reasons():
            await self._sign_ins.execute(_FAILED, values)

    async def set_password(self, user_id: UUID, proven_hash: str, password_hash: str, record: Record) -> bool:
        values = {**record_values(record), "user": user_id, "proven": proven_hash, "hash": password_hash}
        with reasons():
            return await self._sign_ins.fetch(_OWN_PASSWORD, values) is not None

    async def _rows(self, query: str, values: dict[str, object]) -> list[Row]:
        with reasons():
            async with self._pool.connection() as connection:
                return await (await connection.execute(query.encode(), values)).fetchall()

    async def _page(
        self, owner_id: int, total: str, page: str, values: dict[str, object]
    ) -> tuple[int, list[Row]] | None:
        """How many there are, and some of them; None if the first says nothing."""
        with reasons():
            async with self._scans.connection(owner_id) as connection, connection.pipeline():
                totals = await connection.execute(total.encode(), values)
                rows = await connection.execute(page.encode(), values)
                counted, found = await totals.fetchone(), await rows.fetchall()
        return None if counted is None else (counted[0], found)

    async def _change(
        self, statement: str, values: dict[str, object], record: Record, taken: Reason, name: str | None
    ) -> int:
        """How many rows were changed; the record is written if any was. `taken` is what a name twice is called."""
        with reasons():
            async with self._pool.connection() as connection:
                try:
                    async with connection.transaction():
                        changed = (await connection.execute(statement.encode(), values)).rowcount
                        if changed:
                            await write_record(connection, record)
                except errors.UniqueViolation:
                    raise Refused(taken, facts={"value": name}) from None
        return changed
