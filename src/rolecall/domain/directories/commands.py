"""Commands on user stores, their users and groups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from rolecall.domain.directories.model import CustomAttribute, UserGroup, UserStatus, UserStore
from rolecall.domain.directories.queries import Condition, Order, UserKey
from rolecall.domain.directories.views import DirectoryEvent, UserPage, UserView
from rolecall.domain.messages import Command, Page
from rolecall.values import Secret


@dataclass(frozen=True, slots=True)
class Attributes:
    """Attributes of a new or changed user. None: not given, so an existing user keeps it."""

    name: str | None = None
    phone: str | None = None
    email: str | None = None
    nickname: str | None = None
    address: str | None = None
    birthdate: int | None = None
    custom: tuple[CustomAttribute, ...] | None = None
    indexed: tuple[str | None, ...] = (None,) * 5
    groups: tuple[UUID, ...] | None = None


@dataclass(frozen=True, slots=True)
class CreateUser(Command[UserView]):
    """`dry` refuses with DRY_RUN what would succeed."""

    store: UUID
    attributes: Attributes
    password: Secret
    dry: bool = False


@dataclass(frozen=True, slots=True)
class ChangeUser(Command[UserView]):
    store: UUID
    user: UUID
    attributes: Attributes
    dry: bool = False


@dataclass(frozen=True, slots=True)
class ShowUser(Command[UserView | None]):
    """The outcome is None if there is no such user; a `user` of None never exists."""

    store: UUID
    user: UUID | None


@dataclass(frozen=True, slots=True)
class FindUsers(Command[Page[UserView]]):
    """The newest come first unless an order is given."""

    store: UUID
    conditions: tuple[Condition, ...]
    order: Order | None
    offset: int
    limit: int


@dataclass(frozen=True, slots=True)
class PageUsers(Command[UserPage]):
    """A part of a store that may be large: users older than `start`, or newer if `is_backward`.

    With `text`, those whose name, phone number or mail address has it in it, in any case; with `group`, its members.
    """

    store: UUID
    text: str
    group: UUID | None
    start: UserKey | None
    is_backward: bool
    limit: int


@dataclass(frozen=True, slots=True)
class SetUserStatus(Command[None]):
    store: UUID
    user: UUID
    status: UserStatus
    dry: bool = False


@dataclass(frozen=True, slots=True)
class SetUserPassword(Command[None]):
    store: UUID
    user: UUID
    password: Secret
    dry: bool = False


@dataclass(frozen=True, slots=True)
class ResetUserPassword(Command[Secret]):
    """The outcome is the new password, which cannot be shown again."""

    store: UUID
    user: UUID
    dry: bool = False


@dataclass(frozen=True, slots=True)
class DeleteUsers(Command[None]):
    """Users that do not exist are skipped."""

    store: UUID
    users: tuple[UUID, ...]
    dry: bool = False


@dataclass(frozen=True, slots=True)
class LinkUsers(Command[None]):
    """The secondary user becomes an alias of the primary one. `on` is ``phone`` or ``email``."""

    store: UUID
    primary: UUID
    secondary: UUID
    on: str
    dry: bool = False


@dataclass(frozen=True, slots=True)
class CreateUserStore(Command[UserStore]):
    name: str
    description: str
    logo: str
    dry: bool = False


@dataclass(frozen=True, slots=True)
class ListUserStores(Command[Sequence[UserStore]]):
    """The owner's stores, the oldest first."""


@dataclass(frozen=True, slots=True)
class ChangeUserStore(Command[None]):
    """None keeps the present value."""

    store: UUID
    name: str | None
    description: str | None
    logo: str | None
    dry: bool = False


@dataclass(frozen=True, slots=True)
class DeleteUserStore(Command[None]):
    """With its users and groups."""

    store: UUID
    dry: bool = False


@dataclass(frozen=True, slots=True)
class CreateUserGroup(Command[UserGroup]):
    store: UUID
    name: str
    description: str
    dry: bool = False


@dataclass(frozen=True, slots=True)
class ListUserGroups(Command[Page[UserGroup]]):
    """The oldest first. `ids` None: any; `texts`: a part of the name, or the whole id.

    `negated`: the groups that the conditions do not match.
    """

    store: UUID
    texts: tuple[str, ...]
    ids: tuple[UUID, ...] | None
    offset: int
    limit: int
    negated: bool = False


@dataclass(frozen=True, slots=True)
class ChangeUserGroup(Command[None]):
    """`description` None keeps it."""

    store: UUID
    group: UUID
    name: str
    description: str | None
    dry: bool = False


@dataclass(frozen=True, slots=True)
class DeleteUserGroups(Command[None]):
    """Groups that do not exist are skipped."""

    store: UUID
    groups: tuple[UUID, ...]
    dry: bool = False


@dataclass(frozen=True, slots=True)
class ListDirectoryEvents(Command[Page[DirectoryEvent]]):
    """The newest first. `kinds` empty: all."""

    store: UUID
    since: datetime
    kinds: tuple[str, ...]
    offset: int
    limit: int
