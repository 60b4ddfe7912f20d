"""The data directory of `rolecall up`: its secrets, its servers, and what other commands need to find them.

DIR/secrets.json    mode 0600: the master key and the servers' passwords, created once
DIR/store/          Rolecall's own PostgreSQL
DIR/quickstart/     the quickstart instance (PostgreSQL)
DIR/quickstart-mysql/  the quickstart instance (MariaDB)
DIR/instances/      servers that callers created, each in a directory of its id
DIR/connection.json mode 0600: the store's address while `rolecall up` runs
DIR/ready.json      mode 0600: the same as `--ready-file`, always written
DIR/restoring       while `rolecall restore` fills DIR

DIR itself is created with mode 0700. A directory that other accounts may write to is refused.
"""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rolecall.cli.errors import CommandError
from rolecall.cli.private_files import make_private_directory, read_private, write_private
from rolecall.domain.secrets.sealing import new_master_key, parse_master_keys
from rolecall.values import Secret


def default_directory() -> Path:
    """``$ROLECALL_DATA``, else ``rolecall`` in the user's data directory (XDG base directories)."""
    if chosen := os.environ.get("ROLECALL_DATA"):
        return Path(chosen)
    base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base) / "rolecall"


@dataclass(frozen=True, slots=True)
class EmbeddedSecrets:
    master_key: str
    store_password: Secret
    serving_password: Secret
    instance_password: Secret
    mysql_password: Secret

    @property
    def master_keys(self) -> tuple[bytes, ...]:
        """Raises `CommandError`."""
        try:
            return parse_master_keys(self.master_key)
        except ValueError as error:
            raise CommandError(f"the master key of the data directory is damaged: {error}") from None


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

    @property
    def restoring(self) -> Path:
        """Exists while a backup is restored here."""
        return self.path / "restoring"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Lock the directory, which exists: only one process may use it at a time. Raises `CommandError`."""
        try:
            lock = (self.path / "lock").open("w")
        except OSError as error:
            raise CommandError(f"cannot use {self.path}: {error.strerror}") from None
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise CommandError(f"another `rolecall up` is using {self.path}") from None
            yield

    @contextmanager
    def claimed(self) -> Iterator[None]:
        """Create and lock the directory: only one `rolecall up` may use it at a time. Raises `CommandError`."""
        make_private_directory(self.path)
        with self.locked():
            if self.restoring.exists():
                raise CommandError(f"a restore into {self.path} was interrupted: repeat `rolecall restore`")
            self._connection.unlink(missing_ok=True)
            self.ready.unlink(missing_ok=True)
            try:
                yield
            finally:
                self._connection.unlink(missing_ok=True)
                self.ready.unlink(missing_ok=True)

    def kept_secrets(self) -> dict[str, str]:
        """The secrets that were written down, by name. Raises `CommandError`."""
        return read_private(self._secrets) or {}

    def keep_secrets(self, kept: Mapping[str, str]) -> None:
        """Write down the secrets of a new directory."""
        write_private(self._secrets, kept)

    def forget_secrets(self) -> None:
        """Delete the secrets: the next start creates others."""
        self._secrets.unlink(missing_ok=True)

    def secrets(self) -> EmbeddedSecrets:
        """The directory's secrets, created at the first call. Raises `CommandError` if those of its store are lost."""
        kept = self.kept_secrets()
        if "master_key" not in kept and self.store.exists():
            raise CommandError(
                f"{self._secrets} is lost, and with it the master key of {self.store}: put a copy of it back, or"
                " restore a backup into a new directory"
            )
        fresh = {
            "master_key": new_master_key,
            "store_password": _new_password,
            "serving_password": _new_password,
            "instance_password": _new_password,
            "mysql_password": _new_password,
        }
        if missing := fresh.keys() - kept.keys():
            kept |= {name: fresh[name]() for name in missing}
            self.keep_secrets(kept)
        return EmbeddedSecrets(
            kept["master_key"],
            Secret(kept["store_password"]),
            Secret(kept["serving_password"]),
            Secret(kept["instance_password"]),
            Secret(kept["mysql_password"]),
        )

    def publish_connection(self, dsn: Secret, sockets: Path | None) -> None:
        """Write the store's address, and the directory of its socket, for other processes of the same user."""
        near = {} if sockets is None else {"sockets": str(sockets)}
        write_private(self._connection, {"database_url": dsn.reveal(), **near})

    def connection(self) -> Secret | None:
        """The store's address; None if no `rolecall up` runs."""
        content = read_private(self._connection)
        if content is None:
            return None
        near = {"host": content["sockets"]} if "sockets" in content else {}
        from psycopg.conninfo import (
            make_conninfo,  # a large library, which most uses of a directory do not need
        )

        return Secret(make_conninfo(content["database_url"], **near))


def read_ready(file: Path) -> dict[str, Any]:
    """The content of a ready file. Raises `CommandError` if it does not exist."""
    content = read_private(file)
    if content is None:
        raise CommandError(f"{file} does not exist: start `rolecall up` first")
    return content


def _new_password() -> str:
    return secrets.token_urlsafe(24)
