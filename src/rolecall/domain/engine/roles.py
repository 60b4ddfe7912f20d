"""Accounts as roles: limits, membership in other roles, privileges on objects to come, and what every account may do.

The capability `Roles` of servers whose accounts are roles (PostgreSQL), and what it takes and gives.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from rolecall.domain.engine import AccountFacts, ExpectedDatabase, ObjectType
from rolecall.domain.engine.identity import Expected

NO_LIMIT = -1
"""A connection limit that limits nothing."""

DEFAULT_TYPES = (
    ObjectType.TABLE,
    ObjectType.SEQUENCE,
    ObjectType.FUNCTION,
    ObjectType.TYPE,
    ObjectType.SCHEMA,
)
"""Types of objects that have default privileges. Tables are views too, and functions are procedures too."""

PUBLIC_PRIVILEGES = ("CONNECT", "TEMPORARY", "CREATE")
"""What every account may be granted on a database. CREATE is on its schema ``public``."""


@dataclass(frozen=True, slots=True)
class Membership:
    """An account's membership in a role: it `inherits` the role's privileges, or `may_become` the role, or
    `administers` who its members are.

    Servers without such options (before PostgreSQL 16) inherit as the account does, and let every member become the
    role.
    """

    role: str
    inherits: bool
    may_become: bool
    administers: bool


@dataclass(frozen=True, slots=True)
class RoleFacts:
    """What an account has as a role. `connection_limit` as `NO_LIMIT`; `valid_until` None: it never expires.

    Without the membership that makes an account a super account, which is its kind.
    """

    name: str
    connection_limit: int
    valid_until: datetime | None
    memberships: tuple[Membership, ...]

    def has_expired(self, now: datetime) -> bool:
        return self.valid_until is not None and self.valid_until <= now


@dataclass(frozen=True, slots=True)
class Expiry:
    """None: never."""

    at: datetime | None


@dataclass(frozen=True, slots=True)
class MembershipChange:
    """`identity` is the role's. Options of a membership that is revoked do not matter."""

    role: str
    identity: str
    grant: bool
    inherits: bool = True
    may_become: bool = False


@dataclass(frozen=True, slots=True)
class RoleChange:
    """Fields that are None do not change."""

    name: str
    operation: UUID
    expected: Expected | None = None
    connection_limit: int | None = None
    expiry: Expiry | None = None
    membership: MembershipChange | None = None


@dataclass(frozen=True, slots=True)
class DefaultPrivileges:
    """What `account` is granted on objects that `owner` creates in a database from now on: in `schema`, or in all."""

    database: str
    owner: str
    account: str
    type: ObjectType
    privileges: tuple[str, ...]
    schema: str = ""


@dataclass(frozen=True, slots=True)
class DefaultsChange:
    """`owned_by` is the identity of the owner."""

    defaults: DefaultPrivileges
    owned_by: str
    grant: bool
    operation: UUID
    expected: Expected | None = None


@dataclass(frozen=True, slots=True)
class PublicFacts:
    """What every account may do on a database. `dependents`: accounts that may connect to it for no other reason."""

    database: str
    identity: str
    privileges: tuple[str, ...]
    dependents: tuple[str, ...] = ()


class Roles(Protocol):
    async def role_facts(self, name: str | None = None) -> Sequence[RoleFacts]:
        """Those of every listed account, or of one, by name. ACCOUNT_MISSING for the one."""

    async def role(self, name: str, *, to_join: bool = False) -> str:
        """The identity of a tenant's role: an account, or a role without login. ACCOUNT_MISSING, ACCOUNT_PROTECTED.

        With `to_join` ACCOUNT_PROTECTED, too, for a role whose members have more than a normal account may have.
        """

    async def change_role(self, change: RoleChange) -> AccountFacts:
        """ACCOUNT_MISSING, ACCOUNT_PROTECTED; of memberships MEMBERSHIP_CIRCULAR, GRANT_MISSING (to revoke),
        PRIVILEGE_DEPENDENT (the account has granted it on), ENGINE_TOO_OLD (options before PostgreSQL 16), and
        `Superseded` if another role has the name of that one.
        """

    async def default_privileges(self, database: str) -> Sequence[DefaultPrivileges]:
        """Those of accounts in a tenant's database. DATABASE_MISSING, DATABASE_PROTECTED."""

    async def change_default_privileges(self, change: DefaultsChange) -> AccountFacts:
        """As `default_privileges`, and ACCOUNT_MISSING, ACCOUNT_PROTECTED, OBJECT_MISSING (the schema),
        PRIVILEGE_UNKNOWN; `Superseded` if the owner is another by now.
        """

    async def public_privileges(self, database: str) -> PublicFacts:
        """DATABASE_MISSING, DATABASE_PROTECTED."""

    async def change_public_privileges(
        self,
        database: str,
        privileges: Sequence[str],
        *,
        grant: bool,
        expected: ExpectedDatabase | None = None,
    ) -> None:
        """Of `PUBLIC_PRIVILEGES`. Leaves no mark: it can be repeated. As `public_privileges`, and `Superseded`."""
