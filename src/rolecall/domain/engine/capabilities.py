"""Capabilities: what only some kinds of server can do.

Each is an attribute of `domain.engine.Engine`, and None on servers that cannot. So a handler asks before it accepts an
operation: ``required(engine.grants)``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar
from uuid import UUID

from rolecall.domain.engine import (
    AccountFacts,
    AccountKind,
    DatabaseGrant,
    DatabaseObject,
    ExpectedDatabase,
    NewAccount,
    ObjectType,
    PrivilegeChange,
)
from rolecall.domain.engine.identity import Expected, Fence
from rolecall.domain.engine.roles import MembershipChange
from rolecall.domain.reasons import Reason, Refused
from rolecall.values import Secret

Capability = TypeVar("Capability")


def required(capability: Capability | None) -> Capability:
    """The capability, if the server has it. ENGINE_UNSUITED."""
    if capability is None:
        raise Refused(Reason.ENGINE_UNSUITED, note="this kind of server cannot do that")
    return capability


class ObjectPrivileges(Protocol):
    """Accounts own objects and are granted privileges on each of them (PostgreSQL)."""

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
        memberships: Sequence[MembershipChange] = (),
        expected: Expected | None = None,
    ) -> AccountFacts:
        """All or none, and with `kind` the account's kind. Revoking what is not held succeeds.

        ACCOUNT_MISSING, OBJECT_MISSING, DATABASE_MISSING, PRIVILEGE_UNKNOWN, PRIVILEGE_DEPENDENT, ENGINE_TOO_OLD; of
        `memberships` as `rolecall.domain.engine.roles.Roles.change_role`.
        """

    async def names(
        self, kind: ObjectType, database: str = "", schema: str = "", table: str = ""
    ) -> Sequence[str]:
        """Names of the objects of a type, sorted; system schemas left out. DATABASE_MISSING, OBJECT_MISSING."""


class DatabaseOwnership(Protocol):
    """Databases belong to accounts (PostgreSQL)."""

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


class DatabaseGrants(Protocol):
    """Accounts are granted whole databases by template (the MySQL family)."""

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
        """Set templates, each in place of an earlier one on its database, and take databases away by exact name.

        Revoking what is not held succeeds. The account's sessions end if it lost a privilege. `allow_missing` as in
        `NewAccount`. ACCOUNT_MISSING, ACCOUNT_PROTECTED, DATABASE_MISSING (a grant on a missing database).
        """

    async def require_new(self, accounts: Sequence[NewAccount]) -> None:
        """Refuse what `Engine.create_account` would refuse of any of these, without looking at verifiers.

        As `Engine.require_new_name`, and ACCOUNT_TAKEN, DATABASE_MISSING, VERIFIERS_REFUSED. Waits for changes of these
        accounts that are still under way.
        """

    def may_be_database(self, name: str) -> bool:
        """Whether a tenant's database could have that name. The server is not asked."""


class TenantSuperuser(Protocol):
    """An account of a fixed name that rules every tenant's database (the MySQL family's ``root``).

    It has what a super account has and no more, and is listed nowhere. A server that Rolecall itself administers under
    that name has none.
    """

    @property
    def name(self) -> str: ...

    async def find(self) -> AccountFacts | None:
        """The account, if it was enabled through Rolecall."""

    async def enable(self, verifier: Secret, operation: UUID, fence: Fence | None = None) -> AccountFacts:
        """Create it, or change its password. ACCOUNT_PROTECTED if Rolecall did not create the account of that name."""

    async def disable(self, operation: UUID, expected: Expected | None = None) -> bool:
        """End its sessions and drop it. False if it did not exist. ACCOUNT_PROTECTED as for `enable`."""


class PasswordCheck(Protocol):
    """The server's stored verifiers can be compared with a password (the MySQL family)."""

    async def has_password(self, name: str, host: str, password: Secret) -> bool:
        """Compared with the stored verifier; no login is tried. False for an account that logs in some other way.

        ACCOUNT_MISSING.
        """
