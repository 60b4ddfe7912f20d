"""Limits, memberships, default privileges and PUBLIC of `memory.MemoryEngine`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from rolecall.domain.engine import AccountFacts, AccountKind, DatabaseObject, ExpectedDatabase, ObjectType
from rolecall.domain.engine.identity import superseded_account
from rolecall.domain.engine.roles import (
    NO_LIMIT,
    PUBLIC_PRIVILEGES,
    DefaultPrivileges,
    DefaultsChange,
    Membership,
    MembershipChange,
    PublicFacts,
    RoleChange,
    RoleFacts,
)
from rolecall.domain.engine.states import membership_text, time_text
from rolecall.domain.reasons import Reason, Refused
from rolecall.engines.memory_objects import DATABASES, MAINTENANCE, MemoryObjects
from rolecall.engines.memory_states import Extras
from rolecall.engines.postgresql.catalog import PRIVILEGES
from rolecall.engines.postgresql.tenancy import JOINABLE


@dataclass(slots=True)
class _Role:
    limit: int = NO_LIMIT
    until: datetime | None = None
    memberships: dict[str, Membership] = field(default_factory=dict)
    attributes: str = ""


_Place = tuple[str, str, str, ObjectType, str]
"""Database, owner, account, type and schema."""


class MemoryRoles(MemoryObjects):
    """`rolecall.domain.engine.roles.Roles`. A role that is not listed here has no limit and no membership."""

    def __init__(self) -> None:
        super().__init__()
        self._roles: dict[str, _Role] = {}
        self._defaults: dict[_Place, set[str]] = {}
        self._public: dict[str, set[str]] = {}

    async def role_facts(self, name: str | None = None) -> Sequence[RoleFacts]:
        if name is not None and name not in self._accounts:
            raise Refused(Reason.ACCOUNT_MISSING, facts={"value": name})
        return [self._facts_of(each) for each in sorted(self._accounts) if name in (None, each)]

    def _facts_of(self, name: str) -> RoleFacts:
        role = self._role(name)
        memberships = tuple(role.memberships[group] for group in sorted(role.memberships))
        return RoleFacts(name, role.limit, role.until, memberships)

    def extras_of(self, name: str) -> Extras:
        """What the state of an account shows of it."""
        role = self._roles.get(name, _Role())
        memberships = {
            group: membership_text(
                inherits=held.inherits, may_become=held.may_become, administers=held.administers
            )
            for group, held in role.memberships.items()
        }
        roles = {group: self._accounts[group].identity for group in memberships if group in self._accounts}
        return Extras(role.attributes, role.limit, time_text(role.until), memberships, roles)

    def keep_extras(self, name: str, extras: Extras) -> None:
        role = self._roles.setdefault(name, _Role())
        role.attributes, role.limit = extras.attributes, extras.connection_limit
        role.until = datetime.fromisoformat(extras.valid_until) if extras.valid_until else None
        role.memberships = {
            group: Membership(group, "inherit" in options, "set" in options, "admin" in options)
            for group, options in extras.memberships.items()
        }

    async def role(self, name: str, *, to_join: bool = False) -> str:
        return self._tenants_role(name, to_join=to_join)

    def _tenants_role(self, name: str, *, to_join: bool) -> str:
        """As `role`."""
        if name in JOINABLE:
            return name
        found = self._changeable(name)
        if to_join and any(self._is_strong(each) for each in self._led_to(name)):
            raise Refused(Reason.ACCOUNT_PROTECTED, facts={"value": name})
        return found.identity

    def _is_strong(self, name: str) -> bool:
        facts = self._accounts.get(name)
        return facts is not None and (facts.is_protected or facts.kind is AccountKind.SUPER)

    def _require_joinable(self, name: str, role: str) -> str:
        """The role's identity. ACCOUNT_MISSING, ACCOUNT_PROTECTED, MEMBERSHIP_CIRCULAR."""
        identity = self._tenants_role(role, to_join=True)
        if name in self._led_to(role):
            raise Refused(Reason.MEMBERSHIP_CIRCULAR)
        return identity

    def _led_to(self, name: str) -> Iterator[str]:
        """The role, and what it is a member of."""
        yield name
        for group in self._role(name).memberships:
            yield from self._led_to(group)

    async def change_role(self, change: RoleChange) -> AccountFacts:
        concerned = [change.name] if change.membership is None else [change.name, change.membership.role]
        async with self.locked(*concerned):
            before = self._changeable(change.name)
            if before.was_changed_by(change.operation, change.expected):
                return before
            wanted = [] if change.membership is None else [change.membership]
            for membership in wanted:
                is_held = membership.role in self._role(change.name).memberships
                if not (membership.grant or is_held):
                    await self.role(membership.role)
                    raise Refused(Reason.GRANT_MISSING, facts={"value": membership.role})
            role = self._changed_memberships(change.name, wanted)
            if change.connection_limit is not None:
                role.limit = change.connection_limit
            if change.expiry is not None:
                role.until = change.expiry.at
            self._roles[change.name] = role
            self._accounts[change.name] = before.changed_by(change.operation)
            return self._accounts[change.name]

    def _role(self, name: str) -> _Role:
        return self._roles.get(name, _Role())

    def _changed_memberships(self, name: str, changes: Sequence[MembershipChange]) -> _Role:
        """The role as it will be. Revoking what is not held changes nothing."""
        role = replace(self._role(name), memberships=dict(self._role(name).memberships))
        for change in changes:
            if self._tenants_role(change.role, to_join=change.grant) != change.identity:
                raise superseded_account(change.role)
            if not change.grant:
                role.memberships.pop(change.role, None)
                continue
            self._require_joinable(name, change.role)
            role.memberships[change.role] = Membership(
                change.role, change.inherits, change.may_become, administers=False
            )
        return role

    def _require_no_circle(self, name: str, kind: AccountKind | None) -> None:
        """Every super account is a member of each normal one, which cannot be a member of it."""
        if kind is not AccountKind.SUPER:
            return
        for other, facts in self._accounts.items():
            if other != name and facts.kind is AccountKind.NORMAL and name in self._led_to(other):
                raise Refused(Reason.MEMBERSHIP_CIRCULAR)

    async def default_privileges(self, database: str) -> Sequence[DefaultPrivileges]:
        self._require_database(database)
        self._require_tenants(database)
        order = sorted(self._defaults, key=lambda place: (place[1], place[4], place[3], place[2]))
        return [
            DefaultPrivileges(where, owner, account, type_, tuple(sorted(self._defaults[place])), schema)
            for place in order
            for where, owner, account, type_, schema in [place]
            if where == database and self._defaults[place]
        ]

    async def change_default_privileges(self, change: DefaultsChange) -> AccountFacts:
        wanted = change.defaults
        for word in wanted.privileges:
            if word not in PRIVILEGES[wanted.type]:
                raise Refused(Reason.PRIVILEGE_UNKNOWN, facts={"value": word})
        async with self.locked(wanted.account):
            self._require_database(wanted.database)
            self._require_tenants(wanted.database)
            before = self._changeable(wanted.account)
            if before.was_changed_by(change.operation, change.expected):
                return before
            if self._changeable(wanted.owner).identity != change.owned_by:
                raise superseded_account(wanted.owner)
            if wanted.schema:
                self._find(DatabaseObject(ObjectType.SCHEMA, wanted.schema, wanted.database))
            place = (wanted.database, wanted.owner, wanted.account, wanted.type, wanted.schema)
            held = self._defaults.setdefault(place, set())
            held.update(wanted.privileges) if change.grant else held.difference_update(wanted.privileges)
            self._accounts[wanted.account] = before.changed_by(change.operation)
            return self._accounts[wanted.account]

    async def public_privileges(self, database: str) -> PublicFacts:
        self._require_public(database)
        held = self._public.get(database, {"CONNECT", "TEMPORARY"})
        dependents = [name for name in sorted(self._accounts) if self._depends_on_public(name, database)]
        return PublicFacts(
            database,
            self._databases[database].identity,
            tuple(sorted(held)),
            tuple(dependents) if "CONNECT" in held else (),
        )

    def _depends_on_public(self, name: str, database: str) -> bool:
        item = DatabaseObject(ObjectType.DATABASE, database)
        led_to = [each for each in self._led_to(name) if each in self._accounts]
        may = any("CONNECT" in self._objects[item].held_by(each, item) for each in led_to)
        facts = self._accounts[name]
        return facts.may_log_in and not may and facts.kind is not AccountKind.SUPER

    async def change_public_privileges(
        self,
        database: str,
        privileges: Sequence[str],
        *,
        grant: bool,
        expected: ExpectedDatabase | None = None,
    ) -> None:
        assert set(privileges) <= set(PUBLIC_PRIVILEGES)  # noqa: S101 - the domain's words
        async with self.locked(DATABASES):
            self._require_public(database)
            self._databases[database].require(expected)
            held = self._public.setdefault(database, {"CONNECT", "TEMPORARY"})
            held.update(privileges) if grant else held.difference_update(privileges)

    def _require_public(self, database: str) -> None:
        self._require_database(database)
        if database != MAINTENANCE:
            self._require_tenants(database)

    def _forget_role(self, name: str) -> None:
        """With an account go its memberships, those in it, and its default privileges."""
        self._roles.pop(name, None)
        for role in self._roles.values():
            role.memberships.pop(name, None)
        self._defaults = {
            place: words for place, words in self._defaults.items() if name not in (place[1], place[2])
        }
