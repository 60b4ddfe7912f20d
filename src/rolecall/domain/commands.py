"""Commands: what the domain is asked to do, in neutral words, whatever dialect it was asked in.

An `InstanceName` is a public id together with the dialect it belongs to; the domain finds the instance by it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rolecall.domain.engine import AccountKind, DatabaseGrant, DatabaseObject, ObjectType, PrivilegeChange
from rolecall.values import Secret


@dataclass(frozen=True, slots=True)
class InstanceName:
    dialect: str
    public_id: str


@dataclass(frozen=True, slots=True)
class ClientToken:
    """A client's promise that calls with the same text are the same call. `digest` is of everything else in it."""

    text: str
    digest: str


@dataclass(frozen=True, slots=True)
class CreateAccount:
    """`host` and `grants` are of servers where an account is a name at a host (the MySQL family)."""

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
    """One account of several that are asked for at once."""

    name: str
    host: str
    password: Secret
    grants: tuple[DatabaseGrant, ...] = ()


@dataclass(frozen=True, slots=True)
class PromiseAccounts:
    """Checked and written down now, all or none; made by a worker, through outages and restarts. Answers None."""

    instance: InstanceName
    accounts: tuple[AccountSpec, ...]


@dataclass(frozen=True, slots=True)
class DeleteAccount:
    """`must_exist` refuses with ACCOUNT_MISSING; otherwise deleting what is not there succeeds."""

    instance: InstanceName
    name: str
    host: str = ""
    must_exist: bool = False


@dataclass(frozen=True, slots=True)
class ListAccounts:
    """`order` is ``created``, ``updated`` or ``name``."""

    instance: InstanceName
    order: str
    descending: bool
    offset: int
    limit: int


@dataclass(frozen=True, slots=True)
class ResetPassword:
    """`old_password`, where given, must be the account's present one (PASSWORD_WRONG)."""

    instance: InstanceName
    name: str
    password: Secret
    host: str = ""
    old_password: Secret | None = None


@dataclass(frozen=True, slots=True)
class ChangeRemark:
    instance: InstanceName
    name: str
    remark: str
    host: str = ""


@dataclass(frozen=True, slots=True)
class ResetPasswords:
    """Several at once: if one account is missing, none is changed."""

    instance: InstanceName
    accounts: tuple[AccountSpec, ...]


@dataclass(frozen=True, slots=True)
class MoveAccount:
    """A new name, host or password for an account (the MySQL family); None leaves it."""

    instance: InstanceName
    name: str
    host: str
    new_name: str | None
    new_host: str | None
    password: Secret | None


@dataclass(frozen=True, slots=True)
class ChangeGrants:
    """Whole databases (the MySQL family). GRANT_MISSING for a revocation of what is not granted, if it must be."""

    instance: InstanceName
    name: str
    host: str
    grant: tuple[DatabaseGrant, ...]
    revoke: tuple[str, ...] = ()
    must_exist: bool = False


@dataclass(frozen=True, slots=True)
class AllAccounts:
    """Every account of an instance as a tuple of AccountView, by name and host."""

    instance: InstanceName


@dataclass(frozen=True, slots=True)
class ShowAccount:
    """Its AccountView, or ACCOUNT_MISSING."""

    instance: InstanceName
    name: str
    host: str


@dataclass(frozen=True, slots=True)
class AllDatabases:
    """Every database of an instance as a tuple of DatabaseFacts, by name."""

    instance: InstanceName


@dataclass(frozen=True, slots=True)
class DatabaseSpec:
    """`encoding` (character set) and `collate` are the server's own words; empty means its default."""

    name: str
    encoding: str = ""
    collate: str = ""


@dataclass(frozen=True, slots=True)
class CreateDatabases:
    """All checked before the first is made."""

    instance: InstanceName
    databases: tuple[DatabaseSpec, ...]


@dataclass(frozen=True, slots=True)
class SuperuserState:
    """Whether the instance's own superuser was enabled for tenants: a bool."""

    instance: InstanceName


@dataclass(frozen=True, slots=True)
class EnableSuperuser:
    """Answers the generated, or given, password as a Secret."""

    instance: InstanceName
    password: Secret | None


@dataclass(frozen=True, slots=True)
class DisableSuperuser:
    instance: InstanceName


@dataclass(frozen=True, slots=True)
class RenameInstance:
    instance: InstanceName
    name: str


@dataclass(frozen=True, slots=True)
class RestartInstance:
    """PROVISIONER_MISSING unless Rolecall runs the server itself."""

    instance: InstanceName


