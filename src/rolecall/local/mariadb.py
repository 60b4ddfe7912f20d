"""A MariaDB server of our own, on loopback, for as long as we live; the system's own programs, our own data.

It is an ordinary server: one account, its administrator's, with a password; no socket, no name look-ups, InnoDB's own
durability. Sources: MariaDB documentation, "mariadb-install-db" and "Server System Variables".
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
"""Beside the data: the name of the account that it was made with. Data without it is older, and root's."""

_SERVER = "mariadbd"
_INSTALLER = "mariadb-install-db"
# Debian keeps the server where an ordinary user's PATH does not look.
_MORE_PLACES = ("/usr/sbin", "/usr/local/sbin", "/usr/libexec")

_MISSING = "MariaDB is not installed: apt-get install mariadb-server"

# What it holds is small, and it shares a laptop: quick to make and to start. Settings given win over these.
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

_ALL_PRIVILEGES = 18446744073709551615  # as mysql_system_tables_data.sql writes it

_READY_LINE = b"ready for connections"


class LocalMariaDB(LocalServer):
    """A MariaDB server whose data, port and log live in `directory`.

    `superuser` is the one account there is when the data is made, and `password` its password; data that is there keeps
    its own name, and the password must be the same one. An administrator by another name than ``root`` leaves that name
    to the tenants. `port` fixes the port; without it a free one is chosen and kept. `settings` are system variables, as
    in my.cnf, which itself is not read.

    >>> with LocalMariaDB(Path("data"), password=Secret("...")) as server:
    ...     asyncmy.connect(host=server.host, port=server.port, user=server.superuser, ...)
    """

    kind = "MariaDB"
    program = _SERVER
    farewells = ((signal.SIGTERM, STOP_SECONDS),)

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
        self.superuser = _made_for(directory) or superuser
        self.password = password

    @classmethod
    def is_available(cls) -> bool:
        """Whether the system has the programs."""
        return _find(_SERVER) is not None and _find(_INSTALLER) is not None

    @staticmethod
    @functools.cache
    def version() -> str:
        """``10.11.19-MariaDB-0+deb12u1``, as the server will say; empty if its program does not tell."""
        done = subprocess.run(  # noqa: S603 - our own program, no shell
            [_program(_SERVER), "--version"], capture_output=True, text=True, check=False, timeout=10
        )
        found = re.search(r"Ver (\S+)", done.stdout)
        return "" if found is None else found[1]

    def make(self) -> None:
        account = current_account()
        (self.directory / _ADMINISTRATOR_FILE).write_text(self.superuser)
        make_data(self.directory, account, lambda place: self._install(place, account))

    def command(self, place: Path, account: Account) -> list[str | Path]:  # noqa: ARG002 - anybody can run it
        """Ours come last and so win: loopback only, no socket, nobody known by name."""
        ours = {
            "datadir": str(place),
            "port": str(self.port),
            "bind_address": HOST,
            "socket": "",
            "skip_name_resolve": "ON",
            "symbolic_links": "OFF",  # no DATA DIRECTORY: tables stay where our data is
            "pid_file": str(place / "server.pid"),
            "tmpdir": str(
                place
            ),  # at its start a server deletes the temporary tables of all others in a shared one
        }
        return [_program(_SERVER), "--no-defaults", *_arguments(_SMALL | self.settings | ours)]

    def is_ready(self) -> bool:
        """Whether it has said so; it opens its port only a moment before."""
        return _READY_LINE in self.written()

    def leader(self) -> int | None:
        try:
            text = (self.cluster / "server.pid").read_text().strip()
        except FileNotFoundError:
            return None
        return int(text) if text.isdecimal() else None

    def forget_leader(self) -> None:
        """Nothing heeds the file: the server's lock on its data is the kernel's."""

    def _install(self, place: Path, account: Account) -> None:
        """Make the system tables, with the administrator and no other account.

        The installer's extra statements lie in a file for a moment. It holds a hash, is the account's alone, and lies
        in the new data directory, which the next attempt deletes if this one fails.
        """
        installer = _program(_INSTALLER)
        extra = place / ".accounts.sql"
        # The directory is the account's: what is there already, a link perhaps, must not be written to.
        descriptor = os.open(extra, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(_only(self.superuser, self.password))
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
            f"--tmpdir={place}",
            *_arguments({name: _SMALL[name] for name in ("innodb_log_file_size", "innodb_buffer_pool_size")}),
        )
        extra.unlink()
        if done.returncode != 0:
            raise LocalServerError(f"{_INSTALLER} failed: {done.stderr.strip() or done.stdout.strip()}")


def _made_for(directory: Path) -> str:
    """The administrator of data that is there, empty where there is none."""
    if not (directory / "cluster").exists():
        return ""
    try:
        return (directory / _ADMINISTRATOR_FILE).read_text()
    except FileNotFoundError:
        return ADMINISTRATOR


def _only(administrator: str, password: Secret) -> str:
    """Statements in place of account statements, which the installer's server does not take.

    The administrator may come over TCP from this machine, whichever way the server writes its address.
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


def _program(name: str) -> Path:
    found = _find(name)
    if found is None:
        raise LocalServerError(_MISSING)
    return found


def _find(name: str) -> Path | None:
    places = os.pathsep.join((os.environ.get("PATH", os.defpath), *_MORE_PLACES))
    found = shutil.which(name, path=places)
    return None if found is None else Path(found)
