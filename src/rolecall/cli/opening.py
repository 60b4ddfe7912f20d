"""What a command opens: the settings, and the store with the key that sealed it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog
from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

from rolecall.cli.data import DataDirectory, default_directory
from rolecall.cli.errors import CommandError
from rolecall.domain.secrets.sealing import Sealer, check_master_key
from rolecall.settings import Settings, SettingsError, load_settings
from rolecall.store import Store
from rolecall.values import Secret


def quiet_logs() -> None:
    """Log errors only: the output of the command is what the user wants to see."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))


@dataclass(frozen=True, slots=True)
class OpenStore:
    """The store without the application, for commands that need no more."""

    store: Store
    sealer: Sealer


@asynccontextmanager
async def open_store(data: Path | None) -> AsyncIterator[OpenStore]:
    """The store of a data directory or of the settings. Raises `SettingsError`."""
    settings = load_settings()
    dsn, master_keys = credentials(data, settings)
    opened = OpenStore(
        Store(
            dsn,
            pool_size=settings.store_connections,
            deadlines=settings.store_deadlines(),
            migration=settings.migration_dsn(),
        ),
        Sealer(master_keys),
    )
    try:
        await opened.store.open()
        await check_master_key(opened.store.keys, opened.sealer)
        yield opened
    finally:
        await opened.store.close()


def store_address(settings: Settings) -> Secret:
    """The store's address from the settings. Raises `SettingsError`."""
    dsn = settings.store_dsn()
    try:
        conninfo_to_dict(dsn.reveal())
    except ProgrammingError:  # its text may quote part of the password
        raise SettingsError("ROLECALL_DATABASE_URL is not a PostgreSQL URL.") from None
    return dsn


def credentials(data: Path | None, settings: Settings) -> tuple[Secret, tuple[bytes, ...]]:
    """The store's address and the master keys, from the settings or a running `rolecall up`.

    Raises `SettingsError` and `CommandError`.
    """
    if data is None and settings.database_url is not None:
        return store_address(settings), settings.master_keys()
    directory = DataDirectory(data or default_directory())
    dsn = directory.connection()
    if dsn is None:
        raise CommandError(
            f"no `rolecall up` is running with the data directory {directory.path}; start it, choose"
            " another directory with --data, or set ROLECALL_DATABASE_URL to use a production store"
        )
    return dsn, directory.secrets().master_keys
