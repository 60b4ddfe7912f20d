"""Changes of user stores, users and groups, by Tencent's `ciam`. The facts of what is changed are read first."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from urllib.parse import urlencode

from rolecall.console import pages
from rolecall.console.actions import ActionRefused, Actions
from rolecall.console.changes import Change, ChangePages, Input, Params, Secrets, Shown
from rolecall.console.directories.addresses import (
    GROUP,
    HOME,
    SECTION,
    STORE,
    USER,
    ciam,
    groups_page,
    home_page,
    store_page,
    user_page,
)
from rolecall.console.directories.reading import DirectoryReader, name_of
from rolecall.console.visits import Page, Visit
from rolecall.values import Reply
from rolecall.web import forms

_Answer = Callable[[Visit], Awaitable[Reply]]
_USER_TEXTS = ("name", "phone", "email", "nickname", "address")


class DirectoryChanges:
    """The pages of `CHANGES`. What is there already is added to the variables of the address, by the names of
    `_facts`, and fills the first form."""

    def __init__(self, actions: Actions, reader: DirectoryReader) -> None:
        self._reader = reader
        self.pages = [self._informed(page) for page in ChangePages(actions, CHANGES).pages]

    def _informed(self, page: Page) -> Page:
        def informed(answer: _Answer | None) -> _Answer | None:
            if answer is None:
                return None

            async def answered(visit: Visit) -> Reply:
                facts = await self._facts(visit)
                if facts is None:
                    return pages.error(visit.request, 404, "not_found")
                old = {name[4:]: text for name, text in facts.items() if name.startswith("old_")}
                filled = forms.fields(urlencode(old)) if page.pattern.endswith("/edit") else visit.query
                return await answer(replace(visit, path={**facts, **visit.path}, query=filled))

            return answered

        return Page(page.pattern, informed(page.show), informed(page.submit))

    async def _facts(self, visit: Visit) -> Mapping[str, str] | None:
        """`store_name`, `user_name`, `group_name`, `memberships`, and ``old_...``, what an input has now. None if
        there is nothing at the address; a visitor who may not read it sees ids."""
        facts = {name: visit.path[key] for key, name in _NAMES.items() if key in visit.path}
        facts["memberships"] = ""
        try:
            if "user" in visit.path:
                view = await self._reader.user(visit)
                if view is None:
                    return None
                facts |= {"user_name": name_of(view)}
                facts["memberships"] = ",".join(group.hex for group in view.user.groups)
                facts |= {f"old_{name}": getattr(view.user, name) or "" for name in _USER_TEXTS}
            if "group" in visit.path:
                group = await self._reader.group(visit)
                if group is None:
                    return None
                facts |= {"group_name": group.name}
                if "user" not in visit.path:
                    facts |= {"old_name": group.name, "old_description": group.description}
            if set(visit.path) == {"store"}:
                store = await self._reader.store(visit)
                if store is not None:
                    facts |= {"store_name": store.name}
                    if visit.request.path.endswith("/edit"):
                        facts |= {"old_name": store.name, "old_description": store.description}
        except ActionRefused:
            pass
        return facts


_NAMES = {"store": "store_name", "user": "user_name", "group": "group_name"}


def _says(*keys: str) -> Callable[[Visit], Sequence[str]]:
    """Sentences about what is at the address, with what was typed."""

    def effects(visit: Visit) -> Sequence[str]:
        typed = dict(visit.posted)
        return [visit.text(key, **{**visit.path, "typed": typed.get("name", "")}) for key in keys]

    return effects


def _new_store(visit: Visit, _secrets: Secrets) -> Params:
    return {"UserPoolName": visit.posted["name"] or None, "UserPoolDesc": visit.posted["description"] or None}


def _store_edited(visit: Visit, _secrets: Secrets) -> Params:
    posted = visit.posted
    return {
        "UserPoolId": visit.path["store"],
        "UserPoolName": posted["name"] or None,
        "UserPoolDesc": _changed(visit, "description"),
    }


def _pool(visit: Visit, _secrets: Secrets) -> Params:
    return {"UserPoolId": visit.path["store"]}


def _new_user(visit: Visit, secrets: Secrets) -> Params:
    posted = visit.posted
    return {
        "UserStoreId": visit.path["store"],
        "UserName": posted["name"] or None,
        "PhoneNumber": posted["phone"] or None,
        "Email": posted["email"] or None,
        "Nickname": posted["nickname"] or None,
        "Password": secrets.get("password"),
    }


def _of_user(visit: Visit, _secrets: Secrets) -> Params:
    return {"UserStoreId": visit.path["store"], "UserId": visit.path["user"]}


def _user_edited(visit: Visit, secrets: Secrets) -> Params:
    typed = {
        "UserName": visit.posted["name"] or None,
        "PhoneNumber": visit.posted["phone"] or None,
        "Email": visit.posted["email"] or None,
        "Nickname": _changed(visit, "nickname"),
        "Address": _changed(visit, "address"),
    }
    return {**_of_user(visit, secrets), **typed}


def _changed(visit: Visit, name: str) -> str | None:
    """What was typed, also nothing; None if it is what is there."""
    typed = visit.posted[name]
    return None if typed == visit.path.get(f"old_{name}", "") else typed


def _status(word: str) -> Callable[[Visit, Secrets], Params]:
    return lambda visit, secrets: {**_of_user(visit, secrets), "Status": word}


def _password(visit: Visit, secrets: Secrets) -> Params:
    return {**_of_user(visit, secrets), "Password": secrets.get("password")}


def _deleted(visit: Visit, _secrets: Secrets) -> Params:
    return {"UserStoreId": visit.path["store"], "UserIds": [visit.path["user"]]}


def _joined(visit: Visit, secrets: Secrets) -> Params:
    return {**_of_user(visit, secrets), "UserGroup": [*_others(visit), visit.path["group"]]}


def _left(visit: Visit, secrets: Secrets) -> Params:
    return {**_of_user(visit, secrets), "UserGroup": _others(visit)}


def _others(visit: Visit) -> list[str]:
    """The user's groups but that of the address."""
    there = visit.path.get("memberships", "").split(",")
    return [group for group in there if group and group != visit.path["group"]]


