"""Rates, and what is left of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from msgspec import Struct

from rolecall.domain.messages import Command, Handlers
from rolecall.values import Origin


class Allowance(Struct, frozen=True):
    """`calls` in `seconds`. Calls of one `name` within a service are counted together."""

    service: str
    name: str
    calls: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Standing:
    """An allowance as it is enforced, and what is left of it; `resets_at` is unix time in seconds."""

    allowance: Allowance
    remaining: int
    resets_at: float


class RateCounter(Protocol):
    async def spend(self, allowance: Allowance, origin: Origin) -> bool:
        """Count a call for its owner, across replicas where they share counts. False if the allowance is used up."""

    async def standing(self, allowance: Allowance, origin: Origin) -> Standing | None:
        """The caller's, this call included. None where rates are lifted."""


@dataclass(frozen=True, slots=True)
class ShowRates(Command[tuple[Standing, ...]]):
    """Rates that are lifted are left out."""

    allowances: tuple[Allowance, ...]


class Rates:
    def __init__(self, counter: RateCounter) -> None:
        self._counter = counter
        self.handlers: Handlers = (ShowRates.handled_by(self.show),)

    async def show(self, command: ShowRates, origin: Origin) -> tuple[Standing, ...]:
        found = [await self._counter.standing(allowance, origin) for allowance in command.allowances]
        return tuple(standing for standing in found if standing is not None)
