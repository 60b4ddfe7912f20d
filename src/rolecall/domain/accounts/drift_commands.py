"""Commands on what accounts have become on their servers, compared with what was recorded."""

from __future__ import annotations

from dataclasses import dataclass

from rolecall.domain.accounts.drift import AccountDrift, Difference
from rolecall.domain.messages import Command, InstanceName


@dataclass(frozen=True, slots=True)
class Reassertion:
    """`done` was, or is to be, put back; `left` cannot be."""

    drift: AccountDrift
    done: tuple[Difference, ...]
    left: tuple[Difference, ...]


@dataclass(frozen=True, slots=True)
class CompareAccount(Command[AccountDrift]):
    instance: InstanceName
    name: str
    host: str = ""


@dataclass(frozen=True, slots=True)
class AdoptAccount(Command[AccountDrift]):
    """Record what the server has now. The outcome is how it differed. An account that SQL created becomes managed.

    `recreated`: also an account that SQL has created in place of another. A `dry_run` changes nothing.
    """

    instance: InstanceName
    name: str
    host: str = ""
    recreated: bool = False
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class ReassertAccount(Command[Reassertion]):
    """Put back on the server what was recorded, but for passwords, of which only fingerprints are kept."""

    instance: InstanceName
    name: str
    host: str = ""
    dry_run: bool = False
