"""Reads the whole states of accounts, which are compared with what was recorded, and restores parts of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from msgspec import UNSET

from rolecall.domain.engine import Access, AccountFacts, AccountKind
from rolecall.domain.engine.identity import Expected
from rolecall.domain.engine.pages import AccountPlace
from rolecall.domain.engine.states import (
    NEVER,
    NO_PASSWORD,
    UNLIMITED,
    AccountState,
    FoundState,
    access_text,
    give_way,
    membership_text,
)
from rolecall.domain.reasons import Reason, Refused
from rolecall.engines.mysql import catalog, control, names, quoting, statements, templates
from rolecall.engines.mysql.accounts import Accounts
from rolecall.engines.mysql.catalog import StoredAccount
from rolecall.engines.mysql.connections import Row, Session
from rolecall.engines.mysql.server import Server, account_lock, database_lock

_AT_ONCE = 500
"""Accounts of one query, whose condition names each of them."""

_PATTERN = "LIKE "
"""Before a pattern that matches several databases: no database's name is taken for one."""


class States:
    """`rolecall.domain.engine.states.AccountStates`, in the order of the server's key: by host, then name."""

    restores = frozenset({"login", "kind", "connection_limit", "memberships", "grants"})

    def __init__(self, server: Server, accounts: Accounts) -> None:
        self._server = server
        self._accounts = accounts

    async def page(self, after: AccountPlace | None, limit: int) -> Sequence[FoundState]:
        return await self._server.run(lambda session: self._page(session, after, limit))

    async def _page(self, session: Session, after: AccountPlace | None, limit: int) -> Sequence[FoundState]:
        """In the order of the key, so that the last state tells where the next page begins.

        Accounts that are not visible are passed over: a page of nothing else would be taken for the end.
        """
        while places := await session.fetch(catalog.keyed_page_query(self._server, after, limit)):
            last = tuple(places[-1])
            if found := await self._read(session, *catalog.between(after, last)):
                order = {tuple(place): number for number, place in enumerate(places)}
                # One that was created since the places were read is not the last.
                return sorted(found, key=lambda state: order.get((state.facts.name, state.facts.host), -1))
            after = last
        return ()

    async def at(self, places: Sequence[AccountPlace]) -> Sequence[FoundState]:
        longest = self._server.flavor.user_characters
        wanted = [place for place in places if names.may_be_stored(*place, longest)]
        return await self._server.run(lambda session: self._at(session, wanted))

    async def _at(self, session: Session, places: Sequence[AccountPlace]) -> Sequence[FoundState]:
        found: list[FoundState] = []
        for first in range(0, len(places), _AT_ONCE):
            part = places[first : first + _AT_ONCE]
            read = await self._read(session, *catalog.conditions_of(part))
            found += [state for state in read if (state.facts.name, state.facts.host) in set(part)]
        return found

    async def _read(self, session: Session, of_accounts: str, of_grants: str) -> Sequence[FoundState]:
        """By two conditions: on accounts (`g`), and on their grants."""
        flavor = self._server.flavor
        rows, grants, more, roles = await session.fetch_all(
            *catalog.queries_where(self._server, of_accounts, of_grants),
            f"{flavor.attributes} WHERE {flavor.is_account} AND {of_accounts}",
            f"{flavor.memberships} AND ({of_grants})",
        )
        held = catalog.grants_of(self._server, grants)
        attributes = {(row[0], row[1]): row[2:] for row in more}
        memberships: dict[AccountPlace, dict[str, str]] = {}
        for user, host, role, administers in roles:
            options = membership_text(inherits=True, may_become=False, administers=administers == "Y")
            memberships.setdefault((user, host), {})[role] = options
        found: list[FoundState] = []
        for number, each in enumerate(rows):
            await give_way(number)
            account = catalog.account_of(self._server, each, held)
            if account.is_visible:
                place = account.name, account.host
                found.append(_found(self._server, account, attributes.get(place), memberships.get(place, {})))
        return found

    async def restore(
        self, place: AccountPlace, state: AccountState, operation: UUID, expected: Expected | None = None
    ) -> AccountFacts:
        """In steps, each of which can be repeated. Sessions end, since they may keep what is taken away."""
        self._accounts.require_place(*place)
        after = await self._server.change(
            lambda session: self._restore(session, place, state, operation, expected)
        )
        await self._accounts.end_sessions(after)
        return after

    async def _restore(
        self,
        session: Session,
        place: AccountPlace,
        state: AccountState,
        operation: UUID,
        expected: Expected | None,
    ) -> AccountFacts:
        """Again if it was begun and not finished: what is compared of the account does not tell how far it came."""
        things = [account_lock(place[0]), *map(database_lock, state.grants)]
        async with self._server.locked(session, things, *self._accounts.looking(*place)) as answers:
            before = self._accounts.require_changeable(answers, *place)
            is_begun = before.mark.begun == operation
            if before.facts.was_changed_by(operation, expected) and not is_begun:
                return before.facts
            joined = [role for role, options in state.memberships.items() if options is not None]
            if joined:
                await self._require_joinable(session, joined)
            changed = before.facts
            if before.facts.marker != operation:
                changed = before.facts.changed_by(operation)
            kind = None if state.kind is UNSET else AccountKind(state.kind)
            if kind is before.facts.kind and not is_begun:
                kind = None
            mine = f"{self._server.flavor.memberships} AND {catalog.conditions_of([place])[1]}"
            roles = await session.fetch(mine) if state.memberships else ()
            member_of = {role for user, place_of, role, _ in roles if (user, place_of) == place}
            steps = [
                control.begin(self._server.control, *place, changed, control.UNTIL_FINISHED),
                *self._steps(before, state, kind, member_of),
            ]
            return await self._accounts.carry_out(session, steps, changed, place)

    async def _require_joinable(self, session: Session, roles: Sequence[str]) -> None:
        """ACCOUNT_MISSING, ACCOUNT_PROTECTED."""
        there = {name for (name,) in await session.fetch(catalog.roles_query(self._server, roles))}
        for role in roles:
            if role not in there:
                raise Refused(Reason.ACCOUNT_MISSING, facts={"value": role})
        if await session.fetch(catalog.strong_roles_query(self._server, roles)):
            note = "its members would have more than a normal account may have"
            raise Refused(Reason.ACCOUNT_PROTECTED, facts={"value": ", ".join(roles)}, note=note)

    def _steps(
        self,
        before: StoredAccount,
        state: AccountState,
        kind: AccountKind | None,
        member_of: Collection[str],
    ) -> list[str]:
        """With a kind all that it holds is revoked first."""
        name, host = before.name, before.host
        steps = []
        if kind is not None:
            steps += self._accounts.kind_changes(kind, before)
            before = replace(before, held=())
        if state.login is not UNSET:
            steps.append(statements.alter_account(self._server.flavor, name, host, locked=not state.login))
        if state.connection_limit is not UNSET:
            steps.append(statements.limit_connections(name, host, max(state.connection_limit, 0)))
        for role, options in state.memberships.items():
            if role in member_of:
                steps.append(statements.leave_role(name, host, role))
            if options is not None:
                administers = "admin" in options.split(", ")
                steps.append(statements.join_role(name, host, role, administers=administers))
        for database, access in state.grants.items():
            steps += self._grant_steps(before, database, access)
        return steps

    def _grant_steps(self, before: StoredAccount, database: str, access: str | None) -> list[str]:
        """What it is to hold is granted first, then the surplus is revoked: what stays is never missing."""
        name, host, columns = before.name, before.host, self._server.columns
        is_pattern = database.startswith(_PATTERN)
        pattern = database.removeprefix(_PATTERN) if is_pattern else quoting.escaped(database)
        kept = frozenset() if access is None else _words(access, columns)
        steps = [statements.grant([(name, host)], (pattern, kept))] if kept else []
        for held in before.held:
            is_it = held.pattern == pattern if is_pattern else _is_on(held.pattern, database)
            stays = kept if held.pattern == pattern else frozenset()
            if is_it and (more := held.privileges - stays):
                steps.append(statements.revoke(name, host, held.pattern, more))
        return steps


