"""Server processes that end with this process, however it ends.

Linux sends a process the signal that it requested (``PR_SET_PDEATHSIG``, prctl(2)) when its parent *thread* ends. So
one thread, which lives as long as this process, makes every fork, and servers may be started from any thread. The
kernel forgets the request when the process changes its user id, so the request is made afterwards.
"""

from __future__ import annotations

import ctypes
import functools
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path

from rolecall.local.account import Account, environment

Child = subprocess.Popen[bytes]
_Job = tuple[Callable[[], Child], Future[Child]]
_PR_SET_PDEATHSIG = 1
_LOST_PARENT = 70  # EX_SOFTWARE; no process reads it, since the parent is gone


def spawn(command: Sequence[str | Path], account: Account, log: Path, death_signal: signal.Signals) -> Child:
    """Start `command` as `account`, appending its output to `log`. It gets `death_signal` when this process ends.

    It has a session of its own, so that Ctrl-C in a terminal reaches this process only.
    """
    return _forker.call(functools.partial(_fork, command, account, log, death_signal))


def _fork(command: Sequence[str | Path], account: Account, log: Path, death_signal: signal.Signals) -> Child:
    with log.open("ab") as output:
        return subprocess.Popen(  # noqa: S603 - our own programs, no shell
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd="/",
            env=environment(),
            start_new_session=True,
            user=account.uid if account.switch else None,
            group=account.gid if account.switch else None,
            extra_groups=[] if account.switch else None,
            preexec_fn=set_parent_death_signal(death_signal),
        )


def set_parent_death_signal(number: signal.Signals) -> Callable[[], None] | None:
    """What the child does between fork and exec: nothing that takes a lock or allocates much."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl
    option, value, parent = ctypes.c_int(_PR_SET_PDEATHSIG), ctypes.c_ulong(number), os.getpid()

    def request() -> None:
        prctl(option, value)
        if os.getppid() != parent:  # it ended before the request, so no signal will come
            os._exit(_LOST_PARENT)

    return request


class _Forker:
    """A daemon thread that runs jobs in order."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self._guard = threading.Lock()
        self._queue: queue.SimpleQueue[_Job] | None = None

    def call(self, work: Callable[[], Child]) -> Child:
        with self._guard:
            if self._queue is None:
                self._queue = queue.SimpleQueue()
                threading.Thread(target=self._serve, args=(self._queue,), name="forker", daemon=True).start()
            waiting = self._queue
        result: Future[Child] = Future()
        waiting.put((work, result))
        return result.result()

    @staticmethod
    def _serve(waiting: queue.SimpleQueue[_Job]) -> None:
        while True:
            work, result = waiting.get()
            try:
                result.set_result(work())
            except BaseException as error:  # noqa: BLE001 - passed to the caller, which raises it
                result.set_exception(error)


_forker = _Forker()
# Threads do not survive a fork: a child process that starts servers gets a thread of its own.
os.register_at_fork(after_in_child=_forker.reset)
