"""Errors of the store's server as reasons of the domain."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import psycopg
from psycopg import errors

from rolecall.domain.reasons import Reason, Refused
from rolecall.exchanges.postgresql import NotConnected
from rolecall.store.connection import Connection, Pool, Statements

_HELD = (
    errors.LockNotAvailable,
    errors.DeadlockDetected,
    errors.SerializationFailure,
    errors.QueryCanceled,
)
_AWAY = (NotConnected, errors.ReadOnlySqlTransaction, errors.TooManyConnections, errors.CannotConnectNow)
_REJECTED = (errors.CheckViolation, errors.NotNullViolation, errors.RaiseException, errors.DiskFull)


@contextmanager
def reasons() -> Iterator[None]:
    """ENGINE_BUSY: another session holds what was needed. ENGINE_UNREACHABLE: no connection, or a read-only one.

    ENGINE_REFUSED: the server accepts no such row. INTERRUPTED: the connection was lost; a transaction that was under
    way is rolled back, or, if it was committing, committed. Anything else is a bug and propagates.
    """
    try:
        yield
    except _HELD as error:
        raise Refused(Reason.ENGINE_BUSY, note=_note(error)) from error
    except _AWAY as error:
        raise Refused(Reason.ENGINE_UNREACHABLE, note=_note(error)) from error
    except _REJECTED as error:
        raise Refused(Reason.ENGINE_REFUSED, note=_note(error)) from error
    except psycopg.OperationalError as error:
        raise Refused(Reason.INTERRUPTED, note=_note(error)) from error


def _note(error: psycopg.Error) -> str:
    """Not the server's message: it may quote a row."""
    return f"the store: {type(error).__name__}"


class Refusing(Statements):
    """A pool whose errors are `reasons`."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        with reasons():
            async with self._pool.connection() as connection:
                yield connection
