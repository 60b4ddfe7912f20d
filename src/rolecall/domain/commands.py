"""Commands: what the domain is asked to do, in neutral words, whatever dialect it was asked in.

An `InstanceName` is a public id together with the dialect it belongs to; the domain finds the instance by it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar
from uuid import UUID

from rolecall.domain.engine import AccountKind, DatabaseObject, ObjectType, PrivilegeChange
from rolecall.values import Secret


@dataclass(frozen=True, slots=True)
class InstanceName:
    dialect: str
    public_id: str


@dataclass(frozen=True, slots=True)
class CreateAccount:
    instance: InstanceName
    name: str
    kind: AccountKind
    password: Secret | None
    remark: str
    managed_password: bool


@dataclass(frozen=True, slots=True)
class DeleteAccount:
    instance: InstanceName
    name: str


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
    instance: InstanceName
    name: str
    password: Secret


@dataclass(frozen=True, slots=True)
class ChangeRemark:
    instance: InstanceName
    name: str
    remark: str


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
    instance: InstanceName
    name: str


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


@dataclass(frozen=True, slots=True)
class AccountView:
    """An account as the engine has it, with what only the store knows.

    `standing`: ``managed`` (made through us), ``foreign`` (made behind our back), ``missing`` (ours, but gone),
    ``changed`` (ours, but dropped and made again by another). Times are None where we did not do it.
    """

    oid: int
    name: str
    kind: AccountKind
    locked: bool
    remark: str
    managed_password: bool
    created_at: datetime | None
    updated_at: datetime | None
    password_updated_at: datetime | None
    standing: str
    operation: UUID | None


Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """A slice of a listing. `total` counts what the listing holds, not the slice."""

    items: tuple[Item, ...]
    total: int


@dataclass(frozen=True, slots=True)
class InstanceView:
    """A registered instance. `status`: ``running``, ``isolated``, ``restarting`` or ``unreachable``.

    `version` (major, minor) is None and `version_text` and `charset` are empty while the server cannot be asked.
    """

    public_id: str
    name: str
    region: str
    zone: str
    status: str
    version: tuple[int, int] | None
    version_text: str
    host: str
    port: int
    charset: str
    created_at: datetime
    app_id: int
    owner_number: int
    project_id: int = 0


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
)
