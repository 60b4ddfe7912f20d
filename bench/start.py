"""`--only start`: from the command to the ready file, where data is made and where it is there already.

Processor time counts every process from the command on, the servers' too; Python is the process that serves.
"""

from __future__ import annotations

import argparse
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table

from bench import processes

_TIMES = 5
_SECONDS = 120
_PROGRAM = Path(sys.executable).with_name("rolecall")


@dataclass(frozen=True, slots=True)
class Start:
    seconds: float
    python: float
    """Seconds of its processor time."""
    all: float


def bench(_options: argparse.Namespace) -> Table:
    """Medians; a start before the first compiles what is not compiled."""
    table = Table(
        "start", "s", "s, least to most", "Python: s of processor time", "all: s of processor time",
        title="From the command until everything works",
        caption=f"Medians of {_TIMES} starts.",
    )  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="rolecall-bench-") as place:
        starts = [_starts(Path(place) / str(number)) for number in range(_TIMES + 1)][1:]
    for name, measured in zip(("first start", "ready again"), zip(*starts, strict=True), strict=True):
        seconds = [each.seconds for each in measured]
        table.add_row(
            name,
            f"{statistics.median(seconds):.2f}",
            f"{min(seconds):.2f} to {max(seconds):.2f}",
            f"{statistics.median(each.python for each in measured):.2f}",
            f"{statistics.median(each.all for each in measured):.2f}",
        )
    return table


def _starts(place: Path) -> tuple[Start, Start]:
    """With a new data directory, and with the same again."""
    return _start(place), _start(place)


def _start(place: Path) -> Start:
    ready = place.with_suffix(".json")
    command = [_PROGRAM, "up", "--listen", "127.0.0.1:0", "--data", place, "--ready-file", ready]
    # Modules are compiled once and kept, as they are where Rolecall is installed.
    kept = {name: text for name, text in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    began = time.perf_counter()
    with subprocess.Popen(command, env=kept, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            while not ready.exists():
                if process.poll() is not None or time.perf_counter() - began > _SECONDS:
                    raise RuntimeError("rolecall up did not become ready")
                time.sleep(0.002)
            seconds = time.perf_counter() - began
            python = processes.process_ms(process.pid) / 1000
            return Start(seconds, python, processes.tree_ms(process.pid) / 1000)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(_SECONDS)
