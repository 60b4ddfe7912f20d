"""System calls of processes, counted by strace if that is there."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

_ATTACH_SECONDS = 30
_CALL = re.compile(r"(?:\d+ +)?(\w+)\(")
_SENT = re.compile(r"(?:\d+ +)?(?:sendto|sendmsg|write|writev)\(\d+<TCP:\[[\d.]+:(\d+)->[\d.]+:(\d+)\]>")
_SENT_LOCALLY = re.compile(r"(?:\d+ +)?(?:sendto|sendmsg|write|writev)\(\d+<UNIX-STREAM:\[\d+->(\d+)")
_SERVER = re.compile(r"(?:\S+ +){6}(\d+) \S+\.s\.[A-Z]+\.(\d+)")
"""A line of /proc/net/unix: the inode of a connection of a database server, and the port in the socket's name."""
FLUSHES = ("fsync", "fdatasync")


def missing() -> str:
    """Why system calls are not counted; empty if they are."""
    if shutil.which("strace") is None:
        return "strace is not installed"
    attempt = ["strace", "-f", "-yy", "-o", "/dev/null", "true"]
    tried = subprocess.run(attempt, capture_output=True, text=True, check=False)
    return f"strace: {tried.stderr[-200:].strip()}" if tried.returncode else ""


@dataclass
class Trace:
    """Complete once its processes are no longer traced."""

    calls: Counter[str] = field(default_factory=Counter)
    """How often each system call was made."""
    sent: Counter[int] = field(default_factory=Counter)
    """How often something was sent, by port: over TCP each counts for both of its connection's ports, over the Unix
    socket of a database server for the port in its name."""

    @property
    def flushes(self) -> int:
        return sum(self.calls[name] for name in FLUSHES)

    def read(self, lines: Sequence[str], servers: Mapping[str, int]) -> None:
        """`servers`: ports by the inode of a server's end of a connection."""
        for line in lines:
            if found := _CALL.match(line):
                self.calls[found[1]] += 1
            if found := _SENT.match(line):
                self.sent.update((int(found[1]), int(found[2])))
            elif (found := _SENT_LOCALLY.match(line)) and found[1] in servers:
                self.sent[servers[found[1]]] += 1


@contextmanager
def traced(processes: Sequence[int], *, only: Sequence[str] = ()) -> Iterator[Trace]:
    """All threads of these processes, and what they fork. `only`: these system calls, else all."""
    trace = Trace()
    with tempfile.TemporaryDirectory(prefix="rolecall-strace-") as place:
        written = Path(place) / "calls"
        command = ["strace", "-f", "-yy", "-s", "0", "-qq", "-e", "signal=none", "-o", str(written)]
        if only:
            command += ["-e", f"trace={','.join(only)}"]
        for process in processes:
            command += ["-p", str(process)]
        tracer = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        try:
            _wait_attached(tracer, processes)
            yield trace
            servers = _servers()  # while their connections are open
        finally:
            tracer.send_signal(signal.SIGINT)
            tracer.communicate(timeout=_ATTACH_SECONDS)
        trace.read(written.read_text("utf-8", "replace").splitlines(), servers)


def _servers() -> dict[str, int]:
    lines = Path("/proc/net/unix").read_text("utf-8", "replace").splitlines()
    return {found[1]: int(found[2]) for line in lines if (found := _SERVER.fullmatch(line))}


def _wait_attached(tracer: subprocess.Popen[str], processes: Sequence[int]) -> None:
    deadline = time.monotonic() + _ATTACH_SECONDS
    while not all(map(_is_traced, processes)):
        if tracer.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError("strace did not attach")
        time.sleep(0.01)


def _is_traced(process: int) -> bool:
    """Every thread of it; true of a process that has ended."""
    for thread in Path(f"/proc/{process}/task").glob("*/status"):
        try:
            if "TracerPid:\t0\n" in thread.read_text():
                return False
        except OSError:
            continue
    return True
