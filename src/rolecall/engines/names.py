"""What a name must be before it may stand in a statement, whatever server it goes to."""

from __future__ import annotations

from rolecall.domain.reasons import Reason, Refused

IDENTIFIER_BYTES = 63
"""NAMEDATALEN - 1. PostgreSQL cuts a longer name with no more than a NOTICE, so it must never see one."""

_HBA_WORDS = frozenset({"all", "replication", "sameuser", "samerole", "samegroup"})
_HBA_MARKS = ("+", "/", "@")
_NEVER_ROLES = frozenset({"public", "none"})


def is_text(value: str) -> bool:
    """True if a server can take this as a text: no NUL, no lone surrogate."""
    try:
        return b"\0" not in value.encode()
    except UnicodeEncodeError:
        return False


def fits(name: str) -> bool:
    """True if a server can hold this name as it is.

    NUL must be looked for here: psycopg's Identifier cuts a name at it without a word.
    """
    return bool(name) and is_text(name) and len(name.encode()) <= IDENTIFIER_BYTES


def require(name: str, reason: Reason) -> str:
    """The name itself if a server can hold it as it is, else a refusal for `reason`."""
    if not fits(name):
        raise Refused(reason, facts={"value": name})
    return name


def is_reserved_role(name: str) -> bool:
    """True for names a role can't have, or that would mean something else in pg_hba.conf.

    Sources: PostgreSQL documentation, CREATE ROLE and "The pg_hba.conf File".
    """
    return name.startswith(("pg_", *_HBA_MARKS)) or name in _NEVER_ROLES or name in _HBA_WORDS


def require_new_role(name: str) -> str:
    """The name of an account to be made: ACCOUNT_NAME_MALFORMED, ACCOUNT_NAME_RESERVED."""
    require(name, Reason.ACCOUNT_NAME_MALFORMED)
    if is_reserved_role(name):
        raise Refused(Reason.ACCOUNT_NAME_RESERVED, facts={"value": name})
    return name
