"""What accounts need of the store, beside the ledger of operations."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from rolecall.domain.access.keys import Owner
from rolecall.domain.operations.model import AccountKey


@dataclass(frozen=True, slots=True)
class Due:
    """An account whose password is to be replaced."""

    owner: Owner
    instance_id: int
    name: str
    host: str

    @property
    def key(self) -> AccountKey:
        return self.instance_id, self.name, self.host


@dataclass(frozen=True, slots=True)
class Rotated:
    """The last attempt to give an account a managed password. `reason` says why it failed, if it did."""

    milliseconds: int = 0
    succeeded: bool = True
    reason: str = ""


class RotationRepository(Protocol):
    """Where what is due can be seen."""

    def turn(self) -> AbstractAsyncContextManager[bool]:
        """Whether it is this replica's turn, which it is for as long as the context is open."""

    async def due(self, period: int) -> Sequence[Due]:
        """Accounts whose managed password is `period` seconds old, the oldest first."""

    async def last_rotation(self, instance_id: int, account: str) -> Rotated:
        """`account` is its display name."""
