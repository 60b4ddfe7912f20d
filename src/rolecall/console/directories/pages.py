"""User stores: the list; and of one store its users, its groups and its log."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from rolecall.console import pages
from rolecall.console.actions import ActionRefused
from rolecall.console.directories.addresses import HOME, SECTION, STORE, USER, store_address
from rolecall.console.directories.reading import DirectoryReader, key_text, name_of
from rolecall.console.visits import Page, Visit
from rolecall.domain.directories import commands
from rolecall.domain.directories.masking import masked_mail, masked_phone
from rolecall.domain.directories.model import User, UserStatus, UserStore
from rolecall.domain.directories.views import EVENT_KINDS, UserPage
from rolecall.values import Reply

Answering = Callable[[Visit], Awaitable[Reply]]

_SHOWN = 50
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
_TABS = (("users", ""), ("groups", "/groups"), ("log", "/log"))
_OWNERS_TABS = (("applications", "/applications"), ("import", "/import"))

_USER_CHANGES = {
    "edit": "UpdateUser",
    "freeze": "UpdateUserStatus",
    "unfreeze": "UpdateUserStatus",
    "reset": "ResetPassword",
    "password": "SetPassword",
    "delete": "DeleteUsers",
}
"""By the end of its address: the action of each change of a user."""


class DirectoryPages:
    def __init__(self, reader: DirectoryReader) -> None:
        self._reader = reader
        self.pages = (
            Page(HOME, self._list),
            Page(STORE, explained(self._users)),
            Page(f"{STORE}/groups", explained(self._groups)),
            Page(f"{STORE}/log", explained(self._log)),
            Page(USER, explained(self._user)),
            Page(f"{USER}/groups", explained(self._joining)),
        )

    async def _list(self, visit: Visit) -> Reply:
        stores: Sequence[UserStore] = ()
        refused = None
        try:
            stores = await self._reader.stores(visit)
        except ActionRefused as error:
            refused = error
        may = await self._reader.permitted(visit, {"CreateUserStore": {}})
        offset = pages.offset(visit)
        return pages.page(
            visit,
            "directories.html",
            section=SECTION,
            stores=stores[offset : offset + _SHOWN],
            refused=refused,
            may_create=may["CreateUserStore"] and refused is None,
            address_of=store_address,
            pager=pages.Pager(visit, offset, _SHOWN, len(stores)),
        )

    async def _users(self, visit: Visit) -> Reply:
        store = await self._reader.store(visit)
        if store is None:
            return pages.error(visit.request, 404, "not_found")
        found = await self._reader.users(visit, _SHOWN)
        on_store, of_pool = {"UserStoreId": store.id.hex}, {"UserPoolId": store.id.hex}
        may = await self._reader.permitted(
            visit, {"CreateUser": on_store, "UpdateUserStore": of_pool, "DeleteUserStore": of_pool}
        )
        return in_store(
            visit,
            store,
            "users",
            "directory_users.html",
            users=[*found.exact, *found.items],
            is_cut=found.is_cut,
            may=may,
            pager=_user_pager(visit, found),
            name_of=name_of,
            state_of=state_of,
            masked_phone=masked_phone,
            masked_mail=masked_mail,
        )

    async def _user(self, visit: Visit) -> Reply:
        store = await self._reader.store(visit)
        view = None if store is None else await self._reader.user(visit)
        if store is None or view is None:
            return pages.error(visit.request, 404, "not_found")
        ids = {"UserStoreId": store.id.hex, "UserId": view.user.id.hex}
        state = state_of(view.user)
        may = await self._reader.permitted(visit, dict.fromkeys(_USER_CHANGES.values(), ids))
        at = f"{store_address(store.id.hex)}/users/{view.user.id.hex}"
        offers = [
            (f"dir_user_{word}", f"{at}/{word}", word in ("freeze", "delete"))
            for word, action in _USER_CHANGES.items()
            if may[action] and _applies(word, state)
        ]
        return in_store(
            visit,
            store,
            "users",
            "directory_user.html",
            view=view,
            name=name_of(view),
            state=state,
            offers=offers,
            user_at=at,
            groups=list(zip(view.user.groups, view.group_names, strict=True)),
            may_group=may["UpdateUser"],
            born=_day(view.user.birthdate),
        )

    async def _joining(self, visit: Visit) -> Reply:
        """Groups that the user may be added to."""
        store = await self._reader.store(visit)
        view = None if store is None else await self._reader.user(visit)
        if store is None or view is None:
            return pages.error(visit.request, 404, "not_found")
        offset = pages.offset(visit)
        found = await self._reader.groups(visit, visit.query["search"].strip(), offset, _SHOWN)
        return in_store(
            visit,
            store,
            "users",
            "directory_joining.html",
            name=name_of(view),
            groups=found.items,
            present=set(view.user.groups),
            user_at=f"{store_address(store.id.hex)}/users/{view.user.id.hex}",
            pager=pages.Pager(visit, offset, _SHOWN, found.total),
        )

    async def _groups(self, visit: Visit) -> Reply:
        store = await self._reader.store(visit)
        if store is None:
            return pages.error(visit.request, 404, "not_found")
        offset = pages.offset(visit)
        found = await self._reader.groups(visit, visit.query["search"].strip(), offset, _SHOWN)
        on_store = {"UserStoreId": store.id.hex}
        may = await self._reader.permitted(
            visit, {"CreateUserGroup": on_store, "UpdateUserGroup": on_store, "DeleteUserGroups": on_store}
        )
        return in_store(
            visit,
            store,
            "groups",
            "directory_groups.html",
            groups=found.items,
            may=may,
            pager=pages.Pager(visit, offset, _SHOWN, found.total),
        )

    async def _log(self, visit: Visit) -> Reply:
        store = await self._reader.store(visit)
        if store is None:
            return pages.error(visit.request, 404, "not_found")
        offset, kind = pages.offset(visit), visit.query["kind"]
        kinds = (kind,) if kind in EVENT_KINDS else ()
        since = _since(visit.query["since"])
        command = commands.ListDirectoryEvents(UUID(store.id.hex), since or _BEGINNING, kinds, offset, _SHOWN)
        found = await self._reader.events(visit, command)
        return in_store(
            visit,
            store,
            "log",
            "directory_log.html",
            events=found.items,
            kinds=EVENT_KINDS,
            wrong=bool(visit.query["since"]) and since is None,
            pager=pages.Pager(visit, offset, _SHOWN, found.total),
        )


def explained(show: Answering) -> Answering:
    """The page, or why the visitor may not see it."""

    async def shown(visit: Visit) -> Reply:
        try:
            return await show(visit)
        except ActionRefused as refused:
            message = refused.message or refused.code
            return pages.page(visit, "error.html", section=SECTION, status=403, message=message)

    return shown


def in_store(visit: Visit, store: UserStore, tab: str, template: str, **values: Any) -> Reply:
    """A page of one store."""
    at = store_address(store.id.hex)
    owners = _OWNERS_TABS if visit.visitor.caller.is_owner else ()
    tabs = [(f"dir_{name}", f"{at}{path}", name == tab) for name, path in (*_TABS, *owners)]
    return pages.page(
        visit,
        template,
        section=SECTION,
        store=store,
        store_at=at,
        tabs=tabs,
        query=visit.query,
        **values,
    )


def _user_pager(visit: Visit, found: UserPage) -> pages.KeyPager:
    first, last = key_text(found.first), key_text(found.last)
    return pages.KeyPager(visit, first, last, len(found.items), found.total, found.has_more)


def state_of(user: User) -> str:
    """``normal``, ``locked`` or ``frozen``; a lock by failures counts until it has passed."""
    if user.status is not UserStatus.NORMAL:
        return user.status.value
    locked = user.locked_until is not None and user.locked_until > datetime.now(UTC)
    return "locked" if locked else "normal"


def _applies(word: str, state: str) -> bool:
    """Whether a change means anything in a user's present state."""
    if word in ("reset", "password"):
        return state != "frozen"
    return {"freeze": state != "frozen", "unfreeze": state != "normal"}.get(word, True)


def _day(milliseconds: int | None) -> str:
    try:
        return "" if milliseconds is None else f"{datetime.fromtimestamp(milliseconds / 1000, UTC):%Y-%m-%d}"
    except (OverflowError, ValueError, OSError):
        return str(milliseconds)


def _since(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC) if text else None
    except ValueError:
        return None
