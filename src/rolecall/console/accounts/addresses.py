"""Addresses of accounts and databases, and sentences about them.

An instance's id in the address of a change is that of the dialect whose action is called.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from urllib.parse import quote

from rolecall.console.paths import PREFIX
from rolecall.console.visits import Visit

SECTION = "instances"
INSTANCES = f"{PREFIX}/instances"
INSTANCE = f"{INSTANCES}/{{instance}}"


def instance_address(instance: str) -> str:
    return f"{INSTANCES}/{quote(instance, safe='')}"


def account_address(instance: str, name: str, host: str = "") -> str:
    """The page of an account. On the MySQL family an account is a name at a host."""
    if host:
        return f"{instance_address(instance)}/users/{quote(f'{name}@{host}', safe='')}"
    return f"{instance_address(instance)}/accounts/{quote(name, safe='')}"


def user_of(visit: Visit) -> tuple[str, str]:
    """The name and the host in the address."""
    name, _, host = visit.path["account"].rpartition("@")
    return name, host


def instance_page(visit: Visit) -> str:
    return instance_address(visit.path["instance"])


def databases_page(visit: Visit) -> str:
    return f"{instance_page(visit)}/databases"


def says(key: str, *posted: str) -> Callable[[Visit], Sequence[str]]:
    """One sentence about the account or the database in the address, with fields of the form."""

    def effects(visit: Visit) -> Sequence[str]:
        return [visit.text(key, **{**visit.path, **{name: visit.posted[name] for name in posted}})]

    return effects
