"""Views: what the domain answers about things, in neutral words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar
from uuid import UUID

from rolecall.domain.engine import AccountKind, DatabaseGrant

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class AccountView:
    """An account as the engine has it, with what only the store knows.

    `standing`: ``managed`` (made through us), ``foreign`` (made behind our back), ``missing`` (ours, but gone),
    ``changed`` (ours, but dropped and made again by another), ``protected`` (it leads to more than a tenant may
    have and so cannot be changed through us, whoever made it), ``failed`` (promised and not made, for `reason`, until
    it is deleted or made again). Times are None where we did not do it.
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
    host: str = ""
    grants: tuple[DatabaseGrant, ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True)
class OperationView:
    """`state` is ``accepted``, ``recorded``, ``refused``, ``undone`` or ``superseded``."""

    id: UUID
    change: str
    target: str
    state: str
    reason: str
    accepted_at: datetime
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """A slice of a listing. `total` counts what the listing holds, not the slice."""

    items: tuple[Item, ...]
    total: int


@dataclass(frozen=True, slots=True)
class InstanceView:
    """A registered instance. `status`: ``running``, ``isolated``, ``restarting`` or ``unreachable``; a server that
    Rolecall runs itself may also be ``starting`` (being made), ``isolating``, ``reviving``, ``deleting`` or ``failed``.

    `host` is empty and `port` 0 while no server has ever listened. `databases` are names, where they were asked for.
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
    databases: tuple[str, ...] = ()
