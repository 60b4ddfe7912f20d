"""Which accounts of a server are tenants': the predicate of every query that lists, changes, grants or drops.

An account is a tenant's unless it holds a global privilege, may act as another account (PROXY), or holds a privilege on
a schema of the system's or Rolecall's (the schema, a table, a column or a routine), itself or through roles. The rows
of ``mysql.db`` are patterns, and the row of an exact name takes precedence over all of them. This is how Rolecall
closes the system's schemas to super accounts, and why a pattern that matches none of these schemas gives no power.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from rolecall.engines.mysql import quoting
from rolecall.engines.mysql.statements import NARROW, narrowed
from rolecall.engines.mysql.templates import GRANT_OPTION

_BELOW = ("tables_priv", "columns_priv", "procs_priv")


Columns = tuple[tuple[str, str], ...]
"""Pairs of a database's privilege and its column in ``mysql.db``."""


def holds(user: str, host: str, columns: Columns, control: str) -> str:
    """A condition: whether the account or role of this user and host holds something that no tenant may."""
    held = (
        f"EXISTS (SELECT 1 FROM mysql.{table} h WHERE h.User = {user} AND h.Host = {host} AND {is_power})"
        for table, is_power in _powers(columns, control)
    )
    return f"({' OR '.join(held)})"


def holders(condition: str, columns: Columns, control: str) -> str:
    """A query for users and hosts of which `holds` is true, by a condition on these columns.

    The server reads each table once: with `holds` it would ask each of them for each of many accounts.
    """
    return " UNION ".join(
        f"SELECT h.User, h.Host FROM mysql.{table} h WHERE {is_power} AND ({condition})"
        for table, is_power in _powers(columns, control)
    )


@lru_cache(maxsize=16)  # of servers
def _powers(columns: Columns, control: str) -> Sequence[tuple[str, str]]:
    """Tables of privileges, and conditions on their rows (``h``): what the row gives is more than a tenant may have."""
    schemas = {quoting.text(name.lower()): quoting.text(quoting.escaped(name)) for name in narrowed(control)}
    flags = ", ".join(f"h.{column}" for word, column in columns if word not in {NARROW, GRANT_OPTION})
    matches = {name: f"{name} LIKE LOWER(h.Db)" for name in schemas}
    opens = (
        f"{matches[name]} AND (h.Db = {pattern} OR NOT EXISTS"
        f" (SELECT 1 FROM mysql.db e WHERE e.User = h.User AND e.Host = h.Host AND e.Db = {pattern}))"
        for name, pattern in schemas.items()
    )
    # The name first, which rules out most rows. GRANT OPTION counts though the schema is closed: the pattern could be
    # handed on without the rows that close it.
    is_open = f"h.Grant_priv = 'Y' OR CONCAT({flags}) LIKE '%Y%' AND ({' OR '.join(opens)})"
    return (
        ("proxies_priv", "TRUE"),
        ("db", f"({' OR '.join(matches.values())}) AND ({is_open})"),
        *((table, f"LOWER(h.Db) IN ({', '.join(schemas)})") for table in _BELOW),
    )
