"""The worker processes of `rolecall serve --workers`: what they share, and that they end with their parent."""

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
from pathlib import Path

from rolecall.worker_counts import WorkerCounts
from rolecall.workers import DIRECTORY

_GRACE = 20.0
"""Seconds that a worker has to finish its calls and close; then it is killed."""

_LONGEST = 75
"""Bytes of the path of a directory in which ours may have a socket."""


@contextmanager
def shared_counts(workers: int) -> Iterator[None]:
    """A directory for what several workers count, while they run: metrics and rates. A single process needs none."""
    if workers == 1:
        yield
        return
    # The path of a socket has at most 107 bytes.
    short = None if len(os.fsencode(tempfile.gettempdir())) <= _LONGEST else "/tmp"  # noqa: S108 - a private directory there
    with tempfile.TemporaryDirectory(prefix="rolecall-workers-", dir=short) as directory:
        WorkerCounts(
            Path(directory)
        ).close()  # the workers find the file made, so that none makes it beside another
        os.environ[DIRECTORY] = directory
        yield


def end_with_parent() -> None:
    """If this process is a worker, end it when its parent ends, also if the parent is killed.

    `multiprocessing` gives a worker one end of a pipe; only the parent holds the other end.
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
    """Before a worker ends: delete the shared directory if the parent, which normally deletes it, is gone."""
    parent = multiprocessing.parent_process()
    if parent is not None and not parent.is_alive():
        shutil.rmtree(os.environ[DIRECTORY], ignore_errors=True)
