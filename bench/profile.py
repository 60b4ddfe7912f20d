"""`make profile`: where the time of a create goes.

For each kind of create, with one client and with several, on a Rolecall of its own with servers of its own:

* processor time of the serving process (Python, its libraries, the kernel for it), of its hashing threads, of the store
  and of the engine, each for one create; and the wall clock as the clients see it;
* the Python share by layer, sampled (`bench.profiled_server` has how, and the error);
* system calls, messages to store and engine, write transactions and flushes, counted by strace where it is installed.

Each of the three is a run of its own, so that none disturbs another's figures.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial

from rich.table import Table

from bench import layers, system_calls
from bench.costs import ENGINE, HASH, PYTHON, STORE, Server, measured_rolecall
from bench.creates import Create, possible
from bench.load import Batch, Make, new_name
from bench.processes import descendants
from bench.rounds import metered, percentile, rate
from bench.tables import add_output, show

COSTS = "Processor time of one create, ms"


@dataclass(frozen=True)
class Measured:
    """What one kind of create costs, each figure for one create; times in milliseconds."""

    create: str
    clients: int
    p50: float
    per_second: float
    python: float
    hashing: float
    store: float
    engine: float
    commits: tuple[float, float]
    """Of the store, and of the engine if it is a PostgreSQL."""
    log: float
    """Bytes of the store's write-ahead log."""
    stacks: Counter[tuple[layers.Frame, ...]]
    calls: Calls | None


@dataclass(frozen=True)
class Calls:
    """System calls of the serving process for one create; messages and flushes."""

    by_name: Mapping[str, float]
    to_store: float
    to_engine: float
    store_flushes: float
    engine_flushes: float


