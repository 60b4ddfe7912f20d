"""Every command has a handler, and every action of every service has a verb."""

from __future__ import annotations

import sys
import typing

import pytest

from rolecall.assembly import SERVICES, House
from rolecall.domain.messages import Command
from rolecall.settings import Settings
from rolecall.values import Secret


def commands_of_the_house() -> set[type]:
    """A dataclass with slots is made twice: only the second stands in its module."""
    return {one for one in Command.__subclasses__() if vars(sys.modules[one.__module__])[one.__name__] is one}


async def test_every_command_has_a_handler() -> None:
    house = House(Settings(), Secret("postgresql://nobody@127.0.0.1:1/none"), [bytes(32)])
    try:
        assert commands_of_the_house() == set(house.control._handlers)
    finally:
        await house.close()


@pytest.mark.parametrize(
    "service", SERVICES, ids=lambda one: f"{one.contract.service}-{one.contract.version}"
)
def test_every_action_has_a_verb_and_no_verb_is_without_an_action(service: typing.Any) -> None:
    assert set(service.verbs) == set(service.contract.actions)
