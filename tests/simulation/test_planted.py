"""The search finds every fault that is planted: those that it, or people, have found before."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.simulation.planted import PLANTED
from tests.simulation.schedules import search

SECONDS = 180.0
"""Far more than it takes; then the fault was not found."""


@pytest.mark.parametrize("fault", PLANTED)
def test_a_planted_fault_is_found(fault: str, searched: Callable[[str], None]) -> None:
    planted, scenario, seed = PLANTED[fault]
    with planted():
        done = search(scenario, seed=seed, seconds=SECONDS, shrink=False)
    found = done.counterexample
    searched(f"{fault}: found after {done.schedules} schedules, {done.seconds:.1f} s")
    assert found is not None
