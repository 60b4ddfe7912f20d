"""Users of user stores. A change, the event of it and its record are one transaction, and a new user one statement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID
from weakref import WeakValueDictionary

from psycopg import AsyncConnection, errors

from rolecall.domain.directories.commands import FindUsers
from rolecall.domain.directories.model import User, UserStatus
from rolecall.domain.directories.views import (
    USER_CHANGED,
    USER_CREATED,
    USER_DELETED,
    USERS_LINKED,
    Look,
    Standing,
    UserView,
)
from rolecall.domain.messages import Page
from rolecall.domain.operations.records import Record
from rolecall.domain.reasons import Reason, Refused
from rolecall.store.batches import Batches
from rolecall.store.connection import Pool, Row
from rolecall.store.errors import reasons
from rolecall.store.records import INSERT_RECORD, RECORDED, record_values, write_record
from rolecall.store.scans import Scans
from rolecall.store.user_rows import COLUMNS, GROUPS, MINE, USER, order_by, values_of, view_of, where

_STANDING = (
    "select o.directories, s.owner_id from owners o left join user_stores s on s.id = %(store)s"
    " where o.id = %(owner)s"
)

_LOOK = """
select o.directories, s.owner_id,
       (select array_agg(g.id) from user_groups g where g.store_id = s.id and g.id = any(%(groups)s)),
       (select array_agg(g.name) from user_groups g where g.store_id = s.id and g.id = any(%(groups)s)),
       exists (select from users u where u.store_id = s.id and u.name = %(name)s and u.id <> %(id)s),
       exists (select from users u where u.store_id = s.id and u.phone = %(phone)s and u.id <> %(id)s),
       exists (select from users u where u.store_id = s.id and u.email = %(email)s and u.id <> %(id)s),
       (select coalesce(sum(c.users), 0)::bigint from user_counts c where c.store_id = s.id)
  from owners o left join user_stores s on s.id = %(store)s
 where o.id = %(owner)s
"""

# One statement, so one round trip and one commit: if anything stands in the way, no part of it is done, and no row
# comes back. Several of them share a commit (`Batches`); none can spoil it for the others.
_ADD = f"""
with wanted as (
    select id from user_groups where store_id = %(store)s and id = any(%(groups)s)
), made as (
    insert into users (id, store_id, name, phone, email, password_hash, source, nickname, address, birthdate, custom,
                       indexed_1, indexed_2, indexed_3, indexed_4, indexed_5, profile)
    select %(id)s, %(store)s, %(name)s, %(phone)s, %(email)s, %(hash)s, %(source)s, %(nickname)s, %(address)s,
           %(birthdate)s, %(custom)s, %(indexed_1)s, %(indexed_2)s, %(indexed_3)s, %(indexed_4)s, %(indexed_5)s,
           %(profile)s
     where {MINE}
       and (select count(*) from wanted) = cardinality(%(groups)s::uuid[])
       and (%(quota)s::bigint = 0 or %(quota)s::bigint > (
               select coalesce(sum(c.users), 0) from user_counts c where c.store_id = %(store)s))
    on conflict do nothing
    returning id, name, version, created_at, modified_at
), joined as (
    insert into user_group_members (user_id, group_id) select made.id, wanted.id from made, wanted
), told as (
    insert into directory_events (id, store_id, kind, user_id, user_name, client, detail)
    select gen_random_uuid(), %(store)s, '{USER_CREATED}', id, coalesce(name, ''), %(record_client)s,
           jsonb_build_object('principal', %(record_principal)s::bigint, 'digest', %(digest)s::text)
      from made
), recorded as (
    {INSERT_RECORD} select {RECORDED} from made
)
select version, created_at, modified_at from made
"""

_MADE_LATELY = (
    "select exists (select from directory_events e join users u on u.id = e.user_id where e.store_id = %(store)s"
    " and e.at > now() - make_interval(secs => %(seconds)s) and e.detail->>'digest' = %(digest)s"
    f" and e.kind = '{USER_CREATED}')"
)

_CHANGE = f"""
update users set name = %(name)s, phone = %(phone)s, email = %(email)s, nickname = %(nickname)s,
       address = %(address)s, birthdate = %(birthdate)s, custom = %(custom)s, indexed_1 = %(indexed_1)s,
       indexed_2 = %(indexed_2)s, indexed_3 = %(indexed_3)s, indexed_4 = %(indexed_4)s, indexed_5 = %(indexed_5)s,
       version = version + 1, modified_at = now()
 where id = %(id)s and store_id = %(store)s and version = %(version)s and {MINE}
