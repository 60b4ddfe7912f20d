"""The start of `rolecall up`: its database servers start in the background while the application is imported."""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path

from rolecall import __version__
from rolecall.cli.data import DataDirectory, EmbeddedSecrets, default_directory
from rolecall.cli.errors import CommandError
from rolecall.cli.importing import large_imports
from rolecall.cli.running.exposure import Files, tls_files, warn_of_exposure
from rolecall.cli.running.resetting import require_ours, reset
from rolecall.local.quickstart import LocalServers, Place, local_servers
from rolecall.settings import Settings, host_and_port, load_settings
from rolecall.sockets import bound_socket

NO_MARIADB = (
    "MariaDB is not installed, so the Alibaba and OpenStack dialects have no quickstart instance;"
    " install it with: apt-get install mariadb-server"
)


@dataclass(frozen=True, slots=True)
class UpOptions:
    """Options of the command. `settings` are the settings that options replace."""

    listen: str | None
    data: Path | None
    ready_file: Path | None
    settings: Mapping[str, object]
    tls: bool
    demo: bool
    seed: Path | None = None
    reset: bool = False
    yes: bool = False
    """Confirms the reset."""


@dataclass(frozen=True, slots=True)
class Start:
    """What one run serves with. `admin` is the socket of health and metrics, `files` those of TLS if they are set."""

    options: UpOptions
    settings: Settings
    directory: DataDirectory
    secrets: EmbeddedSecrets
    bound: socket.socket
    admin: socket.socket | None
    files: Files | None


def start(options: UpOptions) -> None:
    """Run until a signal. Raises `SettingsError`, `CommandError` and `LocalServerError`."""
    # Options become settings of the environment, which every worker reads.
    os.environ.update({f"ROLECALL_{name.upper()}": str(value) for name, value in options.settings.items()})
    settings = load_settings()
    files = tls_files(settings)
    if options.tls and files is not None:
        raise CommandError("--tls generates a certificate; omit it when a certificate is set")
    if options.seed is not None:
        from rolecall.cli.seeding.document import SeedFile

        SeedFile(options.seed)  # what is wrong with it is said before anything starts
    directory = DataDirectory(options.data or default_directory())
    if options.reset:
        require_ours(directory)
    host, port = host_and_port(options.listen or settings.listen)
    # SIGTERM must stop the servers as Ctrl-C does, and so must SIGINT where a script started us with it ignored.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    os.umask(0o077)
    warn_of_exposure(settings, "" if options.tls else host)
    with suppress(KeyboardInterrupt), directory.claimed(), ExitStack() as sockets:
        if options.reset:
            reset(directory, yes=options.yes)
        _say(f"Rolecall {__version__}: starting database servers in {directory.path} ...")
        bound = sockets.enter_context(bound_socket(host, port))
        admin = None
        if settings.admin_listen:
            admin = sockets.enter_context(bound_socket(*host_and_port(settings.admin_listen)))
        _run(Start(options, settings, directory, directory.secrets(), bound, admin, files))
    _say("Rolecall: stopped.")


def _run(start: Start) -> None:
    directory, secrets = start.directory, start.secrets
    with (
        _shared(
            start.settings.workers
        ),  # before the application is imported: its metrics ask for the directory
        local_servers(
            Place(directory.store, secrets.store_password),
            Place(directory.quickstart, secrets.instance_password),
            Place(directory.quickstart_mysql, secrets.mysql_password),
        ) as servers,
    ):
        run = _application()  # the servers start meanwhile
        if servers.mysql is None:
            _say(f"Rolecall: {NO_MARIADB}")
        run(start, servers)
        _say("Rolecall: stopping ...")


def _shared(workers: int) -> AbstractContextManager[None]:
    if workers == 1:
        return nullcontext()
    with large_imports():
        from rolecall.cli.running.workers import shared_counts
    return shared_counts(workers)


def _application() -> Callable[[Start, LocalServers], None]:
    with large_imports():
        from rolecall.cli.running.embedded import run
    return run


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
