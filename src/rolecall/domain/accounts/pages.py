"""Lists of accounts, of which there may be 100,000: each reads what it shows, as far as its order allows.

By name a page is read from the server and the store alike. By time the store knows the order and the server what is
there: the latest are looked up; for any other page the names and identities of all are compared.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from rolecall.domain.accounts import commands
from rolecall.domain.accounts.context import AccountRepository, AccountRow, AccountTime
from rolecall.domain.accounts.listing import (
    Promised,
    account_views,
    facts_to_be,
    failed_view,
    missing_view,
    view,
)
from rolecall.domain.accounts.views import AccountView, AccountViews
from rolecall.domain.engine import AccountFacts
from rolecall.domain.engine.pages import AccountPlace, AccountSlice, IdentifiedPlace, display_name
from rolecall.domain.instances.registry import ConnectedInstance, InstanceResolver
from rolecall.domain.messages import Handlers, Page
from rolecall.values import Origin

SMALL = 200
"""Up to so many accounts are read whole."""
_LATEST = 400
"""Up to so many of the latest are looked up."""
_SPARE = 50
"""Rows of accounts that are gone, among the latest, despite which a page is full."""

_ToBe = Mapping[AccountPlace, AccountFacts]


class AccountLists:
    def __init__(self, resolver: InstanceResolver, repository: AccountRepository, ledger: Promised) -> None:
        self._resolver = resolver
        self._repository = repository
        self._ledger = ledger
        self.handlers: Handlers = (
            commands.ListAccounts.handled_by(self.listed),
            commands.PageAccounts.handled_by(self.page),
            commands.AllAccounts.handled_by(self.all),
        )

    async def all(self, command: commands.AllAccounts, origin: Origin) -> tuple[AccountView, ...]:
        connected = await self._resolver.connect(command.instance, origin.caller)
        found = await account_views(self._repository, self._ledger, connected)
        views = [view for view in found if view.standing != "missing"]
        return tuple(sorted(views, key=lambda view: (view.name, view.host)))

    async def page(self, command: commands.PageAccounts, origin: Origin) -> AccountViews:
        connected = await self._resolver.connect(command.instance, origin.caller)
        if not command.asked.is_text:
            return AccountViews((), False, 0, 0)
        asked, found = command.asked, list[AccountView]()
        while True:
            read = await self._slice(connected, asked, with_missing=command.with_missing)
            shown = [view for view in read.items if view.name.lower() not in command.hidden]
            found = [*shown, *found] if asked.is_backward else [*found, *shown]
            if len(found) >= command.asked.limit or not read.has_more:
                return replace(read, items=tuple(found))
            edge = read.items[0 if asked.is_backward else -1]
            rest = command.asked.limit - len(found)
            asked = replace(asked, limit=rest, start=display_name(edge.name, edge.host))

    async def _slice(
        self, connected: ConnectedInstance, asked: AccountSlice, *, with_missing: bool
    ) -> AccountViews:
        """The places of the server, of promises and of the store, in one order. Each source was asked for as many as
        the slice may have: what is in the slice, all of them have shown.
        """
        instance_id, more = connected.instance.id, replace(asked, limit=asked.limit + 1)
        to_be = await self._to_be(instance_id)
        page, refused, recorded = await asyncio.gather(
            connected.engine.listing.page(more),
            self._ledger.failed(instance_id),
            self._recorded(instance_id, more, with_missing=with_missing),
        )
        failed = {operation.account: operation for operation in refused}
        rows = {(row.name, row.host): row for row in recorded}
        facts = dict(to_be) | {(account.name, account.host): account for account in page.items}
        places = more.cut({**facts, **failed, **rows}, lambda place: place)
        has_more = len(places) > asked.limit
        if has_more:
            places = places[1:] if asked.is_backward else places[:-1]
        if not with_missing:
            there = await self._repository.accounts_at(instance_id, places)
            rows = {(row.name, row.host): row for row in there}
        views = []
        for place in places:
            if place in facts:
                views.append(view(facts[place], rows.get(place)))
            elif place in failed:
                views.append(failed_view(failed[place]))
            else:
                views.append(missing_view(rows[place]))
        return AccountViews(tuple(views), has_more, page.total, page.beyond)

    async def _recorded(
        self, instance_id: int, asked: AccountSlice, *, with_missing: bool
    ) -> Sequence[AccountRow]:
        """Where only accounts of the server are listed, their rows are read when their places are known."""
        return await self._repository.account_slice(instance_id, asked) if with_missing else ()

    async def listed(self, command: commands.ListAccounts, origin: Origin) -> Page[AccountView]:
        """Without those that are missing or could not be created."""
        connected = await self._resolver.connect(command.instance, origin.caller)
        to_be = await self._to_be(connected.instance.id)
        first = await connected.engine.listing.page(AccountSlice(SMALL))
        if first.total <= len(first.items):
            return await self._of_few(connected, command, first.items, to_be)
        end = command.offset + command.limit
        if command.order != "name" and command.descending and end <= _LATEST:
            latest = await self._latest(connected, command.order, end)
            if len(latest) >= end:
                there = await connected.engine.listing.at(list(to_be))
                total = first.total + len(to_be) - len(there)
                return Page(tuple(latest[command.offset : end]), total)
        places = await self._in_order(connected, command, to_be)
        shown = places[command.offset : end]
        return Page(tuple(await self._views_at(connected, shown, to_be)), len(places))

    async def _to_be(self, instance_id: int) -> _ToBe:
        """To be read before the server is: an account that is created meanwhile is then there."""
        promised = await self._ledger.promised(instance_id)
        return {operation.account: facts_to_be(operation) for operation in promised}

    async def _of_few(
        self,
        connected: ConnectedInstance,
        command: commands.ListAccounts,
        accounts: Sequence[AccountFacts],
        to_be: _ToBe,
    ) -> Page[AccountView]:
        facts = dict(to_be) | {(account.name, account.host): account for account in accounts}
        rows = await self._repository.accounts_at(connected.instance.id, list(facts))
        by_place = {(row.name, row.host): row for row in rows}
        views = [view(account, by_place.get(place)) for place, account in facts.items()]
        views.sort(key=lambda view: display_name(view.name, view.host))
        if command.order != "name":
            timed = [(_time(view, command.order), view) for view in views]
            views = [view for at, view in timed if at is None]
            views += [
                view for _, view in sorted(((at, view) for at, view in timed if at), key=lambda pair: pair[0])
            ]
        if command.descending:
            views.reverse()
        return Page(tuple(views[command.offset : command.offset + command.limit]), len(views))

    async def _latest(
        self, connected: ConnectedInstance, time: AccountTime, number: int
    ) -> Sequence[AccountView]:
        """So many of the latest, or fewer if some of these rows are of accounts that are gone."""
        rows = await self._repository.latest_accounts(connected.instance.id, time, number + _SPARE)
        views = await self._views_at(connected, [row.place for row in rows], {})
        return [view for view in views if _time(view, time) is not None]

    async def _in_order(
        self, connected: ConnectedInstance, command: commands.ListAccounts, to_be: _ToBe
    ) -> list[AccountPlace]:
        """The places of all accounts; those without a time come before all others, by name."""
        order, listing = command.order, connected.engine.listing
        rows: Sequence[IdentifiedPlace] = ()
        if order != "name":
            rows = await self._repository.latest_accounts(connected.instance.id, order)
        there = {place.place: place.identity for place in await listing.places()}
        if added := to_be.keys() - there.keys():
            there |= dict.fromkeys(added, "")
            there = {place: there[place] for place in sorted(there, key=lambda place: display_name(*place))}
        old = [row.place for row in rows if not row.identity and row.place in there]
        marked = (
            {(account.name, account.host) for account in await listing.at(old) if account.marker}
            if old
            else set()
        )
        timed = {
            row.place: None
            for row in reversed(rows)
            if row.place in marked or (row.identity and there.get(row.place) == row.identity)
        }
        places = [*(place for place in there if place not in timed), *timed]
        return places[::-1] if command.descending else places

    async def _views_at(
        self, connected: ConnectedInstance, places: Sequence[AccountPlace], to_be: _ToBe
    ) -> list[AccountView]:
        """In this order, without those that are gone."""
        rows, found = await asyncio.gather(
            self._repository.accounts_at(connected.instance.id, places), connected.engine.listing.at(places)
        )
        facts = dict(to_be) | {(account.name, account.host): account for account in found}
        by_place = {(row.name, row.host): row for row in rows}
        return [view(facts[place], by_place.get(place)) for place in places if place in facts]


def _time(view: AccountView, order: AccountTime) -> datetime | None:
    return view.created_at if order == "created" else view.updated_at
