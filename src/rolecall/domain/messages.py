"""Messages: what every command of the domain shares.

An `InstanceName` is a public id together with the dialect it belongs to; the domain finds the instance by it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from rolecall.values import Origin


class Command:
    """What the domain can be asked; `domain.bus` has a handler for every subclass."""

    __slots__ = ()


Handlers = Mapping[type[Command], Callable[[Any, Origin], Awaitable[object]]]
"""Which handler carries out which command. It gives the outcome, or raises `Refused`."""


@dataclass(frozen=True, slots=True)
class InstanceName:
    dialect: str
    public_id: str


@dataclass(frozen=True, slots=True)
class ClientToken:
    """A client's promise that calls with the same text are the same call. `digest` is of everything else in it."""

    text: str
    digest: str


Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """A slice of a listing. `total` counts what the listing holds, not the slice."""

    items: tuple[Item, ...]
    total: int
