"""The meaning of a server's errors: SQLSTATE to `Reason`, and which errors are worth another attempt.

Sources: PostgreSQL documentation, appendix A; src/backend/postmaster for the refusals at connect, which libpq
hands on as text without a SQLSTATE.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from rolecall.domain.reasons import OutcomeUnknown, Reason, Refused
from rolecall.engines import begun as any_begun

BY_SQLSTATE: dict[str, Reason] = {
    "42710": Reason.ACCOUNT_TAKEN,
    "42704": Reason.ACCOUNT_MISSING,
    "42939": Reason.ACCOUNT_NAME_RESERVED,
    "42602": Reason.ACCOUNT_NAME_MALFORMED,
    "42P04": Reason.DATABASE_TAKEN,
    "3D000": Reason.DATABASE_MISSING,
    "3F000": Reason.OBJECT_MISSING,
    "42P01": Reason.OBJECT_MISSING,
    "42703": Reason.OBJECT_MISSING,
    "42883": Reason.OBJECT_MISSING,
    "42809": Reason.OBJECT_MISSING,
    "2BP01": Reason.PRIVILEGE_DEPENDENT,
    "0LP01": Reason.MEMBERSHIP_CIRCULAR,
    "53300": Reason.ENGINE_BUSY,
    "55P03": Reason.ENGINE_BUSY,
    "55006": Reason.ENGINE_BUSY,
    "57014": Reason.ENGINE_BUSY,
    "40001": Reason.ENGINE_BUSY,
    "40P01": Reason.ENGINE_BUSY,
    "57P01": Reason.INSTANCE_RESTARTING,
    "57P02": Reason.INSTANCE_RESTARTING,
    "57P03": Reason.INSTANCE_RESTARTING,
}

_AT_CONNECT = (
    (re.compile("the database system is "), Reason.INSTANCE_RESTARTING),
    (re.compile("too many clients|connection slots are reserved|too many connections"), Reason.ENGINE_BUSY),
    (re.compile('database ".*" does not exist'), Reason.DATABASE_MISSING),
    (re.compile('database ".*" is not currently accepting connections'), Reason.ENGINE_REFUSED),
)

_TRANSIENT_STATES = frozenset({"40001", "40P01"})
_TRANSIENT_TEXTS = re.compile("tuple concurrently (updated|deleted)|could not find tuple")

_PARAMETER_REFUSED = re.compile("permission denied to set parameter")


def is_transient(error: psycopg.Error) -> bool:
    """Whether the same transaction may succeed a moment later.

    XX000 only with the texts of two writers on one catalog row; any other XX000 is a real fault. A lock or statement
    that timed out is not tried again: the server has already waited long enough.
    """
    if error.sqlstate in _TRANSIENT_STATES:
        return True
    return error.sqlstate == "XX000" and _TRANSIENT_TEXTS.search(_words(error)) is not None


def is_lost(error: psycopg.Error) -> bool:
    """Whether the connection ended without a message from the server, so that the outcome is unknown."""
    return isinstance(error, psycopg.OperationalError) and error.sqlstate is None


def is_going_away(error: psycopg.Error) -> bool:
    """Whether the server ended this session before it executed the statement."""
    return error.sqlstate in {"57P01", "57P02", "57P03"}


def is_parameter_refused(error: psycopg.Error) -> bool:
    """Whether a start-up option is reserved for superusers."""
    return _PARAMETER_REFUSED.search(str(error)) is not None


def at_connect(error: BaseException) -> Refused:
    """The refusal for a failed connection attempt; nothing has happened on the server."""
    text = str(error)
    for pattern, reason in _AT_CONNECT:
        if pattern.search(text):
            return Refused(reason, note=_one_line(text))
    return Refused(Reason.ENGINE_UNREACHABLE, note=_one_line(text) or type(error).__name__)


def refusal(error: psycopg.Error) -> Refused:
    """The refusal for an error on an open connection, outside a commit.

    Keeps only the primary message: the full text may quote the statement, and with it a verifier.
    """
    if is_lost(error):
        return Refused(Reason.ENGINE_UNREACHABLE, note="connection lost")
    reason = BY_SQLSTATE.get(error.sqlstate or "", Reason.ENGINE_REFUSED)
    return Refused(reason, note=f"{error.sqlstate}: {_words(error)}")


def in_commit(error: psycopg.Error) -> Refused | OutcomeUnknown:
    """The same for a statement that commits: a lost connection leaves the outcome unknown."""
    return OutcomeUnknown("connection lost while committing") if is_lost(error) else refusal(error)


@contextmanager
def committing() -> Iterator[None]:
    """A connection that is lost in here leaves the outcome open; other errors pass."""
    try:
        yield
    except psycopg.Error as error:
        if is_lost(error):
            raise in_commit(error) from None
        raise


@contextmanager
def begun(what: str) -> Iterator[None]:
    """`engines.begun` for code in which the driver's errors are not refusals yet."""
    try:
        with any_begun.begun(what):
            yield
    except psycopg.Error as error:
        if is_lost(error) or is_going_away(error):
            raise OutcomeUnknown(what) from None
        raise


def _words(error: psycopg.Error) -> str:
    return error.diag.message_primary or ""


def _one_line(text: str) -> str:
    return " ".join(text.split())
