"""Policies of owners, and what all policies are attached to."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, LiteralString

from psycopg import errors
from psycopg.rows import class_row, kwargs_row, scalar_row, tuple_row

from rolecall.domain.iam.policies import Attachment, PolicyDraft
from rolecall.domain.iam.policy_commands import Bearer, BearerRef, BearerView, PolicyRef
from rolecall.domain.iam.tags import TagQuotas, policy_tags
from rolecall.domain.operations.records import Record
from rolecall.domain.policy.decisions import Grant
from rolecall.domain.policy.model import Policy
from rolecall.domain.reasons import Reason, Refused
from rolecall.store.connection import Pool
from rolecall.store.people import lock_owner
from rolecall.store.queries import load
from rolecall.store.records import write_record
from rolecall.store.replica import NotifiedCache, Replica
from rolecall.store.tags import put_tags
from rolecall.values import PrincipalKind

_SQL = load("policies")

# By what a name begins with: the resource's other name.
_NAMES = {
    "role": _SQL["name_of_role"],
    "uin": _SQL["name_of_sub_user"],
    "policyid": _SQL["name_of_policy"],
}
_NUMBERS = {
    "roleName": _SQL["number_of_role"],
    "name": _SQL["number_of_sub_user"],
    "policyName": _SQL["number_of_policy"],
}
# All resources of a kind, which an operation on an unnamed one is on, by either name.
_ALL: Mapping[str, str] = {
    "role/*": "roleName/*",
    "uin/*": "name/*",
    "policyid/*": "policyName/*",
    "roleName/*": "role/*",
    "name/*": "uin/*",
    "policyName/*": "policyid/*",
}
_NUMBER = re.compile(r"[1-9][0-9]{0,18}")

_BEARER: Mapping[Bearer, LiteralString] = {
    Bearer.SUB_USER: "select number from sub_users where owner_id = %s and number = %s",
    Bearer.GROUP: "select id from principal_groups where owner_id = %s and id = %s",
    Bearer.ROLE: "select id from roles where owner_id = %s and (id = %s or (%s and name = %s))",
}

_LOCK_BEARER: Mapping[Bearer, LiteralString] = {
    Bearer.SUB_USER: "select from sub_users where number = %s for no key update",
    Bearer.GROUP: "select from principal_groups where id = %s for no key update",
    Bearer.ROLE: "select from roles where id = %s for no key update",
}

_COLUMN: Mapping[Bearer, LiteralString] = {
    Bearer.SUB_USER: "sub_user",
    Bearer.GROUP: "group_id",
    Bearer.ROLE: "role_id",
}

_ATTACHED = {
    Bearer.SUB_USER: _SQL["attached_to_sub_user"],
    Bearer.GROUP: _SQL["attached_to_group"],
    Bearer.ROLE: _SQL["attached_to_role"],
}


class PgPolicyRepository:
    def __init__(self, durable: Pool, replica: Replica) -> None:
        self._pool = durable
        self._replica = replica
        self._grants: NotifiedCache[tuple[int, PrincipalKind, int], Sequence[Grant]] = replica.cache(
            "policies", "policy_attachments", "principal_groups", "group_members"
        )
        self._other_names: NotifiedCache[tuple[int, str], Sequence[str]] = replica.cache(
            "roles", "sub_users", "policies"
        )

    async def grants(self, owner_id: int, kind: PrincipalKind, principal: int) -> Sequence[Grant]:
        query = _SQL["grants_of_role" if kind is PrincipalKind.ROLE else "grants_of_sub_user"]
        values = {"owner": owner_id, "principal": principal}
        grants = await self._grants.get_or_read(
            (owner_id, kind, principal), lambda: self._pool.rows(class_row(Grant), query, values)
        )
        return grants or ()

    async def other_names(self, owner_number: int, content: str) -> Sequence[str]:
        if (everything := _ALL.get(content)) is not None:
            return (everything,)
        kind, _, name = content.partition("/")
        if kind not in _NUMBERS and (kind not in _NAMES or _NUMBER.fullmatch(name) is None):
            return ()
        query = _NAMES[kind] if kind in _NAMES else _NUMBERS[kind]
        values = (owner_number, int(name) if kind in _NAMES else name)

        async def read() -> Sequence[str] | None:
            return await self._pool.rows(scalar_row, query, values) or None

        return await self._other_names.get_or_read((owner_number, content), read) or ()

    async def policy(self, owner_id: int, ref: PolicyRef) -> Policy | None:
        if ref.id is None:
            return await self._pool.row(kwargs_row(_policy), _SQL["by_name"], (owner_id, ref.name))
        return await self._pool.row(kwargs_row(_policy), _SQL["by_id"], (owner_id, ref.id))

    async def policies(self, owner_id: int) -> Sequence[Policy]:
        return await self._pool.rows(kwargs_row(_policy), _SQL["all"], (owner_id,))

    async def counts(self, owner_id: int) -> Mapping[int, tuple[int, int]]:
        rows = await self._pool.rows(tuple_row, _SQL["counts"], (owner_id,))
        return {policy: (bearers, sub_users) for policy, bearers, sub_users in rows}

    async def add_policy(self, owner_id: int, draft: PolicyDraft, quota: int, record: Record) -> int:
        async with self._replica.changing(self._pool) as connection:
            await lock_owner(connection, owner_id)
            count = "select count(*) from policies where owner_id = %s"
            if await connection.value(count, (owner_id,)) >= quota:
                raise Refused(Reason.POLICY_QUOTA, facts={"value": quota})
            values = (owner_id, draft.name, draft.description or "", draft.document)
            try:
                policy_id: int = await connection.value(_SQL["add"], values)
            except errors.UniqueViolation:
                raise Refused(Reason.POLICY_TAKEN, facts={"value": draft.name}) from None
            creator = record.origin.caller.principal
            await put_tags(connection, owner_id, creator, policy_tags(policy_id), draft.tags, TagQuotas())
            await write_record(connection, record)
        return policy_id

    async def change_policy(self, owner_id: int, policy_id: int, draft: PolicyDraft, record: Record) -> None:
        values = (draft.name, draft.description, draft.document, draft.alias, owner_id, policy_id)
        async with self._replica.changing(self._pool) as connection:
            try:
                cursor = await connection.execute(_SQL["change"], values)
            except errors.UniqueViolation:
                raise Refused(Reason.POLICY_TAKEN, facts={"value": draft.name}) from None
            if cursor.rowcount != 1:
                raise Refused(Reason.POLICY_MISSING, facts={"value": policy_id})
            await write_record(connection, record)

    async def delete_policies(self, owner_id: int, policies: Mapping[int, Record]) -> None:
        async with self._replica.changing(self._pool) as connection:
            for policy_id in sorted(policies):
                cursor = await connection.execute(
                    "delete from policies where owner_id = %s and id = %s", (owner_id, policy_id)
                )
                if cursor.rowcount != 1:
                    raise Refused(Reason.POLICY_MISSING, facts={"value": policy_id})
                await write_record(connection, policies[policy_id])

    async def bearer(self, owner_id: int, ref: BearerRef) -> int | None:
        values: tuple[object, ...] = (owner_id, ref.id)
        if ref.kind is Bearer.ROLE:
            values = (owner_id, ref.id, ref.id is None, ref.name)
        bearer: int | None = await self._pool.value(_BEARER[ref.kind], values)
        return bearer

    async def attach(
        self, owner_id: int, policy_id: int, bearer: BearerRef, quota: int, record: Record
    ) -> None:
        column = _COLUMN[bearer.kind]
        async with self._replica.changing(self._pool) as connection:
            await connection.execute(_LOCK_BEARER[bearer.kind], (bearer.id,))
            held = f"select policy_id from policy_attachments where {column} = %s"
            attached = await connection.rows(scalar_row, held, (bearer.id,))
            if policy_id in attached:
                return
            if len(attached) >= quota:
                raise Refused(Reason.ATTACHMENT_QUOTA, facts={"value": quota})
            await connection.execute(
                f"insert into policy_attachments (owner_id, policy_id, {column}, attached_by) values (%s, %s, %s, %s)",
                (owner_id, policy_id, bearer.id, record.origin.caller.principal),
            )
            await write_record(connection, record)

    async def detach(self, owner_id: int, policy_id: int, bearer: BearerRef, record: Record) -> None:
        async with self._replica.changing(self._pool) as connection:
            cursor = await connection.execute(
                "delete from policy_attachments where owner_id = %s and policy_id = %s"
                f" and {_COLUMN[bearer.kind]} = %s",
                (owner_id, policy_id, bearer.id),
            )
            if cursor.rowcount:
                await write_record(connection, record)

    async def attached(
        self, owner_id: int, bearer: BearerRef, *, direct: bool, by_group: bool
    ) -> Sequence[Attachment]:
        values = (owner_id, bearer.id)
        found: dict[int, Attachment] = {}
        if direct:
            rows = await self._pool.rows(kwargs_row(_attachment), _ATTACHED[bearer.kind], values)
            found = {attachment.policy_id: attachment for attachment in rows}
        if by_group and bearer.kind is Bearer.SUB_USER:
            rows = await self._pool.rows(kwargs_row(_attachment), _SQL["attached_by_group"], values)
            for attachment in rows:  # a policy is listed once, with all its groups
                if (listed := found.get(attachment.policy_id)) is not None:
                    attachment = replace(listed, groups=(*listed.groups, *attachment.groups))
                found[attachment.policy_id] = attachment
        return list(found.values())

    async def bearers(self, owner_id: int, policy_id: int, kinds: Collection[Bearer]) -> Sequence[BearerView]:
        views = await self._pool.rows(kwargs_row(_bearer_view), _SQL["bearers"], (owner_id, policy_id))
        return [view for view in views if view.kind in kinds]


def _policy(*, tags: Sequence[Sequence[str]], **rest: Any) -> Policy:
    return Policy(preset=False, tags=tuple((key, value) for key, value in tags), **rest)


def _attachment(
    *,
    policy_id: int,
    attached_at: datetime,
    attached_by: int,
    group_id: int | None = None,
    group_name: str = "",
    **policy: Any,
) -> Attachment:
    groups = () if group_id is None else ((group_id, group_name),)
    attached = None if policy["id"] is None else _policy(**policy)
    return Attachment(policy_id, attached, attached_at, attached_by, groups)


def _bearer_view(*, kind: str, **rest: Any) -> BearerView:
    return BearerView(kind=Bearer(kind), **rest)
