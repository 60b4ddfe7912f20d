"""Messages: what every command of the domain shares.

An `InstanceName` is a public id together with the dialect it belongs to; the domain finds the instance by it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Self, TypeAlias, TypeVar

from msgspec import Struct

from rolecall.values import Origin

T_co = TypeVar("T_co", covariant=True)


class Command(Generic[T_co]):
    """A request to the domain. `T_co` is the type of its outcome; every subclass has one handler in `domain.bus`."""

    __slots__ = ()

    @classmethod
    def handled_by(cls, handler: Callable[[Self, Origin], Awaitable[T_co]]) -> Registration:
        """`handler` returns the outcome or raises `Refused`; its types are checked against the command's."""
        return Registration(cls, handler)


Handler: TypeAlias = Callable[[Any, Origin], Awaitable[object]]
"""A handler whose command is known only when it is called; `Command.handled_by` has checked its types."""


@dataclass(frozen=True, slots=True)
class Registration:
    """A command with its handler. Made by `Command.handled_by` alone, which knows that the two belong together."""

    command: type[Command[object]]
    handler: Handler


Handlers: TypeAlias = Sequence[Registration]


class InstanceName(Struct, frozen=True):
    dialect: str
    public_id: str


@dataclass(frozen=True, slots=True)
class ClientToken:
    """A client's promise that calls with the same text are the same call. `digest` is of everything else in it."""

    text: str
    digest: str


Item = TypeVar("Item", covariant=True)


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """A slice of a listing. `total` counts what the listing holds, not the slice."""

    items: tuple[Item, ...]
    total: int
