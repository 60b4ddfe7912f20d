"""A Rolecall of the benchmark's own, with servers of its own, in a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

_START_SECONDS = 60


ROOT = Path(__file__).parent.parent

NO_LIMITS = {
    "ROLECALL_RATE_LIMIT": "off",
    "ROLECALL_SUB_USER_RATE": "0",
    "ROLECALL_SUB_USER_QUOTA": "1000000000",
    "ROLECALL_USER_RATE": "0",
}


@contextmanager
def running_rolecall(
    launcher: Sequence[str | Path] = (), settings: Mapping[str, str] = MappingProxyType({})
) -> Iterator[dict[str, Any]]:
    """The content of its ready file, its data directory and the number of its process. Rates and quotas are off.

    `registered` is the id of another instance that is the same PostgreSQL server, as an operator registers one: with
    verifiers stored by statement.

    `launcher`: a command that runs the program, in place of the program itself. `settings`: of the environment.
    """
    with tempfile.TemporaryDirectory(prefix="rolecall-bench-") as place:
        ready_file = Path(place) / "ready.json"
        program = Path(sys.executable).with_name("rolecall")
        process = subprocess.Popen(
            [
                *(launcher or [program]),
                "up",
                "--listen",
                "127.0.0.1:0",
                "--data",
                Path(place) / "data",
                "--ready-file",
                ready_file,
            ],
            env={**os.environ, **NO_LIMITS, "ROLECALL_LOG_LEVEL": "warning", **settings},
            cwd=ROOT,  # where a launcher of `bench` is found
            stdout=subprocess.DEVNULL,
        )
        try:
            deadline = time.monotonic() + _START_SECONDS
            while not ready_file.exists():
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError("rolecall up did not become ready")
                time.sleep(0.05)
            ready = json.loads(ready_file.read_text()) | {
                "data": str(Path(place) / "data"),
                "pid": process.pid,
            }
            ready["registered"] = _register(program, ready)
            if "aliyun" in ready:  # the vendor's three accounts an instance are too few here
                instance = ready["aliyun"]["instance_id"]
                quota = ["instance", "set", instance, "--account-quota", "0"]
                subprocess.run(
                    [program, *quota, "--data", Path(place) / "data"], check=True, stdout=subprocess.DEVNULL
                )
            yield ready
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(30)


def _register(program: Path, ready: Mapping[str, Any]) -> str:
    engine, public_id = ready["engines"]["postgres"], "postgres-rgstered"
    url = f"postgresql://{engine['user']}@{engine['host']}:{engine['port']}/{engine['database']}"
    subprocess.run(
        [program, "instance", "add", url, "--id", public_id, "--data", ready["data"]],
        check=True,
        stdout=subprocess.DEVNULL,
        env={**os.environ, "ROLECALL_INSTANCE_PASSWORD": engine["password"]},
    )
    return public_id
