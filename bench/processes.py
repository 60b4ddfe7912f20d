"""The processor time of servers, from its clocks and `/proc` (Linux): in milliseconds since each started."""

from __future__ import annotations

import os
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

_PROC = Path("/proc")
_CPUCLOCK_SCHED = 2
_LISTENING = "0A"
_TICK = 1000 / os.sysconf("SC_CLK_TCK")


def process_ms(pid: int) -> float:
    """Of all its threads, those that have ended included; 0 of a process that is gone.

    The clock is the one that clock_getcpuclockid(3) makes of a process's number.
    """
    try:
        return time.clock_gettime_ns(~pid << 3 | _CPUCLOCK_SCHED) / 1e6
    except OSError:
        return 0.0


def tree_ms(pid: int) -> float:
    """Of a process and its descendants; to a hundredth of a second, of those that have ended and were waited for."""
    total = 0.0
    for one in descendants(pid):
        total += process_ms(one)
        if fields := _stat(one):
            total += _TICK * (int(fields[13]) + int(fields[14]))
    return total


def descendants(pid: int) -> list[int]:
    """The process itself first."""
    children = defaultdict(list)
    for process in _entries(_PROC):
        if process.name.isdecimal() and (fields := _stat(int(process.name))):
            children[int(fields[1])].append(int(process.name))
    found = [pid]
    for one in found:  # grows meanwhile
        found += children[one]
    return found


def listener(port: int) -> int:
    """The process that listens on that port of loopback: of several, the one that the others descend from."""
    sockets = set(_listening_sockets(port))
    holders = {
        int(process.name)
        for process in _entries(_PROC)
        if process.name.isdecimal() and any(_link(fd) in sockets for fd in _entries(process / "fd"))
    }
    roots = [pid for pid in holders if (fields := _stat(pid)) and int(fields[1]) not in holders]
    if not roots:
        raise LookupError(f"no process of ours listens on port {port}")
    return min(roots)


def _listening_sockets(port: int) -> Iterator[str]:
    """As a descriptor's link names them."""
    for line in (_PROC / "net" / "tcp").read_text().splitlines()[1:]:
        _, local, _, state, *_, inode = line.split()[:10]
        if state == _LISTENING and int(local.partition(":")[2], 16) == port:
            yield f"socket:[{inode}]"


def _stat(pid: int) -> list[str]:
    """What stands after the name: state, parent, ...; nothing of a process that has ended."""
    try:
        return (_PROC / str(pid) / "stat").read_text().rpartition(") ")[2].split()
    except OSError:
        return []


def _link(path: Path) -> str:
    try:
        return str(path.readlink())
    except OSError:
        return ""


def _entries(directory: Path) -> list[Path]:
    try:
        return list(directory.iterdir())
    except OSError:
        return []
