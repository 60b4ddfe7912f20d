"""Views of users and of their events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from rolecall.domain.directories.model import User
from rolecall.domain.directories.queries import UserKey


@dataclass(frozen=True, slots=True)
class UserView:
    """A user, with the names of its groups in their order."""

    user: User
    group_names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class UserPage:
    """Users, the newest first. `first` and `last` are where the pages beside this one begin.

    `total` is None for a search, which counts nothing. `has_more`: in the direction that was read there are more, or,
    if `is_cut`, there may be: the search ended before the store did. `exact` are the first page's own: users that the
    text names exactly, whenever they were created.
    """

    items: tuple[UserView, ...]
    first: UserKey | None
    last: UserKey | None
    has_more: bool
    is_cut: bool
    total: int | None
    exact: tuple[UserView, ...] = ()


@dataclass(frozen=True, slots=True)
class DirectoryEvent:
    """`kind` is one of `EVENT_KINDS`. `client` is the address of the caller, `principal` its number; 0: the user."""

    id: UUID
    store_id: UUID
    kind: str
    user_id: UUID | None
    user_name: str
    at: datetime
    client: str
    principal: int = 0


USER_CREATED = "user.create"
USER_CHANGED = "user.update"
USER_DELETED = "user.delete"
USERS_LINKED = "user.link"
USER_SIGNED_UP = "user.sign-up"
USER_SIGNED_IN = "user.sign-in"

EVENT_KINDS = (
    USER_CREATED, USER_CHANGED, USER_DELETED, USERS_LINKED, USER_SIGNED_UP, USER_SIGNED_IN,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether an owner has directories, and who owns a store; `holder` None: there is no such store."""

    active: bool
    holder: int | None


@dataclass(frozen=True, slots=True)
class Look:
    """What prevents a new user. `groups` are the names of its groups that exist."""

    standing: Standing
    groups: Mapping[UUID, str]
    name_taken: bool
    phone_taken: bool
    email_taken: bool
    users: int
