"""The room of directories: its parts, put together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rolecall.domain.access.rates import RateCounter
from rolecall.domain.directories.access import StoreAccess
from rolecall.domain.directories.events import DirectoryEvents
from rolecall.domain.directories.groups import UserGroups
from rolecall.domain.directories.ports import DirectoryRepository, UserRepository
from rolecall.domain.directories.repeats import Repeats
from rolecall.domain.directories.stores import UserStores
from rolecall.domain.directories.users import Users
from rolecall.domain.messages import Handlers
from rolecall.domain.secrets.passwords import Passwords
from rolecall.values import Secret


@dataclass(frozen=True, slots=True)
class Bounds:
    """How many stores an owner may have, users and groups a store; changes in a minute. 0: any number."""

    stores: int = 0
    users: int = 0
    groups: int = 0
    pace: int = 0


class Directories:
    """`key` is a secret of the house, for digests of requests."""

    def __init__(
        self,
        users: UserRepository,
        repository: DirectoryRepository,
        passwords: Passwords,
        key: Callable[[], Secret],
        rates: RateCounter,
        bounds: Bounds,
    ) -> None:
        access = StoreAccess(repository, rates, bounds.pace)
        self.users = Users(users, access, passwords, Repeats(key), bounds.users)
        self.stores = UserStores(repository, access, bounds.stores)
        self.groups = UserGroups(repository, access, bounds.groups)
        self.events = DirectoryEvents(repository, access)
        self.handlers: Handlers = (
            *self.users.handlers,
            *self.stores.handlers,
            *self.groups.handlers,
            *self.events.handlers,
        )
