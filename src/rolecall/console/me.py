"""A sub-user's own page: who it is, its keys, its groups and the policies that it holds."""

from __future__ import annotations

from uuid import uuid4

from rolecall.console import pages
from rolecall.console.actions import FRONT
from rolecall.console.paths import PREFIX
from rolecall.console.visits import Page, Visit
from rolecall.domain.bus import Bus
from rolecall.domain.iam import commands
from rolecall.domain.iam.policy_commands import Bearer, BearerRef, PageAttached
from rolecall.values import Origin, Reply

_MOST = 100
"""Groups and policies that are shown."""


class OwnPage:
    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self.pages = (Page(f"{PREFIX}/me", self._show),)

    async def _show(self, visit: Visit) -> Reply:
        visitor = visit.visitor
        origin = Origin(visitor.caller, FRONT, "ShowMyself", str(uuid4()), client=visit.request.client)
        keys = await self._bus.execute(commands.ListKeys(None), origin)
        uses = await self._bus.execute(commands.ShowKeyUses(tuple(key.id for key in keys)), origin)
        groups: list[str] = []
        policies: list[str] = []
        if visitor.user is not None:
            me = commands.SubUserRef(number=visitor.user.number)
            found = await self._bus.execute(commands.PageGroupsOf(me, 0, _MOST), origin)
            groups = [group.name for group in found.items]
            bearer = BearerRef(Bearer.SUB_USER, visitor.user.number)
            held = await self._bus.execute(PageAttached(bearer, 0, _MOST, by_group=True), origin)
            policies = [view.policy.name for view in held.items]
        used = {use.key_id: use.used_at for use in uses}
        return pages.page(
            visit,
            "me.html",
            keys=[(key, used.get(key.id)) for key in keys],
            groups=groups,
            policies=policies,
        )
