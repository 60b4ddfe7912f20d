"""Every command has a handler, and every action of every service has a verb."""

from __future__ import annotations

import sys
import typing
from unittest.mock import MagicMock

import pytest

from rolecall.assembly import SERVICES
from rolecall.domain.commands import Command
from rolecall.domain.control import Control


def commands_of_the_house() -> set[type]:
    """A dataclass with slots is made twice: only the second stands in its module."""
    return {one for one in Command.__subclasses__() if vars(sys.modules[one.__module__])[one.__name__] is one}


def test_every_command_has_a_handler() -> None:
    control = Control(*(MagicMock() for _ in range(6)))
    assert commands_of_the_house() == set(control._handlers)


@pytest.mark.parametrize(
    "service", SERVICES, ids=lambda one: f"{one.contract.service}-{one.contract.version}"
)
def test_every_action_has_a_verb_and_no_verb_is_without_an_action(service: typing.Any) -> None:
    assert set(service.verbs) == set(service.contract.actions)
