"""Privilege templates: `Access` as lists of privileges on a whole database, and back.

Only privileges of a database: the global ones that vendors add to such lists (PROCESS, REPLICATION CLIENT,
REPLICATION SLAVE) show every tenant's statements or hand out every tenant's data. LOCK TABLES, which old lists of the
read-only template had, lets a reader stop the writers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rolecall.domain.engine import Access, DatabaseGrant

GRANT_OPTION = "GRANT OPTION"

COLUMNS: Mapping[str, str] = {
    "SELECT": "Select_priv",
    "INSERT": "Insert_priv",
    "UPDATE": "Update_priv",
    "DELETE": "Delete_priv",
    "CREATE": "Create_priv",
    "DROP": "Drop_priv",
    "REFERENCES": "References_priv",
    "INDEX": "Index_priv",
    "ALTER": "Alter_priv",
    "CREATE TEMPORARY TABLES": "Create_tmp_table_priv",
    "LOCK TABLES": "Lock_tables_priv",
    "CREATE VIEW": "Create_view_priv",
    "SHOW VIEW": "Show_view_priv",
    "CREATE ROUTINE": "Create_routine_priv",
    "ALTER ROUTINE": "Alter_routine_priv",
    "EXECUTE": "Execute_priv",
    "EVENT": "Event_priv",
    "TRIGGER": "Trigger_priv",
    GRANT_OPTION: "Grant_priv",
}
"""Privileges on a database, and their columns in ``mysql.db`` (both servers)."""

MARIADB_COLUMNS: Mapping[str, str] = {**COLUMNS, "DELETE HISTORY": "Delete_history_priv"}

_WORDS: Mapping[str, str] = {column: word for word, column in MARIADB_COLUMNS.items()}


def columns_of(names: Iterable[str]) -> Mapping[str, str]:
    """The privileges of the columns of ``mysql.db`` that end in ``_priv``.

    Later servers add privileges, and name the column after the privilege (``Show_create_routine_priv``, MariaDB 11.3),
    so that privileges unknown here are granted, shown and revoked like others.
    """
    return {_WORDS.get(name) or name.removesuffix("_priv").replace("_", " ").upper(): name for name in names}


READ_ONLY = frozenset({"SELECT", "SHOW VIEW"})
READ_WRITE = frozenset(COLUMNS) - {GRANT_OPTION}
DDL_ONLY = frozenset(
    {
        "ALTER",
        "ALTER ROUTINE",
        "CREATE",
        "CREATE ROUTINE",
        "CREATE TEMPORARY TABLES",
        "CREATE VIEW",
        "DROP",
        "INDEX",
        "LOCK TABLES",
        "SHOW VIEW",
    }
)


_TEMPLATES = {Access.READ_ONLY: READ_ONLY, Access.READ_WRITE: READ_WRITE, Access.DDL_ONLY: DDL_ONLY}


def privileges(access: Access, columns: Mapping[str, str]) -> frozenset[str]:
    """The privileges of a template on a server with these columns."""
    return frozenset(columns) - {GRANT_OPTION} if access is Access.ALL else _TEMPLATES[access]


def access(held: frozenset[str], columns: Mapping[str, str]) -> Access:
    """The template of exactly these privileges; OTHER if none matches.

    All privileges are ALL, with or without GRANT OPTION; on MySQL READ_WRITE, which is the same there.
    """
    for template in (Access.READ_ONLY, Access.DDL_ONLY, Access.READ_WRITE, Access.ALL):
        if held == privileges(template, columns):
            return template
    return Access.ALL if held >= privileges(Access.ALL, columns) else Access.OTHER


def as_held(database: str, held: frozenset[str], columns: Mapping[str, str]) -> DatabaseGrant:
    """What an account holds on a database, as it is listed."""
    found = access(held, columns)
    words = tuple(word for word in columns if word in held) if found is Access.OTHER else ()
    return DatabaseGrant(database, found, words)


def as_read_back(grant: DatabaseGrant, columns: Mapping[str, str]) -> DatabaseGrant:
    """A grant as it will be listed: of two templates with the same privileges only one is read back."""
    return as_held(grant.database, privileges(grant.access, columns), columns)


def from_flags(flags: str, columns: Mapping[str, str]) -> frozenset[str]:
    """The privileges of a row of ``mysql.db``, its columns read as one text of ``Y`` and ``N``."""
    return frozenset(word for word, flag in zip(columns, flags, strict=True) if flag == "Y")


def listed(words: Iterable[str]) -> str:
    return ", ".join(sorted(words))
