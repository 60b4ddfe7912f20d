"""Replicas: 1, 2, ... processes of `rolecall serve` over one store on this machine, and one with two workers.

Each has clients of its own. All of them, the store, the engine and the clients share this machine's processors, so more
replicas do not make more of them: the figures show what another replica costs, and `bench.scale` carries them on.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

from rich.table import Table

from bench import scale
from bench.costs import COMMITS, ENGINE, HASH, PYTHON, STORE, Asking, Server, launcher
from bench.creates import CREATES, Create
from bench.goals import SUB_USER, USER, WITHOUT
from bench.load import Batch, Make
from bench.processes import tree_ms
from bench.rounds import Meter, in_turn, percentile, rate
from bench.server import NO_LIMITS, ROOT

_START_SECONDS = 60
_WORKERS = 2
MEASURED = (WITHOUT, SUB_USER, USER)
CLIENT = "clients"
"""A part of a cost: the benchmark itself."""


@dataclass(frozen=True)
class Replica:
    """`asking` is None where the program has worker processes: its hashing cannot be told from the rest."""

    endpoint: str
    times: Meter
    workers: int = 1


def bench(server: Server, options: argparse.Namespace) -> Iterator[Table]:
    points: list[scale.Point] = []
    table = Table(
        "create", "served by", "clients", "per s", "p50 ms", "p99 ms", PYTHON, HASH, STORE, ENGINE, CLIENT, COMMITS,
        title="Replicas over one store; processor time of one create, ms",
        caption=f"The hash of {_WORKERS} workers stands under Python.",
    )  # fmt: skip
    counted = {_replicas(count): count for count in range(1, options.replicas + 1)}
    with ExitStack() as stack:
        replicas = [stack.enter_context(serving(server.ready)) for _ in range(options.replicas)]
        workers = stack.enter_context(serving(server.ready, _WORKERS))
        for name in MEASURED:
            if options.create not in name:
                continue
            for way, clients, batches in asyncio.run(
                _measure(server, CREATES[name], replicas, workers, options)
            ):
                table.add_row(name, way, str(clients), *_figures(batches))
                if way in counted:
                    points.append(_point(name, counted[way], batches))
    yield table
    yield from scale.tables(points, os.cpu_count() or 1)


def _replicas(count: int) -> str:
    return f"{count} replica{'s' if count > 1 else ''}"


async def _measure(
    server: Server,
    create: Create,
    replicas: Sequence[Replica],
    workers: Replica,
    options: argparse.Namespace,
) -> list[tuple[str, int, list[Batch]]]:
    each = max(options.clients)
    groups = {_replicas(count): replicas[:count] for count in range(1, len(replicas) + 1)}
    groups[f"serve --workers {_WORKERS}"] = [workers]
    async with AsyncExitStack() as stack:
        makers: dict[str, list[Make]] = {}
        for way, group in groups.items():
            makers[way] = []
            for one in group:
                ready = {**server.ready, "endpoint": one.endpoint}
                makers[way] += await stack.enter_async_context(create.clients(ready, each * one.workers))
        batches = await in_turn(
            f"{create.name}, replicas",
            makers,
            options.accounts * len(replicas),
            options.rounds,
            password=create.password,
            clear=create.cleared(server.ready),
            meters={way: _meter(server, create, group) for way, group in groups.items()},
        )
    return [(way, len(makers[way]), taken) for way, taken in batches.items()]


def _meter(server: Server, create: Create, group: Sequence[Replica]) -> Meter:
    def read() -> Mapping[str, float]:
        own = [one.times() for one in group]
        return {
            **{part: sum(times[part] for times in own) for part in (PYTHON, HASH)},
            **server.servers(create.engine),
            CLIENT: time.process_time() * 1000,
            COMMITS: float(server.written()["store"].transactions),
        }

    return read


def _figures(batches: Sequence[Batch]) -> Iterator[str]:
    yield f"{median(map(rate, batches)):.0f}"
    yield f"{median(percentile(batch, 0.5) for batch in batches):.1f}"
    yield f"{median(percentile(batch, 0.99) for batch in batches):.1f}"
    for part in (PYTHON, HASH, STORE, ENGINE, CLIENT, COMMITS):
        cost = median(batch.costs[part] for batch in batches)
        yield f"{cost:.2f}" if cost >= 0.005 else "-"


def _point(name: str, count: int, batches: Sequence[Batch]) -> scale.Point:
    def cost(part: str) -> float:
        return median(batch.costs[part] for batch in batches)

    demands = scale.Demands(cost(PYTHON), cost(HASH), cost(STORE), cost(ENGINE), cost(CLIENT), cost(COMMITS))
    return scale.Point(name, count, median(map(rate, batches)), demands)


@contextmanager
def serving(ready: Mapping[str, Any], workers: int = 1) -> Iterator[Replica]:
    """One `rolecall serve` over the store of a `rolecall up`."""
    with tempfile.TemporaryDirectory(prefix="rolecall-serve-") as place, socket.socket() as free:
        path = Path(place) / "ask"
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
        free.close()
        program: list[str | Path] = (
            launcher(path) if workers == 1 else [Path(sys.executable).with_name("rolecall")]
        )
        process = subprocess.Popen(
            [*program, "serve", "--listen", address, "--workers", str(workers)],
            env={**os.environ, **NO_LIMITS, **_store(ready), "ROLECALL_LOG_LEVEL": "warning"},
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            _wait(process, f"http://{address}/readyz")
            if workers == 1:
                with closing(Asking(process.pid, path)) as asking:
                    yield Replica(f"http://{address}", asking.times)
            else:
                yield Replica(f"http://{address}", _of_workers(process.pid), workers)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


def _of_workers(pid: int) -> Meter:
    return lambda: {PYTHON: tree_ms(pid), HASH: 0.0}


def _store(ready: Mapping[str, Any]) -> Mapping[str, str]:
    data = Path(ready["data"])
    return {
        "ROLECALL_DATABASE_URL": json.loads((data / "connection.json").read_text())["database_url"],
        "ROLECALL_MASTER_KEY": json.loads((data / "secrets.json").read_text())["master_key"],
    }


def _wait(process: subprocess.Popen[bytes], url: str) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            with urlopen(url, timeout=5):
                return
        except (URLError, OSError):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("rolecall serve did not become ready") from None
            time.sleep(0.05)
