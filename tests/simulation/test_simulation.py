"""The search for counter-examples, as long as continuous integration can wait; `make simulate` goes on for longer."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest
from tests.simulation.catalog import SCENARIOS
from tests.simulation.schedules import search

SECONDS = {
    "drifting": 1.5, "granted drifting": 1.5, "granting": 5, "keys": 2, "moving": 3, "owned": 3, "owning": 6,
    "provisioning": 3, "quotas": 2, "superusers": 3,
    "tokens": 3,
}  # fmt: skip
"""Little more than half a minute, all together."""

USUAL = 300
"""Schedules: the same ones each time, on a machine that is fast enough."""

MOST = int(os.environ.get("SCHEDULES", USUAL))
"""`make test SCHEDULES=800` searches more of them, for longer."""


@pytest.mark.parametrize("name", sorted(SECONDS))
def test_a_search_finds_no_counterexample(name: str, searched: Callable[[str], None]) -> None:
    done = search(SCENARIOS[name], seed=1, schedules=MOST, seconds=SECONDS[name] * MOST / USUAL)
    searched(f"{name}: {done.schedules} schedules, {done.steps} steps, {done.seconds:.1f} s")
    if done.counterexample is not None:
        pytest.fail(f"make simulate ARGS='--scenario {name} --replay TOKEN'\n{done.counterexample}")


def test_the_searches_take_little_more_than_half_a_minute() -> None:
    assert sum(SECONDS.values()) <= 33
