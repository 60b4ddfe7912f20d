"""Servers that are started for a caller, each in a directory of its own below one, and never outlive us.

Starting, stopping and deleting them blocks, so a few threads of ours do it. What a caller gave up waiting for goes
on to its end there, and closing waits for it.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from rolecall.local.account import LocalServerError
from rolecall.local.mariadb import LocalMariaDB
from rolecall.local.postgres import LocalPostgres
from rolecall.local.quickstart import OURS, SETTINGS
from rolecall.local.server import LocalServer
from rolecall.values import Secret

POSTGRESQL, MYSQL = "postgresql", "mysql"
ADMINISTRATORS = {POSTGRESQL: "postgres", MYSQL: OURS}
"""By kind of server: the account that it is made with."""

_PLACE = re.compile(r"[A-Za-z0-9-]{1,64}")
_AT_ONCE = 4
"""Servers that are started, stopped or deleted at the same time."""

T = TypeVar("T")


class LocalProvisioner:
    """Servers below `directory`. Leaving it as a context ends them all; their data stays."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory.absolute()
        self._servers: dict[str, LocalServer] = {}
        self._guards: dict[str, threading.Lock] = {}
        self._threads = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="servers")

    @property
    def engines(self) -> Mapping[str, str]:
        """Kinds of server that this machine has the programs of, with their versions."""
        postgresql = {POSTGRESQL: LocalPostgres.major_version()}
        return {**postgresql, MYSQL: LocalMariaDB.version()} if LocalMariaDB.is_available() else postgresql

    @property
    def running(self) -> Mapping[str, LocalServer]:
        """The servers that run, by place."""
        return {place: server for place, server in self._servers.items() if server.is_running()}

    async def start(self, place: str, engine: str, password: Secret, encoding: str) -> tuple[str, int]:
        """Make the server if there is none, start it if it does not run; host and port once it takes connections."""

        def work() -> tuple[str, int]:
            server = self._servers.get(place) or self._server(place, engine, password, encoding)
            self._servers[place] = server
            server.start()
            return server.host, server.port

        return await self._off_the_loop(place, work)

    async def stop(self, place: str) -> None:
        """Return when it is gone; nothing to do if it does not run."""

        def work() -> None:
            if (server := self._servers.get(place)) is not None:
                server.stop()

        await self._off_the_loop(place, work)

    async def destroy(self, place: str, engine: str) -> None:
        """Stop it and delete its data; nothing to do if there is none."""

        def work() -> None:
            server = self._servers.get(place) or self._server(place, engine, Secret(""), "")
            if server.directory.exists():
                server.destroy()
                shutil.rmtree(server.directory)
            self._servers.pop(place, None)

        await self._off_the_loop(place, work)

    def close(self) -> None:
        """Wait for what is under way, then end every server."""
        self._threads.shutdown(wait=True, cancel_futures=True)
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            list(threads.map(LocalServer.stop, self._servers.values()))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def _off_the_loop(self, place: str, work: Callable[[], T]) -> T:
        """In a thread, and in turn with whatever else is done to the same server."""

        def guarded() -> T:
            with self._guard(place):
                return work()

        return await asyncio.get_running_loop().run_in_executor(self._threads, guarded)

    @contextlib.contextmanager
    def _guard(self, place: str) -> Iterator[None]:
        with self._guards.setdefault(place, threading.Lock()):
            yield

    def _server(self, place: str, engine: str, password: Secret, encoding: str) -> LocalServer:
        if _PLACE.fullmatch(place) is None:
            raise LocalServerError(f"`{place}` is no name of a place")
        directory = self._directory / place
        if engine == POSTGRESQL:
            return LocalPostgres(
                directory,
                superuser=ADMINISTRATORS[engine],
                password=password,
                settings=SETTINGS,
                encoding=encoding or "UTF8",
            )
        if engine == MYSQL:
            return LocalMariaDB(directory, password=password, superuser=ADMINISTRATORS[engine])
        raise LocalServerError(f"there are no servers of the kind {engine} here")
