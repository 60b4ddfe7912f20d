"""A server's data on disk: its directory, the creation of a PostgreSQL cluster, and the processes that use it."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from rolecall.local.account import SYSTEM_HOME, Account, LocalServerError, make_open, system_home
from rolecall.values import Secret

PROGRAMS = ("postgres", "mariadbd")
"""The names of our servers' processes."""

# C.UTF-8 sorts by code point and classifies every letter; where libc lacks it, C sorts alike and classifies ASCII.
_LOCALES = ("C.UTF-8", "C")

# One call for the file system instead of one for each of a thousand files.
_SYNCING = ("--sync-method=syncfs",) if sys.platform == "linux" else ()


def make_cluster(
    directory: Path, programs: Path, account: Account, superuser: str, password: Secret, encoding: str
) -> None:
    """Create ``directory/cluster`` as a PostgreSQL cluster; see `make_data`."""
    make_data(
        directory, account, lambda place: _initdb(place, programs, account, superuser, password, encoding)
    )


def make_data(directory: Path, account: Account, fill: Callable[[Path], None]) -> None:
    """Create ``directory/cluster`` with `fill`, atomically and synced to disk.

    It is a directory, or, if `account` cannot reach `directory`, a symbolic link to one below
    /var/lib/rolecall/clusters. The modes of existing directories are not changed.
    """
    pending = directory / "cluster.new"
    _remove(pending)  # an earlier run was killed while creating it
    place = _new_place(directory, pending, account)
    account.adopt(place)
    fill(place)
    pending.rename(directory / "cluster")
    _sync(directory)


def remove_cluster(directory: Path) -> None:
    """Delete the cluster of `directory` and remains of its creation, wherever they are."""
    _remove(directory / "cluster")
    _remove(directory / "cluster.new")


def processes_in(cluster: Path, program: str = "postgres") -> set[int]:
    """The processes of a server whose working directory is `cluster`, which each of them keeps.

    A pid file would not do: after a reboot its number may be that of any process. Linux only; elsewhere the set is
    empty, and the server's own lock decides.
    """
    place = str(cluster.resolve())
    return {int(pid) for pid in _all_pids() if _works_in(pid, place, program)}


def postmaster_of(cluster: Path) -> int | None:
    """The process id in the cluster's pid file, whether or not the process runs."""
    lines = pid_file_lines(cluster)
    return int(lines[0]) if lines and lines[0].isdecimal() else None


def pid_file_lines(cluster: Path) -> list[str]:
    """postmaster.pid: pid, data directory, start time, port, socket directory, address, shm key, status."""
    try:
        text = (cluster / "postmaster.pid").read_text()
    except FileNotFoundError:
        return []
    return [line.strip() for line in text.splitlines()]


def _new_place(directory: Path, pending: Path, account: Account) -> Path:
    if account.can_enter(directory):
        pending.mkdir(mode=0o700)
        return pending
    clusters = system_home() / "clusters"
    make_open(clusters)
    _sweep(clusters)
    place = clusters / secrets.token_hex(8)
    _link_file(place).write_text(str(directory.absolute() / "cluster"))
    pending.symlink_to(place)
    place.mkdir(mode=0o700)
    return place


def _link_file(place: Path) -> Path:
    """The file beside a cluster in `SYSTEM_HOME` that names the link to the cluster."""
    return place.with_name(place.name + ".link")


def _sweep(clusters: Path) -> None:
    """Delete clusters whose directory was temporary and is gone. Other data must be kept."""
    temporary = Path(tempfile.gettempdir()).resolve()
    for note in clusters.glob("*.link"):
        try:
            link = Path(note.read_text())
        except FileNotFoundError:  # deleted by another start
            continue
        if (
            link.is_relative_to(temporary)
            and not link.parent.exists()
            and not any(processes_in(note.with_suffix(""), program) for program in PROGRAMS)
        ):
            shutil.rmtree(note.with_suffix(""), ignore_errors=True)
            note.unlink(missing_ok=True)


def _initdb(
    place: Path, programs: Path, account: Account, superuser: str, password: Secret, encoding: str
) -> None:
    """Create the cluster's files. initdb itself syncs them to disk."""
    for locale in _LOCALES if encoding == "UTF8" else _LOCALES[-1:]:  # only C supports every encoding
        done = _run_initdb(place, programs, account, superuser, password, encoding, locale)
        if done.returncode == 0:
            return
        if "invalid locale name" not in done.stderr:
            break
    raise LocalServerError(f"initdb failed: {done.stderr.strip() or done.stdout.strip()}")


def _run_initdb(
    place: Path,
    programs: Path,
    account: Account,
    superuser: str,
    password: Secret,
    encoding: str,
    locale: str,
) -> subprocess.CompletedProcess[str]:
    reading = _password_pipe(password, account)
    try:
        return account.run(
            programs / "initdb",
            f"--pgdata={place}",
            f"--username={superuser}",
            "--pwfile=/dev/stdin",
            "--auth=scram-sha-256",
            f"--encoding={encoding}",
            f"--locale={locale}",
            "--no-instructions",
            *_SYNCING,
            stdin=reading,
        )
    finally:
        os.close(reading)


def _password_pipe(password: Secret, account: Account) -> int:
    """The read end of a pipe that holds the password, so that it is never in a file."""
    line = password.reveal().encode()
    if not line or len(line) > 1024 or b"\n" in line or b"\0" in line:
        raise LocalServerError("the superuser's password must be one line of 1 to 1024 bytes")
    reading, writing = os.pipe()
    if account.switch:
        os.fchown(reading, account.uid, account.gid)  # /dev/stdin can be opened by the pipe's owner only
    with os.fdopen(writing, "wb") as pipe:
        pipe.write(line + b"\n")
    return reading


def _remove(cluster: Path) -> None:
    """Delete a cluster, or a link with the cluster that it leads to if that is below `SYSTEM_HOME`."""
    place = cluster.readlink() if cluster.is_symlink() else cluster
    if place == cluster or place.parent == SYSTEM_HOME / "clusters":
        if place.exists():
            shutil.rmtree(place)
        _link_file(place).unlink(missing_ok=True)
    if cluster.is_symlink():
        cluster.unlink()


def _sync(directory: Path) -> None:
    """Sync a rename in `directory` to disk."""
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _all_pids() -> list[str]:
    try:
        return [entry.name for entry in Path("/proc").iterdir() if entry.name.isdecimal()]
    except FileNotFoundError:
        return []


def _works_in(pid: str, place: str, program: str) -> bool:
    try:
        here = str(Path(f"/proc/{pid}/cwd").readlink()) == place
        return here and Path(f"/proc/{pid}/comm").read_text().strip() == program
    except OSError:  # it ended meanwhile, or belongs to another user
        return False
