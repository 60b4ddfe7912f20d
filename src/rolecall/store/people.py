"""Sub-users, the rules of their passwords, and the number of an owner's resources.

Every method that creates locks the owner's row before it counts, so that concurrent callers keep the quotas.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from psycopg.rows import class_row, kwargs_row, scalar_row
from psycopg.types.json import Jsonb

from rolecall.domain.access.keys import MintedKey
from rolecall.domain.iam.model import SubUser
from rolecall.domain.iam.password_rules import MOST_EARLIER, PasswordRules
from rolecall.domain.iam.sub_users import Draft, Quotas, Revision
from rolecall.domain.iam.views import Census, RulesView
from rolecall.domain.operations.records import Record
from rolecall.domain.reasons import Reason, Refused
from rolecall.store.connection import Connection, Pool, Statements
from rolecall.store.queries import load
from rolecall.store.records import write_record
from rolecall.store.replica import Replica

_SQL = load("sub_users")
_KEYS = load("keys")


class PgSubUserRepository:
    def __init__(self, durable: Pool, replica: Replica) -> None:
        self._pool = durable
        self._replica = replica

    async def named(self, owner_id: int, name: str) -> SubUser | None:
        return await self._pool.row(class_row(SubUser), _SQL["named"], (owner_id, name))

    async def numbered(self, owner_id: int, numbers: Sequence[int]) -> Sequence[SubUser]:
        return await self._pool.rows(class_row(SubUser), _SQL["numbered"], (owner_id, list(numbers)))

    async def all(self, owner_id: int) -> Sequence[SubUser]:
        return await self._pool.rows(class_row(SubUser), _SQL["all"], (owner_id,))

    async def after(self, owner_id: int, number: int, limit: int) -> Sequence[SubUser]:
        return await self._pool.rows(class_row(SubUser), _SQL["after"], (owner_id, number, limit))

    async def require_room(self, owner_id: int, quotas: Quotas) -> None:
        async with self._pool.connection() as connection:
            await _require_room(connection, owner_id, quotas)

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
            if await connection.value(taken, (owner_id, draft.name)):
                raise Refused(Reason.SUB_USER_TAKEN, facts={"value": draft.name})
            await _require_room(connection, owner_id, quotas)
            user = await connection.only(class_row(SubUser), _SQL["add"], values)  # its name was free
            if key is not None:
                await connection.execute(_KEYS["add"], (key.id, owner_id, user.number, key.sealed, ""))
            await write_record(connection, record)
        return user

    async def change(self, number: int, revision: Revision, record: Record) -> None:
        values = {
            "number": number,
            "remark": revision.remark,
            "phone": revision.phone,
            "country_code": revision.country_code,
            "email": revision.email,
            "login": revision.console_login,
            "reset": revision.must_reset_password,
            "kept": MOST_EARLIER,
        }
        async with self._replica.changing(self._pool) as connection:
            if (await connection.execute(_SQL["change"], values)).rowcount != 1:
                raise Refused(Reason.SUB_USER_MISSING)
            if revision.console_login is not None:
                await connection.execute(_SQL["change_login"], values)
            if revision.must_reset_password is not None:
                await connection.execute(_SQL["change_reset"], values)
            if revision.password_hash is not None:
                await connection.execute(_SQL["keep_earlier"], (number,))
                await connection.execute(_SQL["delete_earliest"], values)
                await connection.execute(_SQL["change_password"], (revision.password_hash, number))
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
        return await _has_keys(self._pool, number)

    async def census(self, owner_id: int) -> Census:
        return await self._pool.only(class_row(Census), _SQL["census"], {"owner": owner_id})

    async def rules(self, owner_id: int) -> PasswordRules:
        return (await self.rules_view(owner_id)).rules

    async def rules_view(self, owner_id: int) -> RulesView:
        query = "select rules, updated_at, updated_by from password_rules where owner_id = %s"
        view = await self._pool.row(kwargs_row(_rules_view), query, (owner_id,))
        return view or RulesView(PasswordRules())

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
            values = (owner_id, Jsonb(kept), record.origin.caller.principal)
            await connection.execute(_SQL["set_rules"], values)
            await write_record(connection, record)

    async def earlier_hashes(self, number: int, limit: int) -> Sequence[str]:
        return await self._pool.rows(scalar_row, _SQL["earlier"], (number, limit))


def _rules_view(*, rules: Mapping[str, Any], updated_at: datetime, updated_by: int) -> RulesView:
    return RulesView(rules_of(rules), updated_at, updated_by)


def rules_of(kept: Mapping[str, Any] | None) -> PasswordRules:
    """The rules from their JSON form; None is the default ones."""
    if kept is None:
        return PasswordRules()
    return PasswordRules(**{**kept, "must_contain": frozenset(kept["must_contain"])})


async def lock_owner(connection: Connection, owner_id: int) -> None:
    """Until the transaction ends, no other one that counts the owner's resources creates any."""
    await connection.execute("select from owners where id = %s for no key update", (owner_id,))


async def _require_room(connection: Connection, owner_id: int, quotas: Quotas) -> None:
    """SUB_USER_QUOTA, SUB_USER_RATE."""
    count = "select count(*) from sub_users where owner_id = %s"
    if await connection.value(count, (owner_id,)) >= quotas.sub_users:
        raise Refused(Reason.SUB_USER_QUOTA, facts={"value": quotas.sub_users})
    if quotas.made_in_a_minute is None:
        return
    if await connection.value(_SQL["created_lately"], (owner_id,)) >= quotas.made_in_a_minute:
        raise Refused(Reason.SUB_USER_RATE, facts={"value": quotas.made_in_a_minute})


async def _has_keys(source: Connection | Statements, number: int) -> bool:
    return bool(await source.value("select 1 from access_keys where principal = %s limit 1", (number,)))
