"""`Watched`: a wrapper of engines that adds a lane, timing and redaction, and turns other errors into refusals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from rolecall import spans
from rolecall.domain.engine import (
    AccountChange,
    AccountFacts,
    AccountKind,
    DatabaseFacts,
    DatabaseGrant,
    DatabaseObject,
    Engine,
    EngineFacts,
    ExpectedDatabase,
    NewAccount,
    NewDatabase,
    ObjectType,
    PrivilegeChange,
)
from rolecall.domain.engine.capabilities import (
    DatabaseGrants,
    DatabaseOwnership,
    ObjectPrivileges,
    PasswordCheck,
    TenantSuperuser,
)
from rolecall.domain.engine.identity import Expected, Fence
from rolecall.domain.engine.pages import (
    AccountListing,
    AccountPage,
    AccountPlace,
    AccountSlice,
    IdentifiedPlace,
)
from rolecall.domain.engine.roles import (
    DefaultPrivileges,
    DefaultsChange,
    MembershipChange,
    PublicFacts,
    RoleChange,
    RoleFacts,
    Roles,
)
from rolecall.domain.engine.states import AccountState, AccountStates, FoundState
from rolecall.domain.instances.lanes import Lane, LaneLimits
from rolecall.engines.watching import Watch, Watcher, ignore
from rolecall.values import Secret

DEFAULT_LIMITS = LaneLimits()


class Watched:
    """An engine around another one, with the lane in which its calls queue, and with the same capabilities.

    `secrets` are removed from notes: the administrator's password.
    """

    def __init__(
        self,
        inner: Engine,
        *,
        watcher: Watcher = ignore,
        secrets: Sequence[Secret] = (),
        limits: LaneLimits = DEFAULT_LIMITS,
        attributes: Mapping[str, spans.Value] | None = None,
    ) -> None:
        self.traits = inner.traits
        self.lane = Lane(replace(limits, width=inner.traits.writers or limits.width))
        self._inner = inner
        self._watch = watch = Watch(self.lane, watcher, tuple(secrets), attributes or {})
        self.listing = WatchedListing(inner.listing, watch)
        self.states = WatchedStates(inner.states, watch)
        self.objects = None if inner.objects is None else WatchedObjects(inner.objects, watch)
        self.ownership = None if inner.ownership is None else WatchedOwnership(inner.ownership, watch)
        self.roles = None if inner.roles is None else WatchedRoles(inner.roles, watch)
        self.grants = None if inner.grants is None else WatchedGrants(inner.grants, watch)
        self.superuser = None if inner.superuser is None else WatchedSuperuser(inner.superuser, watch)
        self.password_check = (
            None if inner.password_check is None else WatchedPasswordCheck(inner.password_check, watch)
        )

    async def facts(self) -> EngineFacts:
        async with self._watch.look("facts"):
            return await self._inner.facts()

    def verifier(self, account: str, password: Secret) -> Secret:
        return self._inner.verifier(account, password)

    def canonical_host(self, host: str) -> str:
        return self._inner.canonical_host(host)

    def require_new_name(self, name: str) -> None:
        self._inner.require_new_name(name)

    async def create_account(self, new: NewAccount) -> AccountFacts:
        async with self._watch.change("create_account", new.verifier):
            return await self._inner.create_account(new)

    async def change_account(self, change: AccountChange) -> AccountFacts:
        async with self._watch.change("change_account", change.verifier):
            return await self._inner.change_account(change)

    async def drop_account(
        self, name: str, operation: UUID, host: str = "", expected: Expected | None = None
    ) -> bool:
        async with self._watch.change("drop_account"):
            return await self._inner.drop_account(name, operation, host, expected)

    async def account(self, name: str, host: str = "") -> AccountFacts | None:
        async with self._watch.look("account"):
            return await self._inner.account(name, host)

    async def identify(self, name: str, host: str = "") -> AccountFacts | None:
        async with self._watch.look("identify"):
            return await self._inner.identify(name, host)

    async def accounts(self) -> Sequence[AccountFacts]:
        async with self._watch.look("accounts"):
            return await self._inner.accounts()

    async def databases(self) -> Sequence[DatabaseFacts]:
        async with self._watch.look("databases"):
            return await self._inner.databases()

    async def create_database(self, new: NewDatabase) -> None:
        async with self._watch.change("create_database"):
            await self._inner.create_database(new)

    async def drop_database(self, name: str, expected: ExpectedDatabase | None = None) -> bool:
        async with self._watch.change("drop_database"):
            return await self._inner.drop_database(name, expected)

    async def close(self) -> None:
        await self._inner.close()


@dataclass(frozen=True, slots=True)
class WatchedStates:
    inner: AccountStates
    watch: Watch

    @property
    def restores(self) -> frozenset[str]:
        return self.inner.restores

    async def page(self, after: AccountPlace | None, limit: int) -> Sequence[FoundState]:
        async with self.watch.look("state_page"):
            return await self.inner.page(after, limit)

    async def at(self, places: Sequence[AccountPlace]) -> Sequence[FoundState]:
        async with self.watch.look("some_states"):
            return await self.inner.at(places)

    async def restore(
        self, place: AccountPlace, state: AccountState, operation: UUID, expected: Expected | None = None
    ) -> AccountFacts:
        async with self.watch.change("restore"):
            return await self.inner.restore(place, state, operation, expected)


@dataclass(frozen=True, slots=True)
class WatchedListing:
    inner: AccountListing
    watch: Watch

    async def page(self, asked: AccountSlice) -> AccountPage:
        async with self.watch.look("account_page"):
            return await self.inner.page(asked)

    async def at(self, places: Sequence[AccountPlace]) -> Sequence[AccountFacts]:
        async with self.watch.look("some_accounts"):
            return await self.inner.at(places)

    async def places(self) -> Sequence[IdentifiedPlace]:
        async with self.watch.look("account_places"):
            return await self.inner.places()


@dataclass(frozen=True, slots=True)
class WatchedObjects:
    inner: ObjectPrivileges
    watch: Watch

    async def privileges(self, account: str, objects: Sequence[DatabaseObject]) -> Sequence[tuple[str, ...]]:
        async with self.watch.look("privileges"):
            return await self.inner.privileges(account, objects)

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
        async with self.watch.change("change_privileges"):
            return await self.inner.change_privileges(
                account, changes, operation, kind=kind, memberships=memberships, expected=expected
            )

    async def names(
        self, kind: ObjectType, database: str = "", schema: str = "", table: str = ""
    ) -> Sequence[str]:
        async with self.watch.look("objects"):
            return await self.inner.names(kind, database, schema, table)


@dataclass(frozen=True, slots=True)
class WatchedOwnership:
    inner: DatabaseOwnership
    watch: Watch

    async def change_database_owner(
        self,
        name: str,
        owner: str,
        operation: UUID,
        *,
        expected: ExpectedDatabase | None = None,
        owned_by: Expected | None = None,
    ) -> None:
        async with self.watch.change("change_database_owner"):
            await self.inner.change_database_owner(
                name, owner, operation, expected=expected, owned_by=owned_by
            )


@dataclass(frozen=True, slots=True)
class WatchedRoles:
    inner: Roles
    watch: Watch

    async def role_facts(self, name: str | None = None) -> Sequence[RoleFacts]:
        async with self.watch.look("role_facts"):
            return await self.inner.role_facts(name)

    async def role(self, name: str, *, to_join: bool = False) -> str:
        async with self.watch.look("role"):
            return await self.inner.role(name, to_join=to_join)

    async def change_role(self, change: RoleChange) -> AccountFacts:
        async with self.watch.change("change_role"):
            return await self.inner.change_role(change)

    async def default_privileges(self, database: str) -> Sequence[DefaultPrivileges]:
        async with self.watch.look("default_privileges"):
            return await self.inner.default_privileges(database)

    async def change_default_privileges(self, change: DefaultsChange) -> AccountFacts:
        async with self.watch.change("change_default_privileges"):
            return await self.inner.change_default_privileges(change)

    async def public_privileges(self, database: str) -> PublicFacts:
        async with self.watch.look("public_privileges"):
            return await self.inner.public_privileges(database)

    async def change_public_privileges(
        self,
        database: str,
        privileges: Sequence[str],
        *,
        grant: bool,
        expected: ExpectedDatabase | None = None,
    ) -> None:
        async with self.watch.change("change_public_privileges"):
            await self.inner.change_public_privileges(database, privileges, grant=grant, expected=expected)


@dataclass(frozen=True, slots=True)
class WatchedGrants:
    inner: DatabaseGrants
    watch: Watch

    async def change_grants(
        self,
        name: str,
        host: str,
        grant: Sequence[DatabaseGrant],
        revoke: Sequence[str],
        operation: UUID,
        *,
        allow_missing: bool = False,
        expected: Expected | None = None,
    ) -> AccountFacts:
        async with self.watch.change("change_grants"):
            return await self.inner.change_grants(
                name,
                host,
                grant,
                revoke,
                operation,
                allow_missing=allow_missing,
                expected=expected,
            )

    async def require_new(self, accounts: Sequence[NewAccount]) -> None:
        async with self.watch.look("require_new"):
            await self.inner.require_new(accounts)

    def may_be_database(self, name: str) -> bool:
        return self.inner.may_be_database(name)


@dataclass(frozen=True, slots=True)
class WatchedSuperuser:
    inner: TenantSuperuser
    watch: Watch

    @property
    def name(self) -> str:
        return self.inner.name

    async def find(self) -> AccountFacts | None:
        async with self.watch.look("superuser"):
            return await self.inner.find()

    async def enable(self, verifier: Secret, operation: UUID, fence: Fence | None = None) -> AccountFacts:
        async with self.watch.change("enable_superuser", verifier):
            return await self.inner.enable(verifier, operation, fence)

    async def disable(self, operation: UUID, expected: Expected | None = None) -> bool:
        async with self.watch.change("disable_superuser"):
            return await self.inner.disable(operation, expected)


@dataclass(frozen=True, slots=True)
class WatchedPasswordCheck:
    inner: PasswordCheck
    watch: Watch

    async def has_password(self, name: str, host: str, password: Secret) -> bool:
        async with self.watch.look("has_password", password):
            return await self.inner.has_password(name, host, password)
