"""A local database server: its directory, port and log, bound to the lifetime of this process."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
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
_READY_SECONDS = 120.0  # recovery after a crash may replay a long log
STOP_SECONDS = 30.0  # an orderly shutdown writes a checkpoint
KILL_SECONDS = 5.0
_TICK = 0.01
_PORT_ATTEMPTS = 3
_TAIL_BYTES = 2000
_LOG_BYTES = 8 * 1024 * 1024
_SOCKET_BYTES = 107
"""The longest path of a Unix socket (unix(7))."""
_PLAIN = re.compile(r"[\w/.+-]+")
"""A path that settings can hold without quoting."""
# Below the range of outgoing connections on Linux (32768-60999), so that none takes the port while the server is
# stopped, and above the ports of well-known services.
_PORTS = range(16_000, 32_000)


class _PortTakenError(LocalServerError):
    """Another process listens on the port."""


class LocalServer(ABC):
    """A server with its data, port and log in `directory`.

    `port` fixes the port; without it a free port is chosen and kept. `settings` are the server's own.
    """

    kind: ClassVar[str]
    """Its name in messages."""
    program: ClassVar[str]
    """The name of its processes."""
    stop_signals: ClassVar[Sequence[tuple[signal.Signals, float]]]
    """Signals that stop it, in order, each with the seconds to wait for its end. The first is also sent when this
    process ends."""

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
        """The port that it listens on, known from the first start on."""
        port = self._fixed_port or kept_port(self.directory)
        if port is None:
            raise LocalServerError(f"the server in {self.directory} was never started, so it has no port yet")
        return port

    @property
    def sockets(self) -> Path | None:
        """The directory of its Unix socket, which only its account and root can enter; None if it has none."""
        place = self.cluster.resolve()
        fits = len(os.fsencode(place / self.socket_name(_PORTS.stop))) <= _SOCKET_BYTES
        return place if fits and _PLAIN.fullmatch(str(place)) else None

    @staticmethod
    @abstractmethod
    def socket_name(port: int) -> str:
        """The name of the socket's file."""

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
        """Start the server and wait until it accepts connections; nothing to do if it runs."""
        for _ in range(_PORT_ATTEMPTS - 1):
            with contextlib.suppress(_PortTakenError):  # taken after we chose it
                self.spawn()
                self.wait_ready()
                return
        self.spawn()
        self.wait_ready()

    def spawn(self) -> None:
        """Start the server, after creating its cluster if there is none, and do not wait until it is ready."""
        if self.is_running():
            return
        self._release()  # the server may have ended by itself
        self._lock_directory()
        with self._stopped_on_failure():
            self._prepare()
            self._process = self._launch()

    def wait_ready(self) -> None:
        """Wait until a spawned server accepts connections. Raises `LocalServerError` with the end of its log."""
        with self._stopped_on_failure():
            if not until(lambda: self.is_ready() or not self.is_running(), _READY_SECONDS):
                raise self._failure(f"was not ready after {_READY_SECONDS:.0f} s")
            if not self.is_running():
                raise self._failure("ended while starting")

    def stop(self) -> None:
        """Shut down in an orderly way, and wait until the server has ended; nothing to do if it has."""
        if self._process is not None:
            self._end(self._process)
        self._release()

    def kill(self) -> None:
        """End the server as a power cut would: kill all its processes, with nothing written."""
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
        """Stop the server and delete its cluster, wherever that is. Log and port stay."""
        self.stop()
        self._lock_directory()
        try:
            self._stop_leftovers()
            remove_cluster(self.directory)
        finally:
            self._release()

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Keep other processes from starting the server, which does not run. LocalServerError if it runs."""
        self._lock_directory()
        try:
            yield
        finally:
            self._release()

    @abstractmethod
    def make(self) -> None:
        """Create the data of `cluster`, atomically."""

    @abstractmethod
    def command(self, place: Path, account: Account) -> list[str | Path]:
        """The program and arguments of a server with its data in `place`, run by `account`."""

    @abstractmethod
    def is_ready(self) -> bool:
        """Whether this server, and not an earlier one, accepts connections."""

    @abstractmethod
    def leader(self) -> int | None:
        """The main process of the server, by its pid file."""

    @abstractmethod
    def forget_leader(self) -> None:
        """Delete the pid file if needed: no server uses the data."""

    @property
    def pid(self) -> int | None:
        return None if self._process is None else self._process.pid

    def written(self) -> bytes:
        """What the server has logged since its start."""
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
                f"{self.cluster} leads to {self.cluster.readlink()}, which does not exist: "
                "restore it, or remove the link to create a new one"
            )
        if not self.cluster.exists():
            self.make()

    def _launch(self) -> Child:
        place = self.cluster.resolve()
        account = owner_account(place)
        if account.switch and place.stat().st_uid == os.geteuid():
            account.adopt(place)  # for example a copy made by root
        if not account.can_enter(place):
            raise LocalServerError(
                f"the account with uid {account.uid}, which owns {place}, can no longer reach it: "
                "let that account enter the directories above it, or move it"
            )
        self.log.touch(mode=0o600)
        self._log_start = self.log.stat().st_size
        return spawn(self.command(place, account), account, self.log, self.stop_signals[0][0])

    def _end(self, process: Child) -> None:
        """Send each stop signal in turn, then kill."""
        for number, seconds in self.stop_signals:
            process.send_signal(number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(seconds)
                return
        process.kill()
        process.wait()
        self._kill_all(self.cluster.resolve())

    def _stop_leftovers(self) -> None:
        """Stop a server that outlived an earlier run. We hold the lock, so no other process uses it."""
        cluster = self.cluster.resolve()
        alive, leader = processes_in(cluster, self.program), self.leader()
        if leader in alive:
            _signal(leader, self.stop_signals[0][0])
        if alive and not until(lambda: not processes_in(cluster, self.program), STOP_SECONDS):
            self._kill_all(cluster)
        self.forget_leader()

    def _kill_all(self, cluster: Path) -> None:
        """Kill the processes of `cluster` and wait until they have ended."""

        def none_left() -> bool:
            alive = processes_in(cluster, self.program)
            for pid in alive:
                _signal(pid, signal.SIGKILL)
            return not alive

        if not until(none_left, KILL_SECONDS):
            raise LocalServerError(f"processes of the server in {cluster} do not end")

    def _lock_directory(self) -> None:
        """Lock the directory. The kernel releases the lock when this process ends."""
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
        kept = kept_port(self.directory)
        if kept is None or not _is_free(kept):
            (self.directory / "port").write_text(f"{_free_port()}\n")

    def _rotate_log(self) -> None:
        if self.log.exists() and self.log.stat().st_size > _LOG_BYTES:
            self.log.replace(self.log.with_suffix(".log.1"))

    def _failure(self, what: str) -> LocalServerError:
        tail = self.written()[-_TAIL_BYTES:].decode(errors="replace").strip()
        kind = _PortTakenError if "Address already in use" in tail else LocalServerError
        return kind(f"the {self.kind} server in {self.directory} {what}. Its log ends:\n{tail}")


def kept_port(directory: Path) -> int | None:
    """The port that the server of a directory last listened on."""
    try:
        text = (directory / "port").read_text().strip()
    except FileNotFoundError:
        return None
    return int(text) if text.isdecimal() and 0 < int(text) < 65_536 else None


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
        )  # as the servers do, so that TIME_WAIT does not matter
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
    """Check a condition every 10 ms; whether it became true within `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(_TICK)
    return True


def _signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
