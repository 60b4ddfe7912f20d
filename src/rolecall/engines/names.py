"""Checks of names before they are put into a statement, for any kind of server."""

from __future__ import annotations

from rolecall.domain.reasons import Reason, Refused

IDENTIFIER_BYTES = 63
"""NAMEDATALEN - 1. PostgreSQL truncates a longer name with a NOTICE only, so none is ever sent."""

_HBA_WORDS = frozenset({"all", "replication", "sameuser", "samerole", "samegroup"})
_HBA_MARKS = ("+", "/", "@")
_NEVER_ROLES = frozenset({"public", "none"})


def is_text(value: str) -> bool:
    """Whether a server can take this as a text: no NUL, no lone surrogate."""
    try:
        return b"\0" not in value.encode()
    except UnicodeEncodeError:
        return False


def fits(name: str) -> bool:
    """Whether a server can hold this name unchanged.

    NUL must be checked here: psycopg's Identifier silently truncates a name at it.
    """
    return bool(name) and is_text(name) and len(name.encode()) <= IDENTIFIER_BYTES


def require(name: str, reason: Reason) -> str:
    """The name itself. Refuses with `reason` if a server cannot hold it unchanged."""
    if not fits(name):
        raise Refused(reason, facts={"value": name})
    return name


def is_reserved_role(name: str) -> bool:
    """Whether a role cannot have this name, or it would mean something else in pg_hba.conf.

    Sources: PostgreSQL documentation, CREATE ROLE and "The pg_hba.conf File".
    """
    return name.startswith(("pg_", *_HBA_MARKS)) or name in _NEVER_ROLES or name in _HBA_WORDS


def require_new_role(name: str) -> str:
    """The name of a new account. ACCOUNT_NAME_MALFORMED, ACCOUNT_NAME_RESERVED."""
    require(name, Reason.ACCOUNT_NAME_MALFORMED)
    if is_reserved_role(name):
        raise Refused(Reason.ACCOUNT_NAME_RESERVED, facts={"value": name})
    return name
