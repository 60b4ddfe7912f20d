"""Commands on roles and temporary credentials. `None` keeps the present value."""

from __future__ import annotations

from dataclasses import dataclass

from rolecall.domain.iam.model import Role
from rolecall.domain.messages import Command, Page
from rolecall.values import Secret


@dataclass(frozen=True, slots=True)
class RoleRef:
    """A role by its id or, where that is None, by its name."""

    id: int | None = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class IssuedSession:
    """Temporary credentials. `expires_at` is unix time in seconds."""

    key_id: str
    secret: Secret
    token: Secret
    expires_at: int


@dataclass(frozen=True, slots=True)
class CreateRole(Command[int]):
    """Its id. ROLE_TAKEN, ROLE_QUOTA, and what `language.parse_trust` says. `session_seconds` 0: the usual."""

    name: str
    trust: str
    description: str = ""
    console_login: bool = False
    session_seconds: int = 0
    tags: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ShowRole(Command[Role]):
    """ROLE_MISSING."""

    role: RoleRef


@dataclass(frozen=True, slots=True)
class PageRoles(Command[Page[Role]]):
    """The roles that have every one of `tags`, the newest first."""

    offset: int
    limit: int
    tags: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ChangeRole(Command[None]):
    """ROLE_MISSING, and what `language.parse_trust` says."""

    role: RoleRef
    trust: str | None = None
    description: str | None = None
    console_login: bool | None = None
    session_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class TagRole(Command[None]):
    """ROLE_MISSING, TAG_QUOTA."""

    role: RoleRef
    put: tuple[tuple[str, str], ...] = ()
    take: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DeleteRole(Command[None]):
    """With its attachments; sessions of the role are refused at their next call. ROLE_MISSING."""

    role: RoleRef


@dataclass(frozen=True, slots=True)
class AssumeRole(Command[IssuedSession]):
    """`owner_number` is that of the role; conditions of the trust document see `external_id`.

    ROLE_MISSING, ROLE_UNTRUSTING, SESSION_TOO_LONG, and what `language.parse_policy` says of `policy`.
    """

    owner_number: int
    role: RoleRef
    session_name: str
    seconds: int | None = None
    policy: str = ""
    external_id: str = ""


@dataclass(frozen=True, slots=True)
class IssueOwnSession(Command[IssuedSession]):
    """The caller's own permissions, narrowed by `policy`, for a limited time.

    SESSION_NESTED, SESSION_TOO_LONG, and what `language.parse_policy` says.
    """

    name: str
    policy: str
    seconds: int | None = None
