"""Sub-users, the rules of their passwords, and how many of everything an owner has.

What creates, or counts before it creates, first locks the owner's row: quotas hold whoever comes at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, LiteralString

from psycopg import AsyncConnection
from psycopg.types.json import Jsonb

from rolecall.domain.access.keys import MintedKey
from rolecall.domain.iam.model import SubUser
from rolecall.domain.iam.password_rules import MOST_EARLIER, PasswordRules
from rolecall.domain.iam.sub_users import Draft, Quotas, Revision
from rolecall.domain.iam.views import Census, RulesView
from rolecall.domain.operations.records import Record
from rolecall.domain.reasons import Reason, Refused
from rolecall.store.connection import Pool, Row
from rolecall.store.records import write_record
from rolecall.store.replica import Replica

SUB_USER_COLUMNS: LiteralString = (
    "u.number, u.id, u.owner_id, u.name, u.remark, u.console_login, u.password_hash, u.password_changed_at,"
    " u.must_reset_password, u.phone, u.country_code, u.email, u.last_login_at, u.last_login_ip, u.created_at"
)

_ADD = (
    "insert into sub_users as u (owner_id, name, remark, console_login, password_hash, password_changed_at,"
    " must_reset_password, phone, country_code, email)"
    " values (%(owner)s, %(name)s, %(remark)s, %(console_login)s, %(hash)s,"
    " case when %(hash)s::text is null then null else now() end,"
    " %(must_reset)s, %(phone)s, %(country_code)s, %(email)s)"
    f" on conflict (owner_id, name) do nothing returning {SUB_USER_COLUMNS}"
)
_CHANGE = (
    "update sub_users set remark = coalesce(%(remark)s, remark), phone = coalesce(%(phone)s, phone),"
    " country_code = coalesce(%(country_code)s, country_code), email = coalesce(%(email)s, email)"
    " where number = %(number)s"
)
# What tokens and permissions hang on is written only where it changes, so that replicas are told only then.
_CHANGE_LOGIN = "update sub_users set console_login = %s where number = %s and console_login <> %s"
_CHANGE_RESET = (
    "update sub_users set must_reset_password = %s where number = %s and must_reset_password <> %s"
)
_CHANGE_PASSWORD = (
    "update sub_users set password_hash = %s, password_changed_at = now(), failed_logins = 0,"
    " first_failed_at = null, locked_until = null where number = %s"
)
_KEEP_EARLIER = (
    "insert into earlier_passwords (sub_user, password_hash)"
    " select number, password_hash from sub_users where number = %s and password_hash is not null"
)
_FORGET_EARLIEST = (
    "delete from earlier_passwords where sub_user = %s and ctid not in"
    " (select ctid from earlier_passwords where sub_user = %s order by replaced_at desc limit %s)"
)
_CENSUS = (
    "select (select count(*) from sub_users where owner_id = %(owner)s),"
    " (select count(*) from principal_groups where owner_id = %(owner)s),"
    " (select count(*) from group_members m join principal_groups g on g.id = m.group_id"
    " where g.owner_id = %(owner)s),"
    " (select count(*) from policies where owner_id = %(owner)s),"
    " (select count(*) from roles where owner_id = %(owner)s)"
)


class PgSubUserRepository:
    def __init__(self, durable: Pool, replica: Replica) -> None:
        self._pool = durable
        self._replica = replica

    async def named(self, owner_id: int, name: str) -> SubUser | None:
        found = await self._sub_users("where u.owner_id = %s and u.name = %s", (owner_id, name))
        return found[0] if found else None

    async def numbered(self, owner_id: int, numbers: Sequence[int]) -> Sequence[SubUser]:
        condition: LiteralString = "where u.owner_id = %s and u.number = any(%s) order by u.number"
        return await self._sub_users(condition, (owner_id, list(numbers)))

    async def all(self, owner_id: int) -> Sequence[SubUser]:
        return await self._sub_users("where u.owner_id = %s order by u.number desc", (owner_id,))

    async def after(self, owner_id: int, number: int, limit: int) -> Sequence[SubUser]:
        condition: LiteralString = "where u.owner_id = %s and u.number > %s order by u.number limit %s"
        return await self._sub_users(condition, (owner_id, number, limit))

    async def _sub_users(self, condition: LiteralString, values: Sequence[object]) -> list[SubUser]:
        async with self._pool.connection() as connection:
            query = f"select {SUB_USER_COLUMNS} from sub_users u {condition}"
            rows = await (await connection.execute(query, values)).fetchall()
        return [SubUser(*row) for row in rows]

    async def keep_room(self, owner_id: int, quotas: Quotas) -> None:
        async with self._pool.connection() as connection:
            await _keep_room(connection, owner_id, quotas)

    async def add(
        self, owner_id: int, draft: Draft, key: MintedKey | None, quotas: Quotas, record: Record
    ) -> SubUser:
        values = {
            "owner": owner_id,
            "name": draft.name,
            "remark": draft.remark,
            "console_login": draft.console_login,
            "hash": draft.password_hash,
            "must_reset": draft.must_reset_password,
            "phone": draft.phone,
            "country_code": draft.country_code,
            "email": draft.email,
        }
        async with self._replica.changing(self._pool) as connection:
            await lock_owner(connection, owner_id)
            taken = "select 1 from sub_users where owner_id = %s and name = %s"
            if await (await connection.execute(taken, (owner_id, draft.name))).fetchone() is not None:
                raise Refused(Reason.SUB_USER_TAKEN, facts={"value": draft.name})
            await _keep_room(connection, owner_id, quotas)
            row = await (await connection.execute(_ADD, values)).fetchone()
            assert row is not None  # noqa: S101 - the owner's row is locked, and the name was free
            user = SubUser(*row)
            if key is not None:
                await connection.execute(
                    "insert into access_keys (id, owner_id, principal, sealed_secret) values (%s, %s, %s, %s)",
                    (key.id, owner_id, user.number, key.sealed),
                )
            await write_record(connection, record)
        return user

    async def change(self, number: int, revision: Revision, record: Record) -> None:
        async with self._replica.changing(self._pool) as connection:
            values: Mapping[str, Any] = {
                "number": number,
                "remark": revision.remark,
                "phone": revision.phone,
                "country_code": revision.country_code,
                "email": revision.email,
            }
            if (await connection.execute(_CHANGE, values)).rowcount != 1:
                raise Refused(Reason.SUB_USER_MISSING)
            login, hashed, reset = (
                revision.console_login,
                revision.password_hash,
                revision.must_reset_password,
            )
            if login is not None:
                await connection.execute(_CHANGE_LOGIN, (login, number, login))
            if reset is not None:
                await connection.execute(_CHANGE_RESET, (reset, number, reset))
            if hashed is not None:
                await connection.execute(_KEEP_EARLIER, (number,))
                await connection.execute(_FORGET_EARLIEST, (number, number, MOST_EARLIER))
                await connection.execute(_CHANGE_PASSWORD, (hashed, number))
            await write_record(connection, record)

    async def delete(self, number: int, tagged: tuple[str, str], record: Record, *, keys_too: bool) -> None:
        owner_id = record.origin.caller.owner_id
        async with self._replica.changing(self._pool) as connection:
            await lock_owner(connection, owner_id)
            if keys_too:
                await connection.execute("delete from access_keys where principal = %s", (number,))
            elif await _has_keys(connection, number):
                raise Refused(Reason.SUB_USER_HAS_KEYS)
            await connection.execute(
                "delete from tags where owner_id = %s and service = %s and prefix = %s and resource = %s",
                (owner_id, *tagged, str(number)),
            )
            if (await connection.execute("delete from sub_users where number = %s", (number,))).rowcount != 1:
                raise Refused(Reason.SUB_USER_MISSING)
            await write_record(connection, record)

    async def has_keys(self, number: int) -> bool:
        async with self._pool.connection() as connection:
            return await _has_keys(connection, number)

    async def census(self, owner_id: int) -> Census:
        async with self._pool.connection() as connection:
            row = await (await connection.execute(_CENSUS, {"owner": owner_id})).fetchone()
        assert row is not None  # noqa: S101 - a select without from has one row
        return Census(*row)

    async def rules(self, owner_id: int) -> PasswordRules:
        return (await self.rules_view(owner_id)).rules

    async def rules_view(self, owner_id: int) -> RulesView:
        async with self._pool.connection() as connection:
            query = "select rules, updated_at, updated_by from password_rules where owner_id = %s"
            row = await (await connection.execute(query, (owner_id,))).fetchone()
        return RulesView(PasswordRules()) if row is None else RulesView(rules_of(row[0]), row[1], row[2])

    async def set_rules(self, owner_id: int, rules: PasswordRules, record: Record) -> None:
        kept = {
            "minimum_length": rules.minimum_length,
            "must_contain": sorted(rules.must_contain),
            "change_every_days": rules.change_every_days,
            "reuse_limit": rules.reuse_limit,
            "retry_limit": rules.retry_limit,
            "expired_is_locked": rules.expired_is_locked,
        }
        async with self._replica.changing(self._pool) as connection:
            await connection.execute(
                "insert into password_rules (owner_id, rules, updated_by) values (%s, %s, %s)"
                " on conflict (owner_id) do update set rules = excluded.rules, updated_at = now(),"
                " updated_by = excluded.updated_by",
                (owner_id, Jsonb(kept), record.origin.caller.principal),
            )
            await write_record(connection, record)

    async def earlier_hashes(self, number: int, limit: int) -> Sequence[str]:
        async with self._pool.connection() as connection:
            query = (
                "select password_hash from earlier_passwords where sub_user = %s"
                " order by replaced_at desc limit %s"
            )
            rows = await (await connection.execute(query, (number, limit))).fetchall()
        return [row[0] for row in rows]


def rules_of(kept: Mapping[str, Any] | None) -> PasswordRules:
    """The rules in their JSON form; None: the house's own."""
    if kept is None:
        return PasswordRules()
    return PasswordRules(**{**kept, "must_contain": frozenset(kept["must_contain"])})