"""

_STATUS = f"""
update users set version = version + 1, modified_at = now(), failed_sign_ins = 0, locked_until = null,
       locked_at = case when %(status)s = 'normal' then null when status = %(status)s then locked_at else now() end,
       status = %(status)s
 where id = %(user)s and store_id = %(store)s and {MINE}
returning name
"""

_PASSWORD = f"""
update users set password_hash = %(hash)s, must_reset = false, failed_sign_ins = 0, locked_until = null,
       version = version + 1, modified_at = now()
 where id = %(user)s and store_id = %(store)s and status <> 'frozen' and {MINE}
returning name
"""

_DELETE = f"""
with gone as (
    delete from users where store_id = %(store)s and id = any(%(users)s) and {MINE} returning id, name
), freed as (
    update users set is_primary = true, version = version + 1, modified_at = now()
     where linked_to in (select id from gone) and id <> all(%(users)s)
), told as (
    insert into directory_events (id, store_id, kind, user_id, user_name, client, detail)
    select gen_random_uuid(), %(store)s, '{USER_DELETED}', id, coalesce(name, ''), %(client)s,
           jsonb_build_object('principal', %(principal)s::bigint)
      from gone
)
select count(*) from gone
"""

_EVENT = (
    "insert into directory_events (id, store_id, kind, user_id, user_name, client, detail) values (gen_random_uuid(),"
    " %s, %s, %s, coalesce(%s, ''), %s, jsonb_build_object('principal', %s::bigint))"
)

_PAIR = (
    "select id, phone, email from users where store_id = %(store)s and id in (%(primary)s, %(secondary)s)"
    f" and is_primary and {MINE} order by id for update"
)

_TAKEN = {
    "users_store_id_name_key": Reason.USER_NAME_TAKEN,
    "users_store_id_phone_key": Reason.USER_PHONE_TAKEN,
    "users_store_id_email_key": Reason.USER_EMAIL_TAKEN,
}


class PgUserRepository:
    """Users are made in batches of their own for each store: one that is locked holds up no other."""

    def __init__(self, durable: Pool, scans: Scans) -> None:
        self._pool = durable
        self._scans = scans
        self._makings: WeakValueDictionary[UUID, Batches] = WeakValueDictionary()

    async def standing(self, owner_id: int, store_id: UUID | None) -> Standing:
        with reasons():
            async with self._pool.connection() as connection:
                values = {"owner": owner_id, "store": store_id}
                row = await (await connection.execute(_STANDING, values)).fetchone()
        return Standing(*row) if row is not None else Standing(active=False, holder=None)

    async def look(self, owner_id: int, user: User) -> Look:
        values = {
            "owner": owner_id, "store": user.store_id, "id": user.id, "name": user.name, "phone": user.phone,
            "email": user.email, "groups": list(user.groups),
        }  # fmt: skip
        with reasons():
            async with self._pool.connection() as connection:
                row = await (await connection.execute(_LOOK, values)).fetchone()
        if row is None:
            return Look(Standing(active=False, holder=None), {}, False, False, False, 0)
        active, holder, ids, names, name_taken, phone_taken, email_taken, users = row
        groups = dict(zip(ids or (), names or (), strict=True))
        return Look(Standing(active, holder), groups, name_taken, phone_taken, email_taken, users or 0)

    async def add(self, owner_id: int, user: User, quota: int, digest: str, record: Record) -> User | None:
        makings = self._makings.setdefault(user.store_id, Batches(self._pool))
        values = {
            **values_of(user),
            **record_values(record),
            "owner": owner_id,
            "quota": quota,
            "digest": digest,
        }
        try:
            with reasons():
                row = await makings.fetch(_ADD, values)
        except errors.ForeignKeyViolation:  # the store or a group was deleted in this very moment
            return None
        except Refused as refusal:
            if refusal.reason is not Reason.INTERRUPTED or not await self._is_there(user):
                raise
            return user
        if row is None:
            return None
        version, created_at, modified_at = row
        return replace(user, version=version, created_at=created_at, modified_at=modified_at)

    async def _is_there(self, user: User) -> bool:
        """Whether the transaction whose connection was lost had come to its end."""
        with reasons():
            async with self._pool.connection() as connection:
                row = await (
                    await connection.execute("select true from users where id = %s", (user.id,))
                ).fetchone()
        return row is not None

    async def made_lately(self, user: User, digest: str, seconds: int) -> bool:
        with reasons():
            async with self._pool.connection() as connection:
                values = {"store": user.store_id, "digest": digest, "seconds": seconds}
                row = await (await connection.execute(_MADE_LATELY, values)).fetchone()
        return row is not None and bool(row[0])

    async def shown(self, owner_id: int, store_id: UUID, user_id: UUID) -> UserView | None:
        values = {"owner": owner_id, "store": store_id, "user": user_id}
        query = f"{USER} where u.store_id = %(store)s and u.id = %(user)s and {MINE}"
        with reasons():
            async with self._pool.connection() as connection:
                row = await (await connection.execute(query.encode(), values)).fetchone()
        return None if row is None else view_of(row)

    async def find(self, owner_id: int, wanted: FindUsers) -> Page[UserView] | None:
        """The total of a whole store is kept, not counted."""
        conditions, condition_values = where(wanted.conditions)
        order, order_values = order_by(wanted.order)
        among = f"from users u where u.store_id = %(store)s{conditions}"
        total = f"(select count(*) {among})"
        if not conditions:
            total = (
                "(select coalesce(sum(c.users), 0)::bigint from user_counts c where c.store_id = %(store)s)"
            )
        page = (
            f"select {COLUMNS} from (select * {among} and {MINE} order by {order} limit %(limit)s"
            f" offset %(offset)s) u {GROUPS} order by {order}"
        )
        values = {
            **condition_values, **order_values, "store": wanted.store, "owner": owner_id, "limit": wanted.limit,
            "offset": wanted.offset,
        }  # fmt: skip
        with reasons():
            async with self._scans.connection(owner_id) as connection, connection.pipeline():
                totals = await connection.execute(f"select {total} where {MINE}".encode(), values)
                rows = await connection.execute(page.encode(), values)
                counted, found = await totals.fetchone(), await rows.fetchall()
        if counted is None:
            return None
        return Page(tuple(view_of(row) for row in found), counted[0])

    async def change(self, owner_id: int, before: User, after: User, record: Record) -> UserView | None:
        values = {**values_of(after), "owner": owner_id, "version": before.version}
        with reasons():
            async with self._pool.connection() as connection:
                try:
                    async with connection.transaction():
                        cursor = await connection.execute(_CHANGE, values)
                        if cursor.rowcount != 1:
                            return None
                        if set(after.groups) != set(before.groups):
                            await _regroup(connection, after)
                        await _tell(connection, USER_CHANGED, after.store_id, after.id, after.name, record)
                        await write_record(connection, record)
                        row = await (
                            await connection.execute(f"{USER} where u.id = %s".encode(), (after.id,))
                        ).fetchone()
                except errors.UniqueViolation as violation:
                    reason = _TAKEN[violation.diag.constraint_name or ""]
                    raise Refused(reason, facts={"value": after.name}) from None
        return None if row is None else view_of(row)

    async def set_status(
        self, owner_id: int, store_id: UUID, user_id: UUID, status: UserStatus, record: Record
    ) -> bool:
        values = {"owner": owner_id, "store": store_id, "user": user_id, "status": status.value}
        return await self._touch(_STATUS, values, record)

    async def replace_password(
        self, owner_id: int, store_id: UUID, user_id: UUID, password_hash: str, record: Record
    ) -> bool:
        values = {"owner": owner_id, "store": store_id, "user": user_id, "hash": password_hash}
        return await self._touch(_PASSWORD, values, record)

    async def _touch(self, statement: str, values: dict[str, object], record: Record) -> bool:
        """Change one user, if it is there."""
        with reasons():
            async with self._pool.connection() as connection, connection.transaction():
                row = await (await connection.execute(statement.encode(), values)).fetchone()
                if row is None:
                    return False
                await _tell(connection, USER_CHANGED, values["store"], values["user"], row[0], record)
                await write_record(connection, record)
        return True

    async def delete(self, owner_id: int, store_id: UUID, users: Sequence[UUID], record: Record) -> int:
        origin = record.origin
        values = {
            "owner": owner_id, "store": store_id, "users": list(users), "client": origin.client,
            "principal": origin.caller.principal,
        }  # fmt: skip
        with reasons():
            async with self._pool.connection() as connection, connection.transaction():
                row = await (await connection.execute(_DELETE, values)).fetchone()
                gone = int(row[0]) if row else 0
                if gone:
                    await write_record(connection, record)
        return gone

    async def link(
        self, owner_id: int, store_id: UUID, primary: UUID, secondary: UUID, on: str, record: Record
    ) -> bool:
        values = {"owner": owner_id, "store": store_id, "primary": primary, "secondary": secondary}
        with reasons():
            async with self._pool.connection() as connection, connection.transaction():
                rows = await (await connection.execute(_PAIR, values)).fetchall()
                faces = await (
                    await connection.execute("select from users where linked_to = %s limit 1", (secondary,))
                ).fetchone()
                if len(rows) != 2 or faces is not None:
                    return False
                shared = {row[0]: row[1] if on == "phone" else row[2] for row in rows}
                await _join_faces(connection, primary, secondary, on, shared)
                await _tell(connection, USERS_LINKED, store_id, secondary, None, record)
                await write_record(connection, record)
        return True


_LINK = "update users set is_primary = false, linked_to = %s, version = version + 1, modified_at = now() where id = %s"
_HAND_OVER = {
    "phone": ("update users set phone = null where id = %s", "update users set phone = %s where id = %s"),
    "email": ("update users set email = null where id = %s", "update users set email = %s where id = %s"),
}


async def _join_faces(
    connection: AsyncConnection[Row], primary: UUID, secondary: UUID, on: str, shared: dict[UUID, str | None]
) -> None:
    """The primary user takes over the attribute that they share, if it has none."""
    await connection.execute(_LINK, (primary, secondary))
    if shared[primary] is None and shared[secondary] is not None:
        take, give = _HAND_OVER[on]
        await connection.execute(take, (secondary,))
        await connection.execute(give, (shared[secondary], primary))


async def _regroup(connection: AsyncConnection[Row], user: User) -> None:
    """USER_GROUP_MISSING."""
    wanted = list(user.groups)
    rows = await (
        await connection.execute(
            "select id from user_groups where store_id = %s and id = any(%s) for key share",
            (user.store_id, wanted),
        )
    ).fetchall()
    there = {row[0] for row in rows}
    for group in wanted:
        if group not in there:
            raise Refused(Reason.USER_GROUP_MISSING, facts={"value": group.hex})
    await connection.execute(
        "delete from user_group_members where user_id = %s and group_id <> all(%s)", (user.id, wanted)
    )
    await connection.execute(
        "insert into user_group_members (user_id, group_id) select %s, unnest(%s::uuid[]) on conflict do nothing",
        (user.id, wanted),
    )


async def _tell(
    connection: AsyncConnection[Row],
    kind: str,
    store_id: object,
    user_id: object,
    name: str | None,
    record: Record,
) -> None:
    """The event of a change, with it."""
    origin = record.origin
    await connection.execute(_EVENT, (store_id, kind, user_id, name, origin.client, origin.caller.principal))
