"""What the worker processes of a server share: a directory, in which they count calls for metrics and for rates."""

from __future__ import annotations

import os
from pathlib import Path

DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"
"""The variable in which they, and `prometheus_client`, find it."""


def shared_directory() -> Path | None:
    """None in a server of one process."""
    directory = os.environ.get(DIRECTORY)
    return Path(directory) if directory else None
