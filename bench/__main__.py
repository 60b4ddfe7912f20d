"""`make bench`: accounts through the wire beside the same statements straight on the engine; users beside bare hashing.

One run, interleaved: in every round each way makes a batch of accounts, in turn, so that a machine that slows
down slows them all. Figures are medians over rounds; a ratio is taken round by round.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from rich.table import Table

from bench import drift, goals, hostile, listing, memory, mysql_load, pages, people, replicas, silence, start
from bench.costs import measured_rolecall
from bench.goals import GROUP
from bench.load import Batch, engine_clients, wire_clients
from bench.rounds import in_turn, percentile, rate
from bench.server import running_rolecall
from bench.tables import add_output, show

_APART: Mapping[str, Any] = {
    "hostile": hostile,
    "silence": silence,
    "memory": memory,
    "listing": listing,
    "pages": pages,
    "drift": drift,
}
"""Parts that are not among the others: each takes the whole machine, for minutes."""


async def measure(
    ready: Mapping[str, Any], clients: int, accounts: int, rounds: int, *, password: bool
) -> dict[str, list[Batch]]:
    """Batches by way, one per round after one warm-up round."""
    async with (
        engine_clients(ready, clients, GROUP, hashing=False) as bare,
        engine_clients(ready, clients, GROUP, hashing=True) as hashing,
        wire_clients(ready, clients) as wire,
        wire_clients(ready, clients, ready["registered"]) as registered,
    ):
        # The wire comes first: its first call makes the role that the statements name. The two instances are one
        # server: one of Rolecall's own, and one that is registered.
        makers = {"wire": wire, "engine": bare}
        if password:
            makers = {"wire, catalog": wire, "wire, statement": registered, "engine": bare}
            makers["engine + verifier"] = hashing
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
        mysql_load.careful_clients(ready, clients) as careful,
    ):
        # PetaData comes before the bare statements that need the control schema, which its first call makes.
        makers = {"engine": bare, "PetaData": petadata, "OpenStack": openstack, "engine, our order": careful}
        return await in_turn(
            f"MariaDB, {clients} client(s)",
            makers,
            accounts,
            rounds,
            settle=partial(mysql_load.settle, ready),
        )


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


def bench_accounts(ready: Mapping[str, Any], options: argparse.Namespace) -> Table:
    table = Table(
        "case", "way", "per s", "p50 ms", "p99 ms", "rate / engine", "p50 / engine",
        title="Accounts through the wire, and the same straight on the engine",
    )  # fmt: skip
    for password in (True, False):
        for clients in options.clients:
            batches = asyncio.run(
                measure(ready, clients, options.accounts, options.rounds, password=password)
            )
            label = f"PostgreSQL, {clients} client(s), {'password' if password else 'no password'}"
            report(table, label, batches)
    if "mysql" in ready["engines"]:
        for clients in options.clients:
            measured = asyncio.run(measure_mysql(ready, clients, options.accounts // 2, options.rounds))
            report(table, f"MariaDB, {clients} client(s)", measured)
    return table


def parsed(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Of the command line."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--accounts", type=int, default=200, help="accounts, or users, per batch")
    parser.add_argument("--rounds", type=int, default=5, help="counted rounds")
    parser.add_argument("--clients", type=int, nargs="*", default=[1, 8])
    parser.add_argument(
        "--only", choices=["accounts", "people", "goals", "start", *_APART], help="one part of it"
    )
    parser.add_argument(
        "--seconds", type=float, default=10, help="of each half of a round of `--only hostile`"
    )
    parser.add_argument("--calls", type=int, default=100_000, help="of `--only memory`")
    parser.add_argument("--listed", type=int, default=20_000, help="accounts of `--only listing` and `pages`")
    parser.add_argument("--compared", type=int, default=100_000, help="accounts of `--only drift`")
    parser.add_argument("--users", type=int, default=20_000, help="users in the larger of two stores")
    parser.add_argument(
        "--keystone", type=Path, metavar="DIR", help="a virtual environment with Keystone; made if not there"
    )
    parser.add_argument(
        "--moto", type=Path, metavar="DIR", help="a virtual environment with moto; made if not there"
    )
    parser.add_argument(
        "--replicas",
        type=int,
        default=0,
        metavar="N",
        help="1 to N replicas over one store, instead of the rest",
    )
    parser.add_argument(
        "--create",
        metavar="WORD",
        default="",
        help="of the goals and replicas: creates with this in their name",
    )
    add_output(parser)
    return parser.parse_args(arguments)


def main() -> None:
    options = parsed()
    if options.only == "goals" or options.replicas:
        with measured_rolecall() as server:
            for table in (replicas if options.replicas else goals).bench(server, options):
                show(table, options)
        return
    if options.only == "start":
        show(start.bench(options), options)
        return
    with running_rolecall() as ready:
        if options.only in _APART:
            show(_APART[options.only].bench(ready, options), options)
            return
        if options.only != "people":
            show(bench_accounts(ready, options), options)
        if options.only != "accounts":
            for table in people.bench(ready, options):
                show(table, options)


if __name__ == "__main__":
    main()
