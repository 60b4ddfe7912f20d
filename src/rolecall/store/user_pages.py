"""Pages of a user store that may hold a million users: read from a key on, by the index on the time of creation."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from psycopg import sql
from psycopg.rows import args_row, kwargs_row

from rolecall.domain.directories.commands import PageUsers
from rolecall.domain.directories.queries import UserKey
from rolecall.domain.directories.views import UserPage, UserView
from rolecall.store.errors import reasons
from rolecall.store.queries import load
from rolecall.store.scans import Scans
from rolecall.store.user_rows import view_of
from rolecall.values import Caller

_SQL = load("users")
_ID = re.compile(r"[0-9a-f]{32}")

_NOTHING = sql.SQL("")

SEARCHED = 20_000
"""Users that one page of a search reads at most."""


@dataclass(frozen=True, slots=True)
class Statements:
    """`total` has a row if the store is the owner's. `edge` is the last user that `found` may read."""

    total: sql.Composed
    found: sql.Composed
    edge: sql.Composed
    values: Mapping[str, object]


def statements(owner_id: int, wanted: PageUsers) -> Statements:
    is_search, more = bool(wanted.text), wanted.limit + 1
    read = SEARCHED if is_search else more
    rows = sql.SQL(
        "from users u where u.store_id = %(store)s and {mine} {group} and {order} limit {read}"
    ).format(
        mine=_SQL["mine"],
        group=_NOTHING if wanted.group is None else _SQL["in_group"],
        order=_SQL["newer"] if wanted.is_backward else _SQL["older"],
        read=read,
    )
    matching: sql.Composable = _NOTHING
    if is_search:
        others = _SQL["is_not_exact"] if wanted.group is None else _NOTHING
        matching = sql.SQL("where {has_text} {others}").format(has_text=_SQL["has_text"], others=others)
    found = sql.SQL(
        "select {columns} from (select * from (select u.* {rows}) u {matching} limit {more}) u {groups}"
        " order by u.created_at desc, u.id desc"
    ).format(columns=_SQL["columns"], rows=rows, matching=matching, more=more, groups=_SQL["with_groups"])
    total = _SQL["total"] if wanted.group is None else _SQL["total_of_group"]
    at, after = wanted.start or (None, None)
    values = {
        "store": wanted.store, "owner": owner_id, "group": wanted.group, "text": wanted.text,
        "text_id": UUID(wanted.text) if _ID.fullmatch(wanted.text) else None, "at": at, "id": after,
    }  # fmt: skip
    return Statements(
        sql.SQL("select ({total}) where {mine}").format(
            total=sql.SQL("0::bigint") if is_search else total, mine=_SQL["mine"]
        ),
        found,
        sql.SQL("select u.created_at, u.id {rows} offset {last}").format(rows=rows, last=read - 1),
        values,
    )


async def page(scans: Scans, caller: Caller, wanted: PageUsers) -> UserPage | None:
    """None if the store is not the owner's. RATE_EXCEEDED, and as `reasons`."""
    asked = statements(caller.owner_id, wanted)
    exact: list[UserView] = []
    cut: UserKey | None = None
    with reasons():
        async with scans.connection(caller) as connection:
            number = await connection.value(asked.total, asked.values)
            if number is None:
                return None
            views = await connection.rows(kwargs_row(view_of), asked.found, asked.values)
            if wanted.text and wanted.start is None and wanted.group is None:
                exact = await connection.rows(kwargs_row(view_of), _SQL["exact"], asked.values)
            if wanted.text and len(views) <= wanted.limit:
                cut = await connection.row(args_row(UserKey), asked.edge, asked.values)
    has_more = len(views) > wanted.limit
    if has_more:
        views = views[1:] if wanted.is_backward else views[:-1]
    keys = [UserKey(view.user.created_at, view.user.id) for view in views]
    first, last = (keys[0], keys[-1]) if keys else (None, None)
    if cut is not None:
        first, last = (cut, last or wanted.start) if wanted.is_backward else (first or wanted.start, cut)
    is_cut, total = cut is not None, None if wanted.text else number
    return UserPage(tuple(views), first, last, has_more or is_cut, is_cut, total, tuple(exact))
