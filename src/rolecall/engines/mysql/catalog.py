"""Reads accounts from a server: one query for accounts, one for their grants, joined in memory."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from rolecall.domain.engine import AccountFacts, AccountKind, DatabaseGrant
from rolecall.domain.engine.identity import FIRST
from rolecall.domain.engine.pages import AccountPlace, AccountSlice
from rolecall.engines.mysql import control, names, quoting, templates, tenancy
from rolecall.engines.mysql.connections import Row, Session
from rolecall.engines.mysql.flavors import FLAVORS, Flavor
from rolecall.engines.mysql.server import Server
from rolecall.engines.mysql.statements import MAKING, SUPER_PATTERN

_PLACEHOLDER = re.compile(r"{(\w+)}")
_UNUSABLE = frozenset(control.digest(flavor.unusable_hash) for flavor in FLAVORS.values())


@dataclass(frozen=True, slots=True)
class StoredGrant:
    """One row of ``mysql.db``: privileges by the pattern as it is stored."""

    pattern: str
    privileges: frozenset[str]

    @property
    def database(self) -> str:
        return quoting.unescaped(self.pattern)


@dataclass(frozen=True, slots=True)
class StoredAccount:
    """An account as the server holds it, whether or not a tenant may see it."""

    name: str
    host: str
    has_password: bool
    auth: str
    locked: bool
    is_half_made: bool
    """An unfinished creation by Rolecall. Under the account's lock: one that was interrupted."""
    is_reserved: bool
    """The server's own account, or Rolecall's: never listed."""
    mark: control.Mark
    held: tuple[StoredGrant, ...]
    facts: AccountFacts
    is_powerful: bool
    """It has, or leads to, more than a tenant may have (`tenancy`): protected, whatever its name."""

    @property
    def is_protected(self) -> bool:
        return self.is_powerful or self.is_reserved

    @property
    def is_visible(self) -> bool:
        """Whether it is listed. Powerful accounts are."""
        return not self.is_reserved and not self.is_half_made


Grants = Mapping[AccountPlace, Sequence[StoredGrant]]


async def look(session: Session, server: Server, user: str = "", host: str = "") -> list[StoredAccount]:
    """All accounts, or one; sorted by name, then host, by code point."""
    return read(server, await session.fetch_all(*queries(server, user, host)))


def queries(server: Server, user: str = "", host: str = "") -> tuple[str, str]:
    """The queries for all accounts, or one; `read` takes their rows."""
    if not user:
        return queries_where(server, "TRUE", "TRUE")
    return queries_where(server, _is(user, host, "g."), _is(user, host), is_one=True)


def page_query(server: Server, asked: AccountSlice) -> str:
    """A query for the names and hosts of a slice, which are read by `queries_of`."""
    order = f"{_NAME} {'DESC' if asked.is_backward else 'ASC'}"
    return f"SELECT g.User, g.Host{_listed(server, asked)} AND {_beyond(asked)} ORDER BY {order} LIMIT {asked.limit}"


def counts_query(server: Server, asked: AccountSlice) -> str:
    """A query for two numbers: of all accounts, and of those beyond the start."""
    return f"SELECT COUNT(*), COALESCE(SUM({_beyond(asked)}), 0){_listed(server, asked)}"


def places_query(server: Server) -> str:
    """A query for names, hosts and identities of all accounts."""
    # As `control.mark` reads it: the oldest operation, in a row older than identities.
    identity = "COALESCE(NULLIF(c.identity, ''), NULLIF(SUBSTRING_INDEX(c.earlier, ',', -1), ''), c.done, '')"
    control_rows = f"{quoting.name(server.control)}.accounts c"
    return (f"SELECT g.User, g.Host, {identity}{_listed(server, AccountSlice(0))} ORDER BY {_NAME}").replace(
        " g WHERE", f" g LEFT JOIN {control_rows} ON c.user = g.User AND c.host = g.Host WHERE", 1
    )


def queries_of(server: Server, places: Iterable[AccountPlace]) -> tuple[str, str]:
    """`queries` for some accounts."""
    return queries_where(server, *conditions_of(places))


_NAME = "CAST(CONCAT(g.User, '@', g.Host) AS BINARY)"
"""The display name: these servers compare texts by their collations, and binaries by code point."""


def _beyond(asked: AccountSlice) -> str:
    if not asked.start:
        return "TRUE"
    return f"{_NAME} {'<' if asked.is_backward else '>'} CAST({quoting.text(asked.start)} AS BINARY)"


