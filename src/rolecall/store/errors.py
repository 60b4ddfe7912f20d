"""What the store's server says when it cannot do what it was asked, as reasons of the domain."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import errors

from rolecall.domain.reasons import Reason, Refused
from rolecall.exchanges.postgresql import NotConnected

_HELD = (
    errors.LockNotAvailable,
    errors.DeadlockDetected,
    errors.SerializationFailure,
    errors.QueryCanceled,
)
_AWAY = (NotConnected, errors.ReadOnlySqlTransaction, errors.TooManyConnections, errors.CannotConnectNow)
_UNWILLING = (errors.CheckViolation, errors.NotNullViolation, errors.RaiseException, errors.DiskFull)


@contextmanager
def reasons() -> Iterator[None]:
    """ENGINE_BUSY: others hold what was needed. ENGINE_UNREACHABLE: no connection, or only for reading.

    ENGINE_REFUSED: the server keeps no such row. INTERRUPTED: the connection was lost on the way; a transaction that
    was under way is undone, or, if it was committing, done. What is none of these is a mistake of ours, and stays it.
    """
    try:
        yield
    except _HELD as error:
        raise Refused(Reason.ENGINE_BUSY, note=_told(error)) from error
    except _AWAY as error:
        raise Refused(Reason.ENGINE_UNREACHABLE, note=_told(error)) from error
    except _UNWILLING as error:
        raise Refused(Reason.ENGINE_REFUSED, note=_told(error)) from error
    except psycopg.OperationalError as error:
        raise Refused(Reason.INTERRUPTED, note=_told(error)) from error


def _told(error: psycopg.Error) -> str:
    """Never the server's own words: they may quote a row."""
    return f"the store: {type(error).__name__}"
