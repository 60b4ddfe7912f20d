"""What every database server of our own has in common: a directory, a port, a log, and a life no longer than ours."""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import signal
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import IO, ClassVar, Self

from rolecall.local.account import Account, LocalServerError, make_open, owner_account
from rolecall.local.children import Child, spawn
from rolecall.local.cluster import processes_in, remove_cluster

HOST = "127.0.0.1"
_READY_SECONDS = 120.0  # recovery after a crash may replay much
STOP_SECONDS = 30.0  # an orderly end writes a checkpoint
GIVE_UP_SECONDS = 5.0
_TICK = 0.01
_PORT_ATTEMPTS = 3
_TAIL_BYTES = 2000
_LOG_BYTES = 8 * 1024 * 1024
# Below the range that Linux gives to outgoing connections (32768-60999), so that none of those takes the
# port while the server is down, and above the ports of well-known services.
_PORTS = range(16_000, 32_000)


class _PortTakenError(LocalServerError):
    """Something else listens on our port."""


class LocalServer(ABC):
    """A server whose data, port and log live in `directory`.

    `port` fixes the port; without it a free one is chosen and kept. `settings` are the server's own.
    """

    kind: ClassVar[str]
    """What messages call it."""
    program: ClassVar[str]
    """The name that its processes go by."""
    farewells: ClassVar[Sequence[tuple[signal.Signals, float]]]
    """Signals that ask it to end, the politest first, and the seconds each is given. The first is also what it gets
    when we die."""

    def __init__(
        self, directory: Path, *, port: int | None = None, settings: Mapping[str, str] | None = None
    ) -> None:
        self.directory = directory.absolute()
        self._fixed_port = port
        self.settings = dict(settings or {})
        self._lock: IO[str] | None = None
        self._log_start = 0
        self._process: Child | None = None

    @property
    def host(self) -> str:
        return HOST

    @property
    def port(self) -> int:
        """The port it listens on, known from the first start on."""
        port = self._fixed_port or self._kept_port()
        if port is None:
            raise LocalServerError(f"the server in {self.directory} was never started, so it has no port yet")
        return port

    @property
    def log(self) -> Path:
        return self.directory / "server.log"

    @property
    def cluster(self) -> Path:
        """The data directory, or a link to it."""
        return self.directory / "cluster"

    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Return when the server accepts connections; nothing to do if it runs."""
        for _ in range(_PORT_ATTEMPTS - 1):
            with contextlib.suppress(_PortTakenError):  # between our look and the server's
                self.spawn()
                self.wait_ready()
                return
        self.spawn()
        self.wait_ready()

    def spawn(self) -> None:
        """Start the server, making its cluster first if there is none, and do not wait for it."""
        if self.is_running():
            return
        self._release()  # it may have ended by itself
        self._hold()
        with self._stopped_on_failure():
            self._prepare()
            self._process = self._launch()

    def wait_ready(self) -> None:
        """Return when a spawned server accepts connections, or raise with the end of its log."""
        with self._stopped_on_failure():
            if not until(lambda: self.is_ready() or not self.is_running(), _READY_SECONDS):
                raise self._failure(f"was not ready after {_READY_SECONDS:.0f} s")
            if not self.is_running():
                raise self._failure("ended while starting")

    def stop(self) -> None:
        """End sessions, write a checkpoint, and return when the server is gone; nothing to do if it is."""
        if self._process is not None:
            self._end(self._process)
        self._release()

    def kill(self) -> None:
        """End the server as a power cut would: every process of it at once, nothing written."""
        if self._process is not None:
            cluster = self.cluster.resolve()
            self._process.kill()
            self._process.wait()
            self._kill_all(cluster)
        self._release()

    def restart(self) -> None:
        self.stop()
        self.start()

    def destroy(self) -> None:
        """Stop the server and delete its cluster, wherever that lies. Log and port stay."""
        self.stop()
        self._hold()
        try:
            self._stop_leftovers()
            remove_cluster(self.directory)
        finally:
            self._release()

    @abstractmethod
    def make(self) -> None:
        """Make the data of `cluster`, whole or not at all."""

    @abstractmethod
    def command(self, place: Path, account: Account) -> list[str | Path]:
        """The server's program and arguments, with its data in `place`, run by `account`."""

    @abstractmethod
    def is_ready(self) -> bool:
        """Whether our server, not one before it, accepts connections."""

    @abstractmethod
    def leader(self) -> int | None:
        """The process that an earlier run left in charge of the data, by its own note."""

    @abstractmethod
    def forget_leader(self) -> None:
        """Remove that note: nobody lives there any more."""

    @property
    def pid(self) -> int | None:
        return None if self._process is None else self._process.pid

    def written(self) -> bytes:
        """What our server has written to its log since it was started."""
        with self.log.open("rb") as log:
            log.seek(self._log_start)
            return log.read()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _prepare(self) -> None:
        self._stop_leftovers()
        self._choose_port()
        self._rotate_log()
        if self.cluster.is_symlink() and not self.cluster.exists():
            raise LocalServerError(
                f"{self.cluster} leads to {self.cluster.readlink()}, which is gone: "
                "bring it back, or remove the link to begin anew"
            )
        if not self.cluster.exists():
            self.make()

    def _launch(self) -> Child:
        place = self.cluster.resolve()
        account = owner_account(place)
        if account.switch and place.stat().st_uid == os.geteuid():
            account.adopt(place)  # a copy made by root, say
        if not account.can_enter(place):
            raise LocalServerError(
                f"the account with uid {account.uid}, which owns {place}, can no longer reach it: "
                "open the directories above it to that account, or move it"
            )
        self.log.touch(mode=0o600)
        self._log_start = self.log.stat().st_size
        return spawn(self.command(place, account), account, self.log, self.farewells[0][0])

    def _end(self, process: Child) -> None:
        """Asked once or twice, then killed."""
        for farewell, seconds in self.farewells:
            process.send_signal(farewell)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(seconds)
                return
        process.kill()
        process.wait()
        self._kill_all(self.cluster.resolve())

    def _stop_leftovers(self) -> None:
        """End a server of an earlier run that outlived it. We hold the lock, so nobody needs it."""
        cluster = self.cluster.resolve()
        alive, leader = processes_in(cluster, self.program), self.leader()
        if leader in alive:
            _signal(leader, self.farewells[0][0])
        if alive and not until(lambda: not processes_in(cluster, self.program), STOP_SECONDS):
            self._kill_all(cluster)
        self.forget_leader()

    def _kill_all(self, cluster: Path) -> None:
        """Kill what still lives in `cluster` and return when it is gone."""

        def none_left() -> bool:
            alive = processes_in(cluster, self.program)
            for pid in alive:
                _signal(pid, signal.SIGKILL)
            return not alive

        if not until(none_left, GIVE_UP_SECONDS):
            raise LocalServerError(f"processes of the server in {cluster} do not end")

    def _hold(self) -> None:
        """Take the directory for ourselves; the kernel gives it back when we die."""
        try:
            make_open(self.directory)
            lock = (self.directory / "lock").open("w")
        except OSError as error:
            raise LocalServerError(f"cannot use {self.directory}: {error.strerror}") from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            raise LocalServerError(f"another process is running the server in {self.directory}") from None
        self._lock = lock

    def _release(self) -> None:
        self._process = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    @contextlib.contextmanager
    def _stopped_on_failure(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            self.stop()
            raise

    def _choose_port(self) -> None:
        if self._fixed_port is not None:
            if not _is_free(self._fixed_port):
                raise LocalServerError(f"port {self._fixed_port} of {HOST} is taken")
            return
        kept = self._kept_port()
        if kept is None or not _is_free(kept):
            (self.directory / "port").write_text(f"{_free_port()}\n")

    def _kept_port(self) -> int | None:
        try:
            text = (self.directory / "port").read_text().strip()
        except FileNotFoundError:
            return None
        return int(text) if text.isdecimal() and 0 < int(text) < 65_536 else None

    def _rotate_log(self) -> None:
        if self.log.exists() and self.log.stat().st_size > _LOG_BYTES:
            self.log.replace(self.log.with_suffix(".log.1"))

    def _failure(self, what: str) -> LocalServerError:
        tail = self.written()[-_TAIL_BYTES:].decode(errors="replace").strip()
        kind = _PortTakenError if "Address already in use" in tail else LocalServerError
        return kind(f"the {self.kind} server in {self.directory} {what}. Its log ends:\n{tail}")


def start_all(*servers: LocalServer) -> None:
    """Start several servers at once; if one fails, stop all and raise its error."""
    try:
        with ThreadPoolExecutor(max_workers=max(len(servers), 1)) as pool:
            list(pool.map(LocalServer.start, servers))
    except BaseException:
        for server in servers:
            server.stop()
        raise


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(
            socket.SOL_SOCKET, socket.SO_REUSEADDR, 1
        )  # as the servers do: TIME_WAIT is no obstacle
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def _free_port() -> int:
    for _ in range(100):
        port = secrets.choice(_PORTS)
        if _is_free(port):
            return port
    raise LocalServerError(f"no free port on {HOST} between {_PORTS.start} and {_PORTS.stop - 1}")


def until(condition: Callable[[], bool], seconds: float) -> bool:
    """Ask every 10 ms until it is so; whether it was within `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(_TICK)
    return True


def _signal(pid: int, what: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, what)