def _listed(server: Server, asked: AccountSlice) -> str:
    """Accounts with `contains` that are not reserved. Half-made ones are among them, until `read` shows that."""
    reserved = ", ".join(map(quoting.text, names.reserved(server.administrator)))
    found = (
        f"LOCATE(CAST({quoting.text(asked.contains)} AS BINARY), {_NAME}) > 0" if asked.contains else "TRUE"
    )
    flavor = server.flavor
    return f" FROM {flavor.users} g WHERE {flavor.is_account} AND LOWER(TRIM(g.User)) NOT IN ({reserved}) AND {found}"


def keyed_page_query(server: Server, after: AccountPlace | None, limit: int) -> str:
    """A query for names and hosts in the order of the table's key, after an account."""
    beyond = "TRUE" if after is None else _after(after, "g.")
    order = f" AND {beyond} ORDER BY g.Host, g.User LIMIT {limit}"
    return f"SELECT g.User, g.Host{_listed(server, AccountSlice(0))}{order}"


def between(after: AccountPlace | None, last: AccountPlace) -> tuple[str, str]:
    """Conditions on accounts (`g`) and on grants: those of the accounts of a page in that order."""

    def condition(row: str) -> str:
        beyond = "TRUE" if after is None else _after(after, row)
        name, host = (quoting.text(part) for part in last)
        upto = f"{row}Host < {host} OR {row}Host = {host} AND {row}User <= {name}"
        return f"({beyond}) AND ({upto})"

    return condition("g."), condition("")


def _after(place: AccountPlace, row: str) -> str:
    name, host = (quoting.text(part) for part in place)
    return f"{row}Host > {host} OR {row}Host = {host} AND {row}User > {name}"


def conditions_of(places: Iterable[AccountPlace]) -> tuple[str, str]:
    """Conditions on accounts (`g`) and on grants: those of some accounts."""
    wanted = list(places)
    return f"({_any_of(wanted, 'g.')})", f"({_any_of(wanted)})"


def names_query(flavor: Flavor, places: Iterable[AccountPlace]) -> str:
    """A query for some accounts' names and hosts as the server stores them; cheaper than `queries`."""
    return f"SELECT User, Host FROM {flavor.users} WHERE {_any_of(places)}"


def names_and_release(flavor: Flavor, places: Iterable[AccountPlace]) -> str:
    """`names_query`, which then releases the session's locks: a statement less than with `RELEASE`."""
    return f"{names_query(flavor, places)} UNION ALL SELECT RELEASE_ALL_LOCKS(), ''"


def made_query(flavor: Flavor, places: Iterable[AccountPlace]) -> str:
    """A query for those of some accounts that exist and are whole: names and hosts."""
    return (
        f"SELECT User, Host FROM {flavor.users} WHERE ({_any_of(places)})"
        f" AND COALESCE({flavor.subject}, '') <> {quoting.text(MAKING)}"
    )


def verifier_query(flavor: Flavor, user: str, host: str) -> str:
    """A query for the hash of an account's password."""
    return f"SELECT {flavor.verifier} FROM {flavor.users} WHERE {_is(user, host)}"


def _any_of(places: Iterable[AccountPlace], row: str = "") -> str:
    return " OR ".join(_is(user, host, row) for user, host in places)


def _is(user: str, host: str, row: str = "") -> str:
    return f"{row}User = {quoting.text(user)} AND {row}Host = {quoting.text(host)}"


def read(server: Server, answers: Sequence[Sequence[Row]]) -> list[StoredAccount]:
    rows, grant_rows = answers
    grants = grants_of(server, grant_rows)
    found = [account_of(server, row, grants) for row in rows]
    return sorted(found, key=lambda account: (account.name, account.host))


def found(server: Server, answers: Sequence[Sequence[Row]], user: str, host: str) -> StoredAccount | None:
    """One account of those read. Names are compared byte for byte; the server's collation may match others."""
    return next(
        (account for account in read(server, answers) if (account.name, account.host) == (user, host)), None
    )


def queries_where(server: Server, accounts: str, grants: str, *, is_one: bool = False) -> tuple[str, str]:
    """By conditions on accounts (`g`) and on their grants."""
    flavor = server.flavor
    powerful = _filled(server, flavor.powerful if is_one else flavor.powerful_of_many, of=grants)
    query = _filled(server, flavor.accounts, powerful=powerful)
    flags = ", ".join(server.columns.values())
    held = f"SELECT User, Host, Db, CONCAT({flags}) FROM mysql.db WHERE {grants}"
    return f"{query} AND {accounts}", held


def roles_query(server: Server, roles: Iterable[str]) -> str:
    """A query for the names of those of these roles that exist."""
    wanted = ", ".join(map(quoting.text, roles))
    return f"SELECT User FROM {server.flavor.users} WHERE Host = '' AND User IN ({wanted})"


