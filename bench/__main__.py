"""`make bench`: accounts through the wire beside the same statements straight on the engine.

One run, interleaved: in every round each way makes a batch of accounts, in turn, so that a machine that slows
down slows them all. Figures are medians over rounds; a ratio is taken round by round.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import time
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.progress import track
from rich.table import Table

from bench import mysql_load
from bench.load import Batch, Make, engine_clients, new_name, run_batch, wire_clients
from bench.server import running_rolecall

GROUP = "pg_tencentdb_superuser"


async def measure(
    ready: Mapping[str, Any], clients: int, accounts: int, rounds: int, *, password: bool
) -> dict[str, list[Batch]]:
    """Batches by way, one per round after one warm-up round."""
    async with (
        engine_clients(ready, clients, GROUP, hashing=False) as bare,
        engine_clients(ready, clients, GROUP, hashing=True) as hashing,
        wire_clients(ready, clients) as wire,
    ):
        # The wire comes first: its first call makes the role that the statements name.
        makers = {"wire": wire, "engine": bare, "engine + verifier": hashing}
        if not password:
            del makers["engine + verifier"]
        label = f"PostgreSQL, {clients} client(s), {'with' if password else 'without'} password"
        return await in_turn(label, makers, accounts, rounds, password=password)


async def measure_mysql(
    ready: Mapping[str, Any], clients: int, accounts: int, rounds: int
) -> dict[str, list[Batch]]:
    """The same on MariaDB. A batch of promises counts as done when the last account is there."""
    await mysql_load.prepare(ready)
    async with (
        mysql_load.engine_clients(ready, clients) as bare,
        mysql_load.petadata_clients(ready, clients) as petadata,
        mysql_load.openstack_clients(ready, clients) as openstack,
    ):
        makers = {"engine": bare, "PetaData": petadata, "OpenStack": openstack}
        return await in_turn(f"MariaDB, {clients} client(s)", makers, accounts, rounds, settle=ready)


async def in_turn(
    label: str,
    makers: Mapping[str, list[Make]],
    accounts: int,
    rounds: int,
    *,
    password: bool = True,
    settle: Mapping[str, Any] | None = None,
) -> dict[str, list[Batch]]:
    batches: dict[str, list[Batch]] = {way: [] for way in makers}
    for round_number in track(range(rounds + 1), description=label, console=Console(stderr=True)):
        for way, clients in makers.items():
            names = [new_name("b") for _ in range(accounts)]
            started = time.perf_counter()
            batch = await run_batch(clients, names, password=password)
            if settle is not None:
                await mysql_load.settle(settle, names)
                batch = Batch(batch.latencies, time.perf_counter() - started)
            if round_number:
                batches[way].append(batch)
    return batches


def rate(batch: Batch) -> float:
    return len(batch.latencies) / batch.seconds


def percentile(batch: Batch, share: float) -> float:
    """In milliseconds."""
    ordered = sorted(batch.latencies)
    return 1000 * ordered[min(int(share * len(ordered)), len(ordered) - 1)]


def report(table: Table, label: str, batches: Mapping[str, list[Batch]]) -> None:
    base = batches["engine"]
    for way, taken in batches.items():
        rates = [rate(batch) / rate(other) for batch, other in zip(taken, base, strict=True)]
        medians = [
            percentile(batch, 0.5) / percentile(other, 0.5) for batch, other in zip(taken, base, strict=True)
        ]
        table.add_row(
            label,
            way,
            f"{statistics.median(map(rate, taken)):.0f}",
            f"{statistics.median(percentile(batch, 0.5) for batch in taken):.2f}",
            f"{statistics.median(percentile(batch, 0.99) for batch in taken):.2f}",
            f"{statistics.median(rates):.2f}",
            f"{statistics.median(medians):.2f}",
        )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--accounts", type=int, default=200, help="accounts per batch")
    parser.add_argument("--rounds", type=int, default=5, help="counted rounds")
    parser.add_argument("--clients", type=int, nargs="*", default=[1, 8])
    options = parser.parse_args()
    table = Table(
        "case", "way", "per s", "p50 ms", "p99 ms", "rate / engine", "p50 / engine",
        title="Accounts through the wire, and the same straight on the engine",
    )  # fmt: skip
    with running_rolecall() as ready:
        for password in (True, False):
            for clients in options.clients:
                batches = asyncio.run(
                    measure(ready, clients, options.accounts, options.rounds, password=password)
                )
                report(
                    table,
                    f"PostgreSQL, {clients} client(s), {'password' if password else 'no password'}",
                    batches,
                )
        if "mysql" in ready["engines"]:
            for clients in options.clients:
                measured = asyncio.run(measure_mysql(ready, clients, options.accounts // 2, options.rounds))
                report(table, f"MariaDB, {clients} client(s)", measured)
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
