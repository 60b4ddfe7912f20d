"""A local MariaDB server on loopback, bound to the lifetime of this process: the system's programs, data of our own.

It is an ordinary server: one account, the administrator's, with a password; no name resolution, InnoDB's own
durability. Its Unix socket is in its data directory, which other accounts cannot enter.
Sources: MariaDB documentation, "mariadb-install-db" and "Server System Variables".
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

from rolecall.local.account import Account, LocalServerError, current_account
from rolecall.local.cluster import make_data
from rolecall.local.server import HOST, STOP_SECONDS, LocalServer
from rolecall.values import Secret

ADMINISTRATOR = "root"

_ADMINISTRATOR_FILE = "administrator"
"""Beside the data: the administrator's name. Data without this file is older, and its administrator is root."""

_SERVER = "mariadbd"
_INSTALLER = "mariadb-install-db"
# Debian installs the server outside the PATH of ordinary users.
_MORE_DIRECTORIES = ("/usr/sbin", "/usr/local/sbin", "/usr/libexec")

_MISSING = "MariaDB is not installed: apt-get install mariadb-server"

# The server shares a laptop and holds little data: quick to create and start. Explicit settings override these.
_SMALL = {
    "innodb_buffer_pool_size": "32M",
    "innodb_log_file_size": "16M",
    "innodb_log_buffer_size": "2M",
    "innodb_temp_data_file_path": "ibtmp1:1M:autoextend",
    "key_buffer_size": "1M",
    "aria_pagecache_buffer_size": "8M",
    "table_open_cache": "400",
    "max_connections": "100",
    "performance_schema": "OFF",
}

_TEMPORARY = "."
"""Temporary files: in the data, where the server works. In a shared directory, a server that starts deletes those of
the others. By its path the installer, a shell script, would take a space for the end of it, and the server a colon."""

_ALL_PRIVILEGES = 18446744073709551615  # as mysql_system_tables_data.sql writes it

_READY_LINE = b"ready for connections"


