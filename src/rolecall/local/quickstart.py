"""The servers of `rolecall up`: Rolecall's own store and the quickstart instances."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rolecall.local.mariadb import LocalMariaDB
from rolecall.local.postgres import LocalPostgres
from rolecall.local.server import start_all
from rolecall.values import Secret

SETTINGS = {"shared_buffers": "64MB", "max_connections": "100"}
"""The servers share a laptop and hold little data."""

OURS = "rolecall"
"""The administrator of servers whose usual administrator's name is left to tenants."""

SERVING = "rolecall_serving"
"""The store's role for serving, which cannot change audit records."""


@dataclass(frozen=True, slots=True)
class Place:
    """A server's directory, and its administrator's password."""

    directory: Path
    password: Secret


@dataclass(frozen=True, slots=True)
class LocalServers:
    """`mysql` is None where the system has no MariaDB."""

    store: LocalPostgres
    postgres: LocalPostgres
    mysql: LocalMariaDB | None
    started: Future[None]
    """Done when every server accepts connections; raises `LocalServerError`."""


@contextmanager
def local_servers(store: Place, postgres: Place, mysql: Place) -> Iterator[LocalServers]:
    """The servers, which start in threads meanwhile (`started`). All are stopped at the end."""
    own = LocalPostgres(store.directory, superuser=OURS, password=store.password, settings=SETTINGS)
    quickstart = LocalPostgres(postgres.directory, password=postgres.password, settings=SETTINGS)
    mariadb = (
        LocalMariaDB(mysql.directory, password=mysql.password, superuser=OURS)
        if LocalMariaDB.is_available()
        else None
    )
    servers = [server for server in (mariadb, quickstart, own) if server is not None]
    with ThreadPoolExecutor(1, thread_name_prefix="start") as thread:
        started = thread.submit(start_all, *servers)
        try:
            yield LocalServers(own, quickstart, mariadb, started)
        finally:
            wait([started])
            for server in servers:
                server.stop()
