"""A local PostgreSQL server on loopback, bound to the lifetime of this process.

It is an ordinary server: SCRAM for every role, PostgreSQL's own durability. Its Unix socket is in its data directory,
which other accounts cannot enter: a message through it takes a quarter less of the processor's time.
"""

from __future__ import annotations

import signal
from collections.abc import Mapping
from pathlib import Path

from rolecall.local.account import Account, current_account
from rolecall.local.binaries import program_version, programs_for
from rolecall.local.cluster import make_cluster, pid_file_lines, postmaster_of
from rolecall.local.server import HOST, KILL_SECONDS, STOP_SECONDS, LocalServer
from rolecall.values import Secret


class LocalPostgres(LocalServer):
    """A PostgreSQL server with its cluster, port and log in `directory`.

    `password` becomes that of `superuser` when the cluster is created, and must be the same later. `port` fixes the
    port; without it a free port is chosen and kept. `settings` are server parameters, as in postgresql.conf. `encoding`
    is the default encoding of databases.

    >>> with LocalPostgres(Path("data"), password=Secret("...")) as server:
    ...     psycopg.connect(server.dsn().reveal())
    """

    kind = "PostgreSQL"
    program = "postgres"
    # A fast shutdown, then an immediate one.
    stop_signals = ((signal.SIGINT, STOP_SECONDS), (signal.SIGQUIT, KILL_SECONDS))

    def __init__(
        self,
        directory: Path,
        *,
        superuser: str = "postgres",
        password: Secret,
        port: int | None = None,
        settings: Mapping[str, str] | None = None,
        encoding: str = "UTF8",
    ) -> None:
        super().__init__(directory, port=port, settings=settings)
        self.superuser = superuser
        self.password = password
        self.encoding = encoding

    @staticmethod
    def major_version() -> str:
        """The major version of the installed programs."""
        return program_version().partition(".")[0]

    def dsn(self, database: str = "postgres") -> Secret:
        """A libpq connection string for the superuser."""
        from psycopg.conninfo import make_conninfo  # a large library, not needed to start a server

        text = make_conninfo(
            host=self.host,
            port=self.port,
            user=self.superuser,
            password=self.password.reveal(),
            dbname=database,
        )
        return Secret(text)

    def near_dsn(self, database: str = "postgres") -> Secret:
        """The same by its Unix socket, if it has one."""
        from psycopg.conninfo import make_conninfo

        dsn, sockets = self.dsn(database), self.sockets
        return dsn if sockets is None else Secret(make_conninfo(dsn.reveal(), host=str(sockets)))

    @staticmethod
    def socket_name(port: int) -> str:
        return f".s.PGSQL.{port}"

    def make(self) -> None:
        account = current_account()
        programs = programs_for(account)
        make_cluster(self.directory, programs, account, self.superuser, self.password, self.encoding)

    def command(self, place: Path, account: Account) -> list[str | Path]:
        return [programs_for(account) / "postgres", "-D", place, *self._options()]

    def _options(self) -> list[str]:
        """Settings as arguments. Ours come last and so override: loopback only, and a private socket."""
        ours = {
            "listen_addresses": HOST,
            "port": str(self.port),
            "unix_socket_directories": str(self.sockets or ""),
            "unix_socket_permissions": "0700",
        }
        return [part for name, value in (self.settings | ours).items() for part in ("-c", f"{name}={value}")]

    def is_ready(self) -> bool:
        """Whether the server has written the last line of its pid file, as it does once it accepts connections."""
        lines = pid_file_lines(self.cluster)
        return len(lines) >= 8 and lines[0] == str(self.pid) and lines[7] == "ready"

    def leader(self) -> int | None:
        return postmaster_of(self.cluster)

    def forget_leader(self) -> None:
        """Delete the pid files: PostgreSQL would refuse to start if another process has its number now.

        On Linux only, where we know that no server runs there.
        """
        if Path("/proc/self").is_dir():
            for file in ((self.cluster / "postmaster.pid"), *self.cluster.glob(".s.PGSQL.*")):
                file.unlink(missing_ok=True)
