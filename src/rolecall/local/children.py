"""Server processes that end when we end, however we end.

Linux sends a process the signal it asked for (``PR_SET_PDEATHSIG``, prctl(2)) when its parent *thread* dies.
So every fork is made by one thread that lives as long as the process, and servers may be started from any
thread. The kernel forgets the request when the process changes its user id, so it is made after that.
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
_Order = tuple[Callable[[], Child], Future[Child]]
_PR_SET_PDEATHSIG = 1
_LOST_PARENT = 70  # EX_SOFTWARE; never seen by anybody, since the parent is gone


def spawn(command: Sequence[str | Path], account: Account, log: Path, farewell: signal.Signals) -> Child:
    """Start `command` as `account`, writing to the end of `log`; it gets `farewell` if we die.

    It has a session of its own, so Ctrl-C in the terminal reaches us and not it.
    """
    return _forker.call(functools.partial(_fork, command, account, log, farewell))


def _fork(command: Sequence[str | Path], account: Account, log: Path, farewell: signal.Signals) -> Child:
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
            preexec_fn=_last_wish(farewell),
        )


def _last_wish(farewell: signal.Signals) -> Callable[[], None] | None:
    """What the child does just before it becomes the server: nothing that takes a lock or allocates much."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl
    request, wish, parent = ctypes.c_int(_PR_SET_PDEATHSIG), ctypes.c_ulong(farewell), os.getpid()

    def ask() -> None:
        prctl(request, wish)
        if os.getppid() != parent:  # it died before we asked, so no signal will come
            os._exit(_LOST_PARENT)

    return ask


class _Forker:
    """One daemon thread that runs what it is handed, in order."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self._guard = threading.Lock()
        self._queue: queue.SimpleQueue[_Order] | None = None

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
    def _serve(waiting: queue.SimpleQueue[_Order]) -> None:
        while True:
            work, result = waiting.get()
            try:
                result.set_result(work())
            except BaseException as error:  # noqa: BLE001 - handed to the caller, who raises it
                result.set_exception(error)


_forker = _Forker()
# Threads do not survive a fork: a child of ours that starts servers gets a thread of its own.
os.register_at_fork(after_in_child=_forker.reset)
