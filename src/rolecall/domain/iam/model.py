"""Sub-users as they are kept."""

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
    """What may be taken for a while by those whom `trust`, a policy document with principals, names."""

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