class LocalMariaDB(LocalServer):
    """A MariaDB server with its data, port and log in `directory`.

    `superuser` is the only account of new data, and `password` its password. Existing data keeps its administrator's
    name, and the password must be the same. An administrator of another name than ``root`` leaves that name to tenants.
    `port` fixes the port; without it a free port is chosen and kept. `settings` are system variables, as in my.cnf,
    which is not read.

    >>> with LocalMariaDB(Path("data"), password=Secret("...")) as server:
    ...     asyncmy.connect(host=server.host, port=server.port, user=server.superuser, ...)
    """

    kind = "MariaDB"
    program = _SERVER
    stop_signals = ((signal.SIGTERM, STOP_SECONDS),)

    def __init__(
        self,
        directory: Path,
        *,
        password: Secret,
        port: int | None = None,
        settings: Mapping[str, str] | None = None,
        superuser: str = ADMINISTRATOR,
    ) -> None:
        super().__init__(directory, port=port, settings=settings)
        self.superuser = _existing_administrator(directory) or superuser
        self.password = password

    @classmethod
    def is_available(cls) -> bool:
        """Whether the programs are installed."""
        return _find(_SERVER) is not None and _find(_INSTALLER) is not None

    @staticmethod
    @functools.cache
    def version() -> str:
        """The server's version, such as ``10.11.19-MariaDB-0+deb12u1``; empty if it is unknown."""
        done = subprocess.run(  # noqa: S603 - our own program, no shell
            [program(_SERVER), "--version"], capture_output=True, text=True, check=False, timeout=10
        )
        found = re.search(r"Ver (\S+)", done.stdout)
        return "" if found is None else found[1]

    def make(self) -> None:
        account = current_account()
        self.name_administrator()
        make_data(self.directory, account, lambda place: self._install(place, account))

    def name_administrator(self) -> None:
        """Note the administrator of the data beside it."""
        (self.directory / _ADMINISTRATOR_FILE).write_text(self.superuser)

    def command(self, place: Path, account: Account) -> list[str | Path]:  # noqa: ARG002 - every account can run it
        """Our settings come last and so override: loopback only, a private socket, no name resolution."""
        ours = {
            "datadir": str(place),
            "port": str(self.port),
            "bind_address": HOST,
            "socket": "" if self.sockets is None else str(self.sockets / self.socket_name(self.port)),
            "skip_name_resolve": "ON",
            "symbolic_links": "OFF",  # no DATA DIRECTORY: tables stay in our directory
            "pid_file": str(place / "server.pid"),
            "tmpdir": _TEMPORARY,
        }
        return [program(_SERVER), "--no-defaults", *_arguments(_SMALL | self.settings | ours)]

    @staticmethod
    def socket_name(port: int) -> str:
        return f".s.MYSQL.{port}"

    def is_ready(self) -> bool:
        """Whether the server has logged that it is ready, just after it opens its port."""
        return _READY_LINE in self.written()

    def leader(self) -> int | None:
        try:
            text = (self.cluster / "server.pid").read_text().strip()
        except FileNotFoundError:
            return None
        return int(text) if text.isdecimal() else None

    def forget_leader(self) -> None:
        """Nothing to do: the server ignores an old pid file and locks its data through the kernel."""

    def _install(self, place: Path, account: Account) -> None:
        """Create the system tables, with the administrator as the only account.

        The installer reads extra statements from a file. It holds a hash, only the account can read it, and it is in
        the new data directory, which the next attempt deletes if this one fails.
        """
        installer = program(_INSTALLER)
        extra = place / ".accounts.sql"
        # The directory belongs to the account: an existing file, such as a link, must not be written to.
        descriptor = os.open(extra, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(_accounts_sql(self.superuser, self.password))
            if account.switch:
                os.fchown(descriptor, account.uid, account.gid)
        done = account.run(
            installer,
            "--no-defaults",
            f"--datadir={place}",
            f"--extra-file={extra}",
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
            "--skip-name-resolve",
            f"--tmpdir={_TEMPORARY}",
            *_arguments({name: _SMALL[name] for name in ("innodb_log_file_size", "innodb_buffer_pool_size")}),
        )
        extra.unlink()
        if done.returncode != 0:
            raise LocalServerError(f"{_INSTALLER} failed: {done.stderr.strip() or done.stdout.strip()}")


def _existing_administrator(directory: Path) -> str:
    """The administrator of existing data; empty if there is none."""
    if not (directory / "cluster").exists():
        return ""
    try:
        return (directory / _ADMINISTRATOR_FILE).read_text()
    except FileNotFoundError:
        return ADMINISTRATOR


def _accounts_sql(administrator: str, password: Secret) -> str:
    """SQL that leaves the administrator as the only account; the installer's server takes no account statements.

    The administrator may connect over TCP from this machine, under either spelling of its address.
    """
    once = hashlib.sha1(password.reveal().encode(), usedforsecurity=False).digest()
    digest = "*" + hashlib.sha1(once, usedforsecurity=False).hexdigest().upper()
    held = json.dumps(
        {"access": _ALL_PRIVILEGES, "plugin": "mysql_native_password", "authentication_string": digest}
    )
    rows = ", ".join(f"('{host}', '{administrator}', '{held}')" for host in (HOST, "localhost"))
    return (
        "DELETE FROM mysql.global_priv WHERE User <> 'mariadb.sys';\n"
        "DELETE FROM mysql.proxies_priv;\n"
        "DELETE FROM mysql.db WHERE User = '';\n"
        f"INSERT INTO mysql.global_priv (Host, User, Priv) VALUES {rows};\n"
    )


def _arguments(settings: Mapping[str, str]) -> list[str]:
    return [f"--{name}={value}" for name, value in settings.items()]


def program(name: str) -> Path:
    """Where one of the system's programs is. LocalServerError."""
    found = _find(name)
    if found is None:
        raise LocalServerError(_MISSING)
    return found


def _find(name: str) -> Path | None:
    places = os.pathsep.join((os.environ.get("PATH", os.defpath), *_MORE_DIRECTORIES))
    found = shutil.which(name, path=places)
    return None if found is None else Path(found)
