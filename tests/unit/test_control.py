"""Every command has a handler, and every action of every service has a verb."""

from __future__ import annotations

import sys
import typing
from unittest.mock import MagicMock

import pytest

from rolecall.assembly import SERVICES
from rolecall.domain.commands import Command
from rolecall.domain.control import Control
from rolecall.domain.directories.room import Directories
from rolecall.domain.people.room import PeopleRoom
from rolecall.domain.provisioning import Provisioning
from rolecall.domain.rates import Rates
from rolecall.domain.superusers import Superusers
from rolecall.domain.tokens import Tokens


def commands_of_the_house() -> set[type]:
    """A dataclass with slots is made twice: only the second stands in its module."""
    return {one for one in Command.__subclasses__() if vars(sys.modules[one.__module__])[one.__name__] is one}


def test_every_command_has_a_handler() -> None:
    rooms = [
        Superusers(MagicMock(), MagicMock()).handlers,
        Tokens(MagicMock(), MagicMock()).handlers,
        Rates(MagicMock()).handlers,
        PeopleRoom(*(MagicMock() for _ in range(6))).handlers,
        Directories(*(MagicMock() for _ in range(5))).handlers,
        Provisioning(None, 0, *(MagicMock() for _ in range(6))).handlers,
    ]
    control = Control(*(MagicMock() for _ in range(6)), rooms=rooms)
    assert commands_of_the_house() == set(control._handlers)


@pytest.mark.parametrize(
    "service", SERVICES, ids=lambda one: f"{one.contract.service}-{one.contract.version}"
)
def test_every_action_has_a_verb_and_no_verb_is_without_an_action(service: typing.Any) -> None:
    assert set(service.verbs) == set(service.contract.actions)