def strong_roles_query(server: Server, roles: Iterable[str]) -> str:
    """A query with a row if any of these roles has, or leads to, more than a tenant may have."""
    wanted = f"Host = '' AND User IN ({', '.join(map(quoting.text, roles))})"
    return _filled(server, server.flavor.powerful, of=wanted)


def _filled(server: Server, query: str, *, of: str = "", powerful: str = "") -> str:
    """A query of a flavor with its placeholders filled, in one pass: names may have braces."""
    columns = tuple(server.columns.items())
    parts = {
        "holds": lambda: tenancy.holds(*server.flavor.holder, columns, server.control),
        "holders": lambda: tenancy.holders(of, columns, server.control),
        "control": lambda: quoting.name(server.control),
        "making": lambda: quoting.text(MAKING),
        "listed": lambda: server.flavor.is_account,
        "of": lambda: of,
        "powerful": lambda: powerful,
    }
    return _PLACEHOLDER.sub(lambda found: parts[found[1]](), query)


def grants_of(server: Server, rows: Iterable[Row]) -> Grants:
    """By name and host. Many accounts have the same grant, which is read once."""
    found: dict[AccountPlace, list[StoredGrant]] = defaultdict(list)
    known: dict[tuple[str, str], StoredGrant] = {}
    for name, host, pattern, flags in rows:
        if (grant := known.get((pattern, flags))) is None:
            grant = StoredGrant(pattern, templates.from_flags(flags, server.columns))
            known[pattern, flags] = grant
        found[name, host].append(grant)
    return found


def account_of(server: Server, row: Row, held_by: Grants) -> StoredAccount:
    name, host, has_authentication, auth, locked, is_making, is_powerful, *mark_row = row
    held = tuple(held_by.get((name, host), ()))
    mark = control.mark(mark_row)
    has_password = bool(has_authentication) and auth not in _UNUSABLE
    is_locked = bool(locked)
    kind = AccountKind.SUPER if any(row.pattern == SUPER_PATTERN for row in held) else AccountKind.NORMAL
    grants = _listed_grants(server, held, kind)
    marks = _marks(mark, auth, is_locked, kind, grants)
    operations = tuple(operation for operation, _ in marks)
    facts = AccountFacts(
        oid=0,
        name=name,
        kind=kind,
        may_log_in=not is_locked,
        has_password=has_password,
        marker=operations[0] if operations else None,
        host=host,
        grants=grants,
        earlier=operations[1:],
        is_protected=bool(is_powerful),
        identity=mark.identity,
        orders=tuple(order for _, order in marks),
    )
    is_reserved = names.is_reserved(name, server.administrator)
    return StoredAccount(
        name, host, has_password, auth, is_locked, bool(is_making), is_reserved, mark, held, facts,
        bool(is_powerful),
    )  # fmt: skip


def _marks(
    mark: control.Mark, auth: str, locked: bool, kind: AccountKind, grants: Sequence[DatabaseGrant]
) -> tuple[tuple[UUID, int], ...]:
    """Operations that are done, with their orders: also the begun one, if the desired state is the actual state."""
    done = tuple(zip(mark.done, mark.orders, strict=True))
    if mark.begun is None or control.UNTIL_FINISHED.items() <= mark.wanted.items():
        return done
    now: dict[str, Any] = {"auth": auth, "locked": locked, "kind": kind.value}
    held = {grant.database: grant.access.value for grant in grants}
    wanted = mark.wanted
    is_so = all(now[key] == wanted[key] for key in now if key in wanted)
    is_granted = all(held.get(name) == access for name, access in wanted.get("grants", {}).items())
    if not (is_so and is_granted):
        return done
    begun = (mark.begun, int(wanted.get("order", FIRST)))
    return (begun, *(earlier for earlier in done if earlier[0] != mark.begun))


def _listed_grants(
    server: Server, held: Sequence[StoredGrant], kind: AccountKind
) -> tuple[DatabaseGrant, ...]:
    """Grants on tenants' databases. A super account's rows on system schemas only close those, so it has none."""
    if kind is AccountKind.SUPER:
        return ()
    by_name: dict[str, frozenset[str]] = {}
    for row in held:
        if quoting.matches_many(row.pattern) or names.is_system(name := row.database, server.control):
            continue
        by_name[name] = by_name[name] | row.privileges if name in by_name else row.privileges
    return tuple(
        templates.as_held(name, words, server.columns) for name, words in sorted(by_name.items()) if words
    )
