"""Copies of the data directory of a `rolecall up` that does not run.

In a container this module is a command: ``python -m rolecall.testing.copies save|load DATA DIRECTORY``.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path


def save(data: Path, directory: Path) -> None:
    """Copy a data directory. As root, the servers' clusters are elsewhere, and the data directory has links to them."""
    directory.mkdir()
    _copy(data, directory / "data")
    for link in _links(data):
        saved = directory / "clusters" / link.relative_to(data)
        saved.parent.mkdir(parents=True)
        _copy(link.resolve(), saved)


def load(data: Path, directory: Path) -> None:
    """Make a data directory what it was when it was saved, with the clusters of its links."""
    for link in _links(data):
        shutil.rmtree(link.resolve())
    # A start of another Rolecall deletes clusters whose temporary directory is gone: this one is never gone for long.
    new, old = data.with_name("data-new"), data.with_name("data-old")
    _copy(directory / "data", new)
    data.rename(old)
    new.rename(data)
    shutil.rmtree(old)
    for link in _links(data):
        _copy(directory / "clusters" / link.relative_to(data), link.readlink())


def _links(data: Path) -> list[Path]:
    """Those to clusters, whether these exist or not."""
    return [path for path in data.rglob("*") if path.name == "cluster" and path.is_symlink()]


def _copy(source: Path, target: Path) -> None:
    """A tree with modes and, as root, owners."""
    subprocess.run(["cp", "-a", str(source), str(target)], check=True)  # noqa: S603, S607 - of the system


if __name__ == "__main__":
    {"save": save, "load": load}[sys.argv[1]](Path(sys.argv[2]), Path(sys.argv[3]))
