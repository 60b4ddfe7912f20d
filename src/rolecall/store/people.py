"""Sub-users, the rules of their passwords, and the number of an owner's resources."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from psycopg.rows import class_row, dict_row, kwargs_row, scalar_row
from psycopg.types.json import Jsonb

from rolecall.domain.access.keys import MintedKey
from rolecall.domain.iam.model import SubUser
from rolecall.domain.iam.password_rules import MOST_EARLIER, PasswordRules
from rolecall.domain.iam.sub_users import Draft, Quotas, Revision
from rolecall.domain.iam.views import Census, RulesView
from rolecall.domain.operations.records import Record
from rolecall.domain.reasons import Reason
from rolecall.store.changes import OwnerChanges, require_unrefused
from rolecall.store.connection import Pool
from rolecall.store.queries import load
from rolecall.store.records import record_values

_SQL = load("sub_users")


class PgSubUserRepository:
    def __init__(self, durable: Pool, changes: OwnerChanges) -> None:
        self._pool = durable
        self._changes = changes

    async def named(self, owner_id: int, name: str) -> SubUser | None:
        return await self._pool.row(class_row(SubUser), _SQL["named"], (owner_id, name))

    async def numbered(self, owner_id: int, numbers: Sequence[int]) -> Sequence[SubUser]:
        return await self._pool.rows(class_row(SubUser), _SQL["numbered"], (owner_id, list(numbers)))

    async def all(self, owner_id: int) -> Sequence[SubUser]:
        return await self._pool.rows(class_row(SubUser), _SQL["all"], (owner_id,))

    async def after(self, owner_id: int, number: int, limit: int) -> Sequence[SubUser]:
        return await self._pool.rows(class_row(SubUser), _SQL["after"], (owner_id, number, limit))

    async def with_rules(self, owner_id: int, name: str) -> tuple[SubUser, PasswordRules] | None:
        return await self._pool.row(kwargs_row(_with_rules), _SQL["with_rules"], (owner_id, name))

    async def with_keys(self, owner_id: int, name: str) -> tuple[SubUser, bool] | None:
        return await self._pool.row(kwargs_row(_with_keys), _SQL["with_keys"], (owner_id, name))

    async def rules_for_new(self, owner_id: int, name: str, quotas: Quotas) -> PasswordRules:
        values = {"owner": owner_id, "name": name, **_quota_values(quotas)}
        found = await self._pool.only(dict_row, _SQL["rules_for_new"], values)
        require_unrefused(found, _about(name, quotas))
        return rules_of(found["rules"])

    async def add(
        self, owner_id: int, draft: Draft, key: MintedKey | None, quotas: Quotas, record: Record
    ) -> SubUser:
        values = {
            **record_values(record),
            **_quota_values(quotas),
            "owner": owner_id,
            "name": draft.name,
            "remark": draft.remark,
            "console_login": draft.console_login,
            "hash": draft.password_hash,
            "must_reset": draft.must_reset_password,
            "phone": draft.phone,
            "country_code": draft.country_code,
            "email": draft.email,
            "key": key and key.id,
            "sealed": key and key.sealed,
        }
        made = await self._changes.make(owner_id, _SQL["add"], values, about=_about(draft.name, quotas))
        return SubUser(**made)

    async def change(self, number: int, revision: Revision, record: Record) -> None:
        owner_id = record.origin.caller.owner_id
        values = {
            **record_values(record),
            "owner": owner_id,
            "number": number,
            "remark": revision.remark,
            "phone": revision.phone,
            "country_code": revision.country_code,
            "email": revision.email,
            "login": revision.console_login,
            "hash": revision.password_hash,
            "reset": revision.must_reset_password,
            "kept": MOST_EARLIER,
        }
        await self._changes.make(owner_id, _SQL["change"], values, "sub_users")

    async def delete(self, number: int, tagged: tuple[str, str], record: Record, *, keys_too: bool) -> None:
        owner_id = record.origin.caller.owner_id
        service, prefix = tagged
        values = {
            **record_values(record),
            "owner": owner_id,
            "number": number,
            "keys_too": keys_too,
            "service": service,
            "prefix": prefix,
        }
        tables = ("sub_users", "access_keys", "group_members", "policy_attachments")
        await self._changes.make(owner_id, _SQL["delete"], values, *tables)

    async def census(self, owner_id: int) -> Census:
        return await self._pool.only(class_row(Census), _SQL["census"], {"owner": owner_id})

    async def rules(self, owner_id: int) -> PasswordRules:
        return (await self.rules_view(owner_id)).rules

    async def rules_view(self, owner_id: int) -> RulesView:
        query = "select rules, updated_at, updated_by from password_rules where owner_id = %s"
        view = await self._pool.row(kwargs_row(_rules_view), query, (owner_id,))
        return view or RulesView(PasswordRules())

    async def set_rules(self, owner_id: int, rules: PasswordRules, record: Record) -> None:
        rules_kept = {
            "minimum_length": rules.minimum_length,
            "must_contain": sorted(rules.must_contain),
            "change_every_days": rules.change_every_days,
            "reuse_limit": rules.reuse_limit,
            "retry_limit": rules.retry_limit,
            "expired_is_locked": rules.expired_is_locked,
        }
        values = {**record_values(record), "owner": owner_id, "rules": Jsonb(rules_kept)}
        await self._changes.make(owner_id, _SQL["set_rules"], values)

    async def earlier_hashes(self, number: int, limit: int) -> Sequence[str]:
        return await self._pool.rows(scalar_row, _SQL["earlier"], (number, limit))


def _rules_view(*, rules: Mapping[str, Any], updated_at: datetime, updated_by: int) -> RulesView:
    return RulesView(rules_of(rules), updated_at, updated_by)


def rules_of(kept: Mapping[str, Any] | None) -> PasswordRules:
    """The rules from their JSON form; None is the default ones."""
    if kept is None:
        return PasswordRules()
    return PasswordRules(**{**kept, "must_contain": frozenset(kept["must_contain"])})


def _with_rules(*, rules: Mapping[str, Any] | None, **user: Any) -> tuple[SubUser, PasswordRules]:
    return SubUser(**user), rules_of(rules)


def _with_keys(*, has_keys: bool, **user: Any) -> tuple[SubUser, bool]:
    return SubUser(**user), has_keys


def _quota_values(quotas: Quotas) -> dict[str, object]:
    return {"quota": quotas.sub_users, "rate": quotas.made_in_a_minute}


def _about(name: str, quotas: Quotas) -> Mapping[Reason, object]:
    return {
        Reason.SUB_USER_TAKEN: name,
        Reason.SUB_USER_QUOTA: quotas.sub_users,
        Reason.SUB_USER_RATE: quotas.made_in_a_minute,
    }
