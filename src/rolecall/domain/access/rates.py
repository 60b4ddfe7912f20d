"""How often a caller may still call, as a question that callers can ask."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from rolecall.domain.messages import Command, Handlers
from rolecall.values import Origin


@dataclass(frozen=True, slots=True)
class Allowance:
    """So many calls in so many seconds. `name` says what is counted together within a service."""

    service: str
    name: str
    calls: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Standing:
    """An allowance as it is kept, and what is left of it; `resets_at` is when there is more, in unix seconds."""

    allowance: Allowance
    remaining: int
    resets_at: float


class RateCounter(Protocol):
    async def spend(self, allowance: Allowance, origin: Origin) -> bool:
        """Count a call for its owner, across replicas where they share counts. False if the allowance is used up."""

    async def standing(self, allowance: Allowance, origin: Origin) -> Standing | None:
        """Of the one who asks, after this very call was counted. None where rates are lifted."""


@dataclass(frozen=True, slots=True)
class ShowRates(Command[tuple[Standing, ...]]):
    """Rates that are lifted are left out."""

    allowances: tuple[Allowance, ...]


class Rates:
    def __init__(self, counter: RateCounter) -> None:
        self._counter = counter
        self.handlers: Handlers = (ShowRates.handled_by(self.show),)

    async def show(self, command: ShowRates, origin: Origin) -> tuple[Standing, ...]:
        found = [await self._counter.standing(one, origin) for one in command.allowances]
        return tuple(one for one in found if one is not None)
