"""Addresses of the section, and what its modules share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from rolecall.console.actions import ActionName, ActionRefused
from rolecall.console.paths import PREFIX
from rolecall.console.visits import Visit

SECTION = "people"
HOME = f"{PREFIX}/people"
USERS = HOME
USER = f"{HOME}/users/{{user}}"
GROUPS = f"{HOME}/groups"
GROUP = f"{GROUPS}/{{group}}"
POLICIES = f"{HOME}/policies"
POLICY = f"{POLICIES}/{{policy}}"
ROLES = f"{HOME}/roles"
EXPLAIN = f"{HOME}/explain"

TABS = (
    ("sub_users", USERS),
    ("groups", GROUPS),
    ("policies", POLICIES),
    ("roles", ROLES),
    ("explain", EXPLAIN),
)

Answer: TypeAlias = Mapping[str, object]


def cam(action: str) -> ActionName:
    return ActionName("tencent", "cam", action)


def listed(answer: Answer | ActionRefused, name: str) -> Sequence[Mapping[str, object]]:
    """A list of an answer; empty where the call was refused."""
    found = () if isinstance(answer, ActionRefused) else answer[name]
    return [entry for entry in found if isinstance(entry, Mapping)] if isinstance(found, list) else ()


def number(text: str) -> int:
    """A number in an address; 0, which nothing has, for anything else."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 18 else 0


def says(key: str, *posted: str) -> Callable[[Visit], Sequence[str]]:
    """One sentence about what the address names, with fields of the form."""

    def effects(visit: Visit) -> Sequence[str]:
        facts = {**visit.path, **{name: visit.posted[name] or visit.query[name] for name in posted}}
        return [visit.text(key, **facts)]

    return effects
