"""One run of `rolecall restore`: a backup is verified to its end before anything is written, then read again.

A store is filled in one transaction. A data directory is filled under the mark `DIR/restoring`, with which
`rolecall up` does not start; what a restore that failed has written is deleted, by itself or by the next restore.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from rolecall.cli.backups.backing_up import (
    HOME_SECRETS,
    MASTER_KEY,
    SERVERS,
    TABLES,
    TLS,
    About,
    ServerCopy,
    about_of,
    summary,
)
from rolecall.cli.backups.backup_files import BackupReader, Manifest, Part, verified
from rolecall.cli.data import DataDirectory, default_directory
from rolecall.cli.errors import CommandError
from rolecall.cli.opening import quiet_logs, store_address
from rolecall.cli.private_files import make_private_directory, write_private_text
from rolecall.cli.progress import bar
from rolecall.cli.records import os_user
from rolecall.cli.running.resetting import servers_of
from rolecall.domain.secrets.sealed_files import FileBroken, FileKey
from rolecall.domain.secrets.sealing import master_key_text, parse_master_keys
from rolecall.local.copies import fill_mariadb, make_cluster_of, mariadb_kind, postgresql_kind
from rolecall.local.mariadb import LocalMariaDB
from rolecall.local.postgres import LocalPostgres
from rolecall.local.provisioner import MYSQL
from rolecall.local.quickstart import OURS, SETTINGS
from rolecall.settings import SettingsError, load_settings
from rolecall.store.schema import role_of
from rolecall.store.snapshot import Restored, StoreNotEmpty, filling, require_known
from rolecall.values import Secret

_MARKS = {"lock", "restoring"}
"""Files in a data directory that a restore itself makes."""


@dataclass(frozen=True, slots=True)
class Verified:
    """A backup whose every byte was read. `small` are its small parts."""

    manifest: Manifest
    about: About
    small: Mapping[str, bytes]


class Restore:
    def __init__(
        self, file: Path, passphrase: str | None, master_key_out: Path | None, *, quiet: bool
    ) -> None:
        self._quiet = quiet
        self._file = file
        self._settings = load_settings()
        self._passphrase = None if passphrase is None else Secret(passphrase)
        self._master_key_out = master_key_out

    def check(self) -> dict[str, object]:
        """Verify the backup only."""
        return self._summary(self._verified())

    def run(self, data: Path | None) -> dict[str, object]:
        """Restore into the store of the settings, or else into a data directory."""
        quiet_logs()
        if data is None and self._settings.database_url is not None:
            found = self._verified()
            self._into_store(found)
        else:
            if self._master_key_out is not None:
                raise CommandError(
                    "--master-key-out is for a store: a data directory keeps its master key itself"
                )
            directory = DataDirectory(data or default_directory())
            _require_new(directory)
            found = self._verified()
            _require_programs(found.about.servers)
            with _filled(directory):
                self._into_directory(found, directory)
        return self._summary(found)

    def _summary(self, found: Verified) -> dict[str, object]:
        return summary(self._file, found.manifest, self._key())

    def _key(self) -> FileKey:
        """The passphrase, or the master keys of the settings; without either, opening says what is needed."""
        if self._passphrase is not None:
            return FileKey((), self._passphrase)
        try:
            return FileKey(self._settings.master_keys())
        except SettingsError:
            return FileKey()

    def _verified(self) -> Verified:
        with self._opened() as (file, size), bar("verifying", size, quiet=self._quiet) as advance:
            manifest, small = verified(file, self._key(), advance)
        about = about_of(manifest)
        require_known(about.shape)
        return Verified(manifest, about, small)

    @contextmanager
    def _opened(self) -> Iterator[tuple[BinaryIO, int]]:
        try:
            file = self._file.open("rb")
        except OSError as error:
            raise CommandError(f"cannot read {self._file}: {error.strerror}") from None
        with file:
            yield file, os.fstat(file.fileno()).st_size

    def _into_store(self, found: Verified) -> None:
        serving = store_address(self._settings)
        owner = self._settings.migration_dsn()
        self._keep_master_key(found)
        try:
            with self._reading(found) as parts:
                asyncio.run(self._fill(owner or serving, found, parts, None if owner is None else serving))
        except BaseException:
            if self._master_key_out is not None:
                self._master_key_out.unlink(missing_ok=True)
            raise

    def _keep_master_key(self, found: Verified) -> None:
        """Write the backup's master key, or check that the settings have it. `CommandError`."""
        if MASTER_KEY not in found.small:
            if self._master_key_out is not None:
                raise CommandError("the backup holds no master key: it is encrypted under it")
            return
        text = found.small[MASTER_KEY].decode()
        if self._master_key_out is not None:
            if self._master_key_out.exists():
                raise CommandError(f"{self._master_key_out} exists already")
            write_private_text(self._master_key_out, text)
        elif not set(parse_master_keys(text)) <= set(self._settings.master_keys()):
            raise CommandError(
                "the master key of the settings is not the backup's: omit it, with --master-key-out FILE"
            )

    def _into_directory(self, found: Verified, directory: DataDirectory) -> None:
        _write_home(found, directory, self._master_key_text(found))
        password = directory.secrets().store_password
        store = LocalPostgres(directory.store, superuser=OURS, password=password, settings=SETTINGS)
        servers = {SERVERS + server.place: server for server in found.about.servers}
        with store, self._reading(found) as parts:
            store.start()
            part = asyncio.run(self._fill(store.dsn(), found, parts, with_servers=True))
            while part is not None:
                _make_server(directory.path, servers[part.name], part)
                part = next(parts, None)

    def _master_key_text(self, found: Verified) -> str:
        if MASTER_KEY in found.small:
            return found.small[MASTER_KEY].decode()
        return master_key_text(self._settings.master_keys())

    @contextmanager
    def _reading(self, found: Verified) -> Iterator[Iterator[Part]]:
        """The parts once more. FileBroken if they are not those that were verified."""
        with self._opened() as (file, size), bar("restoring", size, quiet=self._quiet) as advance:
            reader = BackupReader(file, self._key(), advance)
            yield _rest(reader, found.manifest)

    async def _fill(
        self,
        dsn: Secret,
        found: Verified,
        parts: Iterator[Part],
        serving: Secret | None = None,
        *,
        with_servers: bool = False,
    ) -> Part | None:
        """Fill the store with its parts; the first part of a server. Without servers, their parts are only read."""
        about, deadlines = found.about, self._settings.store_deadlines()
        role = None if serving is None else await role_of(serving, deadlines)
        instances = (
            [number for server in about.servers for number in server.instances] if with_servers else []
        )
        detail = {"made_at": about.made_at, "release": about.release}
        restored = Restored(os_user(), detail, instances)
        tables = {TABLES + table.name: table for table in about.shape.tables}
        following = None
        try:
            async with filling(
                dsn, about.shape, about.sequences, restored, serving=role, deadlines=deadlines
            ) as target:
                for part in parts:
                    if part.name in tables:
                        await target.add(tables[part.name], part.data)
                    elif part.name.startswith(SERVERS) and with_servers:
                        following = part
                        break
        except StoreNotEmpty:
            raise CommandError("the store has tables already: restore into an empty database") from None
        return following


