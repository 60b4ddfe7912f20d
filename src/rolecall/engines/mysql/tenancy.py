"""Which accounts of a server are tenants': the predicate of every query that lists, changes, grants or drops.

An account is a tenant's unless it holds a global privilege, may act as another account (PROXY), or holds a privilege on
a schema of the system's or Rolecall's (the schema, a table, a column or a routine), itself or through roles. The rows
of ``mysql.db`` are patterns, and the row of an exact name takes precedence over all of them. This is how Rolecall
closes the system's schemas to super accounts, and why a pattern that matches none of these schemas gives no power.
"""

from __future__ import annotations

from collections.abc import Iterable

from rolecall.engines.mysql import quoting
from rolecall.engines.mysql.statements import NARROW, narrowed
from rolecall.engines.mysql.templates import GRANT_OPTION

# GRANT OPTION counts though the schema is closed: the pattern could be handed on without the rows that close it.
_HOLDS = """
(EXISTS (SELECT 1 FROM mysql.proxies_priv p WHERE p.User = {user} AND p.Host = {host})
 OR EXISTS (SELECT 1 FROM mysql.db d JOIN ({schemas}) s ON s.name LIKE LOWER(d.Db)
            WHERE d.User = {user} AND d.Host = {host}
            AND (d.Grant_priv = 'Y' OR CONCAT({flags}) LIKE '%Y%' AND (d.Db = s.pattern OR NOT EXISTS (
                 SELECT 1 FROM mysql.db e WHERE e.User = d.User AND e.Host = d.Host AND e.Db = s.pattern))))
 OR {below})
"""
_BELOW = """
EXISTS (SELECT 1 FROM mysql.{table} t JOIN ({schemas}) s ON s.name = LOWER(t.Db)
        WHERE t.User = {user} AND t.Host = {host})
"""
_TABLES = ("tables_priv", "columns_priv", "procs_priv")


def holds(user: str, host: str, columns: Iterable[tuple[str, str]], control: str) -> str:
    """A condition: whether the account or role in these columns holds something that no tenant may.

    `columns` are pairs of a database's privilege and its column in ``mysql.db``.
    """
    schemas = " UNION ALL ".join(
        f"SELECT {quoting.text(name.lower())} AS name, {quoting.text(quoting.escaped(name))} AS pattern"
        for name in narrowed(control)
    )
    flags = ", ".join(f"d.{column}" for word, column in columns if word not in {NARROW, GRANT_OPTION})
    query = _HOLDS.replace("{below}", " OR ".join(_BELOW.replace("{table}", table) for table in _TABLES))
    for word, text in {"schemas": schemas, "flags": flags, "user": user, "host": host}.items():
        query = query.replace(f"{{{word}}}", text)
    return query