async def lock_owner(connection: AsyncConnection[Row], owner_id: int) -> None:
    """Until the transaction ends, nobody else who counts an owner's things creates one."""
    await connection.execute("select 1 from owners where id = %s for no key update", (owner_id,))


async def _keep_room(connection: AsyncConnection[Row], owner_id: int, quotas: Quotas) -> None:
    """SUB_USER_QUOTA, SUB_USER_RATE."""
    full = "select count(*) >= %s from sub_users where owner_id = %s"
    row = await (await connection.execute(full, (quotas.sub_users, owner_id))).fetchone()
    if row is not None and row[0]:
        raise Refused(Reason.SUB_USER_QUOTA, facts={"value": quotas.sub_users})
    if quotas.made_in_a_minute is None:
        return
    often = (
        "select count(*) >= %s from operations where owner_id = %s and kind = 'sub-user.create'"
        " and accepted_at > now() - interval '1 minute'"
    )
    row = await (await connection.execute(often, (quotas.made_in_a_minute, owner_id))).fetchone()
    if row is not None and row[0]:
        raise Refused(Reason.SUB_USER_RATE, facts={"value": quotas.made_in_a_minute})


async def _has_keys(connection: AsyncConnection[Row], number: int) -> bool:
    query = "select 1 from access_keys where principal = %s limit 1"
    return await (await connection.execute(query, (number,))).fetchone() is not None
