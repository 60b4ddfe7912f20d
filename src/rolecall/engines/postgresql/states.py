"""Reads the whole states of accounts, which are compared with what was recorded, and restores parts of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, LiteralString, TypeAlias, TypeVar
from uuid import UUID

from msgspec import UNSET
from psycopg import sql

from rolecall.domain.engine import AccountFacts, AccountKind, DatabaseObject, ObjectType, PrivilegeChange
from rolecall.domain.engine.identity import Expected, superseded_account
from rolecall.domain.engine.pages import AccountPlace
from rolecall.domain.engine.states import NEVER, NO_PASSWORD, AccountState, FoundState, membership_text
from rolecall.engines import names
from rolecall.engines.begun import begun
from rolecall.engines.postgresql import sessions, statements, tenancy
from rolecall.engines.postgresql.accounts import CUT_OFF, Accounts
from rolecall.engines.postgresql.connections import Connection, transaction
from rolecall.engines.postgresql.privileges import Privileges
from rolecall.engines.postgresql.roles import RoleAttributes
from rolecall.engines.postgresql.server import MEMBERSHIP_OPTIONS_SINCE, Server, rows

_Value = TypeVar("_Value")
_ByAccount: TypeAlias = defaultdict[int, dict[str, _Value]]
"""By the oid of the account, and a name."""

_BOOTSTRAP = 10
"""The oid of the first superuser, who grants a role to the account that has created it (BOOTSTRAP_SUPERUSERID)."""

# Before the source of accounts in a query of `tenancy`. Memberships and grants are read by themselves: joined to a page
# the planner takes them for few, and compares each with each.
_MORE: LiteralString = """
, {digest}, r.rolcreatedb, r.rolcreaterole, r.rolbypassrls, r.rolinherit, r.rolsuper, r.rolreplication, r.rolconnlimit,
CASE WHEN r.rolvaliduntil < '0001-01-01 00:00:00+00' THEN '-infinity' WHEN r.rolvaliduntil < 'infinity'
     THEN to_char(r.rolvaliduntil AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"') ELSE '' END
FROM pg_roles r"""

# Memberships of one pair, which several roles may have granted, count together. Left out are the group of super
# accounts, which is the kind, and what CREATE ROLE gives its creator: to administer the new role.
_MEMBERSHIPS: LiteralString = """
SELECT m.member, g.rolname::text, g.oid::text, {options}, bool_or(m.admin_option)
FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid
WHERE m.member = ANY(%(members)s::oid[]) AND g.rolname <> %(group)s::text
  AND NOT ({by_creation})
GROUP BY 1, 2, 3
"""
_IS_CREATOR = """
m.grantor = {bootstrap} AND m.admin_option AND NOT m.inherit_option AND NOT m.set_option
    AND (SELECT c.rolcreaterole FROM pg_roles c WHERE c.oid = m.member)
"""

_HELD = """
SELECT x.grantee, d.datname::text, x.privilege_type
FROM pg_database d, aclexplode(d.datacl) x
WHERE NOT d.datistemplate AND x.grantee <> d.datdba AND x.grantee = ANY(%(members)s::oid[])
"""

_OWNED = "SELECT d.datdba, d.datname::text FROM pg_database d WHERE NOT d.datistemplate"


def _with_states(query: LiteralString) -> LiteralString:
    """A query of `tenancy` for accounts that reads their attributes too."""
    return query.replace("\nFROM pg_roles r", _MORE, 1)


_PAGE = _with_states(tenancy.PAGES[False])
_SOME = _with_states(tenancy.SOME_ACCOUNTS)

_NORMAL = {"CREATEDB": False, "CREATEROLE": False, "BYPASSRLS": False}
_ATTRIBUTES = {AccountKind.NORMAL: _NORMAL, AccountKind.SUPER: dict.fromkeys(_NORMAL, True)}
_OTHERS = {"INHERIT": True, "SUPERUSER": False, "REPLICATION": False}

_GRANTORS = """
SELECT g.rolname::text, m.rolname::text FROM pg_auth_members a JOIN pg_roles g ON g.oid = a.roleid
LEFT JOIN pg_roles m ON m.oid = a.grantor WHERE a.member = %s AND g.rolname = ANY(%s::text[])
"""


class States:
    """`rolecall.domain.engine.states.AccountStates`, in the order of names."""

    restores = frozenset(
        {"login", "kind", "attributes", "connection_limit", "valid_until", "memberships", "grants"}
    )

    def __init__(
        self, server: Server, accounts: Accounts, privileges: Privileges, roles: RoleAttributes
    ) -> None:
        self._server = server
        self._accounts = accounts
        self._privileges = privileges
        self._roles = roles

    async def page(self, after: AccountPlace | None, limit: int) -> Sequence[FoundState]:
        values = {"start": "" if after is None else after[0], "contains": "", "limit": limit}
        return await self._server.run(lambda connection: self._read(connection, _PAGE, **values))

    async def at(self, places: Sequence[AccountPlace]) -> Sequence[FoundState]:
        wanted = [name for name, host in places if not host and names.fits(name)]
        if not wanted:
            return ()
        return await self._server.run(lambda connection: self._read(connection, _SOME, names=wanted))

    async def _read(
        self, connection: Connection, query: LiteralString, **values: object
    ) -> Sequence[FoundState]:
        """Not in one snapshot: what changes meanwhile is read again (`domain.accounts.drift_check`)."""
        facts = await self._server.known(connection)
        has_options = facts.version[0] >= MEMBERSHIP_OPTIONS_SINCE
        digest = (
            "encode(sha256(convert_to(a.rolpassword, 'UTF8')), 'hex')" if facts.can_read_verifiers else "NULL"
        )
        query = query.replace("{passwords}", "pg_authid" if facts.can_read_verifiers else "pg_roles")
        found = await rows(connection, query.replace("{digest}", digest), values | self._server.values)
        options = "bool_or(m.inherit_option), bool_or(m.set_option)" if has_options else "true, false"
        by_creation = _IS_CREATOR.replace("{bootstrap}", str(_BOOTSTRAP)) if has_options else "false"
        query = _MEMBERSHIPS.replace("{options}", options).replace("{by_creation}", by_creation)
        asked = {**self._server.values, "members": [row[0] for row in found]}
        memberships: _ByAccount[str] = defaultdict(dict)
        roles: _ByAccount[str] = defaultdict(dict)
        for member, role, oid, inherits, may_become, administers in await rows(connection, query, asked):
            roles[member][role] = oid
            memberships[member][role] = membership_text(
                inherits=inherits, may_become=may_become, administers=administers
            )
        privileges: _ByAccount[dict[str, bool]] = defaultdict(lambda: defaultdict(dict))
        for member, database, word in await rows(connection, _HELD, asked):
            privileges[member][database][word] = True
        owned: defaultdict[int, set[str]] = defaultdict(set)
        for owner, database in await rows(connection, _OWNED, {}):
            owned[owner].add(database)
        return [
            FoundState(
                *_facts_and_state(
                    row,
                    memberships.get(row[0], {}),
                    roles.get(row[0], {}),
                    privileges.get(row[0], {}),
                    can_read_verifiers=facts.can_read_verifiers,
                ),
                frozenset(owned.get(row[0], ())),
            )
            for row in found
        ]

    async def restore(
        self, place: AccountPlace, state: AccountState, operation: UUID, expected: Expected | None = None
    ) -> AccountFacts:
        """In one transaction. A login is taken away before, and sessions end after that."""
        name, _ = place
        if state.login is False:
            await self._server.run(
                lambda connection: self._accounts.cut_off(connection, name, operation, expected)
            )
            with begun(CUT_OFF):
                return await self._restore(name, state, operation, expected)
        return await self._restore(name, state, operation, expected)

    async def _restore(
        self, name: str, state: AccountState, operation: UUID, expected: Expected | None
    ) -> AccountFacts:
        return await self._server.run(
            lambda connection: self._apply(connection, name, state, operation, expected)
        )

    async def _apply(
        self,
        connection: Connection,
        name: str,
        state: AccountState,
        operation: UUID,
        expected: Expected | None,
    ) -> AccountFacts:
        kind = None if state.kind is UNSET else AccountKind(state.kind)
        await self._accounts.may_become(connection, kind)
        locks = [self._server.lock("role", each) for each in sorted({name, *state.memberships})]
        opening = sql.SQL("; ").join((self._server.lock("acl"), *locks))
        async with transaction(connection, opening):
            found = before = await self._accounts.require_changeable(connection, name)
            if not before.was_changed_by(operation, expected):
                steps = await self._accounts.kind_change(connection, before, kind)
                steps += _attribute_steps(before, state, kind)
                steps += await self._membership_steps(connection, before, state)
                steps.append(statements.mark(before.changed_by(operation)))
                await connection.execute(sql.SQL("; ").join(steps))
                for change in _privilege_changes(state):
                    await self._privileges.apply(connection, name, before.oid, change)
                found = await self._accounts.require_changeable(connection, name)
        if state.login is False and not found.may_log_in:
            await sessions.end(connection, before.oid)
        return found

    async def _membership_steps(
        self, connection: Connection, before: AccountFacts, state: AccountState
    ) -> list[sql.Composed]:
        """What is there is revoked, whichever role granted it, then what is to be is granted.

        As by any change of a membership: none leads to more than a normal account may have, and none is revoked that
        the account has granted on to others.
        """
        if not state.memberships:
            return []
        found = await rows(connection, _GRANTORS, (before.oid, list(state.memberships)))
        has_options = (await self._server.known(connection)).version[0] >= MEMBERSHIP_OPTIONS_SINCE
        steps = [
            statements.leave(before.name, role, grantor if has_options else None)
            for role, grantor in sorted(set(found))
        ]
        for role, options in state.memberships.items():
            if options is not None:
                identity = await self._roles.tenants_role(connection, role, to_join=True)
                if state.roles.get(role, identity) != identity:
                    raise superseded_account(role)
                steps.append(_grant(role, before.name, options, has_options=has_options))
        return steps


def _attribute_steps(
    before: AccountFacts, state: AccountState, kind: AccountKind | None
) -> list[sql.Composed]:
    words: list[sql.Composable] = []
    if state.login is not UNSET:
        words.append(sql.SQL("LOGIN" if state.login else "NOLOGIN"))
    if state.attributes is not UNSET:
        wanted = {**_ATTRIBUTES[kind or before.kind], "INHERIT": True}
        for word in state.attributes.split(", "):
            if word.removeprefix("NO") in wanted:
                wanted[word.removeprefix("NO")] = not word.startswith("NO")
        words += [sql.SQL(word if is_set else f"NO{word}") for word, is_set in wanted.items()]
    if state.connection_limit is not UNSET:
        words.append(sql.SQL("CONNECTION LIMIT {}").format(sql.Literal(state.connection_limit)))
    if state.valid_until is not UNSET:
        words.append(sql.SQL("VALID UNTIL {}").format(sql.Literal(state.valid_until or "infinity")))
    if not words:
        return []
    return [sql.SQL("ALTER ROLE {} {}").format(sql.Identifier(before.name), sql.SQL(" ").join(words))]


def _grant(role: str, member: str, options: str, *, has_options: bool) -> sql.Composed:
    given = options.split(", ")
    words = [("ADMIN", "admin" in given)]
    if has_options:
        words += [("INHERIT", "inherit" in given), ("SET", "set" in given)]
    text = ", ".join(f"{word} {str(is_given).upper()}" for word, is_given in words)
    if not has_options:
        text = "ADMIN OPTION" if words[0][1] else ""
    return sql.SQL("GRANT {} TO {}{}").format(
        sql.Identifier(role), sql.Identifier(member), sql.SQL(f" WITH {text}" if text else "")
    )


def _privilege_changes(state: AccountState) -> Iterable[PrivilegeChange]:
    for database, words in state.privileges.items():
        for grant in (True, False):
            chosen = tuple(word for word, is_held in words.items() if is_held is grant)
            if chosen:
                yield PrivilegeChange(DatabaseObject(ObjectType.DATABASE, database), chosen, grant)


def _facts_and_state(
    row: tuple[Any, ...],
    memberships: Mapping[str, str],
    roles: Mapping[str, str],
    privileges: Mapping[str, Mapping[str, bool]],
    *,
    can_read_verifiers: bool,
) -> tuple[AccountFacts, AccountState]:
    facts = tenancy.account_facts(row[:7])
    digest, createdb, createrole, bypassrls, inherit, is_superuser, replication, limit, until = row[7:]
    has = {
        "CREATEDB": createdb, "CREATEROLE": createrole, "BYPASSRLS": bypassrls, "INHERIT": inherit,
        "SUPERUSER": is_superuser, "REPLICATION": replication,
    }  # fmt: skip
    wanted = {**_ATTRIBUTES[facts.kind], **_OTHERS}
    state = AccountState(
        password=(digest or NO_PASSWORD) if can_read_verifiers else UNSET,
        login=facts.may_log_in,
        kind=facts.kind.value,
        attributes=", ".join(
            word if has[word] else f"NO{word}" for word in wanted if has[word] is not wanted[word]
        ),
        connection_limit=limit,
        valid_until=until or NEVER,
        memberships=memberships,
        roles=roles,
        privileges=privileges,
        has_all_memberships=True,
        has_all_grants=True,
    )
    return facts, state
