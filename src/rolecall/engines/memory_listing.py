"""`AccountListing` of the engines in memory."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from rolecall.domain.engine import AccountFacts
from rolecall.domain.engine.pages import (
    AccountPage,
    AccountPlace,
    AccountSlice,
    IdentifiedPlace,
    display_name,
)


class MemoryListing:
    """`rolecall.domain.engine.pages.AccountListing` of all accounts at once."""

    def __init__(self, accounts: Callable[[], Awaitable[Sequence[AccountFacts]]]) -> None:
        self._accounts = accounts

    async def page(self, asked: AccountSlice) -> AccountPage:
        found = await self._accounts()
        everything = replace(asked, limit=len(found))
        total = len(replace(everything, start="").cut(found, _place))
        return AccountPage(tuple(asked.cut(found, _place)), total, len(everything.cut(found, _place)))

    async def at(self, places: Sequence[AccountPlace]) -> Sequence[AccountFacts]:
        wanted = set(places)
        return [facts for facts in await self._accounts() if _place(facts) in wanted]

    async def places(self) -> Sequence[IdentifiedPlace]:
        found = sorted(await self._accounts(), key=lambda facts: display_name(*_place(facts)))
        return [IdentifiedPlace(facts.name, facts.host, facts.identity) for facts in found]


def _place(facts: AccountFacts) -> AccountPlace:
    return facts.name, facts.host
