"""The data directory of an embedded Rolecall: its secrets, its servers, and what other commands need to know.

DIR/secrets.json    mode 0600: the master key and the servers' passwords, made once
DIR/store/          Rolecall's own PostgreSQL
DIR/quickstart/     the quickstart instance
DIR/instances/      servers that were started for callers, by the id of each
DIR/connection.json mode 0600: where the store of a running `rolecall up` is
DIR/ready.json      mode 0600: as `--ready-file`, always written

DIR itself is made with mode 0700. One that other accounts may write to is refused.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import stat
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

from rolecall.domain.secrets.sealing import new_master_key, parse_master_keys
from rolecall.settings import Settings, SettingsError
from rolecall.values import Secret


def default_directory() -> Path:
    """``$ROLECALL_DATA``, else ``rolecall`` in the user's data directory (XDG base directories)."""
    if chosen := os.environ.get("ROLECALL_DATA"):
        return Path(chosen)
    base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base) / "rolecall"


DataOption = Annotated[
    Path | None,
    typer.Option(
        "--data",
        metavar="DIR",
        help="Data directory of `rolecall up`. Default: $ROLECALL_DATA or the user's.",
    ),
]


@dataclass(frozen=True, slots=True)
class EmbeddedSecrets:
    master_key: str
    store_password: Secret
    serving_password: Secret
    instance_password: Secret
    mysql_password: Secret

    @property
    def master_keys(self) -> tuple[bytes, ...]:
        return parse_master_keys(self.master_key)


class DataDirectory:
    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.store = self.path / "store"
        self.quickstart = self.path / "quickstart"
        self.quickstart_mysql = self.path / "quickstart-mysql"
        self.instances = self.path / "instances"
        self.ready = self.path / "ready.json"
        self.tls = self.path / "tls"
        self._connection = self.path / "connection.json"
        self._secrets = self.path / "secrets.json"

    @contextmanager
    def claimed(self) -> Iterator[None]:
        """Make the directory and hold it: only one `rolecall up` may use it at a time."""
        make_private_directory(self.path)
        with (self.path / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise SettingsError(f"another `rolecall up` is using {self.path}") from None
            self._connection.unlink(missing_ok=True)
            self.ready.unlink(missing_ok=True)
            try:
                yield
            finally:
                self._connection.unlink(missing_ok=True)
                self.ready.unlink(missing_ok=True)

    def secrets(self) -> EmbeddedSecrets:
        """The directory's secrets, made when first asked for."""
        kept = json.loads(self._secrets.read_text("utf-8")) if self._secrets.exists() else {}
        fresh = {
            "master_key": new_master_key,
            "store_password": _new_password,
            "serving_password": _new_password,
            "instance_password": _new_password,
            "mysql_password": _new_password,
        }
        if missing := fresh.keys() - kept.keys():
            kept |= {name: fresh[name]() for name in missing}
            write_private(self._secrets, kept)
        return EmbeddedSecrets(
            kept["master_key"],
            Secret(kept["store_password"]),
            Secret(kept["serving_password"]),
            Secret(kept["instance_password"]),
            Secret(kept["mysql_password"]),
        )

    def publish_connection(self, dsn: Secret) -> None:
        """Tell other commands of this machine's user where the store is."""
        write_private(self._connection, {"database_url": dsn.reveal()})

    def connection(self) -> Secret | None:
        if not self._connection.exists():
            return None
        return Secret(json.loads(self._connection.read_text("utf-8"))["database_url"])


def _new_password() -> str:
    return secrets.token_urlsafe(24)


def make_private_directory(path: Path) -> None:
    """Make a directory that only its owner may enter; one that is there is looked at: `require_own_directory`."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            path.mkdir(mode=0o700)
            path.chmod(0o700)  # the umask took bits away
    except OSError as error:
        raise SettingsError(f"cannot make the directory {path}: {error.strerror}") from None
    require_own_directory(path)


def require_own_directory(path: Path) -> None:
    """Raises `SettingsError` if other accounts could put files into a directory, or take its place.

    A sticky directory (``/tmp``) does: nobody but a file's owner can replace the file there.
    """
    try:
        found = path.stat()
    except OSError as error:
        raise SettingsError(f"cannot use the directory {path}: {error.strerror}") from None
    if found.st_uid not in (os.geteuid(), 0):
        raise SettingsError(
            f"{path} belongs to another account (uid {found.st_uid}); choose a directory of your own"
        )
    by_others = found.st_mode & stat.S_IWOTH
    by_group = found.st_mode & stat.S_IWGRP and found.st_gid != os.getegid()
    if (by_others or by_group) and not found.st_mode & stat.S_ISVTX:
        raise SettingsError(f"other accounts may write to {path}; close it to them: chmod go-w {path}")


def write_private(path: Path, content: Mapping[str, Any]) -> None:
    """Write JSON that only its owner may read, whole or not at all."""
    write_private_text(path, json.dumps(content, indent=2) + "\n")


def write_private_text(path: Path, text: str) -> None:
    """Write a text that only its owner may read, whole or not at all.

    The draft has a name that nobody can foresee and is never one that was there before (`tempfile.mkstemp`: O_EXCL,
    mode 0600). Raises `SettingsError`.
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
        raise SettingsError(f"cannot write {path}: {error.strerror}") from None


def make_private_file(path: Path) -> int:
    """The descriptor of a new file that only its owner may read. Raises `SettingsError`."""
    try:
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise SettingsError(f"cannot write {path}: {error.strerror}") from None


def store_address(settings: Settings) -> Secret:
    """The store's address from the settings. Raises `SettingsError`."""
    dsn = settings.store_dsn()
    try:
        conninfo_to_dict(dsn.reveal())
    except ProgrammingError:  # its text may quote a part of the password
        raise SettingsError("ROLECALL_DATABASE_URL is not a PostgreSQL URL.") from None
    return dsn


def credentials(data: Path | None, settings: Settings) -> tuple[Secret, tuple[bytes, ...]]:
    """The store's address and the master keys: from the settings, else from a running `rolecall up`."""
    if data is None and settings.database_url is not None:
        return store_address(settings), settings.master_keys()
    directory = DataDirectory(data or default_directory())
    dsn = directory.connection()
    if dsn is None:
        raise SettingsError(
            f"no `rolecall up` is running with the data directory {directory.path}; start it, name another with"
            " --data, or set ROLECALL_DATABASE_URL to reach a production store"
        )
    return dsn, directory.secrets().master_keys
