"""Commands on accounts, their grants and their databases."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from rolecall.domain.accounts.views import AccountView, AccountViews
from rolecall.domain.engine import (
    AccountKind,
    DatabaseFacts,
    DatabaseGrant,
    DatabaseObject,
    ObjectType,
    PrivilegeChange,
)
from rolecall.domain.engine.pages import AccountSlice
from rolecall.domain.messages import ClientToken, Command, InstanceName, Page
from rolecall.values import Secret

AccountOrder: TypeAlias = Literal["created", "updated", "name"]


@dataclass(frozen=True, slots=True)
class CreateAccount(Command[AccountView]):
    """`host` and `grants` are for servers where an account is a name at a host (the MySQL family)."""

    instance: InstanceName
    name: str
    kind: AccountKind
    password: Secret | None
    remark: str
    managed_password: bool
    host: str = ""
    grants: tuple[DatabaseGrant, ...] = ()
    quota: int | None = None
    """The most accounts the instance may have, this one included."""
    token: ClientToken | None = None
    everywhere: bool = False
    """May read and write every database that the instance has now; `grants` is empty then."""


@dataclass(frozen=True, slots=True)
class AccountSpec:
    """One of several accounts that are created at once."""

    name: str
    host: str
    password: Secret
    grants: tuple[DatabaseGrant, ...] = ()
    kind: AccountKind = AccountKind.NORMAL


@dataclass(frozen=True, slots=True)
class CreateAccountsLater(Command[None]):
    """Create accounts later: all or none is checked and recorded now, and created through outages and restarts.

    `allow_missing` as in `ChangeGrants`.
    """

    instance: InstanceName
    accounts: tuple[AccountSpec, ...]
    allow_missing: bool = False


@dataclass(frozen=True, slots=True)
class DeleteAccount(Command[None]):
    """`must_exist` refuses with ACCOUNT_MISSING; without it, deleting a missing account succeeds."""

    instance: InstanceName
    name: str
    host: str = ""
    must_exist: bool = False


@dataclass(frozen=True, slots=True)
class ListAccounts(Command[Page[AccountView]]):
    instance: InstanceName
    order: AccountOrder
    descending: bool
    offset: int
    limit: int


@dataclass(frozen=True, slots=True)
class PageAccounts(Command[AccountViews]):
    """A slice of a list that may be long, with accounts that could not be created.

    `with_missing`: and with those of ours that the server no longer has. Accounts with the names `hidden`, in lower
    case, are left out.
    """

    instance: InstanceName
    asked: AccountSlice
    with_missing: bool = False
    hidden: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class ResetPassword(Command[None]):
    """`old_password`, if given, must be the present one (PASSWORD_WRONG)."""

    instance: InstanceName
    name: str
    password: Secret
    host: str = ""
    old_password: Secret | None = None


@dataclass(frozen=True, slots=True)
class ChangeRemark(Command[None]):
    instance: InstanceName
    name: str
    remark: str
    host: str = ""


@dataclass(frozen=True, slots=True)
class ResetPasswords(Command[None]):
    """Several at once: if one account is missing, none is changed."""

    instance: InstanceName
    accounts: tuple[AccountSpec, ...]


@dataclass(frozen=True, slots=True)
class MoveAccount(Command[None]):
    """Change the name, host or password of an account (the MySQL family); None keeps it."""

    instance: InstanceName
    name: str
    host: str
    new_name: str | None
    new_host: str | None
    password: Secret | None


@dataclass(frozen=True, slots=True)
class ChangeGrants(Command[None]):
    """Grants on whole databases (the MySQL family). `must_exist`: GRANT_MISSING for revoking what is not granted.

    `allow_missing` keeps a grant on a missing database until it is created; without it, DATABASE_MISSING.
    """

    instance: InstanceName
    name: str
    host: str
    grant: tuple[DatabaseGrant, ...]
    revoke: tuple[str, ...] = ()
    must_exist: bool = False
    allow_missing: bool = False


@dataclass(frozen=True, slots=True)
class AllAccounts(Command[tuple[AccountView, ...]]):
    """Every account of an instance, by name and host."""

    instance: InstanceName


@dataclass(frozen=True, slots=True)
class ShowAccount(Command[AccountView]):
    """ACCOUNT_MISSING. `otherwise`: another name and host, to show if there is no such account."""

    instance: InstanceName
    name: str
    host: str
    otherwise: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class AllDatabases(Command[tuple[DatabaseFacts, ...]]):
    """Every database of an instance, by name."""

    instance: InstanceName


@dataclass(frozen=True, slots=True)
class DatabaseSpec:
    """`encoding` (character set) and `collate` are names of the server; empty for its default."""

    name: str
    encoding: str = ""
    collate: str = ""


@dataclass(frozen=True, slots=True)
class CreateDatabases(Command[None]):
    """All are checked before the first is created."""

    instance: InstanceName
    databases: tuple[DatabaseSpec, ...]


@dataclass(frozen=True, slots=True)
class SuperuserState(Command[bool]):
    """Whether the instance's own superuser was enabled for tenants."""

    instance: InstanceName