def _rest(reader: BackupReader, expected: Manifest) -> Iterator[Part]:
    for part in reader.parts():
        yield part
        for _ in part.data:  # what was not read
            pass
    if reader.manifest != expected:
        raise FileBroken("the backup was changed while it was read")


def _write_home(found: Verified, directory: DataDirectory, master_key: str) -> None:
    """Secrets and certificates. A backup of a store of the operator's has none; they are made then."""
    kept = json.loads(found.small.get(HOME_SECRETS, b"{}"))
    directory.keep_secrets({**kept, "master_key": master_key})
    for name, content in found.small.items():
        if name.startswith(TLS):
            make_private_directory(directory.tls)
            write_private_text(directory.tls / Path(name).name, content.decode())


def _make_server(base: Path, server: ServerCopy, part: Part) -> None:
    directory = base / server.place
    if server.engine == MYSQL:
        made = LocalMariaDB(directory, password=Secret(server.password), superuser=server.administrator)
        if not server.has_files:
            with made:
                fill_mariadb(made, part.data)
            return
    make_cluster_of(directory, part.data)
    if server.engine == MYSQL:
        made.name_administrator()


def _require_new(directory: DataDirectory) -> None:
    if directory.restoring.exists() or not directory.path.exists():
        return
    if {entry.name for entry in directory.path.iterdir()} - _MARKS:
        raise CommandError(f"{directory.path} is not empty: restore into a new directory")


def _require_programs(servers: Sequence[ServerCopy]) -> None:
    """Whether the servers of a backup can run here. `CommandError`."""
    for server in servers:
        if server.engine == MYSQL:
            if not LocalMariaDB.is_available():
                raise CommandError("the backup holds a MariaDB server, and MariaDB is not installed")
            here = mariadb_kind()
            fits = (
                _series(server.kind) == _series(here)
                if server.has_files
                else _series(server.kind) <= _series(here)
            )
        else:
            here = postgresql_kind()
            fits = server.kind == here
        if not fits:
            raise CommandError(f"the backup holds a server of {server.engine} {server.kind}; this is {here}")


def _series(kind: str) -> tuple[int, ...]:
    """The release series of MariaDB: statements fit the same one or a later one."""
    return tuple(map(int, kind.split()[0].split(".")[:2]))


@contextmanager
def _filled(directory: DataDirectory) -> Iterator[None]:
    """An empty directory, which is empty again after an error."""
    was_there = directory.path.exists()
    make_private_directory(directory.path)
    with directory.locked():
        _require_new(directory)  # verifying takes long enough for `rolecall up` to have come and gone
        _clear(directory)
        directory.restoring.touch(mode=0o600)
        try:
            yield
        except BaseException:
            _clear(directory)
            directory.restoring.unlink()
            if not was_there:
                shutil.rmtree(directory.path)
            raise
        directory.restoring.unlink()


def _clear(directory: DataDirectory) -> None:
    """Delete what an earlier restore has written, with clusters that are elsewhere. The lock stays."""
    for server in servers_of(directory):
        server.destroy()
    for entry in directory.path.iterdir():
        if entry.name in _MARKS:
            continue
        if entry.is_dir():
            shutil.rmtree(entry)
        else:
            entry.unlink()
