"""The MariaDB server that Rolecall starts for itself: who may log in, what survives what, and what is left behind."""

from __future__ import annotations

import asyncio
import os
import signal
import stat
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import asyncmy
import pytest
from asyncmy.errors import MySQLError
from tests.local.servers import PASSWORD, EveryServer, on_linux, owner_of, refuses

from rolecall.local import LocalMariaDB, LocalPostgres, LocalServerError, mariadb, start_all
from rolecall.local.cluster import processes_in
from rolecall.values import Secret

pytestmark = pytest.mark.skipif(not LocalMariaDB.is_available(), reason="MariaDB is not installed")


@pytest.fixture(scope="module")
def shared_directory() -> Iterator[Path]:
    """A directory closed to others, whose data is made once: making it is what takes time."""
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)
        LocalMariaDB(Path(name), password=PASSWORD).destroy()


@pytest.fixture
def server(shared_directory: Path) -> Iterator[LocalMariaDB]:
    """A server that is not running, over data that other tests have used."""
    server = LocalMariaDB(shared_directory, password=PASSWORD)
    yield server
    server.stop()


def query(
    server: LocalMariaDB, *statements: str, user: str = "root", password: Secret = PASSWORD
) -> list[tuple[object, ...]]:
    """The rows of the last statement."""

    async def run() -> list[tuple[object, ...]]:
        connection = await asyncmy.connect(
            host=server.host,
            port=server.port,
            user=user,
            password=password.reveal().encode(),
            autocommit=True,
        )
        async with connection.cursor() as cursor:
            for statement in statements:
                await cursor.execute(statement)
            rows = list(await cursor.fetchall()) if cursor.description else []
        await connection.ensure_closed()
        return rows

    return asyncio.run(run())


class TestServer(EveryServer):
    program = "mariadbd"


def test_only_root_is_there_and_only_with_the_right_password(server: LocalMariaDB) -> None:
    server.start()
    accounts = query(
        server, "SELECT User, Host FROM mysql.global_priv WHERE User <> 'mariadb.sys' ORDER BY Host"
    )
    assert accounts == [("root", "127.0.0.1"), ("root", "localhost")]
    assert (
        query(server, "SELECT SCHEMA_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME LIKE 'test%'")
        == []
    )
    for user, password in (("root", "wrong"), ("root", ""), ("", ""), ("nobody", "")):
        with pytest.raises(MySQLError, match="Access denied"):
            query(server, "SELECT 1", user=user, password=Secret(password))


def test_the_password_is_in_no_file_and_in_no_argument(server: LocalMariaDB) -> None:
    server.start()
    assert server.pid is not None
    secret = PASSWORD.reveal().encode()
    if sys.platform == "linux":
        assert secret not in Path(f"/proc/{server.pid}/cmdline").read_bytes()
    places = [server.log, *(server.cluster.resolve() / "mysql").iterdir()]
    assert not [path for path in places if secret in path.read_bytes()]
    assert not (server.cluster / ".accounts.sql").exists()


def test_it_listens_on_loopback_alone_and_is_as_durable_as_any_server(server: LocalMariaDB) -> None:
    server.start()
    names = (
        "bind_address",
        "socket",
        "skip_name_resolve",
        "innodb_flush_log_at_trx_commit",
        "innodb_doublewrite",
    )
    values = query(server, "SELECT " + ", ".join(f"@@{name}" for name in names))
    place = server.cluster.resolve()
    assert values == [("127.0.0.1", str(place / f".s.MYSQL.{server.port}"), 1, 1, 1)]
    assert stat.S_IMODE(place.stat().st_mode) == 0o700


def test_its_temporary_tables_lie_where_no_other_server_deletes_them(server: LocalMariaDB) -> None:
    """A server that starts deletes the temporary tables that it finds in its directory for them."""
    server.start()
    place = server.cluster.resolve()
    assert query(server, "SELECT @@tmpdir, @@datadir") == [(".", f"{place}/")]
    assert Path(f"/proc/{server.pid}/cwd").readlink() == place


def test_a_directory_of_any_name_holds_the_data() -> None:
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)  # the server's account enters it: the data stays below it
        directory = Path(name) / "a b: c\n* é"
        with LocalMariaDB(directory, password=PASSWORD) as server:
            assert query(server, "SELECT 7") == [(7,)]
            assert not server.cluster.is_symlink()


def test_data_and_port_survive_a_restart_and_a_crash(server: LocalMariaDB) -> None:
    server.start()
    port = server.port
    query(server, "CREATE DATABASE IF NOT EXISTS kept", "CREATE OR REPLACE TABLE kept.t AS SELECT 7 AS n")
    server.restart()
    assert (server.port, query(server, "SELECT n FROM kept.t")) == (port, [(7,)])
    query(server, "UPDATE kept.t SET n = 8")
    server.kill()
    assert refuses(port)
    assert not server.is_running()
    server.start()
    assert (server.port, query(server, "SELECT n FROM kept.t")) == (port, [(8,)])


def test_an_existing_one_starts_in_a_moment(server: LocalMariaDB) -> None:
    server.start()
    server.stop()
    started = time.monotonic()
    server.start()
    assert time.monotonic() - started < 30  # about 0.2 s; the machine may be busy


def test_stopping_may_be_repeated(server: LocalMariaDB) -> None:
    server.start()
    server.stop()
    server.stop()
    assert refuses(server.port)


def test_settings_reach_the_server_but_cannot_open_it(server: LocalMariaDB) -> None:
    settings = {"max_connections": "17", "bind_address": "0.0.0.0"}
    with LocalMariaDB(server.directory, password=PASSWORD, settings=settings) as tuned:
        assert query(tuned, "SELECT @@max_connections, @@bind_address") == [(17, "127.0.0.1")]


def test_a_server_that_cannot_start_says_why_and_leaves_nothing_running(server: LocalMariaDB) -> None:
    server.start()
    server.stop()
    broken = LocalMariaDB(server.directory, password=PASSWORD, settings={"no_such_setting": "1"})
    with pytest.raises(
        LocalServerError, match=r"(?s)MariaDB server in .* ended while starting.*no_such_setting"
    ) as caught:
        broken.start()
    assert PASSWORD.reveal() not in str(caught.value)
    assert not broken.is_running()


def test_both_kinds_start_together(server: LocalMariaDB, tmp_path: Path) -> None:
    other = LocalPostgres(tmp_path, password=PASSWORD)
    try:
        start_all(server, other)
        assert server.is_running()
        assert other.is_running()
    finally:
        other.destroy()


def test_without_the_programs_it_says_how_to_get_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(mariadb, "_MORE_DIRECTORIES", ())
    assert not LocalMariaDB.is_available()
    with pytest.raises(LocalServerError, match="apt-get install mariadb-server"):
        LocalMariaDB(tmp_path, password=PASSWORD).start()
    assert not (tmp_path / "cluster").exists()


@on_linux
def test_one_that_outlived_its_owner_is_stopped_by_the_next(server: LocalMariaDB) -> None:
    """A stopped process does not act on the signal of its owner's death until it is woken."""
    with owner_of(server) as owner:
        (survivor,) = processes_in(server.cluster, "mariadbd")
        os.kill(survivor, signal.SIGSTOP)
        owner.kill()
    os.kill(survivor, signal.SIGCONT)
    server.start()
    assert processes_in(server.cluster, "mariadbd") == {server.pid}
