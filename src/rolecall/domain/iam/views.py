"""What is answered about sub-users, their keys and groups."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from rolecall.domain.iam.model import SubUser
from rolecall.domain.iam.password_rules import PasswordRules
from rolecall.values import Secret


@dataclass(frozen=True, slots=True)
class KeyShown:
    """A new key with its secret, which is shown here and nowhere later."""

    id: str
    secret: Secret
    created_at: datetime
    description: str = ""


@dataclass(frozen=True, slots=True)
class AddedSubUser:
    """`password` is its present one, given or generated; None where it has none."""

    user: SubUser
    password: Secret | None
    key: KeyShown | None


@dataclass(frozen=True, slots=True)
class KeyUse:
    """`used_at` None: the key signed nothing yet."""

    key_id: str
    used_at: datetime | None


@dataclass(frozen=True, slots=True)
class RulesView:
    """`updated_at` and `updated_by` (a principal) are None while the rules are the defaults."""

    rules: PasswordRules
    updated_at: datetime | None = None
    updated_by: int | None = None


@dataclass(frozen=True, slots=True)
class Census:
    """How many of each the owner has; `members` counts memberships."""

    sub_users: int
    groups: int
    members: int
    policies: int
    roles: int


@dataclass(frozen=True, slots=True)
class Group:
    id: int
    name: str
    remark: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class GroupView:
    group: Group
    members: tuple[SubUser, ...]
