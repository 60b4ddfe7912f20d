"""Policies of owners, and what all policies are attached to."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, LiteralString

from psycopg.rows import class_row, kwargs_row, scalar_row, tuple_row

from rolecall.domain.iam.policies import MISSING, Attachment, PolicyDraft
from rolecall.domain.iam.policy_commands import Bearer, BearerRef, BearerView, PolicyContent, PolicyRef
from rolecall.domain.iam.tags import TagQuotas
from rolecall.domain.operations.records import Record
from rolecall.domain.policy.decisions import Grant
from rolecall.domain.policy.model import Policy
from rolecall.domain.reasons import Reason
from rolecall.exchanges.pipelines import Statement, first_rows
from rolecall.store.changes import OwnerChanges
from rolecall.store.connection import Pool
from rolecall.store.queries import load
from rolecall.store.records import record_values, records_values
from rolecall.store.replica import NotifiedCache, Replica
from rolecall.store.tags import tag_quotas, tag_values
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

_ATTACHED = {
    Bearer.SUB_USER: _SQL["attached_to_sub_user"],
    Bearer.GROUP: _SQL["attached_to_group"],
    Bearer.ROLE: _SQL["attached_to_role"],
}


class PgPolicyRepository:
    def __init__(self, durable: Pool, replica: Replica, changes: OwnerChanges) -> None:
        self._pool = durable
        self._changes = changes
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
        found: Policy | None = (await first_rows(self._pool, [_policy_statement(owner_id, ref)]))[0]
        return found

    async def policies_with_ids(self, owner_id: int, ids: Sequence[int]) -> Mapping[int, Policy]:
        found = await self._pool.rows(kwargs_row(_policy), _SQL["with_ids"], (owner_id, list(ids)))
        return {policy.id: policy for policy in found}

    async def policies(self, owner_id: int) -> Sequence[Policy]:
        return await self._pool.rows(kwargs_row(_policy), _SQL["all"], (owner_id,))

    async def counts(self, owner_id: int) -> Mapping[int, tuple[int, int]]:
        rows = await self._pool.rows(tuple_row, _SQL["counts"], (owner_id,))
        return {policy: (bearers, sub_users) for policy, bearers, sub_users in rows}

    async def add_policy(self, owner_id: int, draft: PolicyDraft, quota: int, record: Record) -> int:
        quotas = TagQuotas()
        values = {
            **record_values(record),
            **tag_values(draft.tags, quotas),
            **_draft_values(owner_id, draft),
            "quota": quota,
        }
        about = {Reason.POLICY_QUOTA: quota, Reason.POLICY_TAKEN: draft.name, **tag_quotas(quotas)}
        policy_id: int = (await self._changes.make(owner_id, _SQL["add"], values, about=about))["id"]
        return policy_id

    async def change_policy(
        self,
        owner_id: int,
        policy_id: int,
        draft: PolicyDraft,
        expected: PolicyContent | None,
        record: Record,
    ) -> None:
        values = {
            **record_values(record), **_draft_values(owner_id, draft), "policy": policy_id,
            "expected_document": expected and expected.document,
            "expected_description": expected and expected.description,
        }  # fmt: skip
        about = {Reason.POLICY_MISSING: policy_id, Reason.POLICY_TAKEN: draft.name}
        await self._changes.make(owner_id, _SQL["change"], values, "policies", about=about)

    async def delete_policies(self, owner_id: int, policies: Mapping[int, Record]) -> None:
        values = {
            **records_values(list(policies.values())), "owner": owner_id, "policies": list(policies),
        }  # fmt: skip
        await self._changes.make(owner_id, _SQL["delete"], values, "policies", "policy_attachments")

    async def bearer(self, owner_id: int, ref: BearerRef) -> int | None:
        bearer: int | None = (await first_rows(self._pool, [_bearer_statement(owner_id, ref)]))[0]
        return bearer

    async def policy_and_bearer(
        self, owner_id: int, ref: PolicyRef, bearer: BearerRef
    ) -> tuple[Policy | None, int | None]:
        statements = [_policy_statement(owner_id, ref), _bearer_statement(owner_id, bearer)]
        policy, found = await first_rows(self._pool, statements)
        return policy, found

    async def attach(
        self, owner_id: int, policy_id: int, bearer: BearerRef, quota: int, record: Record
    ) -> None:
        values = {**_attachment_values(owner_id, policy_id, bearer, record), "quota": quota}
        about = {Reason.ATTACHMENT_QUOTA: quota, MISSING[bearer.kind]: bearer.id}
        await self._changes.make(owner_id, _SQL["attach"], values, "policy_attachments", about=about)

    async def detach(self, owner_id: int, policy_id: int, bearer: BearerRef, record: Record) -> None:
        values = _attachment_values(owner_id, policy_id, bearer, record)
        await self._changes.make(owner_id, _SQL["detach"], values, "policy_attachments")

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


def _policy_statement(owner_id: int, ref: PolicyRef) -> Statement:
    if ref.id is None:
        return kwargs_row(_policy), _SQL["by_name"], (owner_id, ref.name)
    return kwargs_row(_policy), _SQL["by_id"], (owner_id, ref.id)


def _bearer_statement(owner_id: int, ref: BearerRef) -> Statement:
    values: tuple[object, ...] = (owner_id, ref.id)
    if ref.kind is Bearer.ROLE:
        values = (owner_id, ref.id, ref.id is None, ref.name)
    return scalar_row, _BEARER[ref.kind], values


def _draft_values(owner_id: int, draft: PolicyDraft) -> dict[str, object]:
    return {
        "owner": owner_id,
        "name": draft.name,
        "description": draft.description,
        "document": draft.document,
        "alias": draft.alias,
    }


def _attachment_values(owner_id: int, policy_id: int, bearer: BearerRef, record: Record) -> dict[str, object]:
    return {
        **record_values(record),
        "owner": owner_id,
        "policy": policy_id,
        "sub_user": bearer.id if bearer.kind is Bearer.SUB_USER else None,
        "group": bearer.id if bearer.kind is Bearer.GROUP else None,
        "role": bearer.id if bearer.kind is Bearer.ROLE else None,
    }


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
