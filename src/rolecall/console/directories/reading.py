"""What is in the directories, for a visitor who may read it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from rolecall.console.actions import ActionRefused, Actions
from rolecall.console.directories.addresses import ciam
from rolecall.console.visits import Visit
from rolecall.domain.directories import commands
from rolecall.domain.directories.model import UserGroup, UserStore
from rolecall.domain.directories.queries import UserKey
from rolecall.domain.directories.views import DirectoryEvent, UserPage, UserView
from rolecall.domain.messages import Page as Slice
from rolecall.domain.reasons import Reason

_ID = re.compile(r"[0-9a-f]{32}")
_KEY = re.compile(r"(-?[0-9]{1,17})-([0-9a-f]{32})")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class DirectoryReader:
    """Each method raises `ActionRefused`."""

    def __init__(self, actions: Actions) -> None:
        self._actions = actions

    async def stores(self, visit: Visit) -> Sequence[UserStore]:
        return await self._actions.look(visit, ciam("ListUserStore"), {}, commands.ListUserStores())

    async def store(self, visit: Visit) -> UserStore | None:
        """The store of the address; None if the visitor may not list its users, or if there is none."""
        store = visit.path["store"]
        if _ID.fullmatch(store) is None:
            return None
        try:
            found = await self._actions.look(
                visit, ciam("ListUser"), {"UserStoreId": store}, commands.ListUserStores()
            )
        except ActionRefused as refused:
            if refused.reason is Reason.NOT_PERMITTED:
                return None
            raise
        return next((each for each in found if each.id.hex == store), None)

    async def users(self, visit: Visit, limit: int) -> UserPage:
        """As the address asks: with a text, of a group, before or after a user."""
        store, query = visit.path["store"], visit.query
        text = query["search"].strip()
        group = UUID(query["group"]) if _ID.fullmatch(query["group"]) else None
        start, is_backward = key_of(query["before"] or query["after"]), bool(query["before"])
        command = commands.PageUsers(UUID(store), text, group, start, is_backward, limit)
        return await self._actions.look(visit, ciam("ListUser"), {"UserStoreId": store}, command)

    async def user(self, visit: Visit) -> UserView | None:
        """The user of the address."""
        store, user = visit.path["store"], visit.path["user"]
        if not (_ID.fullmatch(store) and _ID.fullmatch(user)):
            return None
        params = {"UserStoreId": store, "UserId": user}
        command = commands.ShowUser(UUID(store), UUID(user))
        return await self._actions.look(visit, ciam("DescribeUserById"), params, command)

    async def groups(self, visit: Visit, text: str, offset: int, limit: int) -> Slice[UserGroup]:
        store = visit.path["store"]
        command = commands.ListUserGroups(UUID(store), (text,) if text else (), None, offset, limit)
        return await self._actions.look(visit, ciam("ListUserGroups"), {"UserStoreId": store}, command)

    async def group(self, visit: Visit) -> UserGroup | None:
        """The group of the address."""
        store, group = visit.path["store"], visit.path["group"]
        if not (_ID.fullmatch(store) and _ID.fullmatch(group)):
            return None
        command = commands.ListUserGroups(UUID(store), (), (UUID(group),), 0, 1)
        found = await self._actions.look(visit, ciam("ListUserGroups"), {"UserStoreId": store}, command)
        return found.items[0] if found.items else None

    async def events(self, visit: Visit, command: commands.ListDirectoryEvents) -> Slice[DirectoryEvent]:
        params = {"UserStoreId": visit.path["store"]}
        return await self._actions.look(visit, ciam("ListLogMessageByCondition"), params, command)

    async def permitted(self, visit: Visit, names: Mapping[str, Mapping[str, object]]) -> dict[str, bool]:
        """By action, with the parameters that are known: whether the visitor may call it."""
        return {
            name: await self._actions.permits(visit, ciam(name), params) for name, params in names.items()
        }


def key_text(key: UserKey | None) -> str:
    """A key in an address: microseconds of the epoch, negative for imported users that are older, and the id."""
    return "" if key is None else f"{(key.created_at - _EPOCH) // timedelta(microseconds=1)}-{key.id.hex}"


def key_of(text: str) -> UserKey | None:
    """None for any other text."""
    found = _KEY.fullmatch(text)
    if found is None:
        return None
    try:
        return UserKey(_EPOCH + timedelta(microseconds=int(found[1])), UUID(found[2]))
    except OverflowError:  # before the year 1
        return None


def name_of(view: UserView) -> str:
    """What pages call a user: a user that was imported may have no name."""
    user = view.user
    return user.name or user.nickname or user.phone or user.email or user.id.hex
