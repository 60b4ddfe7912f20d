"""Copies of local servers with all their data, made while the servers run, and servers made of them.

PostgreSQL: `pg_basebackup`, a copy of the whole cluster. Roles keep their oids, by which Rolecall knows its accounts.
MariaDB: `mariadb-dump`, statements that create databases and accounts again, with their hashes. It holds a global read
lock meanwhile, without which accounts and the rows about them could differ: writers wait. The files of a server that
does not run are copied.
"""

from __future__ import annotations

import io
import os
import platform
import subprocess
import tarfile
import threading
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from rolecall.local.account import Account, LocalServerError, current_account
from rolecall.local.binaries import installed_programs
from rolecall.local.cluster import make_data
from rolecall.local.mariadb import LocalMariaDB, program
from rolecall.local.postgres import LocalPostgres
from rolecall.local.server import LocalServer
from rolecall.values import Secret

_PIECE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Login:
    """An administrator's login to a running server."""

    host: str
    port: int
    user: str
    password: Secret


def postgresql_kind() -> str:
    """What a copy of a PostgreSQL cluster fits: the major version and the machine's architecture."""
    return f"{LocalPostgres.major_version()} {platform.machine()}"


def mariadb_kind() -> str:
    """What a copy of a MariaDB server fits: the version and the machine's architecture."""
    return f"{LocalMariaDB.version().partition('-')[0]} {platform.machine()}"


def copy_postgresql(login: Login) -> Iterator[bytes]:
    """A tar archive of the cluster, with the log that makes it consistent. LocalServerError."""
    command: list[str | Path] = [
        installed_programs() / "pg_basebackup",
        f"--host={login.host}",
        f"--port={login.port}",
        f"--username={login.user}",
        "--no-password",
        "--pgdata=-",
        "--format=tar",
        "--wal-method=fetch",
        "--checkpoint=fast",
        "--no-manifest",
    ]
    environment = {**os.environ, "PGPASSWORD": login.password.reveal()}
    yield from _output(command, environment)


def copy_stopped(server: LocalServer) -> Iterator[bytes]:
    """A tar archive of the data of a server that does not run, and cannot be started meanwhile. LocalServerError."""
    with server.held(), ThreadPoolExecutor(1, thread_name_prefix="archive") as thread:
        reading, writing = os.pipe()
        done = thread.submit(_pack, server.cluster.resolve(), writing)
        with os.fdopen(reading, "rb") as pipe:
            while piece := pipe.read(_PIECE):
                yield piece
        done.result()


def _pack(cluster: Path, writing: int) -> None:
    with os.fdopen(writing, "wb") as pipe, tarfile.open(fileobj=pipe, mode="w|") as tar:
        tar.add(cluster, arcname=".")


def make_cluster_of(directory: Path, archive: Iterable[bytes]) -> None:
    """Create the data of a new server in `directory` from an archive. LocalServerError."""
    account = current_account()
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)

    def fill(place: Path) -> None:
        _unpack(archive, place, account)

    make_data(directory, account, fill)


def _unpack(archive: Iterable[bytes], place: Path, account: Account) -> None:
    before = os.umask(0o077)  # the server refuses a directory that others may read
    try:
        with tarfile.open(fileobj=io.BufferedReader(_Pieces(archive)), mode="r|") as tar:
            tar.extractall(place, filter="data")
    except tarfile.TarError as error:
        raise LocalServerError(f"the copy of a server is damaged: {error}") from None
    finally:
        os.umask(before)
    account.adopt(place)
    os.sync()


def copy_mariadb(login: Login) -> Iterator[bytes]:
    """SQL that creates every database and account. LocalServerError."""
    with _login_file(login) as descriptor:
        command: list[str | Path] = [
            program("mariadb-dump"),
            f"--defaults-file=/dev/fd/{descriptor}",
            "--all-databases",
            "--ignore-database=mysql",
            "--ignore-database=sys",
            "--system=users",
            "--insert-ignore",  # the administrator exists already where it is restored
            "--lock-all-tables",
            "--routines",
            "--events",
            "--triggers",
            "--hex-blob",
            "--default-character-set=utf8mb4",
        ]
        yield from _output(command, dict(os.environ), descriptor)


def fill_mariadb(server: LocalMariaDB, statements: Iterable[bytes]) -> None:
    """Run a copy's statements on a new server, which runs. LocalServerError."""
    login = Login(server.host, server.port, server.superuser, server.password)
    with _login_file(login) as descriptor:
        command: list[str | Path] = [
            program("mariadb"),
            f"--defaults-file=/dev/fd/{descriptor}",
            "--default-character-set=utf8mb4",
            "--binary-mode",
        ]
        _input(command, statements, descriptor)


@contextmanager
def _login_file(login: Login) -> Iterator[int]:
    """A pipe that holds an option file with the password, which so is in no file and in no list of processes."""
    password = login.password.reveal().replace("\\", "\\\\").replace("'", "\\'")
    text = f"[client]\nhost={login.host}\nport={login.port}\nuser={login.user}\npassword='{password}'\n"
    reading, writing = os.pipe()
    try:
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(text.encode())
        yield reading
    finally:
        os.close(reading)


def _output(command: Sequence[str | Path], environment: dict[str, str], *passed: int) -> Iterator[bytes]:
    with subprocess.Popen(  # noqa: S603 - a known program, no shell
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        pass_fds=passed,
    ) as process:
        assert process.stdout is not None and process.stderr is not None  # noqa: S101, PT018 - pipes
        errors = _Errors(process.stderr)
        try:
            while piece := process.stdout.read(_PIECE):
                yield piece
        except BaseException:
            process.kill()
            raise
        process.wait()
        errors.check(command, process.returncode)


def _input(command: Sequence[str | Path], pieces: Iterable[bytes], *passed: int) -> None:
    with subprocess.Popen(  # noqa: S603 - a known program, no shell
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        pass_fds=passed,
    ) as process:
        assert process.stdin is not None and process.stderr is not None  # noqa: S101, PT018 - pipes
        errors = _Errors(process.stderr)
        try:
            for piece in pieces:
                process.stdin.write(piece)
            process.stdin.close()
        except BrokenPipeError:  # it ended; why, is in its errors
            pass
        except BaseException:
            process.kill()
            raise
        process.wait()
        errors.check(command, process.returncode)


class _Errors:
    """What a program writes to standard error, read while it runs, so that it never waits for us."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._text = b""
        self._thread = threading.Thread(target=self._read, args=(stream,), daemon=True)
        self._thread.start()

    def _read(self, stream: IO[bytes]) -> None:
        self._text = stream.read()

    def check(self, command: Sequence[str | Path], status: int) -> None:
        self._thread.join()
        if status:
            lines = self._text.decode(errors="replace").strip().splitlines() or [f"exit status {status}"]
            raise LocalServerError(f"{Path(command[0]).name} failed: {lines[-1]}")


class _Pieces(io.RawIOBase):
    """Pieces of bytes as a stream."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._rest = memoryview(piece)
        size = min(len(buffer), len(self._rest))
        buffer[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size