def _new_group(visit: Visit, _secrets: Secrets) -> Params:
    return {
        "UserStoreId": visit.path["store"],
        "DisplayName": visit.posted["name"] or None,
        "Description": visit.posted["description"] or None,
    }


def _group_edited(visit: Visit, _secrets: Secrets) -> Params:
    return {
        "UserStoreId": visit.path["store"],
        "UserGroupId": visit.path["group"],
        "DisplayName": visit.posted["name"] or None,
        "Description": _changed(visit, "description"),
    }


def _group_deleted(visit: Visit, _secrets: Secrets) -> Params:
    return {"UserStoreId": visit.path["store"], "UserGroupIds": [visit.path["group"]]}


def _shown_password(_visit: Visit, answer: Mapping[str, object]) -> Sequence[Shown]:
    return (Shown("dir_new_password", str(answer["Password"])),)


def _change(
    pattern: str,
    title: str,
    action: str,
    params: Callable[[Visit, Secrets], Params],
    back: Callable[[Visit], str],
    inputs: Sequence[Input] = (),
    secrets: Sequence[Input] = (),
    *,
    danger: bool = False,
    result: Callable[[Visit, Mapping[str, object]], Sequence[Shown]] | None = None,
) -> Change:
    return Change(
        pattern,
        SECTION,
        title,
        ciam(action),
        params,
        _says(f"{title}_effect"),
        back,
        lambda _: inputs,
        secrets,
        danger,
        result=result,
    )


def _named(name: str, description: str) -> tuple[Input, Input]:
    return (
        Input("name", "name", param=name, required=True),
        Input("description", "dir_description", param=description),
    )


_NEW_USER = (
    Input("name", "dir_user_name", param="UserName", required=True),
    Input("phone", "dir_phone", param="PhoneNumber", required=True),
    Input("email", "dir_email", param="Email", required=True),
    Input("nickname", "dir_nickname", param="Nickname"),
)
_USER = (
    Input("name", "dir_user_name", param="UserName"),
    Input("phone", "dir_phone", param="PhoneNumber"),
    Input("email", "dir_email", param="Email"),
    Input("nickname", "dir_nickname", param="Nickname"),
    Input("address", "dir_address", param="Address"),
)
_SECRET = (Input("password", "dir_password", "secret", "Password", required=True),)
_POOL = _named("UserPoolName", "UserPoolDesc")
_GROUP = _named("DisplayName", "Description")

CHANGES = (
    _change(f"{HOME}/new", "dir_store_new", "CreateUserStore", _new_store, home_page, _POOL),
    _change(f"{STORE}/edit", "dir_store_edit", "UpdateUserStore", _store_edited, store_page, _POOL),
    _change(f"{STORE}/delete", "dir_store_delete", "DeleteUserStore", _pool, home_page, danger=True),
    _change(f"{STORE}/users/new", "dir_user_new", "CreateUser", _new_user, store_page, _NEW_USER, _SECRET),
    _change(f"{USER}/edit", "dir_user_edit", "UpdateUser", _user_edited, user_page, _USER),
    _change(
        f"{USER}/freeze", "dir_user_freeze", "UpdateUserStatus", _status("FREEZE"), user_page, danger=True
    ),
    _change(f"{USER}/unfreeze", "dir_user_unfreeze", "UpdateUserStatus", _status("NORMAL"), user_page),
    _change(f"{USER}/reset", "dir_user_reset", "ResetPassword", _of_user, user_page, result=_shown_password),
    _change(f"{USER}/password", "dir_user_password", "SetPassword", _password, user_page, secrets=_SECRET),
    _change(f"{USER}/delete", "dir_user_delete", "DeleteUsers", _deleted, store_page, danger=True),
    _change(f"{USER}/groups/{{group}}/join", "dir_user_join", "UpdateUser", _joined, user_page),
    _change(f"{USER}/groups/{{group}}/leave", "dir_user_leave", "UpdateUser", _left, user_page),
    _change(f"{STORE}/groups/new", "dir_group_new", "CreateUserGroup", _new_group, groups_page, _GROUP),
    _change(f"{GROUP}/edit", "dir_group_edit", "UpdateUserGroup", _group_edited, groups_page, _GROUP),
    _change(
        f"{GROUP}/delete", "dir_group_delete", "DeleteUserGroups", _group_deleted, groups_page, danger=True
    ),
)
