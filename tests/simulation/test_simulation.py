"""The search for counter-examples, as long as continuous integration can wait; `make simulate` goes on for longer."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.simulation.catalog import SCENARIOS
from tests.simulation.schedules import search

SECONDS = {
    "granting": 10, "keys": 4, "moving": 6, "owned": 6, "owning": 12, "provisioning": 5, "quotas": 4, "superusers": 5,
    "tokens": 5,
}  # fmt: skip
"""Less than a minute, all together."""

MOST = 800
"""Schedules: the same ones each time, on a machine that is fast enough."""


@pytest.mark.parametrize("name", sorted(SECONDS))
def test_a_search_finds_no_counterexample(name: str, searched: Callable[[str], None]) -> None:
    done = search(SCENARIOS[name], seed=1, schedules=MOST, seconds=SECONDS[name])
    searched(f"{name}: {done.schedules} schedules, {done.steps} steps, {done.seconds:.1f} s")
    if done.counterexample is not None:
        pytest.fail(f"make simulate ARGS='--scenario {name} --replay TOKEN'\n{done.counterexample}")


def test_the_searches_take_less_than_a_minute() -> None:
    assert sum(SECONDS.values()) < 60
