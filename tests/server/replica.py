"""Another replica on the store of a running Rolecall, with settings of its own."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

import httpx
from tests.conftest import Rolecall
from tests.programs import ROLECALL, forks

ATTEMPTS = 3
"""Of starting at a free port, which another process may take before the program does."""


@contextmanager
def replica(
    rolecall: Rolecall, until: Callable[[Callable[[], bool]], None], **settings: str
) -> Iterator[Rolecall]:
    """`rolecall serve` on the same store, ready. `settings` are variables without ``ROLECALL_``.

    `ready["log"]` is the file of its output.
    """
    kept = json.loads((rolecall.data / "secrets.json").read_text())
    connection = json.loads((rolecall.data / "connection.json").read_text())
    variables: Mapping[str, str] = {
        **rolecall.environment,
        "ROLECALL_DATABASE_URL": connection["database_url"],
        "ROLECALL_MASTER_KEY": kept["master_key"],
        **{f"ROLECALL_{name.upper()}": value for name, value in settings.items()},
    }
    for _ in range(ATTEMPTS):
        port = free_port()
        endpoint = f"http://127.0.0.1:{port}"
        log = rolecall.data.parent / f"replica-{port}.log"
        with log.open("wb") as output:
            arguments = ["serve", "--listen", f"127.0.0.1:{port}"]
            process = forks().start(ROLECALL, arguments, variables, stdout=output, stderr=output)
        until(lambda process=process, endpoint=endpoint: process.poll() is not None or answers(endpoint))
        if process.poll() is None:
            break
    running = replace(rolecall, process=process, ready=rolecall.ready | {"endpoint": endpoint, "log": log})
    try:
        assert process.poll() is None, log.read_text(errors="replace")
        yield running
    finally:
        running.stop()


def answers(endpoint: str) -> bool:
    try:
        return httpx.get(endpoint + "/readyz").status_code == 200
    except httpx.TransportError:
        return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
