"""Two ways to make the same accounts, each a closed loop of clients: through the wire, and straight on the engine."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg

from rolecall.domain.engine import AccountKind
from rolecall.engines import scram
from rolecall.engines.postgresql import statements
from rolecall.signing import tc3
from rolecall.values import Secret

PASSWORD = Secret("Bench_password1")
_COUNTER = itertools.count()

Make = Callable[[str, bool], Awaitable[None]]
"""(account name, with a password) -> once it is made."""


def new_name(prefix: str) -> str:
    """A name that was not used before in this run."""
    return f"{prefix}_{next(_COUNTER)}"


@dataclass(frozen=True)
class Batch:
    """The latencies of one batch, in seconds, and how long the whole took.

    `costs`, where they were measured: of one of them, by part: milliseconds of processor time, or a count.
    """

    latencies: tuple[float, ...]
    seconds: float
    costs: Mapping[str, float] = field(default_factory=dict)


async def run_batch(clients: Sequence[Make], names: Sequence[str], *, password: bool) -> Batch:
    """Each client takes the next name when it has finished the last."""
    waiting = iter(names)
    latencies: list[float] = []

    async def work(make: Make) -> None:
        for name in waiting:
            started = time.perf_counter()
            await make(name, password)
            latencies.append(time.perf_counter() - started)

    started = time.perf_counter()
    await asyncio.gather(*(work(client) for client in clients))
    return Batch(tuple(latencies), time.perf_counter() - started)


@asynccontextmanager
async def engine_clients(
    ready: Mapping[str, Any], count: int, group: str, *, hashing: bool
) -> AsyncIterator[list[Make]]:
    """Clients that run Rolecall's own statements straight on the engine.

    With `hashing` each computes the verifier as it goes, as any client must that sends no plaintext; without,
    one verifier made beforehand serves all.
    """
    engine = ready["engines"]["postgres"]
    beforehand = _verifier()
    async with AsyncExitStack() as stack:
        clients: list[Make] = []
        for _ in range(count):
            connection = await psycopg.AsyncConnection.connect(
                host=engine["host"], port=engine["port"], user=engine["user"], password=engine["password"],
                dbname=engine["database"], autocommit=True, prepare_threshold=None,
            )  # fmt: skip
            await stack.enter_async_context(connection)
            clients.append(_engine_client(connection, group, beforehand, hashing=hashing))
        yield clients


def _verifier() -> Secret:
    return Secret(scram.verifier(PASSWORD.reveal()))


def _engine_client(
    connection: psycopg.AsyncConnection[Any], group: str, beforehand: Secret, *, hashing: bool
) -> Make:
    async def make(name: str, password: bool) -> None:
        verifier = None
        if password:
            verifier = await asyncio.to_thread(_verifier) if hashing else beforehand
        composed = statements.create_account(
            name, kind=AccountKind.NORMAL, verifier=verifier, operation=uuid4(), group=group
        )
        await connection.execute(composed)

    return make


@asynccontextmanager
async def wire_clients(ready: Mapping[str, Any], count: int, instance: str = "") -> AsyncIterator[list[Make]]:
    """Clients that sign and send CreateAccount over a kept connection, and do as little else as they can.

    `instance` is its id; empty for the quickstart instance.
    """
    instance = instance or ready["tencent"]["postgres_instance_id"]
    address = urlsplit(ready["endpoint"])
    writers: list[asyncio.StreamWriter] = []
    clients: list[Make] = []
    for _ in range(count):
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        writers.append(writer)
        clients.append(_wire_client(reader, writer, ready, address.netloc, instance))
    try:
        yield clients
    finally:
        for writer in writers:
            writer.close()
            await writer.wait_closed()


def _wire_client(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    ready: Mapping[str, Any],
    host: str,
    instance: str,
) -> Make:
    tencent = ready["tencent"]
    key = Secret(tencent["secret_key"])

    async def make(name: str, password: bool) -> None:
        params = {"DBInstanceId": instance, "UserName": name, "Type": "normal"}
        if password:
            params["Password"] = PASSWORD.reveal()
        payload = json.dumps(params).encode()
        headers = tc3.post_headers(
            tencent["secret_id"], key, service="postgres", version="2017-03-12", action="CreateAccount",
            region=tencent["region"], timestamp=int(time.time()), host=host, payload=payload,
        )  # fmt: skip
        lines = [f"{header}: {value}\r\n" for header, value in headers.items()]
        head = f"POST / HTTP/1.1\r\n{''.join(lines)}Content-Length: {len(payload)}\r\n\r\n"
        writer.write(head.encode() + payload)
        body = await read_body(reader)
        if b'"Error"' in body:
            raise RuntimeError(body.decode())

    return make


async def read_body(reader: asyncio.StreamReader) -> bytes:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = head.split(b"content-length:", 1)[1].split(b"\r\n", 1)[0]
    return await reader.readexactly(int(length))
