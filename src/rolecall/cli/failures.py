"""What the program prints when a command fails. Imported only then: the errors are those of every part."""

from __future__ import annotations

import asyncio

from rolecall.cli.context import first_line
from rolecall.cli.errors import CommandError
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
    """One line about an error that a user can fix; None for a bug, whose traceback is needed."""
    if isinstance(error, _SPEAKING):
        return str(error)
    if isinstance(error, Refused):
        return sentence(error)
    if isinstance(error, OutcomeUnknown):
        return f"a database server was lost: {error}"
    if isinstance(error, LOST):
        return f"the store cannot be used: {first_line(error)}"
    return None
