"""Instances: the list, and one instance with its accounts."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from rolecall.console import pages
from rolecall.console.accounts.addresses import account_address, instance_address
from rolecall.console.actions import ActionName, ActionRefused, Actions
from rolecall.console.paths import PREFIX
from rolecall.console.visits import Page, Visit
from rolecall.domain.accounts.commands import PageAccounts
from rolecall.domain.accounts.views import AccountViews
from rolecall.domain.engine import EngineFacts
from rolecall.domain.engine.pages import AccountSlice, display_name
from rolecall.domain.instances.registry import Instance
from rolecall.domain.messages import InstanceName
from rolecall.server_kinds import DIALECTS, face_of, first_face
from rolecall.values import Caller, Reply

SECTION = "instances"
HOME = f"{PREFIX}/instances"
_SHOWN = 50
"""Accounts of one page."""

SHOWING = {
    "tencent": (ActionName("tencent", "postgres", "DescribeDBInstanceAttribute"), "DBInstanceId"),
    "aliyun": (ActionName("aliyun", "petadata", "DescribeInstanceInfo"), "InstanceId"),
    "openstack": (ActionName("openstack", "database", "ShowInstance"), "instance_id"),
}
"""By dialect: the action that shows an instance, and its parameter for the id."""

LISTING = {
    "tencent": (ActionName("tencent", "postgres", "DescribeAccounts"), "DBInstanceId"),
    "aliyun": (ActionName("aliyun", "petadata", "DescribeAccounts"), "InstanceId"),
    "openstack": (ActionName("openstack", "database", "ListUsers"), "instance_id"),
}
"""By dialect: the action that lists an instance's accounts, and its parameter for the id."""


CREATING = {
    "tencent": (ActionName("tencent", "postgres", "CreateAccount"), "DBInstanceId", "new-account"),
    "openstack": (ActionName("openstack", "database", "CreateUsers"), "instance_id", "new-user"),
}
"""By dialect: the action that creates an account, its parameter for the id, and where its page is."""


class InstanceList(Protocol):
    """`rolecall.domain.instances.registry.InstanceResolver`."""

    async def all(self, caller: Caller) -> Sequence[Instance]: ...


class ServerStates(Protocol):
    """`rolecall.domain.instances.service.Servers`."""

    async def state_of(self, instance: Instance) -> tuple[str, EngineFacts | None]: ...


@dataclass(frozen=True, slots=True)
class Seen:
    """An instance with the present state of its server."""

    instance: Instance
    state: str
    facts: EngineFacts | None

    @property
    def public_id(self) -> str:
        """The instance's name in addresses of the console."""
        return face_of(self.instance)


class VisibleInstances:
    """The instances that a visitor may see."""

    def __init__(self, actions: Actions, instances: InstanceList, states: ServerStates) -> None:
        self._actions = actions
        self._instances = instances
        self._states = states

    async def all(self, visit: Visit) -> list[Seen]:
        """With their states, asked at the same time."""
        return list(
            await asyncio.gather(*(self._seen(instance) for instance in await self.registered(visit)))
        )

    async def registered(self, visit: Visit) -> list[Instance]:
        """Without asking their servers."""
        return [
            instance
            for instance in await self._instances.all(visit.visitor.caller)
            if await self.may_see(visit, instance)
        ]

    async def find(self, visit: Visit, name: str) -> Seen | None:
        """By any of its public ids."""
        for instance in await self._instances.all(visit.visitor.caller):
            if name in instance.faces.values() and await self.may_see(visit, instance):
                return await self._seen(instance)
        return None

    async def may_see(self, visit: Visit, instance: Instance) -> bool:
        for dialect, face in instance.faces.items():
            action, param = SHOWING[dialect]
            if await self._actions.permits(visit, action, {param: face}, instance.region):
                return True
        return False

    async def _seen(self, instance: Instance) -> Seen:
        return Seen(instance, *await self._states.state_of(instance))


class InstancePages:
    def __init__(self, actions: Actions, visible: VisibleInstances) -> None:
        self._actions = actions
        self._visible = visible
        self.pages = (
            Page(HOME, self._list),
            Page(f"{HOME}/{{instance}}", self._accounts),
        )

    async def _list(self, visit: Visit) -> Reply:
        return pages.page(
            visit,
            "instances.html",
            section=SECTION,
            instances=await self._visible.all(visit),
            dialects=DIALECTS,
        )

    async def _accounts(self, visit: Visit) -> Reply:
        seen = await self._visible.find(visit, visit.path["instance"])
        if seen is None:
            return pages.error(visit.request, 404, "not_found")
        accounts, refused = await self._accounts_of(visit, seen.instance)
        return pages.page(
            visit,
            "instance.html",
            section=SECTION,
            seen=seen,
            dialects=DIALECTS,
            accounts=accounts,
            here_at=instance_address(seen.public_id),
            create_at=await self._create_at(visit, seen.instance),
            address_of=lambda account: account_address(seen.public_id, account.name, account.host),
            refused=refused,
            query=visit.query,
            pager=None if accounts is None else _pager(visit, accounts),
        )

    async def _create_at(self, visit: Visit, instance: Instance) -> str:
        """The page that creates an account; empty if the visitor may not."""
        for dialect, (action, param, page) in CREATING.items():
            face = instance.faces.get(dialect)
            if face and await self._actions.permits(visit, action, {param: face}, instance.region):
                return f"{instance_address(face)}/{page}"
        return ""

    async def _accounts_of(
        self, visit: Visit, instance: Instance
    ) -> tuple[AccountViews | None, ActionRefused | None]:
        dialect = first_face(instance)
        action, param = LISTING[dialect]
        name, query = instance.faces[dialect], visit.query
        start, is_backward = query["before"] or query["after"], bool(query["before"])
        asked = AccountSlice(_SHOWN, start, is_backward, query["name"])
        command = PageAccounts(InstanceName(dialect, name), asked, with_missing=True)
        try:
            return await self._actions.look(visit, action, {param: name}, command, instance.region), None
        except ActionRefused as refused:
            return None, refused


def _pager(visit: Visit, accounts: AccountViews) -> pages.KeyPager:
    names = [display_name(each.name, each.host) for each in accounts.items] or [""]
    shown, total = len(accounts.items), accounts.total
    return pages.KeyPager(visit, names[0], names[-1], shown, total, accounts.has_more)
