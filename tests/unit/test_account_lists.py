"""Lists of accounts: pages are parts of one whole list, and each reads what it shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from msgspec import structs

from rolecall.domain.accounts.commands import ListAccounts, PageAccounts
from rolecall.domain.accounts.context import AccountRow
from rolecall.domain.accounts.listing import account_views
from rolecall.domain.accounts.pages import SMALL, AccountLists
from rolecall.domain.accounts.views import AccountView
from rolecall.domain.engine import AccountFacts, AccountKind
from rolecall.domain.engine.pages import (
    AccountPage,
    AccountPlace,
    AccountSlice,
    IdentifiedPlace,
    display_name,
)
from rolecall.domain.messages import InstanceName
from rolecall.domain.operations.model import Change, Intent, Promised, Runner, State
from rolecall.engines.memory_listing import MemoryListing
from rolecall.store.memory import MemoryStore
from rolecall.values import Caller, Origin

ORIGIN = Origin(Caller(1, 1, 1, 1, "AKIDx"), "d", "A", "r")
INSTANCE = InstanceName("tencent", "postgres-aaaaaaaa")
START = datetime(2026, 1, 1, tzinfo=UTC)


class Counted:
    """A listing that counts the accounts it reads whole, and the places."""

    def __init__(self, server: Server) -> None:
        self._inner = MemoryListing(server.accounts)
        self.accounts = self.places_read = 0

    async def page(self, asked: AccountSlice) -> AccountPage:
        page = await self._inner.page(asked)
        self.accounts += len(page.items)
        return page

    async def at(self, places: Sequence[AccountPlace]) -> Sequence[AccountFacts]:
        found = await self._inner.at(places)
        self.accounts += len(found)
        return found

    async def places(self) -> Sequence[IdentifiedPlace]:
        places = await self._inner.places()
        self.places_read += len(places)
        return places


class Server:
    def __init__(self) -> None:
        self.there: list[AccountFacts] = []
        self.listing = Counted(self)

    async def accounts(self) -> Sequence[AccountFacts]:
        return self.there


class World:
    """A server and a store that disagree in every way."""

    def __init__(self, size: int) -> None:
        self.store = MemoryStore()
        self.ledger = self.store.replica().operations
        self.server = Server()
        self.connected: Any = SimpleNamespace(instance=SimpleNamespace(id=1), engine=self.server)
        self.lists = AccountLists(SimpleNamespace(connect=self._connect), self.ledger, self.ledger)  # type: ignore[arg-type]
        for number in range(size):
            self._add(number, f"user_{number:05}")

    async def _connect(self, *_: object) -> object:
        return self.connected

    def _add(self, number: int, name: str) -> None:
        identity, kind = str(number + 1), number % 10
        at = START + timedelta(seconds=(number * 7919) % 997)
        if kind != 3:  # 3: missing
            marker = uuid4() if kind != 2 else None
            facts = AccountFacts(number, name, AccountKind.NORMAL, True, True, marker, identity=identity)
            self.server.there.append(replace(facts, is_protected=kind == 1))
        if kind == 2:  # foreign
            return
        row = AccountRow(name, "", number, "", at, at + timedelta(days=1), None, None, identity)
        if kind == 4:  # changed
            row = structs.replace(row, identity="another")
        if kind == 5:  # older than identities
            row = structs.replace(row, identity="")
        if kind == 6:  # made by SQL, and changed by Rolecall
            row = structs.replace(row, created_at=None)
        self.store.rows.accounts[1, name, ""] = row

    async def promise(self, name: str, *, fails: bool = False) -> None:
        intent = Intent(
            Change.ACCOUNT_CREATE, name, ORIGIN, {"remark": "", "name": name}, runner=Runner.DEFERRED
        )
        promised = Promised(uuid4(), intent)
        await self.ledger.promise(1, [promised])
        if fails:
            await self.ledger.close(promised.id, State.REFUSED, "EngineRefused", "")

    async def whole(self) -> list[AccountView]:
        """As one list, by display name."""
        found = await account_views(self.ledger, self.ledger, self.connected)
        return sorted(found, key=lambda view: display_name(view.name, view.host))


async def paged(world: World, size: int, *, is_backward: bool, **asked: Any) -> list[AccountView]:
    found: list[AccountView] = []
    while True:
        edge = found[0 if is_backward else -1] if found else None
        start = display_name(edge.name, edge.host) if edge else ""
        part = AccountSlice(size, start, is_backward, asked.get("contains", ""))
        hidden = asked.get("hidden", frozenset())
        page = await world.lists.page(
            PageAccounts(INSTANCE, part, asked.get("missing", True), hidden), ORIGIN
        )
        assert len(page.items) <= size
        found = [*page.items, *found] if is_backward else [*found, *page.items]
        if not page.has_more:
            return found


@pytest.fixture
async def world() -> World:
    made = World(120)
    for name in ("promised", "user_00013", "zz"):
        await made.promise(name)  # the second is on the server already
    await made.promise("aa_failed", fails=True)
    await made.promise("user_00023", fails=True)
    return made


@pytest.mark.parametrize("is_backward", [False, True])
@pytest.mark.parametrize("size", [1, 7, 100, 500])
async def test_pages_by_name_are_the_whole_list(world: World, size: int, *, is_backward: bool) -> None:
    whole = {view.name: view for view in await world.whole()}
    assert {view.standing for view in whole.values()} == {
        "managed", "foreign", "missing", "changed", "protected", "failed",
    }  # fmt: skip
    found = await paged(world, size, is_backward=is_backward)
    assert [view.name for view in found] == list(whole)
    assert {view.name: view for view in found if view.standing != "failed"} == {
        name: view for name, view in whole.items() if view.standing != "failed" and name != "user_00023"
    }
    some = await paged(world, size, is_backward=is_backward, contains="_0001", missing=False)
    assert some == [view for view in whole.values() if "_0001" in view.name and view.standing != "missing"]


async def test_hidden_names_make_no_page_shorter(world: World) -> None:
    hidden = frozenset(f"user_{number:05}" for number in range(40))
    page = await world.lists.page(PageAccounts(INSTANCE, AccountSlice(10, "b"), hidden=hidden), ORIGIN)
    assert [view.name for view in page.items][:2] == ["promised", "user_00040"]
    assert (len(page.items), page.has_more) == (10, True)
    assert await paged(world, 10, is_backward=False, hidden=hidden, missing=False) == [
        view for view in await world.whole() if view.name not in hidden and view.standing != "missing"
    ]


async def test_a_text_that_no_server_stores_finds_nothing(world: World) -> None:
    for part in (AccountSlice(10, "a\0"), AccountSlice(10, contains="\ud800")):
        page = await world.lists.page(PageAccounts(INSTANCE, part, with_missing=True), ORIGIN)
        assert (page.items, page.has_more) == ((), False)


@pytest.mark.parametrize("size", [120, 3 * SMALL])
@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("order", ["created", "updated", "name"])
async def test_pages_by_time_are_the_whole_list(order: Any, size: int, *, descending: bool) -> None:
    world = World(size)
    await world.promise("promised")
    await world.promise("user_00013")
    await world.promise("failed", fails=True)

    def key(view: AccountView) -> tuple[datetime, str]:
        at = view.created_at if order == "created" else view.updated_at
        return (START.min.replace(tzinfo=UTC) if order == "name" or at is None else at), view.name

    whole = [view for view in await world.whole() if view.standing not in ("missing", "failed")]
    whole.sort(key=key, reverse=descending)
    for offset, limit in ((0, 20), (10, 100), (len(whole) - 5, 20), (len(whole), 20), (0, len(whole))):
        page = await world.lists.listed(ListAccounts(INSTANCE, order, descending, offset, limit), ORIGIN)
        assert page.total == len(whole)
        assert list(page.items) == whole[offset : offset + limit]


async def test_a_page_reads_no_more_accounts_than_it_shows() -> None:
    """And one of each source: that is what keeps 100,000 accounts under 200 ms."""
    world = World(3000)
    listing = world.server.listing
    for start in ("", "user_01500", "user_02990"):
        for is_backward in (False, True):
            listing.accounts = 0
            await world.lists.page(PageAccounts(INSTANCE, AccountSlice(50, start, is_backward), True), ORIGIN)
            assert listing.accounts <= 51
    listing.accounts = 0
    await world.lists.listed(ListAccounts(INSTANCE, "created", True, 0, 20), ORIGIN)
    assert listing.accounts <= SMALL + 20 + 50
    assert listing.places_read == 0
    await world.lists.listed(ListAccounts(INSTANCE, "created", False, 2000, 20), ORIGIN)
    assert listing.places_read == len(world.server.there)
    assert listing.accounts <= 2 * (SMALL + 50) + 3000 // 10  # those without identities are looked up
