"""What a server says of its accounts: one query for accounts, one for their grants, joined in memory."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from rolecall.domain.engine import AccountFacts, AccountKind, DatabaseGrant
from rolecall.domain.identity import FIRST
from rolecall.engines.mysql import control, hashes, names, quoting, templates, tenancy
from rolecall.engines.mysql.connections import Row, Session
from rolecall.engines.mysql.server import Server
from rolecall.engines.mysql.statements import MAKING, SUPER_PATTERN

# Columns: user, host, has authentication, digest of it, locked, being made, is no tenant's, then the mark.
# Roles are no accounts; MariaDB keeps them, and PUBLIC, beside accounts with an empty host.
_MARIADB = """
SELECT g.User, g.Host, COALESCE(JSON_VALUE(g.Priv, '$.authentication_string'), '') <> '',
       SHA2(COALESCE(JSON_VALUE(g.Priv, '$.authentication_string'), ''), 256),
       COALESCE(JSON_VALUE(g.Priv, '$.account_locked'), '0') IN ('1', 'true'),
       COALESCE(JSON_VALUE(g.Priv, '$.x509_subject'), '') = {making},
       powerful.user IS NOT NULL,
       c.done, c.earlier, c.begun, c.wanted, c.identity, c.orders
FROM mysql.global_priv g LEFT JOIN {control}.accounts c ON c.user = g.User AND c.host = g.Host {powerful}
WHERE g.Host <> '' AND g.User <> '' AND NOT COALESCE(JSON_VALUE(g.Priv, '$.is_role'), '0') IN ('1', 'true')
"""

# MySQL's static privileges are columns of mysql.user, the dynamic ones rows of their own.
_GLOBAL = (
    "Select", "Insert", "Update", "Delete", "Create", "Drop", "Reload", "Shutdown", "Process", "File", "Grant",
    "References", "Index", "Alter", "Show_db", "Super", "Create_tmp_table", "Lock_tables", "Execute", "Repl_slave",
    "Repl_client", "Create_view", "Show_view", "Create_routine", "Alter_routine", "Create_user", "Event", "Trigger",
    "Create_tablespace", "Create_role", "Drop_role",
)  # fmt: skip
_MYSQL = """
SELECT g.User, g.Host, COALESCE(g.authentication_string, '') <> '',
       SHA2(COALESCE(g.authentication_string, ''), 256),
       g.account_locked = 'Y',
       COALESCE(CONVERT(g.x509_subject USING utf8mb4), '') = {making},
       {powerful},
       c.done, c.earlier, c.begun, c.wanted, c.identity, c.orders
FROM mysql.user g LEFT JOIN {control}.accounts c ON c.user = g.User AND c.host = g.Host
WHERE g.User <> '' AND NOT EXISTS (SELECT 1 FROM mysql.role_edges e WHERE e.FROM_USER = g.User AND e.FROM_HOST = g.Host)
"""

_NOBODYS = frozenset({control.digest(hashes.NOBODYS_NATIVE), control.digest(hashes.NOBODYS_SHA2)})


@dataclass(frozen=True, slots=True)
class Held:
    """One row of ``mysql.db``: privileges by the pattern as it is stored."""

    pattern: str
    privileges: frozenset[str]

    @property
    def database(self) -> str:
        return quoting.unescaped(self.pattern)


@dataclass(frozen=True, slots=True)
class Found:
    """An account as the server holds it, whether or not a tenant may see it."""

    name: str
    host: str
    has_password: bool
    auth: str
    locked: bool
    is_half_made: bool
    """A creation of ours that has not come to its end: under the account's lock, one that was cut short."""
    is_reserved: bool
    """The servers' own or ours: shown to nobody."""
    mark: control.Mark
    held: tuple[Held, ...]
    facts: AccountFacts
    is_powerful: bool
    """It leads to more than a tenant may have (`tenancy`): protected whatever its name."""

    @property
    def is_protected(self) -> bool:
        return self.is_powerful or self.is_reserved

    @property
    def is_visible(self) -> bool:
        """Whether it is listed; one that is powerful is."""
        return not self.is_reserved and not self.is_half_made


async def look(session: Session, server: Server, user: str = "", host: str = "") -> list[Found]:
    """All accounts, or one; sorted by name, then host, by code point."""
    return read(server, await session.fetch_all(*queries(server, user, host)))


def queries(server: Server, user: str = "", host: str = "") -> tuple[str, str]:
    """What to ask for all accounts, or one; `read` takes the answers."""
    return _accounts_query(server, user, host), _grants_query(server, user, host)


def names_query(flavor: str, places: Iterable[tuple[str, str]]) -> str:
    """How the server has stored some accounts' names and hosts; cheaper than a look at all there is about them."""
    table = "global_priv" if flavor == "mariadb" else "user"
    asked = [f"User = {quoting.text(user)} AND Host = {quoting.text(host)}" for user, host in places]
    return f"SELECT User, Host FROM mysql.{table} WHERE {' OR '.join(asked)}"


