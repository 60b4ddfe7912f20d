"""`python -m bench.profiled_server SOCKET ...`: the program `rolecall`, which can be asked where its time goes.

For the benchmark alone. A thread listens on SOCKET (a Unix socket) and answers, a line of JSON for a line:

| asked | answered |
|---|---|
| `times` | processor time of each thread in nanoseconds, by name |
| `begin` | sampling begins: `{}` |
| `end` | sampling ends: `[[count, [[file, function], ...]], ...]`, each stack from the innermost frame outwards |

Until it is asked it costs nothing. While it samples, the kernel sends the main thread, which has the event loop, a
signal for every tick of processor time that this thread uses (250 a second on most kernels); the handler notes the
stack of Python frames. So waiting is not counted, nor are the hashing threads, nor the asking.

The error: a sample is one tick; a share `p` of `n` samples has a standard error of sqrt(p (1 - p) / n). Python runs the
handler at its next call of a function, so what the loop itself does in C between two callbacks (epoll, sockets) counts
for the callback that follows, or for the loop where none does. The handler costs some 5 microseconds a sample, and
wakes the loop once: about 1 % of what is measured.
"""

from __future__ import annotations

import ctypes
import json
import signal
import socket
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from types import CodeType, FrameType

_INTERVAL_NS = 1_000_000
"""The kernel rounds it up to its tick."""

_SIGEV_THREAD_ID = 4
_DEEPEST = 80


class _Event(ctypes.Structure):
    """`struct sigevent`."""

    _fields_ = (
        ("value", ctypes.c_void_p),
        ("signo", ctypes.c_int),
        ("notify", ctypes.c_int),
        ("thread", ctypes.c_int),
        ("rest", ctypes.c_char * 44),
    )


class _Interval(ctypes.Structure):
    """`struct itimerspec`."""

    _fields_ = (
        ("interval_s", ctypes.c_long),
        ("interval_ns", ctypes.c_long),
        ("first_s", ctypes.c_long),
        ("first_ns", ctypes.c_long),
    )


class Sampler:
    """Samples the main thread. Made in the main thread."""

    def __init__(self) -> None:
        main = threading.main_thread()
        if main.ident is None:
            raise RuntimeError("the main thread does not run")
        self.samples: Counter[tuple[CodeType, ...]] = Counter()
        signal.signal(signal.SIGPROF, self._note)
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._timer = ctypes.c_void_p()
        event = _Event(None, signal.SIGPROF, _SIGEV_THREAD_ID, main.native_id, b"")
        clock = time.pthread_getcpuclockid(main.ident)
        self._require(self._libc.timer_create(clock, ctypes.byref(event), ctypes.byref(self._timer)))

    def begin(self) -> None:
        self.samples.clear()
        self._set(_INTERVAL_NS)

    def end(self) -> Counter[tuple[CodeType, ...]]:
        self._set(0)
        taken, self.samples = self.samples, Counter()
        return taken

    def _set(self, nanoseconds: int) -> None:
        interval = _Interval(0, nanoseconds, 0, nanoseconds)
        self._require(self._libc.timer_settime(self._timer, 0, ctypes.byref(interval), None))

    def _note(self, _signal: int, frame: FrameType | None) -> None:
        stack: list[CodeType] = []
        while frame is not None and len(stack) < _DEEPEST:
            stack.append(frame.f_code)
            frame = frame.f_back
        self.samples[tuple(stack)] += 1

    @staticmethod
    def _require(result: int) -> None:
        if result:
            raise OSError(ctypes.get_errno(), "no timer of processor time")


def _thread_times() -> dict[str, int]:
    """By name; threads of one name together. Those that have ended are not there."""
    times: Counter[str] = Counter()
    for thread in threading.enumerate():
        if thread.ident is not None and thread is not threading.current_thread():
            times[thread.name] += time.clock_gettime_ns(time.pthread_getcpuclockid(thread.ident))
    return times


def _answer(sampler: Sampler, asked: str) -> object:
    if asked == "times":
        return _thread_times()
    if asked == "begin":
        sampler.begin()
        return {}
    return [
        [count, [[code.co_filename, code.co_qualname] for code in stack]]
        for stack, count in sampler.end().items()
    ]


def _listen(path: Path, sampler: Sampler) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen()
        while True:
            connection, _ = listening.accept()
            with connection, connection.makefile("rw") as lines:
                for line in lines:
                    lines.write(json.dumps(_answer(sampler, line.strip())) + "\n")
                    lines.flush()


def main() -> None:
    from rolecall.cli.main import main as rolecall

    path = Path(sys.argv.pop(1))
    threading.Thread(target=_listen, args=(path, Sampler()), name="profile", daemon=True).start()
    rolecall()


if __name__ == "__main__":
    main()
