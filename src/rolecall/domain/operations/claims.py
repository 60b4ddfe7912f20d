"""Claims: which operation a client token stands for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from rolecall.domain.operations.model import State


@dataclass(frozen=True, slots=True)
class Claim:
    """A client token that an operation is to answer for. `digest` is of what was asked with it, under a key of ours.

    `renews` is the operation that the token stood for, if nothing is left of that. `waits`: only once that is closed.
    """

    token: str
    digest: str
    renews: UUID | None = None
    waits: bool = False


@dataclass(frozen=True, slots=True)
class Claimed:
    """What a client token stands for: an operation, its instance and its present state."""

    operation: UUID
    instance_id: int | None
    state: State
    digest: str

    def yields_to(self, claim: Claim) -> bool:
        """Whether it is what the claim renews. A crash of the store may have lost that it was closed: then it is open
        again, and what it made is known again once recovery has looked."""
        return self.operation == claim.renews and not (claim.waits and self.state.value == "accepted")


class ClaimedBefore(Exception):
    """The client token stands for another operation than the one that the claim renews."""

    def __init__(self, kept: Claimed) -> None:
        super().__init__(f"the client token stands for operation {kept.operation}")
        self.kept = kept
