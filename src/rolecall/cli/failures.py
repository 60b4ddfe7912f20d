"""What the program prints when a command fails. Imported only then: the errors are those of every part."""

from __future__ import annotations

import asyncio

from psycopg import DataError

from rolecall.cli.context import first_line
from rolecall.cli.errors import CommandError
from rolecall.cli.printing import visible
from rolecall.cli.refusals import sentence
from rolecall.domain.operations.audit import ChainBroken
from rolecall.domain.operations.model import StillUnknown
from rolecall.domain.reasons import OutcomeUnknown, Refused
from rolecall.domain.secrets.sealed_files import FileBroken
from rolecall.domain.secrets.sealing import SealBroken
from rolecall.local.account import LocalServerError
from rolecall.settings import SettingsError
from rolecall.store.connection import LOST
from rolecall.store.poolers import PoolerMode
from rolecall.store.schema import SchemaMismatch

_SPEAKING = (
    CommandError,
    SettingsError,
    LocalServerError,
    SchemaMismatch,
    PoolerMode,
    SealBroken,
    FileBroken,
    ChainBroken,
)
"""Errors whose texts are written for users."""


def is_interruption(error: BaseException) -> bool:
    return isinstance(error, KeyboardInterrupt | asyncio.CancelledError)


def status(error: BaseException) -> int:
    """The exit status: 3 if whether a change happened is not known yet, else 1."""
    unknown = StillUnknown | OutcomeUnknown
    return 3 if isinstance(error, unknown) or isinstance(error.__cause__, unknown) else 1


def explain(error: BaseException) -> str | None:
    """The message for an error that a user can fix, without control characters: one line, or the end of a server's log.

    Empty if nothing reads the output any more; None for a bug, whose traceback is needed.
    """
    text = _text(error)
    return None if text is None else "\n".join(map(visible, text.split("\n")))


def _text(error: BaseException) -> str | None:
    if isinstance(error, BrokenPipeError):
        return ""
    if isinstance(error, _SPEAKING):
        return str(error)
    if isinstance(error, Refused):
        return sentence(error)
    if isinstance(error, OutcomeUnknown):
        return f"a database server was lost: {error}"
    if isinstance(error, LOST):
        return f"the store cannot be used: {first_line(error)}"
    if isinstance(error, DataError):
        return f"the store cannot hold a value: {first_line(error)}"
    if isinstance(error, UnicodeEncodeError):
        return f"{error.object[error.start : error.end]!a} is not a text in {error.encoding}"
    if isinstance(error, OSError) and error.strerror:
        return ": ".join(map(str, filter(None, (error.filename, error.strerror))))
    return None
