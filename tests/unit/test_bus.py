"""Every command has exactly one handler, and every action of every service has a verb."""

from __future__ import annotations

import sys
import typing
from dataclasses import dataclass

import pytest
from tests.offline_application import offline_application

from rolecall.domain.bus import Bus
from rolecall.domain.messages import Command
from rolecall.pipeline import ANONYMOUS
from rolecall.services import SERVICES
from rolecall.values import Origin


def commands_of_the_domain() -> set[type]:
    """A dataclass with slots is made twice: only the second stands in its module."""
    return {
        command
        for command in Command.__subclasses__()
        if command.__module__.startswith("rolecall.")
        and vars(sys.modules[command.__module__])[command.__name__] is command
    }


async def test_every_command_has_a_handler() -> None:
    async with offline_application() as application:
        assert commands_of_the_domain() == set(application.bus.commands)


@dataclass(frozen=True, slots=True)
class _Double(Command[int]):
    number: int


async def _doubled(command: _Double, _origin: Origin) -> int:
    return command.number * 2


async def test_the_bus_answers_with_what_the_handler_returns() -> None:
    origin = Origin(ANONYMOUS.caller, "dialect", "Action", "request")
    assert await Bus((_Double.handled_by(_doubled),)).execute(_Double(21), origin) == 42


def test_a_command_with_two_handlers_is_refused() -> None:
    with pytest.raises(ValueError, match="_Double has two handlers"):
        Bus((_Double.handled_by(_doubled),), (_Double.handled_by(_doubled),))


@pytest.mark.parametrize(
    "service", SERVICES, ids=lambda one: f"{one.contract.service}-{one.contract.version}"
)
def test_every_action_has_a_verb_and_no_verb_is_without_an_action(service: typing.Any) -> None:
    assert set(service.verbs) == set(service.contract.actions)


@pytest.mark.parametrize(
    "service", SERVICES, ids=lambda one: f"{one.contract.service}-{one.contract.version}"
)
def test_a_verb_reads_the_parameters_that_the_contract_of_its_action_declares(service: typing.Any) -> None:
    for name, action in service.contract.actions.items():
        assert service.verbs[name].params is action.shape.type, name
