"""Directories and files that only their owner may read."""

from __future__ import annotations

import errno
import json
import os
import signal
import stat
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from rolecall.cli.errors import CommandError

_UNWRITABLE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}
"""Errors of a write, which name no file."""


def make_private_directory(path: Path) -> None:
    """Create a directory that only its owner may enter, or check an existing one: `require_own_directory`."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            path.mkdir(mode=0o700)
            path.chmod(0o700)  # the umask may have removed bits
    except OSError as error:
        raise CommandError(f"cannot make the directory {path}: {error.strerror}") from None
    require_own_directory(path)


def require_own_directory(path: Path) -> None:
    """Raise `CommandError` if other accounts could put files into a directory, or replace it.

    A sticky directory (``/tmp``) is accepted: only the owner of a file can replace the file there.
    """
    try:
        found = path.stat()
    except OSError as error:
        raise CommandError(f"cannot use the directory {path}: {error.strerror}") from None
    if found.st_uid not in (os.geteuid(), 0):
        raise CommandError(
            f"{path} belongs to another account (uid {found.st_uid}); choose a directory of your own"
        )
    by_others = found.st_mode & stat.S_IWOTH
    by_group = found.st_mode & stat.S_IWGRP and found.st_gid != os.getegid()
    if (by_others or by_group) and not found.st_mode & stat.S_ISVTX:
        raise CommandError(f"other accounts may write to {path}; close it to them: chmod go-w {path}")


def read_private(path: Path) -> dict[str, Any] | None:
    """The content of a file that `write_private` wrote; None if there is none. Raises `CommandError`."""
    try:
        content = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise CommandError(f"cannot read {path}: {error.strerror}") from None
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise CommandError(f"{path} is damaged: it is not an object in JSON")
    return content


def write_private(path: Path, content: Mapping[str, Any]) -> None:
    """Write JSON that only its owner may read, atomically."""
    write_private_text(path, json.dumps(content, indent=2) + "\n")


def write_private_text(path: Path, text: str) -> None:
    """Write a text that only its owner may read, atomically.

    The draft has an unpredictable name and is never an existing file (`tempfile.mkstemp`: O_EXCL, mode 0600).
    Raises `CommandError`.
    """
    require_own_directory(path.parent)
    try:
        descriptor, draft = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            Path(draft).replace(path)
        except BaseException:
            Path(draft).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise CommandError(f"cannot write {path}: {error.strerror}") from None


@contextmanager
def new_private_file(path: Path) -> Iterator[BinaryIO]:
    """A new file that only its owner may read: whole and on disk after the block, or removed again.

    An error, Ctrl-C or SIGTERM within the block removes it. Raises `CommandError`, also for a full disk.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise CommandError(f"cannot write {path}: {error.strerror}") from None
    try:
        with _termination_interrupts(), os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
    except BaseException as error:
        path.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno in _UNWRITABLE:
            raise CommandError(f"cannot write {path}: {error.strerror}") from None
        raise


@contextmanager
def _termination_interrupts() -> Iterator[None]:
    """SIGTERM raises KeyboardInterrupt, unless it is handled or ignored already."""
    in_charge = threading.current_thread() is threading.main_thread()
    if not in_charge or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
