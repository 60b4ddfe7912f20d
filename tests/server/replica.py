"""Another replica on the store of a running Rolecall, with settings of its own."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import httpx
from tests.conftest import PROGRAM, Rolecall
from tests.server.conftest import answers, free_port


@contextmanager
def replica(
    rolecall: Rolecall, until: Callable[[Callable[[], bool]], None], **settings: str
) -> Iterator[Rolecall]:
    """`rolecall serve` on the same store. `settings` are variables without ``ROLECALL_``."""
    kept = json.loads((rolecall.data / "secrets.json").read_text())
    connection = json.loads((rolecall.data / "connection.json").read_text())
    port = free_port()
    variables = {
        **rolecall.environment,
        "ROLECALL_DATABASE_URL": connection["database_url"],
        "ROLECALL_MASTER_KEY": kept["master_key"],
        **{f"ROLECALL_{name.upper()}": value for name, value in settings.items()},
    }
    with (rolecall.data.parent / f"replica-{port}.log").open("wb") as output:
        process = subprocess.Popen(
            [PROGRAM, "serve", "--listen", f"127.0.0.1:{port}"],
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    endpoint = f"http://127.0.0.1:{port}"
    running = replace(rolecall, process=process, ready=rolecall.ready | {"endpoint": endpoint})
    try:
        until(lambda: process.poll() is not None or answers(endpoint))
        assert httpx.get(endpoint + "/readyz").status_code == 200
        yield running
    finally:
        running.stop()
