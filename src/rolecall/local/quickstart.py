"""The embedded default: Rolecall's own store and one quickstart instance, each a real PostgreSQL server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rolecall.local.postgres import LocalPostgres, start_all
from rolecall.values import Secret

# The two servers share a laptop; what they hold is small.
_SETTINGS = {"shared_buffers": "64MB", "max_connections": "100"}


@dataclass(frozen=True, slots=True)
class LocalServers:
    store: LocalPostgres
    instance: LocalPostgres


@contextmanager
def local_servers(
    store_directory: Path, store_password: Secret, instance_directory: Path, instance_password: Secret
) -> Iterator[LocalServers]:
    """Both servers, running; both are stopped at the end."""
    store = LocalPostgres(store_directory, superuser="rolecall", password=store_password, settings=_SETTINGS)
    instance = LocalPostgres(instance_directory, password=instance_password, settings=_SETTINGS)
    start_all(store, instance)
    try:
        yield LocalServers(store, instance)
    finally:
        instance.stop()
        store.stop()
