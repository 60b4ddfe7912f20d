"""`MemoryEngine`: PostgreSQL's semantics in dictionaries, for tests of the domain. It passes the engine suite.
`memory_grants` has those of the MySQL family.

It has accounts, databases, schemas and the objects of `add_object`. Nothing depends on a grant. Locking and dropping an
account have PostgreSQL's steps: the login is removed before the lock of the account is taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Self
from uuid import UUID

from msgspec import UNSET

from rolecall.domain.engine import (
    AccountChange,
    AccountFacts,
    AccountKind,
    DatabaseObject,
    EngineFacts,
    EngineTraits,
    NewAccount,
    ObjectType,
    PrivilegeChange,
)
from rolecall.domain.engine.identity import (
    FIRST,
    NO_ACCOUNT,
    Expected,
    require_identity,
    require_order,
    superseded_account,
)
from rolecall.domain.engine.roles import MembershipChange
from rolecall.domain.engine.states import AccountState
from rolecall.domain.reasons import Reason, Refused
from rolecall.engines import names, scram
from rolecall.engines.memory_listing import MemoryListing
from rolecall.engines.memory_objects import ADMINISTRATOR, HEIR, PROTECTED, is_protected_name
from rolecall.engines.memory_roles import MemoryRoles
from rolecall.engines.memory_states import MemoryStates
from rolecall.engines.memory_steps import may_remove
from rolecall.engines.postgresql.catalog import PRIVILEGES
from rolecall.values import Secret


class MemoryEngine(MemoryRoles):
    """`rolecall.domain.engine.Engine` in memory. `version` and `super_min_version` decide on ENGINE_TOO_OLD."""

    traits = EngineTraits()
    grants = superuser = password_check = None

    def __init__(self, *, version: tuple[int, int] = (18, 0), super_min_version: int = 16) -> None:
        super().__init__()
        self._version = version
        self._super_min_version = super_min_version
        self._verifiers: dict[str, Secret] = {}
        self.states = MemoryStates(
            self.accounts,
            verifier=lambda place: self._verifiers.get(place[0]),
            extras=lambda place: self.extras_of(place[0]),
            keep=lambda place, extras: self.keep_extras(place[0], extras),
            privileges=self.on_databases,
            set_privilege=self.set_on_database,
            find=lambda place: self._changeable(place[0]),
            store=lambda place, facts: self._accounts.__setitem__(place[0], facts),
            locked=self.locked,
            end_sessions=self.end_sessions,
            require=self._require_restorable,
        )

    # For tests, beside the protocol.

    def can_log_in(self, name: str, password: str) -> bool:
        facts, verifier = self._accounts.get(name), self._verifiers.get(name)
        if facts is None or verifier is None or not facts.may_log_in:
            return False
        return scram.matches(verifier.reveal(), password)

    def protect(self, name: str) -> None:
        """Give an account more than a tenant may have."""
        self._accounts[name] = replace(self._accounts[name], is_protected=True)

    # The protocol.

    @property
    def objects(self) -> Self:
        return self

    @property
    def ownership(self) -> Self:
        return self

    @property
    def roles(self) -> Self:
        return self

    async def facts(self) -> EngineFacts:
        text = ".".join(map(str, self._version))
        return EngineFacts(self._version, text, ADMINISTRATOR, is_superuser=True, can_read_verifiers=True)

    def verifier(self, account: str, password: Secret) -> Secret:  # noqa: ARG002 - other servers mix the name in
        return Secret(scram.verifier(password.reveal()))

    def canonical_host(self, host: str) -> str:
        _require_no_host(host)
        return host

    def require_new_name(self, name: str) -> None:
        names.require_new_role(name)
        if name in PROTECTED - {ADMINISTRATOR}:
            raise Refused(Reason.ACCOUNT_NAME_RESERVED, facts={"value": name})

    async def create_account(self, new: NewAccount) -> AccountFacts:
        _require_no_host(new.host)
        self.require_new_name(new.name)
        self._require_version(new.kind)
        async with self.locked(new.name):
            there = self._accounts.get(new.name)
            if there is not None and new.operation in there.operations:
                return there
            if new.fence is not None:
                await new.fence()
            if there is not None or new.name in PROTECTED:
                raise Refused(Reason.ACCOUNT_TAKEN, facts={"value": new.name})
            oid = next(self._oids)
            made = AccountFacts(
                oid, new.name, new.kind, True, new.verifier is not None, new.operation,
                identity=str(oid), orders=(FIRST,),
            )  # fmt: skip
            self._store(made, new.verifier)
            return made

    async def change_account(self, change: AccountChange) -> AccountFacts:
        _require_no_host(change.host or change.new_host or "")
        self._require_version(change.kind)
        if change.may_log_in is False:
            await self._cut_off(change.name, change.operation, change.expected, end=change.end_sessions)
        async with self.locked(change.name):
            after = self._change(change)
        if change.end_sessions and not after.may_log_in:
            await self.passed("changed")
            self.end_sessions(change.name, after.identity)
        return after

    async def _cut_off(
        self, name: str, operation: UUID, expected: Expected | None, *, end: bool = True
    ) -> AccountFacts | None:
        """Remove login and sessions, without a lock and a mark. The account as it was, None if it does not exist."""
        found = self._accounts.get(name)
        if found is None and not is_protected_name(name):
            return None
        found = self._changeable(name)
        if expected == NO_ACCOUNT or not found.operations or found.was_changed_by(operation, expected):
            return found
        await self.passed("looked")
        now = self._accounts.get(name)
        if now is None or now.identity != found.identity:
            raise superseded_account(name)
        if operation in now.operations:
            return now
        self._accounts[name] = replace(now, may_log_in=False)
        await self.passed("login is removed")
        if end:
            self.end_sessions(name, found.identity)
        return found

    def _change(self, change: AccountChange) -> AccountFacts:
        before = self._changeable(change.name)
        if before.was_changed_by(change.operation, change.expected):
            return before
        self._require_no_circle(change.name, change.kind)
        after = replace(
            before.changed_by(change.operation),
            kind=change.kind or before.kind,
            may_log_in=before.may_log_in if change.may_log_in is None else change.may_log_in,
            has_password=before.has_password or change.verifier is not None,
        )
        self._store(after, change.verifier)
        return after

    async def drop_account(
        self,
        name: str,
        operation: UUID,
        host: str = "",
        expected: Expected | None = None,
    ) -> bool:
        """Remove the login, mark it under its lock, drop it. Other changes may come between."""
        _require_no_host(host)
        cut_off = await self._cut_off(name, operation, expected)
        if cut_off is None:
            return False
        async with self.locked(name):
            found = self._accounts.get(name)
            if found is None or expected == NO_ACCOUNT:
                return False
            require_identity(expected or Expected(cut_off.identity), name, found.identity)
            require_order(expected, name, found.order)
            retired = self._accounts[name] = replace(found.changed_by(operation), may_log_in=False)
        await self.passed("retired")
        self.end_sessions(name, retired.identity)
        async with self.locked(name):
            if may_remove(self._accounts.get(name), retired):
                self._drop(name)
        return True

    def _drop(self, name: str) -> None:
        del self._accounts[name]
        self._verifiers.pop(name, None)
        self._forget_role(name)
        for item, held in self._objects.items():
            held.grants.pop(name, None)
            if held.owner == name:
                held.owner = ADMINISTRATOR if item.type is ObjectType.DATABASE else HEIR
        for database in self._databases.values():
            if database.owner == name:
                self._databases[database.name] = replace(database, owner=ADMINISTRATOR)

    async def account(self, name: str, host: str = "") -> AccountFacts | None:
        _require_no_host(host)
        async with self.locked(name):
            return self._accounts.get(name)

    async def identify(self, name: str, host: str = "") -> AccountFacts | None:
        return await self.account(name, host)

    @property
    def listing(self) -> MemoryListing:
        return MemoryListing(self.accounts)

    async def accounts(self) -> Sequence[AccountFacts]:
        return [self._accounts[name] for name in sorted(self._accounts)]

    async def privileges(self, account: str, objects: Sequence[DatabaseObject]) -> Sequence[tuple[str, ...]]:
        if account not in self._accounts:
            raise Refused(Reason.ACCOUNT_MISSING, facts={"value": account})
        return [self._find(item).held_by(account, item) for item in objects]

    async def change_privileges(
        self,
        account: str,
        changes: Sequence[PrivilegeChange],
        operation: UUID,
        *,
        kind: AccountKind | None = None,
        memberships: Sequence[MembershipChange] = (),
        expected: Expected | None = None,
    ) -> AccountFacts:
        self._require_version(kind)
        for change in changes:
            for word in change.privileges:
                if word not in PRIVILEGES[change.object.type]:
                    raise Refused(Reason.PRIVILEGE_UNKNOWN, facts={"value": word})
        async with self.locked(account, *(membership.role for membership in memberships)):
            before = self._changeable(account)
            if before.was_changed_by(operation, expected):
                return before
            self._require_no_circle(account, kind)
            role = self._changed_memberships(account, memberships)
            found = [(change, self._tenants(change.object)) for change in changes]
            for change, item in found:
                held = item.grants.setdefault(account, set())
                held.update(change.privileges) if change.grant else held.difference_update(change.privileges)
            self._roles[account] = role
            self._accounts[account] = replace(before.changed_by(operation), kind=kind or before.kind)
            return self._accounts[account]

    async def close(self) -> None:
        """Nothing to close."""

    def _store(self, facts: AccountFacts, verifier: Secret | None) -> None:
        self._accounts[facts.name] = facts
        if verifier is not None:
            self._verifiers[facts.name] = verifier

    def _require_restorable(self, name: str, state: AccountState) -> None:
        kind = None if state.kind is UNSET else AccountKind(state.kind)
        self._require_version(kind)
        self._require_no_circle(name, kind)
        for role, options in state.memberships.items():
            if options is not None:
                identity = self._require_joinable(name, role)
                if state.roles.get(role, identity) != identity:
                    raise superseded_account(role)
        for database in state.privileges:
            self._tenants(DatabaseObject(ObjectType.DATABASE, database))

    def _require_version(self, kind: AccountKind | None) -> None:
        if kind is AccountKind.SUPER and self._version[0] < self._super_min_version:
            raise Refused(Reason.ENGINE_TOO_OLD)


def _require_no_host(host: str) -> None:
    if host:
        raise Refused(Reason.HOST_MALFORMED, facts={"value": host})
