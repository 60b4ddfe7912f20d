"""Reads a long list of accounts in parts."""

from __future__ import annotations

from collections.abc import Sequence

from rolecall.domain.engine import AccountFacts
from rolecall.domain.engine.pages import AccountPage, AccountPlace, AccountSlice, IdentifiedPlace
from rolecall.engines import names
from rolecall.engines.postgresql import tenancy
from rolecall.engines.postgresql.accounts import Accounts
from rolecall.engines.postgresql.connections import Connection
from rolecall.engines.postgresql.server import Server, only_row


class Listing:
    """`rolecall.domain.engine.pages.AccountListing`."""

    def __init__(self, server: Server, accounts: Accounts) -> None:
        self._server = server
        self._accounts = accounts

    async def page(self, asked: AccountSlice) -> AccountPage:
        if not asked.is_text:
            return AccountPage((), 0, 0)
        return await self._server.run(lambda connection: self._page(connection, asked))

    async def _page(self, connection: Connection, asked: AccountSlice) -> AccountPage:
        values = {"start": asked.start, "contains": asked.contains}
        found: list[AccountFacts] = []
        if asked.limit:
            query = tenancy.PAGES[asked.is_backward]
            found = await self._accounts.read(connection, query, limit=asked.limit, **values)
        counts = await only_row(connection, tenancy.COUNTS, **values, **self._server.values)
        total, after, before = counts
        if asked.is_backward:
            found.reverse()
        return AccountPage(tuple(found), total, before if asked.is_backward else after)

    async def at(self, places: Sequence[AccountPlace]) -> Sequence[AccountFacts]:
        wanted = [name for name, host in places if not host and names.fits(name)]
        if not wanted:
            return ()
        query = tenancy.SOME_ACCOUNTS
        return await self._server.run(lambda connection: self._accounts.read(connection, query, names=wanted))

    async def places(self) -> Sequence[IdentifiedPlace]:
        found, identities = await self._server.run(
            lambda connection: only_row(connection, tenancy.PLACES, **self._server.values)
        )
        return [IdentifiedPlace(name, "", identity) for name, identity in zip(found, identities, strict=True)]
