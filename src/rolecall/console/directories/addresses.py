"""Addresses of user stores and of what is in them, and the actions of Tencent's `ciam`."""

from __future__ import annotations

from urllib.parse import quote

from rolecall.console.actions import ActionName
from rolecall.console.paths import PREFIX
from rolecall.console.visits import Visit

SECTION = "directories"
HOME = f"{PREFIX}/directories"
STORE = f"{HOME}/{{store}}"
USER = f"{STORE}/users/{{user}}"
GROUP = f"{STORE}/groups/{{group}}"


def ciam(action: str) -> ActionName:
    return ActionName("tencent", "ciam", action, "2022-03-31")


def store_address(store: str) -> str:
    return f"{HOME}/{quote(store, safe='')}"


def home_page(_visit: Visit) -> str:
    return HOME


def store_page(visit: Visit) -> str:
    return store_address(visit.path["store"])


def groups_page(visit: Visit) -> str:
    return f"{store_page(visit)}/groups"


def user_page(visit: Visit) -> str:
    return f"{store_page(visit)}/users/{quote(visit.path['user'], safe='')}"
