"""Servers that callers create, each in a directory of its own, bound to the lifetime of this process.

Starting, stopping and deleting a server blocks, so a few threads do it. Work whose caller stopped waiting is completed
there, and closing waits for it.
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
"""The administrator of new servers, by kind of server."""

_PLACE = re.compile(r"[A-Za-z0-9-]{1,64}")
_THREADS = 4
"""How many servers are started, stopped or deleted at the same time."""

T = TypeVar("T")


class LocalProvisioner:
    """Servers below `directory`. Leaving the context stops them all; their data stays."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory.absolute()
        self._servers: dict[str, LocalServer] = {}
        self._guards: dict[str, threading.Lock] = {}
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="servers")

    @property
    def engines(self) -> Mapping[str, str]:
        """The kinds of server whose programs are installed, with their versions."""
        postgresql = {POSTGRESQL: LocalPostgres.major_version()}
        return {**postgresql, MYSQL: LocalMariaDB.version()} if LocalMariaDB.is_available() else postgresql

    @property
    def running(self) -> Mapping[str, LocalServer]:
        """The running servers, by place."""
        return {place: server for place, server in self._servers.items() if server.is_running()}

    async def start(self, place: str, engine: str, password: Secret, encoding: str) -> tuple[str, int, str]:
        """Create and start a server unless it exists and runs; its host, port and socket's directory, once it accepts
        connections."""

        def work() -> tuple[str, int, str]:
            server = self._servers.get(place) or self._server(place, engine, password, encoding)
            self._servers[place] = server
            server.start()
            return server.host, server.port, str(server.sockets or "")

        return await self._off_the_loop(place, work)

    async def stop(self, place: str) -> None:
        """Stop a server and wait until it has ended; nothing to do if it does not run."""

        def work() -> None:
            if (server := self._servers.get(place)) is not None:
                server.stop()

        await self._off_the_loop(place, work)

    async def destroy(self, place: str, engine: str) -> None:
        """Stop a server and delete its data; nothing to do if there is none."""

        def work() -> None:
            server = self._servers.get(place) or self._server(place, engine, Secret(""), "")
            if server.directory.exists():
                server.destroy()
                shutil.rmtree(server.directory)
            self._servers.pop(place, None)

        await self._off_the_loop(place, work)

    def close(self) -> None:
        """Wait for running work, then stop every server."""
        self._threads.shutdown(wait=True, cancel_futures=True)
        with ThreadPoolExecutor(_THREADS) as threads:
            list(threads.map(LocalServer.stop, self._servers.values()))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def _off_the_loop(self, place: str, work: Callable[[], T]) -> T:
        """Run `work` in a thread, not at the same time as other work on the same server."""

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
            raise LocalServerError(f"`{place}` is not the name of a place")
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
