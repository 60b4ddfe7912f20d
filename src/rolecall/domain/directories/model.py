"""Users of directories as they are kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from rolecall.domain.operations.records import Record


class UserStatus(StrEnum):
    NORMAL = "normal"
    LOCKED = "locked"
    FROZEN = "frozen"


@dataclass(frozen=True, slots=True)
class UserStore:
    """`colour` is that of its sign-in pages, ``#rrggbb``; None: the pages' own."""

    id: UUID
    owner_id: int
    name: str
    description: str
    logo: str
    is_default: bool
    created_at: datetime
    changed_at: datetime
    users: int = 0
    applications: int = 0
    colour: str | None = None


@dataclass(frozen=True, slots=True)
class CustomAttribute:
    name: str
    value: str
    type: str = "STRING"


VERIFIED_EMAIL = "verifiedEmail"
"""The key of a profile that holds the mail address that was verified. It says nothing about another address."""

EMAIL_VERIFIED = "email_verified"
"""The custom attribute by which an owner marks a user's address, whichever it is, as verified (``true``)."""


@dataclass(frozen=True, slots=True)
class User:
    """`indexed` are the five indexed attributes in order; `profile` what is seldom given (see the contract)."""

    id: UUID
    store_id: UUID
    name: str | None
    phone: str | None
    email: str | None
    password_hash: str | None = field(repr=False)
    must_reset: bool
    status: UserStatus
    source: str
    nickname: str | None
    address: str | None
    birthdate: int | None
    custom: tuple[CustomAttribute, ...]
    indexed: tuple[str | None, ...]
    profile: Mapping[str, object]
    is_primary: bool
    groups: tuple[UUID, ...]
    last_sign_in_at: datetime | None
    signed_in_before: bool
    failed_sign_ins: int
    locked_until: datetime | None
    locked_at: datetime | None
    version: int
    created_at: datetime
    modified_at: datetime

    @property
    def email_verified(self) -> bool:
        """Whether the address was marked as verified, at import or by the owner."""
        if self.email is None:
            return False
        marked = any(each.name == EMAIL_VERIFIED and each.value.lower() == "true" for each in self.custom)
        return marked or self.profile.get(VERIFIED_EMAIL) == self.email


@dataclass(frozen=True, slots=True)
class UserGroup:
    id: UUID
    store_id: UUID
    name: str
    description: str
    created_at: datetime
    modified_at: datetime


class UserSignInRepository(Protocol):
    """What sign-in asks of the directories' repository."""

    async def store(self, store_id: UUID) -> UserStore | None:
        """None also where the owner's user stores are not active."""

    async def user(self, store_id: UUID, user_id: UUID) -> User | None: ...

    async def user_by_login(self, store_id: UUID, login: str) -> User | None:
        """By name, else phone, else mail, each exactly as kept."""

    async def groups_of(self, user_id: UUID) -> Sequence[UserGroup]: ...

    async def signed_in(
        self, user_id: UUID, at: datetime, proven_hash: str | None, renewed_hash: str | None, client: str
    ) -> bool:
        """Failures are forgotten, the time is kept; an event is written. False if the user may not sign in any more.

        The hash is replaced, if a new one is given, where it still is the one that the password was compared with.
        """

    async def sign_in_failed(self, user_id: UUID, at: datetime, most: int, seconds: int) -> None:
        """Count it; from `most` failures on, the user is locked for `seconds`. A lock is not made longer."""

    async def set_password(self, user_id: UUID, proven_hash: str, password_hash: str, record: Record) -> bool:
        """The user's own choice, with an event. False if the user may not, or has another password by now."""
