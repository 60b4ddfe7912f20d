"""One run of `rolecall backup`.

The parts, in order: `home/...` (secrets and certificates), `store/...` (a table each), `server/...` (a server each).
The store comes before the servers: what was accepted in the store and carried out since bears a mark on its server,
which recovery finds. The other way round, the store would list accounts that no server has.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated

import msgspec

from rolecall import __version__
from rolecall.cli.backups.backup_files import BackupWriter, Manifest
from rolecall.cli.data import DataDirectory, default_directory
from rolecall.cli.errors import CommandError
from rolecall.cli.opening import OpenStore, credentials
from rolecall.cli.private_files import new_private_file
from rolecall.cli.progress import bar
from rolecall.domain.instances.registry import Instance, Phase, open_password
from rolecall.domain.secrets.sealed_files import FileKey
from rolecall.domain.secrets.sealing import master_key_text
from rolecall.local.copies import (
    Login,
    copy_mariadb,
    copy_postgresql,
    copy_stopped,
    mariadb_kind,
    postgresql_kind,
)
from rolecall.local.mariadb import LocalMariaDB
from rolecall.local.postgres import LocalPostgres
from rolecall.local.provisioner import MYSQL
from rolecall.local.server import HOST, kept_port
from rolecall.settings import load_settings
from rolecall.store.schema import standing
from rolecall.store.snapshot import Shape, Snapshot, Table, snapshot
from rolecall.values import Secret

HOME_SECRETS, MASTER_KEY, TLS = "home/secrets.json", "home/master.key", "home/tls/"
TABLES, SERVERS = "store/", "server/"
_PLACES = r"\A(quickstart|quickstart-mysql|instances/[A-Za-z0-9][A-Za-z0-9_.-]*)\Z"
"""Who wrote a backup, and so knew its passphrase, does not choose where it is restored."""

_WITHOUT_SERVER = {Phase.CREATING, Phase.DELETING, Phase.FAILED}
"""What comes after these begins without a server, so that there is nothing to copy."""
_AT_REST = {Phase.RUNNING, Phase.ISOLATED}

Copying = Callable[[], Iterator[bytes]]
"""Copies a server."""


class ServerCopy(msgspec.Struct, frozen=True, kw_only=True):
    """A server of `rolecall up` in a backup. `place` is its directory below the data directory, and nowhere else.

    `kind` names what a copy fits: the version of its server, and the architecture of copied files. `has_files`: it is
    an archive of files, not statements.
    """

    place: Annotated[str, msgspec.Meta(pattern=_PLACES)]
    engine: str
    instances: Sequence[int]
    administrator: str
    password: str
    kind: str
    has_files: bool


class About(msgspec.Struct, frozen=True, kw_only=True):
    """What a backup is of. `home`: of a data directory of `rolecall up`."""

    release: str
    made_at: str
    home: bool
    has_master_key: bool
    migrations: Mapping[int, str]
    tables: Mapping[str, Sequence[str]]
    sequences: Mapping[str, int]
    servers: Sequence[ServerCopy]

    @property
    def shape(self) -> Shape:
        return Shape(self.migrations, [Table(name, tuple(columns)) for name, columns in self.tables.items()])


def require_current(data: Path | None) -> None:
    """A store of an earlier release is backed up by that release: opening it would migrate it. `CommandError`."""
    settings = load_settings()
    dsn, _ = credentials(data, settings)
    if asyncio.run(standing(dsn, settings.store_deadlines())).outstanding:
        raise CommandError(
            "the store has the schema of an earlier release: back it up with that release, or run `rolecall upgrade`"
        )


class Backup:
    """Writes `file`, which must not exist, and removes it if that fails."""

    def __init__(self, file: Path, passphrase: str | None, data: Path | None, *, quiet: bool) -> None:
        self._quiet = quiet
        settings = load_settings()
        self._dsn, keys = credentials(data, settings)
        self._deadlines = settings.store_deadlines()
        is_home = data is not None or settings.database_url is None
        self._directory = DataDirectory(data or default_directory()) if is_home else None
        self._master_keys = keys
        self._key = FileKey(keys, None if passphrase is None else Secret(passphrase))
        self._file = file

    async def run(self, opened: OpenStore) -> dict[str, object]:
        shown = bar("backing up", None, quiet=self._quiet)
        with new_private_file(self._file) as file, shown as advance:
            writer = BackupWriter(file, self._key)
            self._write_home(writer)
            async with snapshot(self._dsn, self._deadlines) as taken:
                servers = [] if self._directory is None else await _servers(self._directory, opened)
                sequences = await _write_store(writer, taken, advance)
            for server in servers:
                _write_server(writer, server, advance)
            manifest = writer.close(msgspec.to_builtins(self._about(taken.shape, sequences, servers)))
        return summary(self._file, manifest, self._key)

    def _about(
        self, shape: Shape, sequences: Mapping[str, int], servers: Sequence[tuple[ServerCopy, Copying]]
    ) -> About:
        return About(
            release=__version__,
            made_at=datetime.now(UTC).isoformat(timespec="seconds"),
            home=self._directory is not None,
            has_master_key=self._key.passphrase is not None,
            migrations=shape.migrations,
            tables={table.name: table.columns for table in shape.tables},
            sequences=sequences,
            servers=[server for server, _ in servers],
        )

    def _write_home(self, writer: BackupWriter) -> None:
        """Secrets of the data directory without the master key, which only a passphrase protects well enough."""
        if self._key.passphrase is not None:
            writer.begin(MASTER_KEY)
            writer.write(master_key_text(self._master_keys).encode())
        if self._directory is None:
            return
        kept = {name: text for name, text in self._directory.kept_secrets().items() if name != "master_key"}
        writer.begin(HOME_SECRETS)
        writer.write(json.dumps(kept).encode())
        for file in sorted(self._directory.tls.glob("ca.*")):
            writer.begin(TLS + file.name)
            writer.write(file.read_bytes())


async def _servers(directory: DataDirectory, opened: OpenStore) -> list[tuple[ServerCopy, Copying]]:
    """The servers of the data directory, and how to copy each. `CommandError`."""
    found: dict[str, tuple[ServerCopy, Copying]] = {}
    for instance in await opened.store.instances.instances():
        place = _place(directory, instance)
        if place is None:
            continue
        if place in found:  # registered twice
            copy, copying = found[place]
            found[place] = msgspec.structs.replace(copy, instances=[*copy.instances, instance.id]), copying
            continue
        found[place] = _copied(
            directory.path / place, place, instance, open_password(opened.sealer, instance)
        )
    return list(found.values())


def _place(directory: DataDirectory, instance: Instance) -> str | None:
    """The directory of a server below the data directory; None for a server of others. `CommandError`."""
    if instance.provision is None:
        for path in (directory.quickstart, directory.quickstart_mysql):
            if (instance.host, instance.port) == (HOST, kept_port(path)):
                return path.name
        return None
    if instance.provision.phase in _WITHOUT_SERVER:
        return None
    if instance.provision.phase not in _AT_REST:
        name = min(instance.faces.values())
        raise CommandError(f"the server of {name} is being started or stopped now: try again later")
    return f"{directory.instances.name}/{instance.provision.place}"


def _copied(path: Path, place: str, instance: Instance, password: Secret) -> tuple[ServerCopy, Copying]:
    is_stopped = instance.provision is not None and instance.provision.phase is Phase.ISOLATED
    is_mysql = instance.engine == MYSQL
    copy = ServerCopy(
        place=place,
        engine=instance.engine,
        instances=[instance.id],
        administrator=instance.administrator,
        password=password.reveal(),
        kind=mariadb_kind() if is_mysql else postgresql_kind(),
        has_files=is_stopped or not is_mysql,
    )
    if is_stopped:
        kind = LocalMariaDB if is_mysql else LocalPostgres
        return copy, partial(copy_stopped, kind(path, password=password))
    login = Login(instance.host, instance.port, instance.administrator, password)
    return copy, partial(copy_mariadb if is_mysql else copy_postgresql, login)


async def _write_store(
    writer: BackupWriter, taken: Snapshot, advance: Callable[[int], None]
) -> Mapping[str, int]:
    for table in taken.shape.tables:
        writer.begin(TABLES + table.name)
        async for block in taken.rows(table):
            writer.write(block)
            advance(len(block))
    return await taken.sequences()


def _write_server(
    writer: BackupWriter, server: tuple[ServerCopy, Copying], advance: Callable[[int], None]
) -> None:
    copy, copying = server
    writer.begin(SERVERS + copy.place)
    for piece in copying():
        writer.write(piece)
        advance(len(piece))


def about_of(manifest: Manifest) -> About:
    """`CommandError`."""
    try:
        return msgspec.convert(manifest.about, About, strict=False)
    except msgspec.ValidationError:
        raise CommandError("the backup has a manifest of another release") from None


def summary(file: Path, manifest: Manifest, key: FileKey) -> dict[str, object]:
    """A row about a backup."""
    about = about_of(manifest)
    tables = {name: part for name, part in manifest.parts.items() if name.startswith(TABLES)}
    return {
        "file": str(file),
        "made_at": about.made_at,
        "release": about.release,
        "tables": len(tables),
        "rows": sum(part.rows for part in tables.values()),
        "servers": len(about.servers),
        "key": "master key" if key.passphrase is None else "passphrase",
        "bytes": file.stat().st_size,
    }
