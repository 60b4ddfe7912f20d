"""Sub-users and roles as they are stored."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class SubUser:
    """`number` is its public number, `id` a shorter one that also names it. `password_hash` None: has no password."""

    number: int
    id: int
    owner_id: int
    name: str
    remark: str
    console_login: bool
    password_hash: str | None
    password_changed_at: datetime | None
    must_reset_password: bool
    phone: str
    country_code: str
    email: str
    last_login_at: datetime | None
    last_login_ip: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Role:
    """Can be assumed by the principals that the policy document `trust` names."""

    id: int
    owner_id: int
    name: str
    description: str
    trust: str
    console_login: bool
    session_seconds: int
    created_at: datetime
    updated_at: datetime
    tags: tuple[tuple[str, str], ...] = ()
