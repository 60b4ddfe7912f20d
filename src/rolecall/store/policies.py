"""Policies of owners, and what all policies are attached to."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, LiteralString

from psycopg import AsyncConnection, errors

from rolecall.domain.iam.policies import Attachment, PolicyDraft
from rolecall.domain.iam.policy_commands import Bearer, BearerRef, BearerView, PolicyRef
from rolecall.domain.iam.tags import TagQuotas, policy_tags
from rolecall.domain.operations.records import Record
from rolecall.domain.policy.decisions import Grant
from rolecall.domain.policy.model import Policy
from rolecall.domain.reasons import Reason, Refused
from rolecall.store.connection import Pool, Row
from rolecall.store.records import write_record
from rolecall.store.replica import NotifiedCache, Replica
from rolecall.store.tags import put_tags
from rolecall.values import PrincipalKind

_POLICY: LiteralString = (
    "p.id, p.name, p.description, p.document, p.created_at, p.updated_at, p.alias,"
    " (select coalesce(json_agg(json_build_array(t.key, t.value) order by t.key), '[]') from tags t"
    " where t.owner_id = p.owner_id and t.service = 'cam' and t.prefix = 'policy' and t.resource = p.id::text)"
)

_GRANTS: Mapping[PrincipalKind, LiteralString] = {
    PrincipalKind.SUB_USER: (
        "select a.policy_id, p.name, p.document, '' from policy_attachments a"
        " left join policies p on p.id = a.policy_id and p.owner_id = a.owner_id"
        " where a.owner_id = %(owner)s and a.sub_user = %(principal)s"
        " union all"
        " select a.policy_id, p.name, p.document, g.name from group_members m"
        " join principal_groups g on g.id = m.group_id and g.owner_id = %(owner)s"
        " join policy_attachments a on a.group_id = g.id"
        " left join policies p on p.id = a.policy_id and p.owner_id = a.owner_id"
        " where m.sub_user = %(principal)s"
    ),
    PrincipalKind.ROLE: (
        "select a.policy_id, p.name, p.document, '' from policy_attachments a"
        " left join policies p on p.id = a.policy_id and p.owner_id = a.owner_id"
        " where a.owner_id = %(owner)s and a.role_id = %(principal)s"
    ),
}

_OF_OWNER: LiteralString = " join owners o on o.id = t.owner_id where o.number = %s and "
# By what a name begins with: the thing's other names, of its number and of its name.
_NAMES: Mapping[str, LiteralString] = {
    "role": "select 'roleName/' || t.name from roles t" + _OF_OWNER + "t.id = %s",
    "uin": "select 'name/' || t.name from sub_users t" + _OF_OWNER + "t.number = %s",
    "policyid": "select 'policyName/' || t.name from policies t" + _OF_OWNER + "t.id = %s",
}
_NUMBERS: Mapping[str, LiteralString] = {
    "roleName": "select 'role/' || t.id from roles t" + _OF_OWNER + "t.name = %s",
    "name": "select 'uin/' || t.number from sub_users t" + _OF_OWNER + "t.name = %s",
    "policyName": "select 'policyid/' || t.id from policies t" + _OF_OWNER + "t.name = %s",
}
# All of a kind, which an operation on something unnamed asks for, are all of it by either name.
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

_ATTACHED: LiteralString = (
    f"select a.policy_id, a.attached_at, a.attached_by, {_POLICY} from policy_attachments a"
    " left join policies p on p.id = a.policy_id and p.owner_id = a.owner_id where a.owner_id = %s and"
)

_BY_GROUP: LiteralString = (
    f"select a.policy_id, a.attached_at, a.attached_by, {_POLICY}, g.id, g.name from group_members m"
    " join principal_groups g on g.id = m.group_id join policy_attachments a on a.group_id = g.id"
    " left join policies p on p.id = a.policy_id and p.owner_id = a.owner_id"
    " where a.owner_id = %s and m.sub_user = %s order by a.attached_at desc, a.id desc"
)

_BEARERS: LiteralString = (
    "select case when a.sub_user is not null then 'sub-user' when a.group_id is not null then 'group' else 'role' end,"
    " coalesce(u.id, g.id, r.id), coalesce(u.name, g.name, r.name), coalesce(u.number, 0), a.attached_at"
    " from policy_attachments a left join sub_users u on u.number = a.sub_user"
    " left join principal_groups g on g.id = a.group_id left join roles r on r.id = a.role_id"
    " where a.owner_id = %s and a.policy_id = %s order by a.attached_at desc, a.id desc"
)


class PgPolicyRepository:
    def __init__(self, durable: Pool, replica: Replica) -> None:
        self._pool = durable
        self._replica = replica
        self._grants: NotifiedCache[tuple[int, PrincipalKind, int], tuple[Grant, ...]] = replica.cache()
        self._other_names: NotifiedCache[tuple[int, str], tuple[str, ...]] = replica.cache()

    async def grants(self, owner_id: int, kind: PrincipalKind, principal: int) -> Sequence[Grant]:
        key = (owner_id, kind, principal)

        async def read() -> tuple[Grant, ...]:
            rows = await self._rows(_GRANTS[kind], {"owner": owner_id, "principal": principal})
            return tuple(Grant(*row) for row in rows)

        return await self._grants.get_or_read(key, read) or ()

    async def other_names(self, owner_number: int, content: str) -> Sequence[str]:
        if (everything := _ALL.get(content)) is not None:
            return (everything,)
        kind, _, name = content.partition("/")
        if kind not in _NUMBERS and (kind not in _NAMES or _NUMBER.fullmatch(name) is None):
            return ()

        async def read() -> tuple[str, ...]:
            values = (owner_number, int(name) if kind in _NAMES else name)
            query = _NAMES[kind] if kind in _NAMES else _NUMBERS[kind]
            return tuple(row[0] for row in await self._rows(query, values))

        return await self._other_names.get_or_read((owner_number, content), read) or ()

    async def policy(self, owner_id: int, ref: PolicyRef) -> Policy | None:
        if ref.id is None:
            rows = await self._policies(" and p.name = %s", owner_id, ref.name)
        else:
            rows = await self._policies(" and p.id = %s", owner_id, ref.id)
        return rows[0] if rows else None

    async def policies(self, owner_id: int) -> Sequence[Policy]:
        return await self._policies(" order by p.id desc", owner_id)

    async def _policies(self, condition: LiteralString, *values: object) -> list[Policy]:
        rows = await self._rows(f"select {_POLICY} from policies p where p.owner_id = %s{condition}", values)
        return [_policy(row) for row in rows]

    async def counts(self, owner_id: int) -> Mapping[int, tuple[int, int]]:
        rows = await self._rows(
            "select policy_id, count(*), count(sub_user) from policy_attachments where owner_id = %s group by 1",
            (owner_id,),
        )
        return {policy: (bearers, sub_users) for policy, bearers, sub_users in rows}

    async def add_policy(self, owner_id: int, draft: PolicyDraft, quota: int, record: Record) -> int:
        async with self._replica.changing(self._pool) as connection:
            await connection.execute("select from owners where id = %s for no key update", (owner_id,))
            if (
                await _number(connection, "select count(*) from policies where owner_id = %s", owner_id)
                >= quota
            ):
                raise Refused(Reason.POLICY_QUOTA, facts={"value": quota})
            try:
                policy_id = await _number(
                    connection,
                    "insert into policies (owner_id, name, description, document) values (%s, %s, %s, %s) returning id",
                    owner_id,
                    draft.name,
                    draft.description or "",
                    draft.document,
                )
            except errors.UniqueViolation:
                raise Refused(Reason.POLICY_TAKEN, facts={"value": draft.name}) from None
            creator = record.origin.caller.principal
            await put_tags(connection, owner_id, creator, policy_tags(policy_id), draft.tags, TagQuotas())
            await write_record(connection, record)
        return policy_id

    async def change_policy(self, owner_id: int, policy_id: int, draft: PolicyDraft, record: Record) -> None:
        async with self._replica.changing(self._pool) as connection:
            try:
                cursor = await connection.execute(
                    "update policies set name = coalesce(%s, name), description = coalesce(%s, description),"
                    " document = coalesce(%s, document), alias = coalesce(%s, alias), updated_at = now()"
                    " where owner_id = %s and id = %s",
                    (draft.name, draft.description, draft.document, draft.alias, owner_id, policy_id),
                )
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
        rows = await self._rows(_BEARER[ref.kind], values)
        return rows[0][0] if rows else None

    async def attach(
        self, owner_id: int, policy_id: int, bearer: BearerRef, quota: int, record: Record
    ) -> None:
        column = _COLUMN[bearer.kind]
        async with self._replica.changing(self._pool) as connection:
            await connection.execute(_LOCK_BEARER[bearer.kind], (bearer.id,))
            held = await connection.execute(
                f"select policy_id from policy_attachments where {column} = %s", (bearer.id,)
            )
            attached = {row[0] for row in await held.fetchall()}
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
        query: LiteralString = (
            f"{_ATTACHED} a.{_COLUMN[bearer.kind]} = %s order by a.attached_at desc, a.id desc"
        )
        rows = await self._rows(query, (owner_id, bearer.id)) if direct else []
        found = {row[0]: _attachment(row) for row in rows}
        if by_group and bearer.kind is Bearer.SUB_USER:
            _add_groups(found, await self._rows(_BY_GROUP, (owner_id, bearer.id)))
        return list(found.values())

    async def bearers(self, owner_id: int, policy_id: int, kinds: Collection[Bearer]) -> Sequence[BearerView]:
        rows = await self._rows(_BEARERS, (owner_id, policy_id))
        views = [BearerView(Bearer(kind), *more) for kind, *more in rows]
        return [view for view in views if view.kind in kinds]

    async def _rows(self, query: LiteralString, values: Any) -> list[Row]:
        async with self._pool.connection() as connection:
            return await (await connection.execute(query, values)).fetchall()


async def _number(connection: AsyncConnection[Row], query: LiteralString, *values: object) -> int:
    row = await (await connection.execute(query, values)).fetchone()
    assert row is not None  # noqa: S101 - counts and inserts answer one row
    return int(row[0])


def _policy(row: Sequence[Any]) -> Policy:
    policy_id, name, description, document, created_at, updated_at, alias, tags = row
    pairs = tuple((key, value) for key, value in tags)
    return Policy(policy_id, name, description, document, False, created_at, updated_at, alias, pairs)


def _attachment(row: Row) -> Attachment:
    policy_id, attached_at, attached_by, *policy = row
    return Attachment(policy_id, None if policy[0] is None else _policy(policy), attached_at, attached_by)


def _add_groups(found: dict[int, Attachment], rows: Sequence[Row]) -> None:
    """What comes by groups joins what is direct: one policy is listed once, with all its groups."""
    for *attachment, group_id, group in rows:
        one = found.get(attachment[0]) or _attachment(tuple(attachment))
        groups = (*one.groups, (group_id, group))
        found[one.policy_id] = Attachment(one.policy_id, one.policy, one.attached_at, one.attached_by, groups)
