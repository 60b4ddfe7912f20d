"""A user and its key made by moto, an emulator of AWS in memory: IAM's CreateUser and CreateAccessKey.

Its server is asked over HTTP, as it comes: it checks no signature and no permission, keeps nothing on a disk, and
takes a connection for each request.
"""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import urlopen

from bench import environments
from bench.load import Make
from bench.people_load import Wire, connections
from bench.processes import tree_ms

PART = "moto"
"""What a cost of it is called."""

_START_SECONDS = 60
_HEADERS = {
    "Host": "iam.amazonaws.com",
    "Content-Type": "application/x-www-form-urlencoded",
    "Authorization": "AWS4-HMAC-SHA256 Credential=bench/20261128/us-east-1/iam/aws4_request, SignedHeaders=host,"
    " Signature=none",
}


@dataclass(frozen=True)
class Moto:
    url: str
    pid: int

    def times(self) -> Mapping[str, float]:
        return {PART: tree_ms(self.pid)}


def missing(place: Path | None) -> str:
    """Why there is no moto to compare with; empty if there is one, installed now if need be."""
    return environments.missing(place, "--moto", ["moto[server]"], "moto.server")


@contextmanager
def running_moto(virtual: Path) -> Iterator[Moto]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [virtual / "bin" / "moto_server", "--host", "127.0.0.1", "--port", str(port)],
        env={**os.environ, "MOTO_IAM_LOAD_MANAGED_POLICIES": "false"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait(process, f"http://127.0.0.1:{port}")
        yield Moto(f"http://127.0.0.1:{port}", process.pid)
    finally:
        process.terminate()
        process.wait(30)


def _wait(process: subprocess.Popen[bytes], url: str) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            with urlopen(f"{url}/moto-api/", timeout=5):
                return
        except (URLError, OSError):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("moto did not become ready") from None
            time.sleep(0.1)


@asynccontextmanager
async def clients(moto: Moto, count: int) -> AsyncIterator[list[Make]]:
    """Clients that make a user and then its key."""
    async with connections(moto.url, count, kept=False) as wires:
        yield [_client(wire) for wire in wires]


def _client(wire: Wire) -> Make:
    async def make(name: str, _password: bool) -> None:
        for action in ("CreateUser", "CreateAccessKey"):
            form = urlencode({"Action": action, "UserName": name, "Version": "2010-05-08"})
            body = await wire.post("/", _HEADERS, form.encode())
            if b"<Error" in body or b"Response" not in body:
                raise RuntimeError(body.decode())

    return make
