"""What a server's errors mean: error number to `Reason`.

Sources: MySQL "Server Error Message Reference"; MariaDB documentation, "MariaDB Error Code Reference".
"""

from __future__ import annotations

from asyncmy.errors import MySQLError

from rolecall.domain.reasons import Reason, Refused

ACCESS_DENIED = 1045
SYNTAX = 1064
COLUMN_THERE = 1060
NO_SUCH_GRANT = frozenset({1141, 1147, 1403})
NO_SUCH_THREAD = 1094
CANNOT_USER = 1396
"""CREATE of an existing account, or ALTER, DROP or RENAME of a missing one."""

PREVENTED = 1290
"""A server option prevents the statement; the message, in any language, names the option."""
_STRICT = "strict-password-validation"

BY_NUMBER: dict[int, Reason] = {
    1007: Reason.DATABASE_TAKEN,
    1008: Reason.DATABASE_MISSING,
    1049: Reason.DATABASE_MISSING,
    1059: Reason.DATABASE_NAME_MALFORMED,
    1102: Reason.DATABASE_NAME_MALFORMED,
    1470: Reason.ACCOUNT_NAME_MALFORMED,
    1133: Reason.ACCOUNT_MISSING,
    1410: Reason.ACCOUNT_MISSING,
    1115: Reason.ENCODING_UNSUPPORTED,
    1253: Reason.LOCALE_UNSUPPORTED,
    1273: Reason.LOCALE_UNSUPPORTED,
    1040: Reason.ENGINE_BUSY,
    1203: Reason.ENGINE_BUSY,
    1226: Reason.ENGINE_BUSY,
    1205: Reason.ENGINE_BUSY,
    1213: Reason.ENGINE_BUSY,
    1969: Reason.ENGINE_BUSY,
    3024: Reason.ENGINE_BUSY,
    1053: Reason.INSTANCE_RESTARTING,
    1079: Reason.INSTANCE_RESTARTING,
    1080: Reason.INSTANCE_RESTARTING,
}

_AT_CONNECT = frozenset({Reason.ENGINE_BUSY, Reason.INSTANCE_RESTARTING})

_ENDED = frozenset({1053, 1077, 1079, 1080, 1152, 1158, 1159, 1160, 1161, 1184, 1317, 1927})
"""The server ended the session or the statement; how far it came is unknown."""

_CLIENTS_OWN = range(2000, 3000)
"""Numbers of the client library: the connection is lost."""

_CLIENTS_OTHER = 0


class Lost(Exception):
    """The connection ended, or did not answer in time; how far the statement came is unknown."""


class StepError(MySQLError):
    """A statement failed. `step` counts the statements before it in the same round trip, which succeeded."""

    def __init__(self, error: MySQLError, step: int) -> None:
        super().__init__(*error.args)
        self.step = step


def number(error: BaseException) -> int:
    """The server's error number, 0 if it has none."""
    first = error.args[0] if error.args else _CLIENTS_OTHER
    return first if isinstance(first, int) else _CLIENTS_OTHER


def is_lost(error: MySQLError) -> bool:
    return number(error) in _CLIENTS_OWN or number(error) == _CLIENTS_OTHER


def is_answer(error: BaseException) -> bool:
    """Whether the error is the server's answer."""
    return isinstance(error, MySQLError) and not is_lost(error)


def is_ended(error: MySQLError) -> bool:
    return number(error) in _ENDED


def at_connect(error: BaseException) -> Refused:
    """The refusal for a failed connection attempt; nothing has happened on the server."""
    reason = BY_NUMBER.get(number(error), Reason.ENGINE_UNREACHABLE)
    note = " ".join(str(error).split()) or type(error).__name__
    return Refused(reason if reason in _AT_CONNECT else Reason.ENGINE_UNREACHABLE, note=note)


def refusal(error: MySQLError) -> Refused:
    """The refusal for an error on an open connection.

    A syntax error quotes the statement, which may hold a hash, so its text is dropped.
    """
    code = number(error)
    if code == PREVENTED and _STRICT in str(error.args[1:]):
        return Refused(Reason.VERIFIERS_REFUSED, note=f"{code}: {_STRICT}")
    words = "" if code == SYNTAX or len(error.args) < 2 else f": {error.args[1]}"
    return Refused(BY_NUMBER.get(code, Reason.ENGINE_REFUSED), note=f"{code}{words}")
