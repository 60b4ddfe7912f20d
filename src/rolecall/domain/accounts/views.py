"""Views of accounts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from rolecall.domain.engine import AccountKind, DatabaseGrant


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
