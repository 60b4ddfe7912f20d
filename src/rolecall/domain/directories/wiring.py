"""Composes user stores, users, groups and their events."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

from rolecall.domain.access.rates import RateCounter
from rolecall.domain.directories.access import StoreAccess
from rolecall.domain.directories.events import DirectoryEvents
from rolecall.domain.directories.groups import UserGroups
from rolecall.domain.directories.ports import DirectoryRepository, UserRepository
from rolecall.domain.directories.repeats import Repeats
from rolecall.domain.directories.stores import UserStores
from rolecall.domain.directories.uploads import ImportRepository, UploadRepository, UserUploads
from rolecall.domain.directories.users import Users
from rolecall.domain.messages import Handlers
from rolecall.domain.operations.audit import Audit
from rolecall.domain.secrets.passwords import Passwords
from rolecall.domain.secrets.sealing import Sealer
from rolecall.values import Secret


@dataclass(frozen=True, slots=True)
class DirectoryQuotas:
    """Stores of an owner, users and groups of a store; changes in a minute. 0: any number."""

    stores: int = 0
    users: int = 0
    groups: int = 0
    changes: int = 0


class Repositories(Protocol):
    @property
    def users(self) -> UserRepository: ...
    @property
    def directories(self) -> DirectoryRepository: ...
    @property
    def imports(self) -> ImportRepository: ...
    @property
    def import_uploads(self) -> UploadRepository: ...
    @property
    def audit(self) -> Audit: ...


@dataclass(frozen=True, slots=True)
class Directories:
    handlers: Handlers
    uploads: UserUploads


def build(
    repositories: Repositories,
    passwords: Passwords,
    sealer: Sealer,
    key: Secret,
    rates: RateCounter,
    quotas: DirectoryQuotas,
    profile: Collection[str],
) -> Directories:
    """`key` is of the digests of requests. `profile`: the keys of a user's profile."""
    directories = repositories.directories
    access = StoreAccess(directories, rates, quotas.changes)
    handlers = (
        *Users(repositories.users, access, passwords, Repeats(key), quotas.users).handlers,
        *UserStores(directories, access, quotas.stores).handlers,
        *UserGroups(directories, access, quotas.groups).handlers,
        *DirectoryEvents(directories, access).handlers,
    )
    uploads = UserUploads(
        repositories.import_uploads, repositories.imports, repositories.audit, passwords, sealer, profile
    )
    return Directories(handlers, uploads)
