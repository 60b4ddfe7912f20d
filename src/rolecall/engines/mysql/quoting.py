"""How names and values stand in a statement. DDL takes no parameters, so everything is quoted here.

Valid under the session's own sql_mode (see `connections`): backslashes escape, double quotes quote text.
"""

from __future__ import annotations

import re

from asyncmy.converters import escape_string

_WILD = re.compile(r"([\\_%])")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


def text(value: str) -> str:
    """A string literal."""
    return f"'{escape_string(value)}'"


def name(value: str) -> str:
    """An identifier."""
    return "`" + value.replace("`", "``") + "`"


def account(user: str, host: str) -> str:
    """An account; a role, which has no host, is a name alone."""
    return f"{text(user)}@{text(host)}" if host else text(user)


def escaped(database: str) -> str:
    """The pattern that matches this one database: in GRANT a bare ``_`` or ``%`` matches others too."""
    return _WILD.sub(r"\\\1", database)


def unescaped(pattern: str) -> str:
    """The name in a stored pattern (``mysql.db.Db``)."""
    return _ESCAPED.sub(r"\1", pattern)


def matches_many(pattern: str) -> bool:
    """True for a pattern with a bare ``%``: it is no database's name. A bare ``_`` is what people forget to escape."""
    return "%" in _ESCAPED.sub("", pattern)


def whole(pattern: str) -> str:
    """Every object of a database, by its pattern as it is or will be stored."""
    return f"{name(pattern)}.*"
