"""The search itself: it finds, shrinks and replays, and the same seed finds the same."""

from __future__ import annotations

import asyncio

from tests.simulation.catalog import SCENARIOS
from tests.simulation.schedules import choose, happens, once, replay, search


async def lost_update() -> None:
    """Two that add 1 to a number, reading it before they wait."""
    number = 0

    async def add() -> None:
        nonlocal number
        before = number
        for _ in range(choose(3)):
            await asyncio.sleep(0)
        number = before + 1

    await asyncio.gather(add(), add())
    assert number == 2, f"number is {number}"


async def slow() -> None:
    """Virtual seconds cost nothing."""
    await asyncio.sleep(1_000)
    assert not happens(1.0)


def test_a_race_is_found_shrunk_and_replayed() -> None:
    once(lambda: asyncio.sleep(0))
    found = search(lost_update, seed=1, schedules=500).counterexample
    assert found is not None
    assert found.choices == 1
    assert "number is 1" in found.message
    assert replay(lost_update, found.token) == found.message


def test_the_same_seed_finds_the_same() -> None:
    first, second = (search(lost_update, seed=7, schedules=500, shrink=False) for _ in range(2))
    assert first.counterexample is not None
    assert second.counterexample is not None
    assert first.counterexample.token == second.counterexample.token


def test_time_is_virtual() -> None:
    found = search(slow, seed=1, schedules=1).counterexample
    assert found is not None
    assert found.seconds < 60


def test_a_scenario_is_decided_by_its_schedule_alone() -> None:
    """Twice the same schedules: the same number of steps, through the product's own code."""
    for scenario in SCENARIOS.values():
        first, second = (search(scenario, seed=3, schedules=8, shrink=False) for _ in range(2))
        assert (first.schedules, first.steps) == (second.schedules, second.steps)
