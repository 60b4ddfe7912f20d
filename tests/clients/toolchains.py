"""Programs in other languages that drive a live Rolecall: they are built where their toolchain is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

PATIENCE = 600.0
"""Seconds for a build: a first one compiles a standard library, on a machine that does other work too."""

STEPS = ["created true", "again FailedOperation.PreCheckError", "listed true", "deleted"]
METHODS = ["TC3-HMAC-SHA256", "HmacSHA1", "HmacSHA256"]
TENCENT = [f"{method} {step}" for method in METHODS for step in STEPS]
"""What each program prints that walks through the life of a Tencent account, once for each signature."""


def require(*programs: str) -> None:
    """Skip the test unless the programs are installed."""
    for program in programs:
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")


def prepare(command: Sequence[str], directory: Path, **environment: str) -> None:
    """Fetch what a program needs from its language's registry; skip the test where that cannot be had."""
    done = _run(command, directory, environment)
    if done.returncode:
        words = (done.stderr or done.stdout).strip().splitlines() or ["no reason given"]
        pytest.skip(f"`{' '.join(command)}` failed: {words[0]}")


def lines(command: Sequence[str | Path], directory: Path, **environment: str) -> list[str]:
    """What a program prints; it must succeed."""
    done = _run(command, directory, environment)
    assert done.returncode == 0, done.stdout + done.stderr
    return [line.rstrip() for line in done.stdout.splitlines()]


def _run(
    command: Sequence[str | Path], directory: Path, environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=directory,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        stdin=subprocess.DEVNULL,
    )
