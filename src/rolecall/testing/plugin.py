"""The pytest plugin: `rolecall` for a test, `rolecall_server` for the run, started when the first test asks for it.

With pytest-xdist each worker has a Rolecall of its own.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from rolecall.testing.interface import Rolecall


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addini(
        "rolecall_arguments", "Arguments of `rolecall up`, such as --seed FILE.", type="args", default=[]
    )
    parser.addini(
        "rolecall_environment",
        "Settings of the server, a line each, such as ROLECALL_LOG_LEVEL=debug.",
        type="linelist",
        default=[],
    )
    parser.addini("rolecall_image", "Run this image in a container, with the extra `containers`.", default="")
    parser.addini(
        "rolecall_reset",
        "Keep the first state for `reset()`, which costs one restart.",
        type="bool",
        default=True,
    )


@pytest.fixture(scope="session")
def rolecall_server(
    pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Rolecall]:
    """The Rolecall of the run: the five APIs over a PostgreSQL and, where it is installed, a MariaDB of its own."""
    lines = pytestconfig.getini("rolecall_environment")
    if wrong := [line for line in lines if "=" not in line]:
        raise pytest.UsageError(f"rolecall_environment: `{wrong[0]}` is not a line such as NAME=value")
    settings = dict(line.split("=", 1) for line in lines)
    environment = {"ROLECALL_RATE_LIMIT": "off", **settings}
    arguments, image = pytestconfig.getini("rolecall_arguments"), pytestconfig.getini("rolecall_image")
    running: Rolecall
    if image:
        from rolecall.testing.container import RolecallContainer

        running = RolecallContainer(image).with_arguments(*arguments).with_envs(**environment)
    else:
        from rolecall.testing.process import RolecallProcess

        running = RolecallProcess(tmp_path_factory.mktemp("rolecall"), arguments, environment)
    with running.started(pristine=pytestconfig.getini("rolecall_reset")):
        yield running


@pytest.fixture
def rolecall(rolecall_server: Rolecall) -> Iterator[Rolecall]:
    """The Rolecall of the run, without the test's faults after the test."""
    yield rolecall_server
    rolecall_server.clear_faults()


@pytest.fixture
def rolecall_name() -> Callable[[str], str]:
    """Makes names that no other test of the run uses: ``rolecall_name("app")``."""

    def name(prefix: str = "account") -> str:
        return f"{prefix}_{secrets.token_hex(5)}"

    return name
