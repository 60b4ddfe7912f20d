"""The packages, built once for the tests of this directory."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.waiting import PATIENCE

ROOT = Path(__file__).parents[2]

INSTALL = (ROOT / "docs" / "install.md").read_text("utf-8")


def shown_after(words: str) -> list[str]:
    """The lines of the first block of output that docs/install.md shows after some words."""
    _, found, rest = INSTALL.partition(words)
    assert found, words
    block = re.search(r"^```text\n(.*?)^```$", rest, re.MULTILINE | re.DOTALL)
    assert block is not None
    return block[1].splitlines()


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