@dataclass(frozen=True, slots=True)
class ProvisionInstance:
    """Start a server of one's own for a new instance; answers its InstanceView. PROVISIONER_MISSING."""

    dialect: str
    engine: str
    name: str
    region: str
    databases: tuple[DatabaseSpec, ...] = ()
    accounts: tuple[AccountSpec, ...] = ()
    token: ClientToken | None = None


@dataclass(frozen=True, slots=True)
class DeprovisionInstance:
    """Stop and delete a server that Rolecall started. PROVISIONER_MISSING for one that it did not."""

    instance: InstanceName


@dataclass(frozen=True, slots=True)
class SetAddressList:
    """Addresses the instance should take, as a note: Rolecall is not in the data path. Answers all: a tuple of str."""

    instance: InstanceName
    addresses: tuple[str, ...]
    mode: Literal["replace", "add", "remove"] = "replace"


@dataclass(frozen=True, slots=True)
class ShowAddressList:
    """A tuple of str."""

    instance: InstanceName


@dataclass(frozen=True, slots=True)
class ListOperations:
    """The newest operations of an instance, at most `limit`, as a tuple of OperationView."""

    instance: InstanceName
    limit: int = 100


@dataclass(frozen=True, slots=True)
class LockAccount:
    instance: InstanceName
    name: str


@dataclass(frozen=True, slots=True)
class UnlockAccount:
    instance: InstanceName
    name: str


@dataclass(frozen=True, slots=True)
class OpenManagedPassword:
    instance: InstanceName
    name: str


@dataclass(frozen=True, slots=True)
class CloseManagedPassword:
    instance: InstanceName
    name: str
    password: Secret


@dataclass(frozen=True, slots=True)
class RefreshManagedPassword:
    instance: InstanceName
    name: str


@dataclass(frozen=True, slots=True)
class ShowPrivileges:
    """`account_kind` True also asks for the account's own kind (an `AccountKind`)."""

    instance: InstanceName
    name: str
    objects: tuple[DatabaseObject | None, ...]
    """None stands for the account itself."""


@dataclass(frozen=True, slots=True)
class ChangePrivileges:
    instance: InstanceName
    name: str
    changes: tuple[PrivilegeChange, ...]
    kind: AccountKind | None = None
    """A new kind for the account, if one was asked for."""


@dataclass(frozen=True, slots=True)
class CreateDatabase:
    instance: InstanceName
    name: str
    owner: str
    encoding: str
    collate: str
    ctype: str


@dataclass(frozen=True, slots=True)
class DeleteDatabase:
    """`must_exist` refuses with DATABASE_MISSING; otherwise deleting what is not there succeeds."""

    instance: InstanceName
    name: str
    must_exist: bool = False


@dataclass(frozen=True, slots=True)
class ListDatabases:
    """`name_contains` empty lists all; several match any of them."""

    instance: InstanceName
    name_contains: tuple[str, ...]
    offset: int
    limit: int


@dataclass(frozen=True, slots=True)
class ListObjects:
    instance: InstanceName
    type: ObjectType
    database: str
    schema: str
    table: str
    offset: int
    limit: int


@dataclass(frozen=True, slots=True)
class ChangeDatabaseOwner:
    instance: InstanceName
    name: str
    owner: str


@dataclass(frozen=True, slots=True)
class ListInstances:
    dialect: str


@dataclass(frozen=True, slots=True)
class ShowInstance:
    instance: InstanceName


Command = (
    CreateAccount
    | DeleteAccount
    | ListAccounts
    | ResetPassword
    | ChangeRemark
    | LockAccount
    | UnlockAccount
    | OpenManagedPassword
    | CloseManagedPassword
    | RefreshManagedPassword
    | ShowPrivileges
    | ChangePrivileges
    | CreateDatabase
    | DeleteDatabase
    | ListDatabases
    | ListObjects
    | ChangeDatabaseOwner
    | ListInstances
    | ShowInstance
    | PromiseAccounts
    | ResetPasswords
    | MoveAccount
    | ChangeGrants
    | AllAccounts
    | ShowAccount
    | AllDatabases
    | CreateDatabases
    | SuperuserState
    | EnableSuperuser
    | DisableSuperuser
    | RenameInstance
    | RestartInstance
    | ProvisionInstance
    | DeprovisionInstance
    | SetAddressList
    | ShowAddressList
    | ListOperations
)
