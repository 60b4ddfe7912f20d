"""The processes of `rolecall serve --workers`: what they share, and their end with the process that started them."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import wait

_METRICS = "PROMETHEUS_MULTIPROC_DIR"
"""Where `prometheus_client` looks for the directory that the processes of one server share."""

_GRACE = 20.0
"""Seconds that a worker has to end its calls and close; then it is killed."""


@contextmanager
def shared_metrics(workers: int) -> Iterator[None]:
    """A directory for the counts of several workers, for as long as they run; one process alone needs none."""
    if workers == 1:
        yield
        return
    with tempfile.TemporaryDirectory(prefix="rolecall-metrics-") as directory:
        os.environ[_METRICS] = directory
        yield


def end_with_parent() -> None:
    """Have this process end, if it is a worker, once the process that started it is gone, which was perhaps killed.

    `multiprocessing` gives a worker one end of a pipe of which the parent alone holds the other.
    """
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_watch, args=(parent.sentinel,), name="parent", daemon=True).start()


def _watch(sentinel: int) -> None:
    wait([sentinel])
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_GRACE)
    os.kill(os.getpid(), signal.SIGKILL)


def clean_up() -> None:
    """Before a worker ends: delete the shared directory if the parent is gone, which would have done so."""
    parent = multiprocessing.parent_process()
    if parent is not None and not parent.is_alive():
        shutil.rmtree(os.environ[_METRICS], ignore_errors=True)
