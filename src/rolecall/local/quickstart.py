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

SETTINGS = {"shared_buffers": "64MB", "max_connections": "100"}
"""The servers share a laptop; what they hold is small."""

OURS = "rolecall"
"""The administrator of servers where the usual name of one is the tenants' to ask for."""


SERVING = "rolecall_serving"
"""The role of the store that serves; it may not change audit records."""


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
        LocalPostgres(store.directory, superuser=OURS, password=store.password, settings=SETTINGS),
        LocalPostgres(postgres.directory, password=postgres.password, settings=SETTINGS),
        LocalMariaDB(mysql.directory, password=mysql.password, superuser=OURS)
        if LocalMariaDB.is_available()
        else None,
    )
    everyone = [server for server in (servers.mysql, servers.postgres, servers.store) if server is not None]
    start_all(*everyone)
    try:
        yield servers
    finally:
        for server in everyone:
            server.stop()
