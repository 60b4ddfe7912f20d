"""Rounds: every way of doing the same takes its turn, so that a machine that slows down slows them all."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import MappingProxyType

from rich.console import Console
from rich.progress import track

from bench.load import Batch, Make, new_name, run_batch

Settle = Callable[[list[str]], Awaitable[None]]
"""Waits until what was promised for these names is there."""


Meter = Callable[[], Mapping[str, float]]
"""What was used until now: milliseconds of processor time by what used it, and counts."""


async def in_turn(
    label: str,
    makers: Mapping[str, list[Make]],
    accounts: int,
    rounds: int,
    *,
    password: bool = True,
    settle: Settle | None = None,
    clear: Callable[[], None] | None = None,
    meters: Mapping[str, Meter] = MappingProxyType({}),
) -> dict[str, list[Batch]]:
    """`clear` is called before each batch."""
    batches: dict[str, list[Batch]] = {way: [] for way in makers}
    for round_number in track(range(rounds + 1), description=label, console=Console(stderr=True)):
        for way, clients in makers.items():
            if clear is not None:
                clear()
            names = [new_name("b") for _ in range(accounts)]
            meter = meters.get(way, _no_meter)
            batch = await metered(clients, names, meter, password=password, settle=settle)
            if round_number:
                batches[way].append(batch)
    return batches


async def metered(
    clients: Sequence[Make], names: list[str], meter: Meter, *, password: bool, settle: Settle | None = None
) -> Batch:
    """One batch with its costs. It has ended when what was promised is there."""
    before = meter()
    started = time.perf_counter()
    batch = await run_batch(clients, names, password=password)
    seconds = batch.seconds
    if settle is not None:
        await settle(names)
        seconds = time.perf_counter() - started
    costs = {part: (after - before[part]) / len(names) for part, after in meter().items()}
    return Batch(batch.latencies, seconds, costs)


def _no_meter() -> Mapping[str, float]:
    return {}


async def alternate(one: Make, other: Make, times: int) -> tuple[Batch, Batch]:
    """Two ways call by call: what disturbs one of them for a moment disturbs both."""
    latencies: tuple[list[float], list[float]] = ([], [])
    for _ in range(times):
        for make, into in zip((one, other), latencies, strict=True):
            started = time.perf_counter()
            await make(new_name("b"), True)
            into.append(time.perf_counter() - started)
    first, second = (Batch(tuple(into), sum(into)) for into in latencies)
    return first, second


def rate(batch: Batch) -> float:
    return len(batch.latencies) / batch.seconds


def percentile(batch: Batch, share: float) -> float:
    """In milliseconds."""
    ordered = sorted(batch.latencies)
    return 1000 * ordered[min(int(share * len(ordered)), len(ordered) - 1)]
