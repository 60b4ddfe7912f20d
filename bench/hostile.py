"""What strangers cost callers: the latency of proven calls while they attack, beside that without them, in one run.

The attack, from a process of its own: every second a document of 9 MB of nested lists with a signature that does not
hold and 40 MB of trailers, and all the time 500 connections that send a byte a second. From loopback, so that no
address is shut out.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import multiprocessing
import os
import statistics
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from multiprocessing.context import SpawnContext
from typing import Any
from urllib.parse import urlsplit

from rich.table import Table

from bench.load import Batch, Make, new_name, wire_clients
from bench.rounds import percentile, rate
from rolecall.signing import tc3
from rolecall.values import Secret

DOCUMENT = b'{"a":[' + b",".join([b"[" * 30 + b"]" * 30] * (9 * 2**20 // 61)) + b"]}"
TRAILERS = b"X-Trail: " + b"A" * 40 * 2**20
SLOW = 500

_CHUNKED = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"
_SLOW_HEAD = b"POST / HTTP/1.1\r\nHost: x\r\nX-Slow: "


class _Signals:
    """Between the measuring and the attacking process: each is set by one and waited for by the other."""

    def __init__(self, context: SpawnContext) -> None:
        self.begin, self.under_way, self.cease, self.over = (context.Event() for _ in range(4))
        self.end = context.Event()
        """No more attacks."""


def bench(ready: Mapping[str, Any], options: argparse.Namespace) -> Table:
    context = multiprocessing.get_context("spawn")
    signals = _Signals(context)
    attacker = context.Process(target=_attacker, args=(ready["endpoint"], signals))
    attacker.start()
    try:
        return _table(asyncio.run(_measure(ready, options, signals)))
    finally:
        for signal in (signals.end, signals.cease, signals.begin):
            signal.set()
        attacker.join()


async def _measure(
    ready: Mapping[str, Any], options: argparse.Namespace, signals: _Signals
) -> dict[int, tuple[list[Batch], list[Batch]]]:
    """By number of clients: batches without and with the attack, round by round after one to warm up."""
    found: dict[int, tuple[list[Batch], list[Batch]]] = {}
    for clients in options.clients:
        quiet: list[Batch] = []
        attacked: list[Batch] = []
        async with wire_clients(ready, clients) as makers:
            await _for_seconds(makers, 1)
            for _ in range(options.rounds):
                quiet.append(await _for_seconds(makers, options.seconds))
                signals.begin.set()
                await asyncio.to_thread(signals.under_way.wait)
                attacked.append(await _for_seconds(makers, options.seconds))
                signals.cease.set()
                await asyncio.to_thread(signals.over.wait)
                signals.over.clear()
        found[clients] = (quiet, attacked)
    return found


async def _for_seconds(clients: Sequence[Make], seconds: float) -> Batch:
    """Each client makes one account after the other."""
    latencies: list[float] = []
    began = time.perf_counter()

    async def work(make: Make) -> None:
        while (started := time.perf_counter()) - began < seconds:
            await make(new_name("hostile"), True)
            latencies.append(time.perf_counter() - started)

    await asyncio.gather(*(work(client) for client in clients))
    return Batch(tuple(latencies), time.perf_counter() - began)


def _table(found: Mapping[int, tuple[list[Batch], list[Batch]]]) -> Table:
    table = Table(
        "case", "strangers", "per s", "p50 ms", "p99 ms", "p99 / without",
        title="Accounts through the wire, without and with strangers' attacks",
    )  # fmt: skip
    for clients, (quiet, attacked) in found.items():
        for way, batches in (("none", quiet), ("attack", attacked)):
            ratios = [
                percentile(one, 0.99) / percentile(other, 0.99)
                for one, other in zip(batches, quiet, strict=True)
            ]
            table.add_row(
                f"PostgreSQL, {clients} client(s)",
                way,
                f"{statistics.median(map(rate, batches)):.0f}",
                f"{statistics.median(percentile(one, 0.5) for one in batches):.2f}",
                f"{statistics.median(percentile(one, 0.99) for one in batches):.2f}",
                f"{statistics.median(ratios):.2f}",
            )
    return table


# the attack


def _attacker(endpoint: str, signals: _Signals) -> None:
    """The process that attacks, whenever it is told to."""
    os.nice(5)  # it stands for other machines: what it needs itself is not to slow the server down
    address = urlsplit(endpoint)
    while True:
        signals.begin.wait()
        if signals.end.is_set():
            return
        asyncio.run(_attack(str(address.hostname), int(address.port or 80), signals))
        for signal in (signals.begin, signals.under_way, signals.cease):
            signal.clear()
        signals.over.set()


async def _attack(host: str, port: int, signals: _Signals) -> None:
    open_now: set[int] = set()

    async def connect() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(host, port)

    async def every_second(
        send: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
    ) -> None:
        while True:
            reader, writer = await connect()
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                await send(reader, writer)
            writer.close()
            await asyncio.sleep(1)

    async def slow(number: int) -> None:
        while True:
            _, writer = await connect()
            open_now.add(number)
            if len(open_now) == SLOW:
                signals.under_way.set()
            with suppress(ConnectionError):
                writer.write(_SLOW_HEAD)
                for _ in itertools.count():
                    await asyncio.sleep(1)
                    writer.write(b"x")
                    await writer.drain()
            writer.close()

    tasks = [asyncio.create_task(slow(number)) for number in range(SLOW)]
    tasks += [asyncio.create_task(every_second(send)) for send in (_trailers, _document(f"{host}:{port}"))]
    await asyncio.to_thread(signals.cease.wait)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _trailers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(_CHUNKED)
    writer.write(TRAILERS)
    await writer.drain()
    await reader.read()


def _document(host: str) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
    async def send(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        headers = tc3.post_headers(
            "AKIDnobody", Secret("x"), service="postgres", version="2017-03-12", action="CreateAccount",
            region="ap-guangzhou", timestamp=int(time.time()), host=host, payload=b"",
        )  # fmt: skip
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        writer.write(f"POST / HTTP/1.1\r\n{lines}Content-Length: {len(DOCUMENT)}\r\n\r\n".encode() + DOCUMENT)
        await writer.drain()
        await reader.readuntil(b"\r\n\r\n")

    return send
