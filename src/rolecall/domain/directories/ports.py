"""Where user stores, users, groups and events are kept.

`owner_id` always says for whom it is asked: what belongs to another, or to an owner without directories, is as if it
were not there, and `standing` tells why.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from rolecall.domain.directories.commands import FindUsers, ListDirectoryEvents, ListUserGroups, PageUsers
from rolecall.domain.directories.model import User, UserGroup, UserStatus, UserStore
from rolecall.domain.directories.views import DirectoryEvent, Look, Standing, UserPage, UserView
from rolecall.domain.messages import Page
from rolecall.domain.operations.records import Record
from rolecall.values import Caller


class StandingRepository(Protocol):
    async def standing(self, owner_id: int, store_id: UUID | None) -> Standing: ...


class UserRepository(StandingRepository, Protocol):
    async def look(self, owner_id: int, user: User) -> Look:
        """What prevents making this user."""

    async def add(
        self, owner_id: int, user: User, quota: int, digest: str, record: Record
    ) -> UserView | None:
        """The user as it is kept, in its groups; None if something prevents it.

        `quota` is how many users the store may have, 0 any number. `digest` is kept with the event.
        """

    async def made_lately(self, user: User, digest: str, seconds: int) -> bool:
        """Whether a user of that name was made by a request with that digest in the last seconds."""

    async def shown(self, owner_id: int, store_id: UUID, user_id: UUID) -> UserView | None: ...

    async def find(self, caller: Caller, wanted: FindUsers) -> Page[UserView] | None:
        """None if the store is not the owner's."""

    async def page(self, caller: Caller, wanted: PageUsers) -> UserPage | None:
        """None if the store is not the owner's."""

    async def change(self, owner_id: int, before: User, after: User, record: Record) -> UserView | None:
        """None if it was changed meanwhile. USER_NAME_TAKEN, USER_PHONE_TAKEN, USER_EMAIL_TAKEN, USER_GROUP_MISSING."""

    async def set_status(
        self, owner_id: int, store_id: UUID, user_id: UUID, status: UserStatus, record: Record
    ) -> bool:
        """False if there is no such user."""

    async def replace_password(
        self, owner_id: int, store_id: UUID, user_id: UUID, password_hash: str, record: Record
    ) -> bool:
        """False if there is no such user, or if it is frozen."""

    async def delete(self, owner_id: int, store_id: UUID, users: Sequence[UUID], record: Record) -> int:
        """How many of them were there."""

    async def link(
        self, owner_id: int, store_id: UUID, primary: UUID, secondary: UUID, on: str, record: Record
    ) -> bool:
        """False if one of them is not there, or is linked already."""


class DirectoryRepository(StandingRepository, Protocol):
    async def stores(self, owner_id: int) -> Sequence[UserStore]: ...

    async def add_store(self, store: UserStore, record: Record) -> UserStore:
        """STORE_TAKEN."""

    async def change_store(
        self,
        owner_id: int,
        store_id: UUID,
        name: str | None,
        description: str | None,
        logo: str | None,
        record: Record,
    ) -> bool:
        """False if there is no such store. STORE_TAKEN."""

    async def delete_store(self, owner_id: int, store_id: UUID, record: Record) -> bool:
        """False if there is no such store."""

    async def groups(self, caller: Caller, wanted: ListUserGroups) -> Page[UserGroup] | None:
        """None if the store is not the owner's."""

    async def add_group(
        self, owner_id: int, group: UserGroup, quota: int, record: Record
    ) -> UserGroup | None:
        """None if the store is not the owner's, or has as many as `quota`, 0 being any number. USER_GROUP_TAKEN."""

    async def change_group(
        self,
        owner_id: int,
        store_id: UUID,
        group_id: UUID,
        name: str,
        description: str | None,
        record: Record,
    ) -> bool:
        """False if there is no such group. USER_GROUP_TAKEN."""

    async def delete_groups(
        self, owner_id: int, store_id: UUID, groups: Sequence[UUID], record: Record
    ) -> int:
        """How many of them were there."""

    async def group_count(self, store_id: UUID) -> int: ...

    async def events(self, caller: Caller, wanted: ListDirectoryEvents) -> Page[DirectoryEvent] | None:
        """None if the store is not the owner's."""
