"""Quoting of names and values in statements. DDL takes no parameters, so everything is quoted here.

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
    """An account; a role, which has no host, is only a name."""
    return f"{text(user)}@{text(host)}" if host else text(user)


def escaped(database: str) -> str:
    """The pattern that matches only this database: in GRANT an unescaped ``_`` or ``%`` also matches others."""
    return _WILD.sub(r"\\\1", database)


def unescaped(pattern: str) -> str:
    """The name in a stored pattern (``mysql.db.Db``)."""
    return _ESCAPED.sub(r"\1", pattern) if "\\" in pattern else pattern


def matches_many(pattern: str) -> bool:
    """Whether a pattern has an unescaped ``%``, and so is not a name. An unescaped ``_`` is usually a mistake."""
    return "%" in pattern and "%" in _ESCAPED.sub("", pattern)


def whole(pattern: str) -> str:
    """Every object of a database, by its pattern as stored."""
    return f"{name(pattern)}.*"
