"""Commands on roles (`domain.engine.roles`): limits, memberships, default privileges, and what everyone may do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from rolecall.domain.engine.roles import DefaultPrivileges, PublicFacts, RoleFacts
from rolecall.domain.messages import Command, InstanceName


@dataclass(frozen=True, slots=True)
class ShowRoles(Command[tuple[RoleFacts, ...]]):
    """Of every account of an instance, or of one. ACCOUNT_MISSING for the one."""

    instance: InstanceName
    name: str | None = None


@dataclass(frozen=True, slots=True)
class ChangeConnectionLimit(Command[None]):
    """`limit`: how many connections the account may have at once, or `NO_LIMIT`."""

    instance: InstanceName
    name: str
    limit: int


@dataclass(frozen=True, slots=True)
class ChangeExpiry(Command[None]):
    """After `at` the account cannot log in by its password; open sessions stay. None: it never expires."""

    instance: InstanceName
    name: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class GrantMembership(Command[None]):
    """Without ADMIN. Where a membership has options, it replaces those of an earlier one in the role."""

    instance: InstanceName
    name: str
    role: str
    inherits: bool = True
    may_become: bool = False


@dataclass(frozen=True, slots=True)
class RevokeMembership(Command[None]):
    instance: InstanceName
    name: str
    role: str


@dataclass(frozen=True, slots=True)
class ListDefaults(Command[tuple[DefaultPrivileges, ...]]):
    """Of one database, or of all that can be connected to and are tenants'."""

    instance: InstanceName
    database: str | None = None


@dataclass(frozen=True, slots=True)
class ChangeDefaults(Command[None]):
    instance: InstanceName
    defaults: DefaultPrivileges
    grant: bool


@dataclass(frozen=True, slots=True)
class ListPublic(Command[tuple[PublicFacts, ...]]):
    """Of one database, or of all that can be connected to and may be changed."""

    instance: InstanceName
    database: str | None = None


@dataclass(frozen=True, slots=True)
class ChangePublic(Command[None]):
    """`privileges` are of `PUBLIC_PRIVILEGES`."""

    instance: InstanceName
    database: str
    privileges: tuple[str, ...]
    grant: bool
