"""`rolecall serve` with several workers, as a process of its own."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx
from tests.server.replica import ATTEMPTS, free_port
from tests.waiting import PATIENCE, until

PROGRAM = Path(sys.executable).with_name("rolecall")


def processes_with(variable: str) -> set[int]:
    """Running processes that have a variable in their environment."""
    found = set()
    for place in Path("/proc").glob("[0-9]*"):
        try:
            if variable.encode() in (place / "environ").read_bytes().split(b"\0"):
                found.add(int(place.name))
        except OSError:  # gone, or of another account
            continue
    return found


@contextmanager
def served(environment: Mapping[str, str], workers: int) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    for _ in range(ATTEMPTS):
        address = f"127.0.0.1:{free_port()}"
        process = subprocess.Popen(
            [PROGRAM, "serve", "--workers", str(workers), "--listen", address],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until(lambda process=process, address=address: process.poll() is not None or is_ready(address))
        if process.poll() is None:
            break
    try:
        assert process.poll() is None
        yield process, address
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE)


def is_ready(address: str) -> bool:
    try:
        return httpx.get(f"http://{address}/readyz").status_code == 200
    except httpx.TransportError:
        return False
