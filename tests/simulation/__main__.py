"""Search by hand: ``python -m tests.simulation --seconds 600``, or a single schedule: ``--replay TOKEN``."""

from __future__ import annotations

import argparse
import logging
import secrets
import sys

import structlog
from tests.simulation.catalog import SCENARIOS
from tests.simulation.schedules import replay, search


def main() -> int:
    parser = argparse.ArgumentParser(prog="make simulate ARGS=...", description=__doc__)
    parser.add_argument("--scenario", choices=sorted(SCENARIOS), help="only this one")
    parser.add_argument("--seconds", type=float, default=60.0, help="for each scenario")
    parser.add_argument("--seed", type=int, help="by default another each time")
    parser.add_argument(
        "--replay", metavar="TOKEN", help="with --scenario: one schedule, as a search has told it"
    )
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    if options.replay is not None:
        if options.scenario is None:
            parser.error("--replay needs --scenario")
        message = replay(SCENARIOS[options.scenario], options.replay)
        print(message or "the scenario holds under this schedule")
        return 1 if message else 0
    seed = secrets.randbelow(2**31) if options.seed is None else options.seed
    failed = False
    for name in [options.scenario] if options.scenario else sorted(SCENARIOS):
        done = search(SCENARIOS[name], seed=seed, seconds=options.seconds)
        rate = done.schedules / max(done.seconds, 1e-9)
        print(
            f"{name}: seed {seed}: {done.schedules} schedules, {done.distinct} of them distinct, {done.steps} steps,"
            f" {done.seconds:.1f} s, {rate:.0f} a second",
            flush=True,
        )
        if done.counterexample is not None:
            failed = True
            print(done.counterexample)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
