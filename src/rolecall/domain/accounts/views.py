"""Views of accounts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from rolecall.domain.engine import AccountKind, DatabaseGrant


@dataclass(frozen=True, slots=True)
class AccountView:
    """An account as the engine has it, with what the store adds.

    `standing`: ``managed`` (created through Rolecall), ``foreign`` (created outside), ``missing`` (managed, but
    dropped outside), ``changed`` (managed, but dropped and created again outside), ``protected`` (it grants more than a
    tenant may have, so Rolecall does not change it), ``failed`` (accepted and not created, for `reason`, until it is
    deleted or created again). Times are None for what was not done through Rolecall.
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
class AccountViews:
    """A slice of an instance's accounts, by display name. `has_more`: beyond it, in the direction that was read.

    `total` and `beyond` count what the server has (`domain.engine.pages.AccountPage`).
    """

    items: tuple[AccountView, ...]
    has_more: bool
    total: int
    beyond: int
