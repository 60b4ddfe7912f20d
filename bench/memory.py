"""`--only memory`: what a serving process holds after its start and after many calls, which must not grow for ever.

A process remembers signatures for six minutes, in some 60 bytes each: memory grows by the calls of six minutes and
then stays.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from rich.table import Table

from bench import processes
from bench.load import read_body
from rolecall.signing import tc3
from rolecall.values import Secret

_ROWS = 10
_CLIENTS = 8
_ACTIONS = ("DescribeRegions", "DescribeZones")
_VARIANTS = 997
"""Bodies that say the same in other bytes, so that calls of one second have signatures of their own."""


def bench(ready: Mapping[str, Any], options: argparse.Namespace) -> Table:
    table = Table("calls", "RSS MiB", "PSS MiB", "per s", title="Memory of the serving process")
    pid = processes.listener(urlsplit(ready["endpoint"]).port or 0)
    table.add_row("0", *_memory(pid), "-")
    part = options.calls // _ROWS
    for row in range(1, _ROWS + 1):
        started = time.perf_counter()
        asyncio.run(_call(ready, part))
        rate = part / (time.perf_counter() - started)
        table.add_row(f"{row * part:,}", *_memory(pid), f"{rate:.0f}")
    return table


def _memory(pid: int) -> tuple[str, str]:
    """Resident and proportional size in MiB."""
    _, *lines = Path(f"/proc/{pid}/smaps_rollup").read_text("ascii").splitlines()
    sizes = {name: int(size.split()[0]) / 1024 for name, _, size in (line.partition(":") for line in lines)}
    return f"{sizes['Rss']:.1f}", f"{sizes['Pss']:.1f}"


async def _call(ready: Mapping[str, Any], times: int) -> None:
    numbers = iter(range(times))
    await asyncio.gather(*(_client(ready, numbers) for _ in range(_CLIENTS)))


async def _client(ready: Mapping[str, Any], numbers: Iterator[int]) -> None:
    """Signed reads over a kept connection."""
    address, tencent = urlsplit(ready["endpoint"]), ready["tencent"]
    key = Secret(tencent["secret_key"])
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    for number in numbers:
        payload = b"{" + b" " * (number % _VARIANTS) + b"}"
        headers = tc3.post_headers(
            tencent["secret_id"], key, service="postgres", version="2017-03-12",
            action=_ACTIONS[number % len(_ACTIONS)], region=tencent["region"], timestamp=int(time.time()),
            host=address.netloc, payload=payload,
        )  # fmt: skip
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        writer.write(f"POST / HTTP/1.1\r\n{lines}Content-Length: {len(payload)}\r\n\r\n".encode() + payload)
        if b'"Error"' in (body := await read_body(reader)):
            raise RuntimeError(body.decode())
    writer.close()
    await writer.wait_closed()
