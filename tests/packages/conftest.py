"""The packages, built once for the tests of this directory."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.waiting import PATIENCE

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Packages:
    wheel: Path
    sdist: Path


def build(target: Path, **environment: str) -> Packages:
    """Build wheel and sdist of the checkout into `target`, as `make dist` does."""
    variables = {name: value for name, value in os.environ.items() if name != "PROJECT_URL"}
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--directory", target],
        cwd=ROOT,
        env={**variables, **environment},
        check=True,
        capture_output=True,
        timeout=PATIENCE,
    )
    (wheel,), (sdist,) = target.glob("*.whl"), target.glob("*.tar.gz")
    return Packages(wheel, sdist)


@pytest.fixture(scope="session")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Packages:
    return build(tmp_path_factory.mktemp("packages"))
