"""`rolecall up --workers`: several processes answer calls, and their parent has the servers.

The parent is a process of the store as its workers are: its loop, in a thread, prepares the servers and finishes
operations, and gives the workers turns at the servers of callers (`rolecall.cli.turns`). Its main thread starts the
workers, starts another for each that ends, and waits for signals.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import AbstractAsyncContextManager, AsyncExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn
import uvloop
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess

from rolecall.app.application import Application
from rolecall.app.opening import open_application
from rolecall.cli.data import DataDirectory
from rolecall.cli.errors import CommandError
from rolecall.cli.running.callers_servers import CallersServers
from rolecall.cli.running.embedded import Embedded, Front, set_up_embedded_logs
from rolecall.cli.running.serving import LifespanApplication
from rolecall.cli.running.starting import Start
from rolecall.cli.running.workers import end_with_parent
from rolecall.cli.turns import TurnsOfParent, giving_turns, turns_socket
from rolecall.connections import protocol
from rolecall.domain.provisioning.ports import Elsewhere
from rolecall.listeners import listening
from rolecall.server import AsgiApp
from rolecall.settings import load_settings
from rolecall.tls import context_factory
from rolecall.workers import shared_directory

_TICK = 0.02
_HEALTH_SECONDS = 30
"""Seconds that a worker has to answer: on a busy machine it starts slowly."""


def run_workers(start: Start, opening: AbstractAsyncContextManager[Application], embedded: Embedded) -> None:
    """Serve until a signal."""
    front = embedded.front
    config = uvicorn.Config(
        Worker(start.directory.path, front),
        factory=True,
        workers=start.settings.workers,
        http=protocol(start.settings),  # type: ignore[arg-type]  # called as the class would be
        loop="uvloop",
        ws="none",
        lifespan="on",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        ssl_context_factory=context_factory(*(front.files or (None, None))),
        timeout_worker_healthcheck=_HEALTH_SECONDS,
        timeout_graceful_shutdown=10,
    )
    parent = _Parent(opening, embedded)
    with ThreadPoolExecutor(1, thread_name_prefix="parent") as thread:
        ended = thread.submit(parent.run)
        try:
            either: list[Future[Any]] = [parent.prepared, ended]
            wait(either, return_when="FIRST_COMPLETED")
            if not ended.done():
                _Workers(config, front.bound, parent).run()
        finally:
            parent.stop()
        ended.result()


class _Parent:
    """The loop of the parent."""

    def __init__(self, opening: AbstractAsyncContextManager[Application], embedded: Embedded) -> None:
        self._opening = opening
        self._embedded = embedded
        self._runner = asyncio.Runner(loop_factory=uvloop.new_event_loop)
        self._loop = self._runner.get_loop()
        self._stopped = asyncio.Event()
        self.prepared: Future[Callable[[], Awaitable[None]]] = Future()

    def run(self) -> None:
        """Until `stop`."""
        with self._runner:
            self._runner.run(self._keep())

    async def _keep(self) -> None:
        directory = shared_directory()
        async with self._opening as opened, self._embedded.prepared(opened) as announce:
            reconciler = opened.provisioning.reconciler
            if directory is None or reconciler is None:
                raise CommandError("workers need a directory that they share")
            async with giving_turns(reconciler, turns_socket(directory)):
                self.prepared.set_result(announce)
                await self._stopped.wait()

    def announce(self) -> Future[None]:
        async def announce() -> None:
            await self.prepared.result()()

        return asyncio.run_coroutine_threadsafe(announce(), self._loop)

    def stop(self) -> None:
        with suppress(RuntimeError):  # it has ended
            self._loop.call_soon_threadsafe(self._stopped.set)


class _Workers(Multiprocess):
    """Announces once that calls are answered: when every worker listens."""

    def __init__(self, config: uvicorn.Config, bound: socket.socket, parent: _Parent) -> None:
        super().__init__(config, [bound])
        self._parent = parent
        self._announced: Future[None] | None = None

    def init_processes(self) -> None:
        super().init_processes()
        while not self.signal_queue and all(each.process.is_alive() for each in self.processes):
            if self._announce():
                return
            time.sleep(_TICK)

    def keep_subprocess_alive(self) -> None:
        super().keep_subprocess_alive()
        if self._announce() and self._failed() is not None:
            self.should_exit.set()

    def run(self) -> None:
        super().run()
        if any(each.exitcode == STARTUP_FAILURE for each in self.processes):
            raise CommandError("a worker could not start")
        if (failure := self._failed()) is not None:
            raise failure

    def _failed(self) -> BaseException | None:
        announced = self._announced
        return announced.exception() if announced is not None and announced.done() else None

    def _announce(self) -> bool:
        """Whether it was announced, now or before."""
        if self._announced is None and all(each.is_ready() for each in self.processes):
            self._announced = self._parent.announce()
        return self._announced is not None


@dataclass(frozen=True, slots=True)
class Worker:
    """Makes the ASGI application in a worker."""

    data: Path
    front: Front

    def __call__(self) -> LifespanApplication:
        end_with_parent()
        return LifespanApplication(self._opened)

    async def _opened(self, stack: AsyncExitStack) -> AsgiApp:
        # The schema is up to date: the parent has opened the store.
        settings = load_settings().model_copy(update={"migration_database_url": None})
        directory, shared = DataDirectory(self.data), shared_directory()
        set_up_embedded_logs(settings)
        dsn = directory.connection()
        if dsn is None or shared is None:
            raise CommandError("the parent ends")
        callers = stack.enter_context(CallersServers(directory.instances))
        elsewhere = Elsewhere(callers, TurnsOfParent(turns_socket(shared)))
        keys = directory.secrets().master_keys
        opening = open_application(settings, dsn, keys, provisioner=elsewhere, traced=True)
        opened = await stack.enter_async_context(opening)
        await opened.start()
        app = self.front.application(opened)
        await stack.enter_async_context(listening(app.health, self.front.admin, protocol(settings)))
        return app