@dataclass(frozen=True, slots=True)
class EnableSuperuser(Command[Secret]):
    """The outcome is the password, generated unless it is given."""

    instance: InstanceName
    password: Secret | None


@dataclass(frozen=True, slots=True)
class DisableSuperuser(Command[None]):
    instance: InstanceName


@dataclass(frozen=True, slots=True)
class LockAccount(Command[None]):
    instance: InstanceName
    name: str
    host: str = ""


@dataclass(frozen=True, slots=True)
class UnlockAccount(Command[None]):
    instance: InstanceName
    name: str
    host: str = ""


@dataclass(frozen=True, slots=True)
class OpenManagedPassword(Command[None]):
    instance: InstanceName
    name: str


@dataclass(frozen=True, slots=True)
class CloseManagedPassword(Command[None]):
    instance: InstanceName
    name: str
    password: Secret


@dataclass(frozen=True, slots=True)
class RefreshManagedPassword(Command[None]):
    instance: InstanceName
    name: str


@dataclass(frozen=True, slots=True)
class ShowPrivileges(Command[tuple[tuple[str, ...] | AccountKind, ...]]):
    """The outcome has an entry per object: its privileges, or for the account itself its kind."""

    instance: InstanceName
    name: str
    objects: tuple[DatabaseObject | None, ...]
    """None stands for the account itself."""


@dataclass(frozen=True, slots=True)
class ChangePrivileges(Command[None]):
    instance: InstanceName
    name: str
    changes: tuple[PrivilegeChange, ...]
    kind: AccountKind | None = None
    """A new kind for the account, if one was asked for."""
    join: tuple[str, ...] = ()
    """Roles that the account becomes a member of."""
    leave: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CreateDatabase(Command[None]):
    instance: InstanceName
    name: str
    owner: str
    encoding: str
    collate: str
    ctype: str


@dataclass(frozen=True, slots=True)
class DeleteDatabase(Command[None]):
    """`must_exist` refuses with DATABASE_MISSING; without it, deleting a missing database succeeds."""

    instance: InstanceName
    name: str
    must_exist: bool = False


@dataclass(frozen=True, slots=True)
class ListDatabases(Command[Page[DatabaseFacts]]):
    """`name_contains`: texts of which the name contains one; empty for all databases."""

    instance: InstanceName
    name_contains: tuple[str, ...]
    offset: int
    limit: int


@dataclass(frozen=True, slots=True)
class ListObjects(Command[Page[str]]):
    instance: InstanceName
    type: ObjectType
    database: str
    schema: str
    table: str
    offset: int
    limit: int


@dataclass(frozen=True, slots=True)
class ChangeDatabaseOwner(Command[None]):
    instance: InstanceName
    name: str
    owner: str
