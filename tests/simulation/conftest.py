"""What the searches did is told at the end of the run; the log of thousands of runs is not kept."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
import structlog

SEARCHED = pytest.StashKey[list[str]]()


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.configure(**before)


@pytest.fixture
def searched(pytestconfig: pytest.Config) -> list[str]:
    """Lines for the summary."""
    return pytestconfig.stash.setdefault(SEARCHED, [])


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, exitstatus: int, config: pytest.Config
) -> None:
    if lines := config.stash.get(SEARCHED, []):
        terminalreporter.section("simulation")
        for line in lines:
            terminalreporter.write_line(line)
