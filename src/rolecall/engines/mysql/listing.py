"""Reads a long list of accounts in parts: first names and hosts alone, then the accounts of one page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rolecall.domain.engine import AccountFacts
from rolecall.domain.engine.pages import (
    AccountPage,
    AccountPlace,
    AccountSlice,
    IdentifiedPlace,
    display_name,
)
from rolecall.engines.mysql import catalog
from rolecall.engines.mysql.connections import Session
from rolecall.engines.mysql.names import may_be_stored
from rolecall.engines.mysql.server import Server

_AT_ONCE = 500
"""Accounts of one query, whose condition names each of them."""


class Listing:
    """`rolecall.domain.engine.pages.AccountListing`.

    Half-made accounts count, and are not listed: soon they are whole.
    """

    def __init__(self, server: Server) -> None:
        self._server = server

    async def page(self, asked: AccountSlice) -> AccountPage:
        if not asked.is_text:
            return AccountPage((), 0, 0)
        return await self._server.run(lambda session: self._page(session, asked))

    async def _page(self, session: Session, asked: AccountSlice) -> AccountPage:
        found: list[AccountFacts] = []
        rest = asked
        while rest.limit > 0:
            (rows,) = await session.fetch_all(catalog.page_query(self._server, rest))
            read = await self._read(session, [(name, host) for name, host in rows])
            found += reversed(read) if asked.is_backward else read
            if len(rows) < rest.limit:
                break
            rest = replace(asked, limit=asked.limit - len(found), start=display_name(*rows[-1]))
        ((total, beyond),) = await session.fetch(catalog.counts_query(self._server, asked))
        items = found[::-1] if asked.is_backward else found
        return AccountPage(tuple(items), total, int(beyond))

    async def at(self, places: Sequence[AccountPlace]) -> Sequence[AccountFacts]:
        longest = self._server.flavor.user_characters
        wanted = [(name, host) for name, host in places if may_be_stored(name, host, longest)]
        return await self._server.run(lambda session: self._read(session, wanted))

    async def _read(self, session: Session, places: Sequence[AccountPlace]) -> list[AccountFacts]:
        """By display name. Names are compared byte for byte; the server's collation may match others."""
        found: list[AccountFacts] = []
        for first in range(0, len(places), _AT_ONCE):
            part = places[first : first + _AT_ONCE]
            answers = await session.fetch_all(*catalog.queries_of(self._server, part))
            stored = catalog.read(self._server, answers)
            found += [
                account.facts
                for account in stored
                if account.is_visible and (account.name, account.host) in set(part)
            ]
        return sorted(found, key=lambda facts: display_name(facts.name, facts.host))

    async def places(self) -> Sequence[IdentifiedPlace]:
        rows = await self._server.run(lambda session: session.fetch(catalog.places_query(self._server)))
        return [IdentifiedPlace(name, host, identity) for name, host, identity in rows]
