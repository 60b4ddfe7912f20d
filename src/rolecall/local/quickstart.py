"""The embedded default: Rolecall's own store and the quickstart instances, each a real server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rolecall.local.mariadb import LocalMariaDB
from rolecall.local.postgres import LocalPostgres
from rolecall.local.server import start_all
from rolecall.values import Secret

# The servers share a laptop; what they hold is small.
_SETTINGS = {"shared_buffers": "64MB", "max_connections": "100"}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a server lives, and its administrator's password."""

    directory: Path
    password: Secret


@dataclass(frozen=True, slots=True)
class LocalServers:
    """`mysql` is None where the system has no MariaDB."""

    store: LocalPostgres
    postgres: LocalPostgres
    mysql: LocalMariaDB | None


@contextmanager
def local_servers(store: Place, postgres: Place, mysql: Place) -> Iterator[LocalServers]:
    """The servers, running; all are stopped at the end."""
    servers = LocalServers(
        LocalPostgres(store.directory, superuser="rolecall", password=store.password, settings=_SETTINGS),
        LocalPostgres(postgres.directory, password=postgres.password, settings=_SETTINGS),
        LocalMariaDB(mysql.directory, password=mysql.password) if LocalMariaDB.is_available() else None,
    )
    everyone = [server for server in (servers.mysql, servers.postgres, servers.store) if server is not None]
    start_all(*everyone)
    try:
        yield servers
    finally:
        for server in everyone:
            server.stop()
