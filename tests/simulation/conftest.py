"""What the searches did is told at the end of the run; the log of thousands of runs is not kept."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator

import pytest
import structlog
from tests.conftest import SEARCHED


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.configure(**before)


@pytest.fixture
def searched(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Add a line to the summary."""
    return lambda line: record_property(SEARCHED, line)
