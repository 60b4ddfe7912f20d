"""Commands about policies, and about whom they are attached to. All are about what belongs to the caller's owner."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from rolecall.domain.iam.tag_commands import Pair
from rolecall.domain.messages import Command, Page
from rolecall.domain.policy.model import Policy


class Bearer(StrEnum):
    """What a policy can be attached to."""

    SUB_USER = "sub-user"
    GROUP = "group"
    ROLE = "role"


@dataclass(frozen=True, slots=True)
class PolicyRef:
    """A policy by its id or, where that is None, by its name."""

    id: int | None = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class BearerRef:
    """A sub-user by its number, a group by its id, a role by its id or, where that is None, by its name."""

    kind: Bearer
    id: int | None = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class PolicyView:
    """`bearers` counts what it is attached to, `sub_users` those among it that are sub-users."""

    policy: Policy
    bearers: int
    sub_users: int


@dataclass(frozen=True, slots=True)
class Attached:
    """`attached_by` is the number of who did it. `groups` (id, name) are those it comes by; empty if it is direct."""

    policy: Policy
    attached_at: datetime
    attached_by: int
    groups: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True, slots=True)
class BearerView:
    """`id` is what the bearer is listed by (a sub-user's shorter one); `number` a sub-user's number, else 0."""

    kind: Bearer
    id: int
    name: str
    number: int
    attached_at: datetime


@dataclass(frozen=True, slots=True)
class CreatePolicy(Command[int]):
    """Its id. POLICY_TAKEN, POLICY_QUOTA, TAG_QUOTA, and what `language.parse_policy` says of the document."""

    name: str
    document: str
    description: str = ""
    tags: tuple[Pair, ...] = ()


@dataclass(frozen=True, slots=True)
class ShowPolicy(Command[Policy]):
    """POLICY_MISSING."""

    policy: PolicyRef


@dataclass(frozen=True, slots=True)
class PagePolicies(Command[Page[PolicyView]]):
    """The owner's, the newest first, then the presets. `preset` None asks for both."""

    offset: int
    limit: int
    preset: bool | None = None
    name_contains: str = ""


@dataclass(frozen=True, slots=True)
class PolicyContent:
    document: str
    description: str


@dataclass(frozen=True, slots=True)
class ChangePolicy(Command[int]):
    """Its id. None leaves a field unchanged. POLICY_MISSING, POLICY_PRESET, POLICY_TAKEN, and as CreatePolicy.

    ENGINE_BUSY if the policy's document and description are no longer those `expected`.
    """

    policy: PolicyRef
    name: str | None = None
    description: str | None = None
    document: str | None = None
    alias: str | None = None
    expected: PolicyContent | None = None


@dataclass(frozen=True, slots=True)
class DeletePolicies(Command[None]):
    """All or none, with their attachments. POLICY_MISSING, POLICY_PRESET."""

    ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class AttachPolicy(Command[None]):
    """What is attached already stays so. POLICY_MISSING, ATTACHMENT_QUOTA; SUB_USER_, GROUP_ or ROLE_MISSING."""

    policy: PolicyRef
    bearer: BearerRef


@dataclass(frozen=True, slots=True)
class DetachPolicy(Command[None]):
    """What is not attached stays so. POLICY_MISSING; SUB_USER_, GROUP_ or ROLE_MISSING."""

    policy: PolicyRef
    bearer: BearerRef


@dataclass(frozen=True, slots=True)
class PageAttached(Command[Page[Attached]]):
    """The newest first: of a sub-user the policies that it has directly, by its groups, or both.

    SUB_USER_, GROUP_ or ROLE_MISSING.
    """

    bearer: BearerRef
    offset: int
    limit: int
    direct: bool = True
    by_group: bool = False
    preset: bool | None = None
    name_contains: str = ""


@dataclass(frozen=True, slots=True)
class PageBearers(Command[Page[BearerView]]):
    """The newest first. POLICY_MISSING."""

    policy: PolicyRef
    offset: int
    limit: int
    kinds: frozenset[Bearer] = frozenset(Bearer)