async def measure(
    server: Server, create: Create, clients: int, traced: int, options: argparse.Namespace
) -> Measured:
    """`traced`: creates whose system calls are counted; 0 counts none."""
    async with create.clients(server.ready, clients) as makers:
        run = _Run(server, create, makers)
        await run.batch(max(clients, options.calls // 4))  # connections are made, and code is warm
        before = server.written()
        batch = await run.batch(options.calls)
        after = server.written()
        stacks = await _sampled(server, run, options)
        calls = await _counted(server, run, traced) if traced else None
    costs = batch.costs
    return Measured(
        create.name,
        clients,
        percentile(batch, 0.5),
        rate(batch),
        costs[PYTHON],
        costs[HASH],
        costs[STORE],
        costs[ENGINE],
        (
            (after["store"].transactions - before["store"].transactions) / options.calls,
            (after["postgres"].transactions - before["postgres"].transactions) / options.calls,
        ),
        (after["store"].log - before["store"].log) / options.calls,
        stacks,
        calls,
    )


class _Run:
    """Batches of one kind of create, each ended when all that it was promised is there."""

    def __init__(self, server: Server, create: Create, makers: Sequence[Make]) -> None:
        self._makers, self._create = makers, create
        self._settle, self._clear = create.settle(server.ready), create.cleared(server.ready)
        self._meter = server.meter(create.engine)

    async def batch(self, count: int) -> Batch:
        if self._clear is not None:
            self._clear()
        names = [new_name("p") for _ in range(count)]
        return await metered(
            self._makers, names, self._meter, password=self._create.password, settle=self._settle
        )


async def _sampled(
    server: Server, run: _Run, options: argparse.Namespace
) -> Counter[tuple[layers.Frame, ...]]:
    """At least so many samples, unless the creates are so cheap that a hundred batches have fewer."""
    stacks: Counter[tuple[layers.Frame, ...]] = Counter()
    for _ in range(100):
        server.ask("begin")
        await run.batch(options.calls)
        for count, frames in server.ask("end"):
            stacks[tuple((file, name) for file, name in frames)] += count
        if stacks.total() >= options.samples:
            break
    return stacks


async def _counted(server: Server, run: _Run, count: int) -> Calls:
    pids = {"store": descendants(server.store_pid)}
    pids |= {name: descendants(pid) for name, pid in server.engine_pids.items()}
    with ExitStack() as stack:
        flushes = {
            name: stack.enter_context(system_calls.traced(group, only=system_calls.FLUSHES))
            for name, group in pids.items()
        }
        serving = stack.enter_context(system_calls.traced([server.ready["pid"]]))
        await run.batch(count)
    engines = [engine["port"] for engine in server.ready["engines"].values()]
    return Calls(
        {name: calls / count for name, calls in serving.calls.items()},
        serving.sent[server.store_port] / count,
        sum(serving.sent[port] for port in engines) / count,
        flushes["store"].flushes / count,
        sum(trace.flushes for name, trace in flushes.items() if name != "store") / count,
    )


# tables


def costs(found: Sequence[Measured]) -> Table:
    table = Table(
        "create", "clients", "p50 ms", "per s", "Python", "hash", "store", "engine", "Python + store",
        title=COSTS,
    )  # fmt: skip
    for one in found:
        times = (one.python, one.hashing, one.store, one.engine, one.python + one.store)
        table.add_row(
            one.create,
            str(one.clients),
            f"{one.p50:.1f}",
            f"{one.per_second:.0f}",
            *(f"{time:.2f}" if time >= 0.005 else "-" for time in times),
        )
    return table


def shares(found: Sequence[Measured], clients: int) -> Table:
    """Microseconds of one create, each with its standard error."""
    chosen = [one for one in found if one.clients == clients]
    table = Table(
        "layer",
        *(one.create for one in chosen),
        title=f"Python by layer, microseconds of one create and its standard error, {clients} client(s)",
    )
    by_layer = []
    for one in chosen:
        counts: Counter[str] = Counter()
        for stack, count in one.stacks.items():
            counts[layers.layer_of(stack)] += count
        by_layer.append(counts)
    for layer in layers.LAYERS:
        cells = [_share(one, counts[layer]) for one, counts in zip(chosen, by_layer, strict=True)]
        table.add_row(layer, *cells)
    table.add_row("all", *(f"{one.python * 1000:.0f}" for one in chosen))
    return table


def _share(one: Measured, samples: int) -> str:
    total = max(one.stacks.total(), 1)
    part = samples / total
    error = (part * (1 - part) / total) ** 0.5
    return f"{one.python * 1000 * part:.0f} ± {one.python * 1000 * error:.0f}" if samples else "-"


_NAMED = 8
"""Of the system calls, how many kinds are shown."""


def counts(found: Sequence[Measured], clients: int, reason: str) -> Table:
    """`reason`: why system calls were not counted."""
    chosen = [one for one in found if one.clients == clients]
    table = Table(
        "of one create",
        *(one.create for one in chosen),
        title=f"Messages, transactions, flushes and system calls of one create, {clients} client(s)",
        caption=f"? is not measured: {reason}" if reason else None,
    )
    rows: dict[str, Callable[[Measured], float | None]] = {
        "messages to the store": _called(lambda calls: calls.to_store),
        "messages to the engine": _called(lambda calls: calls.to_engine),
        "commits of the store": lambda one: one.commits[0],
        "commits of PostgreSQL": lambda one: one.commits[1],
        "bytes of the store's log": lambda one: one.log,
        "flushes of the store": _called(lambda calls: calls.store_flushes),
        "flushes of the engine": _called(lambda calls: calls.engine_flushes),
        "system calls": _called(lambda calls: sum(calls.by_name.values())),
    }
    made: Counter[str] = Counter()
    for one in chosen:
        made.update(one.calls.by_name if one.calls is not None else {})
    for name, _ in made.most_common(_NAMED):
        rows[f"  {name}"] = _called(partial(_by_name, name))
    for label, value in rows.items():
        table.add_row(label, *map(_number, map(value, chosen)))
    return table


def _by_name(name: str, calls: Calls) -> float:
    return calls.by_name.get(name, 0)


def _called(value: Callable[[Calls], float]) -> Callable[[Measured], float | None]:
    return lambda one: None if one.calls is None else value(one.calls)


def _number(value: float | None) -> str:
    if value is None:
        return "?"
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}"


def functions(one: Measured, most: int) -> Table:
    """The functions that are innermost among ours most often."""
    table = Table(
        "layer", "function", "microseconds", title=f"{one.create}, {one.clients} client(s): where Python is"
    )
    own: Counter[tuple[str, str]] = Counter()
    for stack, count in one.stacks.items():
        own[layers.layer_of(stack), layers.place_of(stack)] += count
    total = max(one.stacks.total(), 1)
    for (layer, place), count in own.most_common(most):
        table.add_row(layer, place, f"{one.python * 1000 * count / total:.0f}")
    return table


def parsed(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Of the command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.profile", description=__doc__)
    parser.add_argument("--calls", type=int, default=400, help="creates of each measurement")
    parser.add_argument("--samples", type=int, default=1000, help="samples of each profile, at least")
    parser.add_argument(
        "--traced", type=int, default=48, help="creates whose system calls are counted; 0: none"
    )
    parser.add_argument("--clients", type=int, nargs="*", default=[1, 8])
    parser.add_argument("--only", metavar="WORD", default="", help="creates with this in their name")
    parser.add_argument("--functions", type=int, default=0, metavar="N", help="also the N dearest functions")
    parser.add_argument("--log-level", default="warning", help="of the server: info writes a line a call")
    add_output(parser)
    return parser.parse_args(arguments)


def report(server: Server, options: argparse.Namespace) -> Iterator[Table]:
    reason = system_calls.missing() if options.traced else "--traced 0"
    traced = 0 if reason else options.traced
    found = [
        asyncio.run(_prepared(server, create, clients, traced, options))
        for create in possible(server.ready)
        if options.only in create.name
        for clients in options.clients
    ]
    yield costs(found)
    for clients in options.clients:
        yield shares(found, clients)
    for clients in options.clients:
        yield counts(found, clients, reason)
    for one in found if options.functions else ():
        yield functions(one, options.functions)


async def _prepared(
    server: Server, create: Create, clients: int, traced: int, options: argparse.Namespace
) -> Measured:
    print(f"{create.name}, {clients} client(s)", file=sys.stderr, flush=True)
    await create.prepare(server.ready)
    return await measure(server, create, clients, traced, options)


def main() -> None:
    options = parsed()
    logging = {"ROLECALL_LOG_LEVEL": options.log_level, "ROLECALL_LOG_FORMAT": "json"}
    with measured_rolecall(logging) as server:
        for table in report(server, options):
            show(table, options, width=150)


if __name__ == "__main__":
    main()
