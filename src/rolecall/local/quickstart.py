"""The servers of `rolecall up`: Rolecall's own store and the quickstart instances."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rolecall.local.mariadb import LocalMariaDB
from rolecall.local.postgres import LocalPostgres
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
    store_started: Future[None]
    """Done when the store accepts connections; raises `LocalServerError`. So do the others."""
    others_started: Sequence[Future[None]]


@contextmanager
def local_servers(store: Place, postgres: Place, mysql: Place) -> Iterator[LocalServers]:
    """The servers, which start in threads meanwhile. All are stopped at the end."""
    own = LocalPostgres(store.directory, superuser=OURS, password=store.password, settings=SETTINGS)
    quickstart = LocalPostgres(postgres.directory, password=postgres.password, settings=SETTINGS)
    mariadb = (
        LocalMariaDB(mysql.directory, password=mysql.password, superuser=OURS)
        if LocalMariaDB.is_available()
        else None
    )
    servers = [server for server in (mariadb, own, quickstart) if server is not None]  # the slowest first
    with ThreadPoolExecutor(len(servers), thread_name_prefix="start") as threads:
        started = {server: threads.submit(server.start) for server in servers}
        others = [started[server] for server in servers if server is not own]
        try:
            yield LocalServers(own, quickstart, mariadb, started[own], others)
        finally:
            wait(started.values())
            for server in servers:
                server.stop()
