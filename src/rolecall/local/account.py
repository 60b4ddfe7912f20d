"""The operating system's account that a local server runs as, and the directories that it can reach.

PostgreSQL refuses to run as root ("root" execution of the PostgreSQL server is not permitted), MariaDB asks not
to be, so root starts them as the first of `CANDIDATES` that exists. Another user starts them as itself.
"""

from __future__ import annotations

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path

# An administrator can create a `rolecall` account to be used. The system's PostgreSQL package creates `postgres`.
# `nobody` exists everywhere; other daemons may share it, and could then read the files.
CANDIDATES = ("rolecall", "postgres", "nobody")

# Where root keeps files that an unprivileged account must reach, if the account cannot reach their usual directory.
SYSTEM_HOME = Path("/var/lib/rolecall")


class LocalServerError(Exception):
    """A local server cannot be started or stopped. The text says why, and holds no secret."""


@dataclass(frozen=True, slots=True)
class Account:
    """An account to run as. `switch`: it is not the account of this process."""

    uid: int
    gid: int
    switch: bool

    def run(self, *command: str | Path, stdin: int = subprocess.DEVNULL) -> subprocess.CompletedProcess[str]:
        """Run a short command as this account, in ``/`` (it may not reach our directory), and collect its output."""
        return subprocess.run(  # noqa: S603 - our own programs, no shell
            command,
            stdin=stdin,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            cwd="/",
            env=environment(),
            user=self.uid if self.switch else None,
            group=self.gid if self.switch else None,
            extra_groups=[] if self.switch else None,
        )

    def can_enter(self, directory: Path) -> bool:
        """Whether the account can reach files in `directory`, by the kernel's answer, which includes ACLs."""
        if not self.switch:
            return os.access(directory, os.X_OK)
        return self.run("/bin/sh", "-c", 'cd -- "$1"', "sh", directory).returncode == 0

    def can_run(self, program: Path) -> bool:
        """Whether the account can execute `program` together with its shared libraries."""
        try:
            return self.run(program, "--version").returncode == 0
        except OSError:
            return False

    def adopt(self, path: Path) -> None:
        """Give the directory `path` and all below it to this account.

        Entries are addressed through descriptors of their directories, and each directory is changed after its content:
        a process of the account cannot replace a directory by a link and so be given other files.
        """
        if not self.switch:
            return
        for _, names, files, folder in os.fwalk(path, topdown=False, follow_symlinks=False):
            for name in (*names, *files):
                os.chown(name, self.uid, self.gid, dir_fd=folder, follow_symlinks=False)
        os.chown(path, self.uid, self.gid, follow_symlinks=False)


def environment() -> dict[str, str]:
    """The environment of a local server: the same on every machine, and nothing of ours but PATH."""
    return {"PATH": os.environ.get("PATH", os.defpath), "TZ": "UTC"}


def current_account() -> Account:
    """This process's account if it is not root, else the first candidate that exists. Raises `LocalServerError`."""
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid(), switch=False)
    for name in CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return Account(entry.pw_uid, entry.pw_gid, switch=True)
    raise LocalServerError(
        "Database servers do not run as root, and this machine has none of the accounts "
        f"{', '.join(CANDIDATES)}: create one (useradd --system rolecall), or run as an ordinary user"
    )


def owner_account(path: Path) -> Account:
    """The account that owns `path`: an existing cluster runs as the account that created it."""
    found = path.stat()
    if found.st_uid == os.geteuid():
        return current_account()
    if os.geteuid() == 0:
        return Account(found.st_uid, found.st_gid, switch=True)
    raise LocalServerError(
        f"{path} belongs to the account with uid {found.st_uid}: run as that account, or as root"
    )


def system_home() -> Path:
    """`SYSTEM_HOME`, created if missing. It must belong to root, since programs in it are executed."""
    if not SYSTEM_HOME.exists():
        make_open(SYSTEM_HOME)
    if SYSTEM_HOME.stat().st_uid != 0:
        raise LocalServerError(f"{SYSTEM_HOME} must belong to root")
    return SYSTEM_HOME


def make_open(directory: Path) -> None:
    """Create a directory that every account can enter; an existing one is not changed."""
    try:
        directory.mkdir(parents=True)
    except FileExistsError:
        return
    directory.chmod(0o755)
