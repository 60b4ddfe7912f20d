"""The front door of the domain: finds the handler of a command among those that the subjects register."""

from __future__ import annotations

from collections.abc import Collection
from itertools import chain
from typing import TypeVar, cast

from rolecall.domain.messages import Command, Handler, Handlers
from rolecall.values import Origin

_T = TypeVar("_T")


class Bus:
    def __init__(self, *subjects: Handlers) -> None:
        """ValueError for a command with two handlers."""
        self._handlers: dict[type[Command[object]], Handler] = {}
        for registration in chain(*subjects):
            if registration.command in self._handlers:
                raise ValueError(f"{registration.command.__name__} has two handlers")
            self._handlers[registration.command] = registration.handler

    @property
    def commands(self) -> Collection[type[Command[object]]]:
        return self._handlers.keys()

    async def execute(self, command: Command[_T], origin: Origin) -> _T:
        """The outcome of a command, or `Refused`."""
        outcome = await self._handlers[type(command)](command, origin)
        # `Command.handled_by` has checked the handler's type, which a table of different commands cannot show.
        return cast("_T", outcome)
