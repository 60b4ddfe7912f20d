"""`rolecall up --reset`: deletes what a data directory holds, so that the next start begins as the first one."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

from rolecall.cli.confirming import confirm
from rolecall.cli.data import DataDirectory
from rolecall.cli.errors import CommandError
from rolecall.local.mariadb import LocalMariaDB
from rolecall.local.postgres import LocalPostgres
from rolecall.local.server import LocalServer
from rolecall.values import Secret


def require_ours(directory: DataDirectory) -> None:
    """Raise `CommandError` for a directory with content that `rolecall up` did not create."""
    path = directory.path
    if path.is_dir() and any(path.iterdir()) and "master_key" not in directory.kept_secrets():
        raise CommandError(f"{path} is not a data directory of `rolecall up`, and is left as it is")


def reset(directory: DataDirectory, *, yes: bool) -> None:
    """Delete the store, all servers with their data, and the secrets of a claimed directory, after a confirmation.

    The certificate authority of `--tls` stays, since clients trust it. The secrets are deleted last: a reset that was
    interrupted can be repeated. Raises `CommandError`, and `LocalServerError` for a server that runs.
    """
    if not directory.kept_secrets():
        return
    confirm(f"Delete the store, the servers and all accounts in {directory.path}?", yes=yes)
    for server in servers_of(directory):
        server.destroy()
        shutil.rmtree(server.directory)
    directory.forget_secrets()


def servers_of(directory: DataDirectory) -> Iterator[LocalServer]:
    """The servers that have a directory. Those in `instances` were created by callers, and are of either kind."""
    created = sorted(directory.instances.iterdir()) if directory.instances.is_dir() else []
    for place in (directory.store, directory.quickstart, directory.quickstart_mysql, *created):
        if not place.is_dir():
            continue
        if (place / "cluster" / "PG_VERSION").exists():
            yield LocalPostgres(place, password=Secret(""))
        else:
            yield LocalMariaDB(place, password=Secret(""))
