"""The data directory of an embedded Rolecall: its secrets, its servers, and what other commands need to know.

DIR/secrets.json    mode 0600: the master key and the servers' passwords, made once
DIR/store/          Rolecall's own PostgreSQL
DIR/quickstart/     the quickstart instance
DIR/instances/      servers that were started for callers, by the id of each
DIR/connection.json mode 0600: where the store of a running `rolecall up` is
DIR/ready.json      mode 0600: as `--ready-file`, always written
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from rolecall.domain.sealing import new_master_key, parse_master_keys
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
        self._connection = self.path / "connection.json"
        self._secrets = self.path / "secrets.json"

    @contextmanager
    def claimed(self) -> Iterator[None]:
        """Make the directory and hold it: only one `rolecall up` may use it at a time."""
        self.path.mkdir(parents=True, exist_ok=True)
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
            "instance_password": _new_password,
            "mysql_password": _new_password,
        }
        if missing := fresh.keys() - kept.keys():
            kept |= {name: fresh[name]() for name in missing}
            write_private(self._secrets, kept)
        return EmbeddedSecrets(
            kept["master_key"],
            Secret(kept["store_password"]),
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


def write_private(path: Path, content: Mapping[str, Any]) -> None:
    """Write JSON that only its owner may read, whole or not at all."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(content, file, indent=2)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    draft.chmod(0o600)
    draft.replace(path)


def credentials(data: Path | None, settings: Settings) -> tuple[Secret, tuple[bytes, ...]]:
    """The store's address and the master keys: from the settings, else from a running `rolecall up`."""
    if data is None and settings.database_url is not None:
        return settings.store_dsn(), settings.master_keys()
    directory = DataDirectory(data or default_directory())
    dsn = directory.connection()
    if dsn is None:
        raise SettingsError(
            f"no `rolecall up` is running with the data directory {directory.path}; start it, name another with"
            " --data, or set ROLECALL_DATABASE_URL to reach a production store"
        )
    return dsn, directory.secrets().master_keys