def _is_on(pattern: str, database: str) -> bool:
    return not quoting.matches_many(pattern) and quoting.unescaped(pattern) == database


def _words(access: str, columns: Mapping[str, str]) -> frozenset[str]:
    """Of `access_text`."""
    templates_by_name = {template.value: template for template in Access if template is not Access.OTHER}
    if access in templates_by_name:
        return templates.privileges(templates_by_name[access], columns)
    return frozenset(access.split(", "))


def _found(
    server: Server, account: StoredAccount, more: Row | None, memberships: Mapping[str, str]
) -> FoundState:
    facts = account.facts
    limit, attributes, is_expired = more or (0, "", 0)
    grants = {grant.database: access_text(grant) for grant in facts.grants}
    for row in account.held:
        key = _PATTERN + row.pattern if quoting.matches_many(row.pattern) else row.database
        if not row.privileges or key in grants or row.pattern == statements.SUPER_PATTERN:
            continue
        if not names.is_system(row.database, server.control):
            grants[key] = ", ".join(word for word in server.columns if word in row.privileges)
    if facts.kind is AccountKind.SUPER:
        attributes = ", ".join(filter(None, (attributes, _super_attributes(server, account))))
    state = AccountState(
        password=account.auth if account.has_password else NO_PASSWORD,
        login=facts.may_log_in,
        kind=facts.kind.value,
        attributes=attributes,
        connection_limit=int(limit) or UNLIMITED,
        valid_until="expired" if is_expired else NEVER,
        memberships=memberships,
        grants=grants,
        has_all_memberships=True,
        has_all_grants=True,
    )
    return FoundState(facts, state)


def _super_attributes(server: Server, account: StoredAccount) -> str:
    """How what a super account holds on every database differs from what it is made with."""
    held = next(
        (row.privileges for row in account.held if row.pattern == statements.SUPER_PATTERN), frozenset()
    )
    whole = server.flavor.super_privileges
    return ", ".join([*sorted(held - whole), *(f"NO {word}" for word in sorted(whole - held))])
