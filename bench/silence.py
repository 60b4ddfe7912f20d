"""Calls to one instance while another is silent, hangs, refuses, resets or is slow.

The two instances are one server; the sick one is reached through the suite's proxy, so that the server itself is as
well as ever. Calls to both come at a fixed rate in every phase, well or sick: what differs is the fault alone.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
from rich.table import Table
from tests.proxy import Proxy, proxy_to

from bench.load import PASSWORD, Batch, new_name
from bench.rounds import percentile
from rolecall.signing import tc3
from rolecall.values import Secret

SECONDS = 12.0
"""Of each phase: longer than any deadline but a statement's."""

RATE = 10.0
"""Calls a second to each instance."""

FAULTS: Mapping[str, Callable[[Proxy], None]] = {
    "silent": lambda proxy: proxy.silence(),
    "answers lost": lambda proxy: proxy.silence(to_server=False),
    "hung": lambda proxy: proxy.hang(),
    "refused": lambda proxy: proxy.refuse(),
    "reset": lambda proxy: proxy.reset(),
    "slow, 100 ms": lambda proxy: proxy.slow(0.1),
}


def bench(ready: Mapping[str, Any], options: argparse.Namespace) -> Table:
    table = Table(
        "the other instance", "p50 ms", "p99 ms", "p99 / well", "its longest call s", "healed after s",
        title="Calls to one instance while another is sick",
    )  # fmt: skip
    engine = ready["engines"]["postgres"]
    with proxy_to(engine["host"], engine["port"]) as proxy, _registered(ready, proxy.port) as sick:
        for fault, begin in FAULTS.items():
            _add(
                table,
                fault,
                [asyncio.run(_measure(ready, proxy, sick, begin)) for _ in range(options.rounds)],
            )
    return table


def _add(table: Table, fault: str, rounds: list[tuple[Batch, Batch, Batch, float]]) -> None:
    """Medians of rounds; the ratio is taken round by round."""
    ratios = [percentile(during, 0.99) / percentile(well, 0.99) for well, during, _, _ in rounds]
    table.add_row(
        fault,
        f"{statistics.median(percentile(during, 0.5) for _, during, _, _ in rounds):.1f}",
        f"{statistics.median(percentile(during, 0.99) for _, during, _, _ in rounds):.1f}",
        f"{statistics.median(ratios):.2f}",
        f"{max(max(sick.latencies) for _, _, sick, _ in rounds):.1f}",
        f"{max(healed for *_, healed in rounds):.1f}",
    )


@contextlib.contextmanager
def _registered(ready: Mapping[str, Any], port: int) -> Iterator[str]:
    engine, name = ready["engines"]["postgres"], "postgres-benched0"
    program, data = Path(sys.executable).with_name("rolecall"), ready["data"]
    url = f"postgresql://{engine['user']}@127.0.0.1:{port}/postgres"
    subprocess.run(
        [program, "instance", "add", url, "--id", name, "--data", data],
        env={**os.environ, "ROLECALL_INSTANCE_PASSWORD": engine["password"]},
        check=True,
        stdout=subprocess.DEVNULL,
    )
    yield name
    subprocess.run(
        [program, "instance", "remove", name, "--data", data], check=True, stdout=subprocess.DEVNULL
    )


async def _measure(
    ready: Mapping[str, Any], proxy: Proxy, sick: str, begin: Callable[[Proxy], None]
) -> tuple[Batch, Batch, Batch, float]:
    """Calls to the well instance before and during the fault, those to the sick one, and seconds until it is well."""
    well = ready["tencent"]["postgres_instance_id"]
    async with httpx.AsyncClient(timeout=60) as client:
        before, _ = await _phase(client, ready, well, sick)
        begin(proxy)
        during, ill = await _phase(client, ready, well, sick)
        proxy.heal()
        started = time.perf_counter()
        while await _create(client, ready, sick):  # noqa: ASYNC110 - only a call tells
            await asyncio.sleep(0.02)
        return before, during, ill, time.perf_counter() - started


async def _phase(
    client: httpx.AsyncClient, ready: Mapping[str, Any], well: str, sick: str
) -> tuple[Batch, Batch]:
    one, other = await asyncio.gather(_paced(client, ready, well), _paced(client, ready, sick))
    return one, other


async def _paced(client: httpx.AsyncClient, ready: Mapping[str, Any], instance: str) -> Batch:
    """Calls at the rate, whether or not earlier ones are answered."""
    latencies: list[float] = []

    async def call() -> None:
        started = time.perf_counter()
        await _create(client, ready, instance)
        latencies.append(time.perf_counter() - started)

    async with asyncio.TaskGroup() as calls:
        async for _ in _beats():
            calls.create_task(call())
    return Batch(tuple(latencies), SECONDS)


async def _beats() -> AsyncIterator[None]:
    started = time.perf_counter()
    for beat in range(int(SECONDS * RATE)):
        await asyncio.sleep(max(0.0, started + beat / RATE - time.perf_counter()))
        yield


async def _create(client: httpx.AsyncClient, ready: Mapping[str, Any], instance: str) -> str:
    """The error's code, empty if the account is made."""
    place, endpoint = ready["tencent"], ready["endpoint"]
    payload = json.dumps(
        {"DBInstanceId": instance, "UserName": new_name("s"), "Password": PASSWORD.reveal(), "Type": "normal"}
    ).encode()
    headers = tc3.post_headers(
        place["secret_id"], Secret(place["secret_key"]), service="postgres", version="2017-03-12",
        action="CreateAccount", region=place["region"], timestamp=int(time.time()),
        host=endpoint.removeprefix("http://"), payload=payload,
    )  # fmt: skip
    answer = await client.post(endpoint + "/", content=payload, headers=headers)
    return str(answer.json()["Response"].get("Error", {}).get("Code", ""))