def made_query(flavor: str, places: Iterable[tuple[str, str]]) -> str:
    """Which of some accounts are there, other than half made: names and hosts."""
    table, subject = (
        ("global_priv", "JSON_VALUE(Priv, '$.x509_subject')")
        if flavor == "mariadb"
        else ("user", "CONVERT(x509_subject USING utf8mb4)")
    )
    asked = [f"User = {quoting.text(user)} AND Host = {quoting.text(host)}" for user, host in places]
    return (
        f"SELECT User, Host FROM mysql.{table} WHERE ({' OR '.join(asked)})"
        f" AND COALESCE({subject}, '') <> {quoting.text(MAKING)}"
    )


def verifier_query(flavor: str, user: str, host: str) -> str:
    """What an account's password is compared with."""
    table, column = (
        ("global_priv", "JSON_VALUE(Priv, '$.authentication_string')")
        if flavor == "mariadb"
        else ("user", "authentication_string")
    )
    where = f"User = {quoting.text(user)} AND Host = {quoting.text(host)}"
    return f"SELECT {column} FROM mysql.{table} WHERE {where}"


def read(server: Server, answers: Sequence[Sequence[Row]]) -> list[Found]:
    rows, grant_rows = answers
    grants = _grants(server, grant_rows)
    found = [_found(row, server, grants.get((row[0], row[1]), ())) for row in rows]
    return sorted(found, key=lambda account: (account.name, account.host))


def found(server: Server, answers: Sequence[Sequence[Row]], user: str, host: str) -> Found | None:
    """One account of those read. Compared byte for byte, whatever the server's collation found alike."""
    return next((one for one in read(server, answers) if (one.name, one.host) == (user, host)), None)


def _accounts_query(server: Server, user: str, host: str) -> str:
    one = f"g.User = {quoting.text(user)} AND g.Host = {quoting.text(host)}" if user else "TRUE"
    is_mariadb = server.flavor == "mariadb"
    query = tenancy.REACH + _MARIADB if is_mariadb else _MYSQL
    powerful = tenancy.POWERFUL_MARIADB if is_mariadb else tenancy.IS_POWERFUL_MYSQL
    place = ("r.via", "r.place") if is_mariadb else ("g.User", "g.Host")
    parts = {
        "powerful": powerful,
        "holds": tenancy.holds(*place, server.columns.items(), server.control),
        "global": ", ".join(f"g.{name}_priv" for name in _GLOBAL),
        "control": quoting.name(server.control),
        "making": quoting.text(MAKING),
        "one": one,
    }
    for word, text in parts.items():
        query = query.replace(f"{{{word}}}", text)
    return f"{query} AND {one}"


def _grants_query(server: Server, user: str, host: str) -> str:
    where = f" WHERE User = {quoting.text(user)} AND Host = {quoting.text(host)}" if user else ""
    flags = ", ".join(server.columns.values())
    return f"SELECT User, Host, Db, CONCAT({flags}) FROM mysql.db{where}"


def _grants(server: Server, rows: Sequence[Row]) -> Mapping[tuple[str, str], Sequence[Held]]:
    found: dict[tuple[str, str], list[Held]] = defaultdict(list)
    for name, place, pattern, row in rows:
        found[name, place].append(Held(pattern, templates.from_flags(row, server.columns)))
    return found


def _found(row: Row, server: Server, held: Sequence[Held]) -> Found:
    name, host, has_authentication, auth, locked, is_making, is_powerful, *mark_row = row
    mark = control.mark(mark_row)
    has_password = bool(has_authentication) and auth not in _NOBODYS
    is_locked = bool(locked)
    kind = AccountKind.SUPER if any(one.pattern == SUPER_PATTERN for one in held) else AccountKind.NORMAL
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
    return Found(
        name, host, has_password, auth, is_locked, bool(is_making), is_reserved, mark, tuple(held), facts,
        bool(is_powerful),
    )  # fmt: skip


def _marks(
    mark: control.Mark, auth: str, locked: bool, kind: AccountKind, grants: Sequence[DatabaseGrant]
) -> tuple[tuple[UUID, int], ...]:
    """Operations that are done, with their orders: also the one begun, if what it wanted is what is."""
    done = tuple(zip(mark.done, mark.orders, strict=True))
    if mark.begun is None:
        return done
    now: dict[str, Any] = {"auth": auth, "locked": locked, "kind": kind.value}
    held = {grant.database: grant.access.value for grant in grants}
    wanted = mark.wanted
    is_so = all(now[key] == wanted[key] for key in now if key in wanted)
    is_granted = all(held.get(name) == access for name, access in wanted.get("grants", {}).items())
    if not (is_so and is_granted):
        return done
    begun = (mark.begun, int(wanted.get("order", FIRST)))
    return (begun, *(one for one in done if one[0] != mark.begun))


def _listed_grants(server: Server, held: Sequence[Held], kind: AccountKind) -> tuple[DatabaseGrant, ...]:
    """Tenants' databases by exact name. A super account's rows on system schemas only close them."""
    if kind is AccountKind.SUPER:
        return ()
    by_name: dict[str, frozenset[str]] = {}
    for one in held:
        if quoting.matches_many(one.pattern) or names.is_system(one.database, server.control):
            continue
        by_name[one.database] = by_name.get(one.database, frozenset()) | one.privileges
    return tuple(
        templates.as_held(name, words, server.columns) for name, words in sorted(by_name.items()) if words
    )
