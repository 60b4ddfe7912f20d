"""Pages of a large user store: they are the whole store, and each reads what it shows."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg import sql

from rolecall.domain.directories.commands import PageUsers
from rolecall.domain.directories.queries import UserKey
from rolecall.domain.directories.views import UserPage, UserView
from rolecall.store import Store, user_pages
from rolecall.values import Caller, Secret

NUMBER = 1000
_USERS = """
with owner as (
    insert into rolecall.owners (number, app_id) values (7, 8) returning id
), store as (
    insert into rolecall.user_stores (id, owner_id, name) select gen_random_uuid(), id, 'large' from owner
    returning id, owner_id
)
select id, owner_id from store
"""
_FILL = """
insert into rolecall.users (id, store_id, name, phone, email, created_at)
select gen_random_uuid(), %(store)s, 'user_' || lpad(n::text, 5, '0'), '+86138' || lpad(n::text, 8, '0'),
       'U' || n || '@example.com', timestamptz '2026-01-01' + make_interval(secs => n / 3)
  from generate_series(0, %(number)s - 1) n
"""
_GROUP = """
with made as (
    insert into rolecall.user_groups (id, store_id, name) values (gen_random_uuid(), %(store)s, 'some') returning id
), members as (
    insert into rolecall.user_group_members (user_id, group_id)
    select u.id, made.id from rolecall.users u, made where u.store_id = %(store)s and u.name like '%%7'
)
select id from made
"""


class Large:
    def __init__(self, store: Store, of: UUID, owner: int, group: UUID) -> None:
        self.repository, self.of, self.owner, self.group = store.users, of, owner, group

    async def page(self, limit: int = 30, **asked: Any) -> UserPage:
        wanted: dict[str, Any] = {"text": "", "group": None, "start": None, "is_backward": False, **asked}
        caller = Caller(self.owner, 7, 8, 7, "AKIDx")
        page = await self.repository.page(caller, PageUsers(self.of, limit=limit, **wanted))
        assert page is not None
        return page

    async def walk(self, *, is_backward: bool = False, **asked: Any) -> list[UserView]:
        found: list[UserView] = []
        start: UserKey | None = None
        while True:
            page = await self.page(start=start, is_backward=is_backward, **asked)
            shown = [*page.exact, *page.items]
            found = [*shown, *found] if is_backward else [*found, *shown]
            start = page.first if is_backward else page.last
            if not page.has_more:
                return found


@pytest.fixture
async def large(dsn: Secret) -> AsyncIterator[Large]:
    with psycopg.connect(dsn.reveal(), autocommit=True) as connection:
        row = connection.execute(_USERS).fetchone()
        assert row is not None
        connection.execute(_FILL, {"store": row[0], "number": NUMBER})
        group = connection.execute(_GROUP, {"store": row[0]}).fetchone()
        connection.execute("analyze rolecall.users")
    assert group is not None
    made = Store(dsn, pool_size=2)
    await made.open()
    yield Large(made, *row, group[0])
    await made.close()


def names(views: list[UserView]) -> list[str | None]:
    return [view.user.name for view in views]


async def test_pages_forward_and_backward_are_the_whole_store(large: Large) -> None:
    forward = await large.walk(limit=97)
    assert forward == sorted(forward, key=lambda view: (view.user.created_at, view.user.id), reverse=True)
    assert len({view.user.id for view in forward}) == NUMBER
    assert await large.walk(limit=200, is_backward=True) == forward
    page = await large.page(limit=30)
    assert (len(page.items), page.total, page.has_more, page.is_cut) == (30, NUMBER, True, False)
    members = [view for view in forward if str(view.user.name).endswith("7")]
    of_group = await large.walk(limit=30, group=large.group)
    assert names(of_group) == names(members)
    assert (await large.page(group=large.group)).total == len(members)


@pytest.mark.parametrize("searched", [NUMBER + 1, 64])
async def test_a_search_finds_all_in_pages_that_read_so_many_users(
    large: Large, searched: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(user_pages, "SEARCHED", searched)
    everyone = await large.walk(limit=NUMBER)
    for text, count in (("R_009", 100), ("0009", 11), ("u99@EX", 1), ("nothing", 0), ("%", 0)):
        wanted = [
            view
            for view in everyone
            if text.lower() in str(view.user.name) or text in str(view.user.phone)
            or text.lower() in str(view.user.email).lower()
        ]  # fmt: skip
        assert len(wanted) >= count
        assert await large.walk(limit=20, text=text) == wanted
        assert await large.walk(limit=20, text=text, is_backward=True) == wanted
    of_group = await large.walk(limit=20, text="user_00907", group=large.group)
    assert names(of_group) == ["user_00907"]


async def test_an_exact_name_number_address_or_id_is_found_at_once(
    large: Large, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(user_pages, "SEARCHED", 64)
    oldest = (await large.walk(limit=NUMBER))[-1].user
    for text in (oldest.name, oldest.phone, oldest.email, oldest.id.hex):
        page = await large.page(text=text)
        assert names(list(page.exact)) == [oldest.name]
        assert await large.walk(text=text, limit=5) == list(page.exact)
    assert (await large.page(text=str(oldest.name)[:-1])).exact == ()


async def test_no_page_reads_more_users_than_it_shows(
    large: Large, dsn: Secret, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the server counts them, at the beginning and at the end: that is what keeps a million under 200 ms."""
    monkeypatch.setattr(user_pages, "SEARCHED", 64)
    late = (await large.walk(limit=NUMBER))[-500].user
    asked = [
        (PageUsers(large.of, text, None, start, is_backward, 30), 64 if text else 31)
        for text in ("", "nothing")
        for start in (None, UserKey(late.created_at, late.id))
        for is_backward in (False, True)
    ]
    with psycopg.connect(dsn.reveal(), options="-c search_path=rolecall") as connection:
        for wanted, most in asked:
            made = user_pages.statements(large.owner, wanted)
            explained = sql.SQL("explain (analyze, format json) ") + made.found
            row = connection.execute(explained, made.values).fetchone()
            assert row is not None
            assert users_read(row[0][0]["Plan"]) <= most, (wanted, row)


def users_read(plan: dict[str, Any]) -> float:
    """Rows that the scans of a plan gave or threw away."""
    below = sum(users_read(part) for part in plan.get("Plans", ()))
    if plan.get("Relation Name") != "users":
        return below
    rows = plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0)
    return below + rows * plan["Actual Loops"]
