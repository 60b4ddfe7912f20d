"""A PostgreSQL server of our own, on loopback, for as long as we live.

It is an ordinary server: passwords by SCRAM for everybody, no socket directory, PostgreSQL's own durability.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from psycopg.conninfo import make_conninfo

from rolecall.local.account import LocalServerError, current_account, make_open, owner_account
from rolecall.local.binaries import programs_for
from rolecall.local.children import Child, spawn
from rolecall.local.cluster import (
    make_cluster,
    pid_file_lines,
    postmaster_of,
    processes_in,
    remove_cluster,
)
from rolecall.values import Secret

_HOST = "127.0.0.1"
_READY_SECONDS = 120.0  # recovery after a crash may replay much
_STOP_SECONDS = 30.0  # a fast shutdown writes a checkpoint
_GIVE_UP_SECONDS = 5.0
_TICK = 0.01
_PORT_ATTEMPTS = 3
_TAIL_BYTES = 2000
_LOG_BYTES = 8 * 1024 * 1024
# Below the range that Linux gives to outgoing connections (32768-60999), so that none of those takes the
# port while the server is down, and above the ports of well-known services.
_PORTS = range(16_000, 32_000)


class _PortTakenError(LocalServerError):
    """Something else listens on our port."""


class LocalPostgres:
    """A server whose cluster, port and log live in `directory`.

    `password` is that of `superuser` when the cluster is made; later it must be the same one. `port` fixes
    the port; without it a free one is chosen and kept. `settings` are server parameters, as in
    postgresql.conf.

    >>> with LocalPostgres(Path("data"), password=Secret("...")) as server:
    ...     psycopg.connect(server.dsn().reveal())
    """

    def __init__(
        self,
        directory: Path,
        *,
        superuser: str = "postgres",
        password: Secret,
        port: int | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self.directory = directory.absolute()
        self.superuser = superuser
        self.password = password
        self._fixed_port = port
        self._settings = dict(settings or {})
        self._lock: IO[str] | None = None
        self._log_start = 0
        self._process: Child | None = None

    @property
    def host(self) -> str:
        return _HOST

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

    def dsn(self, database: str = "postgres") -> Secret:
        """A libpq connection string for the superuser."""
        text = make_conninfo(
            host=self.host,
            port=self.port,
            user=self.superuser,
            password=self.password.reveal(),
            dbname=database,
        )
        return Secret(text)

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
            if not _until(lambda: self._is_ready() or not self.is_running(), _READY_SECONDS):
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
            _kill_all(cluster)
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
            account = current_account()
            programs = programs_for(account)
            make_cluster(self.directory, programs, account, self.superuser, self.password)

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
        postgres = programs_for(account) / "postgres"
        return spawn([postgres, "-D", place, *self._options()], account, self.log, signal.SIGINT)

    def _options(self) -> list[str]:
        """Settings as arguments. Ours come last and so win: loopback only, and no socket directory."""
        ours = {"listen_addresses": _HOST, "port": str(self.port), "unix_socket_directories": ""}
        return [part for name, value in (self._settings | ours).items() for part in ("-c", f"{name}={value}")]

    def _is_ready(self) -> bool:
        """Whether our server, not one before it, has written its last line: it accepts connections."""
        lines = pid_file_lines(self.cluster)
        return (
            self._process is not None
            and len(lines) >= 8
            and lines[0] == str(self._process.pid)
            and lines[7] == "ready"
        )

    def _end(self, process: Child) -> None:
        """A fast shutdown; an immediate one if that takes too long; then no more asking."""
        for farewell, seconds in ((signal.SIGINT, _STOP_SECONDS), (signal.SIGQUIT, _GIVE_UP_SECONDS)):
            process.send_signal(farewell)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(seconds)
                return
        process.kill()
        process.wait()
        _kill_all(self.cluster.resolve())

    def _stop_leftovers(self) -> None:
        """End a server of an earlier run that outlived it. We hold the lock, so nobody needs it."""
        cluster = self.cluster.resolve()
        alive, postmaster = processes_in(cluster), postmaster_of(cluster)
        if postmaster in alive:
            _signal(postmaster, signal.SIGINT)
        if alive and not _until(lambda: not processes_in(cluster), _STOP_SECONDS):
            _kill_all(cluster)
        if postmaster is not None and Path("/proc/self").is_dir():
            # Nobody lives there, but PostgreSQL would heed the file if its number is somebody else's now.
            (cluster / "postmaster.pid").unlink(missing_ok=True)

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
                raise LocalServerError(f"port {self._fixed_port} of {_HOST} is taken")
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
        written = self.log.read_bytes()[self._log_start :]
        tail = written[-_TAIL_BYTES:].decode(errors="replace").strip()
        kind = _PortTakenError if "Address already in use" in tail else LocalServerError
        return kind(f"the PostgreSQL server in {self.directory} {what}. Its log ends:\n{tail}")


def start_all(*servers: LocalPostgres) -> None:
    """Start several servers at once; if one fails, stop all and raise its error."""
    try:
        with ThreadPoolExecutor(max_workers=max(len(servers), 1)) as pool:
            list(pool.map(LocalPostgres.start, servers))
    except BaseException:
        for server in servers:
            server.stop()
        raise


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(
            socket.SOL_SOCKET, socket.SO_REUSEADDR, 1
        )  # as PostgreSQL does: TIME_WAIT is no obstacle
        try:
            probe.bind((_HOST, port))
        except OSError:
            return False
        return True


def _free_port() -> int:
    for _ in range(100):
        port = secrets.choice(_PORTS)
        if _is_free(port):
            return port
    raise LocalServerError(f"no free port on {_HOST} between {_PORTS.start} and {_PORTS.stop - 1}")


def _until(condition: Callable[[], bool], seconds: float) -> bool:
    """Ask every 10 ms until it is so; whether it was within `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(_TICK)
    return True


def _kill_all(cluster: Path) -> None:
    """Kill what still lives in `cluster` and return when it is gone."""

    def none_left() -> bool:
        alive = processes_in(cluster)
        for pid in alive:
            _signal(pid, signal.SIGKILL)
        return not alive

    if not _until(none_left, _GIVE_UP_SECONDS):
        raise LocalServerError(f"processes of the server in {cluster} do not end")


def _signal(pid: int, what: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, what)
