"""The front door of the domain: finds the handler of a command among those that the subjects register."""

from __future__ import annotations

from collections.abc import Collection
from itertools import chain
from typing import Protocol, TypeVar, cast

from rolecall.domain.messages import Command, Handler, Handlers
from rolecall.values import Origin

_T = TypeVar("_T")


class Expected(Protocol):
    """Adds to a command what it is to find, and leaves others as they are."""

    def __call__(self, command: Command[_T], /) -> Command[_T]: ...


def _as_it_is(command: Command[_T], /) -> Command[_T]:
    return command


class Bus:
    def __init__(self, *subjects: Handlers) -> None:
        """ValueError for a command with two handlers."""
        self._expected: Expected = _as_it_is
        self._handlers: dict[type[Command[object]], Handler] = {}
        for registration in chain(*subjects):
            if registration.command in self._handlers:
                raise ValueError(f"{registration.command.__name__} has two handlers")
            self._handlers[registration.command] = registration.handler

    def with_expected(self, expected: Expected) -> Bus:
        """The same, for one call: what its command is to find, which no dialect can say, is added to it."""
        bus = Bus()
        bus._handlers = self._handlers
        bus._expected = expected
        return bus

    @property
    def commands(self) -> Collection[type[Command[object]]]:
        return self._handlers.keys()

    async def execute(self, command: Command[_T], origin: Origin) -> _T:
        """The outcome of a command, or `Refused`."""
        command = self._expected(command)
        outcome = await self._handlers[type(command)](command, origin)
        # `Command.handled_by` has checked the handler's type, which a table of different commands cannot show.
        return cast("_T", outcome)
