"""Capabilities: what only some kinds of server can do, beside `domain.engine.Engine`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable
from uuid import UUID

from rolecall.domain.engine import (
    AccountFacts,
    AccountKind,
    DatabaseGrant,
    DatabaseObject,
    Engine,
    ExpectedDatabase,
    NewAccount,
    ObjectType,
    PrivilegeChange,
)
from rolecall.domain.identity import Expected
from rolecall.domain.reasons import Reason, Refused
from rolecall.values import Secret


@runtime_checkable
class ObjectPrivileges(Engine, Protocol):
    """An engine whose accounts own objects and are granted privileges on each (PostgreSQL)."""

    async def privileges(self, account: str, objects: Sequence[DatabaseObject]) -> Sequence[tuple[str, ...]]:
        """What the account itself holds on each object (the owner's implied rights too, PUBLIC's not), in order.

        ACCOUNT_MISSING, OBJECT_MISSING, DATABASE_MISSING.
        """

    async def change_privileges(
        self,
        account: str,
        changes: Sequence[PrivilegeChange],
        operation: UUID,
        *,
        kind: AccountKind | None = None,
        expected: Expected | None = None,
    ) -> AccountFacts:
        """All or none, and with `kind` the account's kind.

        ACCOUNT_MISSING, OBJECT_MISSING, DATABASE_MISSING, PRIVILEGE_UNKNOWN, PRIVILEGE_DEPENDENT, ENGINE_TOO_OLD.
        """

    async def change_database_owner(
        self,
        name: str,
        owner: str,
        operation: UUID,
        *,
        expected: ExpectedDatabase | None = None,
        owned_by: Expected | None = None,
    ) -> None:
        """`owned_by` is the account that `owner` is to be. DATABASE_MISSING, DATABASE_PROTECTED, ACCOUNT_MISSING."""

    async def objects(
        self, kind: ObjectType, database: str = "", schema: str = "", table: str = ""
    ) -> Sequence[str]:
        """Names of the objects of a type, sorted; system schemas left out. DATABASE_MISSING, OBJECT_MISSING."""


@runtime_checkable
class DatabaseGrants(Engine, Protocol):
    """An engine whose accounts are granted whole databases by template (the MySQL family)."""

    async def change_grants(
        self,
        name: str,
        host: str,
        grant: Sequence[DatabaseGrant],
        revoke: Sequence[str],
        operation: UUID,
        *,
        to_come: bool = False,
        expected: Expected | None = None,
    ) -> AccountFacts:
        """Set templates, each in place of an earlier one on its database, and take databases away by exact name.

        Revoking what is not held is no error. The account's sessions end if it lost anything. `to_come` as in
        `NewAccount`. ACCOUNT_MISSING, ACCOUNT_PROTECTED, DATABASE_MISSING (a grant on a database that is not there).
        """

    async def require_new(self, accounts: Sequence[NewAccount]) -> None:
        """Refuse what `create_account` would refuse of any of these; verifiers are not looked at.

        As `require_new_name`, and ACCOUNT_TAKEN, DATABASE_MISSING, VERIFIERS_REFUSED. Waits for changes of these
        accounts that are still under way.
        """

    def may_be_database(self, name: str) -> bool:
        """Whether a tenant's database could have that name. The server is not asked."""


@runtime_checkable
class TenantSuperuser(Engine, Protocol):
    """An engine with an account of a fixed name that rules every tenant's database (the MySQL family's ``root``).

    It has what a super account has and no more, is listed nowhere, and is never Rolecall's own administrator: each
    method refuses with ENGINE_UNSUITED on a server that is administered under that name.
    """

    def superuser_name(self) -> str: ...

    async def superuser(self) -> AccountFacts | None:
        """The account, if it was enabled through us."""

    async def enable_superuser(self, verifier: Secret, operation: UUID) -> AccountFacts:
        """Make it, or give it another password. ACCOUNT_PROTECTED if an account of that name is somebody else's."""

    async def disable_superuser(self, operation: UUID, expected: Expected | None = None) -> bool:
        """End its sessions and drop it. False if it was not there. ACCOUNT_PROTECTED as for enabling."""


@runtime_checkable
class PasswordChecks(Engine, Protocol):
    """An engine that can tell whether a password is an account's present one (the MySQL family)."""

    async def has_password(self, name: str, host: str, password: Secret) -> bool:
        """Compared with the stored verifier; no login is tried. False for an account that logs in some other way.

        ACCOUNT_MISSING.
        """


def object_privileges(engine: Engine) -> ObjectPrivileges:
    """The engine, if it can grant on objects. ENGINE_REFUSED."""
    if not isinstance(engine, ObjectPrivileges):
        raise Refused(Reason.ENGINE_REFUSED, note="this kind of server has no privileges on objects")
    return engine


def database_grants(engine: Engine) -> DatabaseGrants:
    """The engine, if it can grant whole databases. ENGINE_REFUSED."""
    if not isinstance(engine, DatabaseGrants):
        raise Refused(Reason.ENGINE_REFUSED, note="this kind of server grants no whole databases")
    return engine


def tenant_superuser(engine: Engine) -> TenantSuperuser:
    """The engine, if it can give tenants a superuser. ENGINE_UNSUITED."""
    if not isinstance(engine, TenantSuperuser):
        raise Refused(Reason.ENGINE_UNSUITED, note="this kind of server has no superuser for tenants")
    return engine


def password_checks(engine: Engine) -> PasswordChecks:
    """The engine, if it can compare passwords. ENGINE_UNSUITED."""
    if not isinstance(engine, PasswordChecks):
        raise Refused(Reason.ENGINE_UNSUITED, note="this kind of server compares no passwords")
    return engine
