"""Every command has a handler, and every action of every service has a verb."""

from __future__ import annotations

import typing
from unittest.mock import MagicMock

import pytest

from rolecall.assembly import SERVICES
from rolecall.domain.commands import Command
from rolecall.domain.control import Control


def test_every_command_has_a_handler() -> None:
    control = Control(*(MagicMock() for _ in range(6)))
    assert set(typing.get_args(Command)) == set(control._handlers)


@pytest.mark.parametrize(
    "service", SERVICES, ids=lambda one: f"{one.contract.service}-{one.contract.version}"
)
def test_every_action_has_a_verb_and_no_verb_is_without_an_action(service: typing.Any) -> None:
    assert set(service.verbs) == set(service.contract.actions)
