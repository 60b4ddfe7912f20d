"""The scheduler under the simulation: thin words of ours over `detangle`, so that another could take its place.

A scenario is a coroutine function. Everything that is not decided by its code is asked of the schedule: which task runs
next, and what `choose` and `happens` say. A run is replayed exactly by its token.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import detangle
from detangle import lin

Scenario = Callable[[], Coroutine[Any, Any, None]]
Call = lin.Operation
History = lin.History
Model = lin.Model

_CONFIG = detangle.SimConfig(max_steps=60_000, max_time=2_000.0, seed_random=False)


def choose(options: int) -> int:
    """One of ``range(options)``; a shrunk schedule has 0 where it can."""
    return int(detangle.current_loop().choose(options, "data"))


def happens(odds: float) -> bool:
    """With that probability; a shrunk schedule has False where it can."""
    return bool(detangle.current_loop().flip(odds, "data"))


def virtual_time() -> float:
    """Seconds by the clock of the loop that runs."""
    return asyncio.get_running_loop().time()


def explained(calls: list[Call], model: Model) -> str | None:
    """Why no order of the calls explains what they saw; None if one does."""
    result = lin.check(calls, model)
    return None if result.ok else str(result.explain())


@dataclass(frozen=True, slots=True)
class Counterexample:
    """A schedule under which a scenario fails; `schedules` were tried in `seconds` until it was found."""

    token: str
    message: str
    schedules: int
    seconds: float
    choices: int

    def __str__(self) -> str:
        return (
            f"{self.message}\n\nfound after {self.schedules} schedules, in {self.seconds:.1f} s;"
            f" shrunk to {self.choices} choices that differ from the plain run\nreplay: {self.token}"
        )


@dataclass(frozen=True, slots=True)
class Searched:
    """What a search did. `counterexample` is None if it found nothing."""

    schedules: int
    distinct: int
    steps: int
    seconds: float
    counterexample: Counterexample | None = None


def _strategies(seed: int) -> detangle.Portfolio:
    """In turn: a random walk, and priorities with up to three changes (probabilistic concurrency testing)."""
    priorities = [detangle.PCT(seed, depth=depth) for depth in (2, 3, 1, 4)]
    return detangle.Portfolio([detangle.RandomWalk(seed), *priorities])


def search(
    scenario: Scenario, *, seed: int, schedules: int = 1_000_000, seconds: float = 1e6, shrink: bool = True
) -> Searched:
    """Run the scenario under one schedule after another: until one fails, so many were tried, or time is over."""
    started = time.monotonic()
    failed: list[float] = []

    async def timed() -> None:
        try:
            await scenario()
        except Exception:
            failed.append(time.monotonic() - started)
            raise

    try:
        stats = detangle.explore(
            timed, runs=schedules, max_duration=seconds, strategy=_strategies(seed), config=_CONFIG,
            shrink=shrink, database=False,
        )  # fmt: skip
    except detangle.BugFound as found:
        report = found.report
        spent = failed[0] if failed else time.monotonic() - started
        counterexample = Counterexample(
            report.token, _told(report.failure), report.runs, spent, report.deviations
        )
        return Searched(report.runs, report.runs, 0, spent, counterexample)
    return Searched(stats.runs, stats.distinct_schedules, stats.total_steps, stats.elapsed)


def replay(scenario: Scenario, token: str) -> str | None:
    """Why the scenario fails under that schedule; None if it does not."""
    result = detangle.replay(scenario, token, config=_CONFIG, raise_on_failure=False)
    return None if result.failure is None else _told(result.failure)


def _told(failure: detangle.Failure) -> str:
    error = failure.exception
    return failure.message if error is None else f"{type(error).__name__}: {error}"


def once(scenario: Scenario) -> None:
    """In asyncio's own order, with every choice 0. Raises what the scenario raises."""
    detangle.run(scenario, config=_CONFIG)
