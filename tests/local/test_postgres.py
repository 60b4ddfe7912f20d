"""The server that Rolecall starts for itself: who may log in, what survives what, and what is left behind."""

from __future__ import annotations

import os
import signal
import socket
import stat
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from tests.local.servers import PASSWORD, EveryServer, as_root, on_linux, owner_of, refuses

from rolecall.local import LocalPostgres, LocalServerError, start_all
from rolecall.values import Secret


@pytest.fixture
def closed_directory() -> Iterator[Path]:
    """A directory of mode 0700 that is ours alone."""
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


@pytest.fixture(scope="module")
def shared_directory() -> Iterator[Path]:
    """A directory closed to others, whose cluster is made once: making one is what takes time."""
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)
        LocalPostgres(Path(name), password=PASSWORD).destroy()


@pytest.fixture
def server(shared_directory: Path) -> Iterator[LocalPostgres]:
    """A server that is not running, over a cluster that other tests have used."""
    server = LocalPostgres(shared_directory, password=PASSWORD)
    yield server
    server.stop()


def query(server: LocalPostgres, text: str) -> object:
    with psycopg.connect(server.dsn().reveal(), autocommit=True) as connection:
        cursor = connection.execute(text)
        row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None


class TestServer(EveryServer):
    program = "postgres"


def test_only_the_right_password_opens_it(server: LocalPostgres) -> None:
    server.start()
    assert query(server, "SELECT rolpassword LIKE 'SCRAM-SHA-256$%' FROM pg_authid WHERE rolsuper")
    assert (
        query(server, "SELECT string_agg(DISTINCT auth_method, ',') FROM pg_hba_file_rules")
        == "scram-sha-256"
    )
    wrong = LocalPostgres(server.directory, password=Secret("wrong"))
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(wrong.dsn().reveal())
    with pytest.raises(psycopg.OperationalError, match="no password supplied"):
        psycopg.connect(host=server.host, port=server.port, user=server.superuser, dbname="postgres")


def test_it_listens_on_loopback_alone_and_is_as_durable_as_any_server(server: LocalPostgres) -> None:
    server.start()
    assert query(server, "SHOW listen_addresses") == "127.0.0.1"
    assert query(server, "SHOW unix_socket_directories") == str(server.cluster.resolve())
    assert stat.S_IMODE(server.cluster.resolve().stat().st_mode) == 0o700
    assert query(server, "SHOW server_encoding") == "UTF8"
    assert [
        query(server, f"SHOW {name}") for name in ("fsync", "synchronous_commit", "full_page_writes")
    ] == [
        "on",
        "on",
        "on",
    ]


def test_data_and_port_survive_a_restart_and_a_crash(server: LocalPostgres) -> None:
    server.start()
    port = server.port
    query(server, "DROP TABLE IF EXISTS kept; CREATE TABLE kept AS SELECT 7 AS n")
    server.restart()
    assert (server.port, query(server, "SELECT n FROM kept")) == (port, 7)
    query(server, "UPDATE kept SET n = 8")
    server.kill()
    assert refuses(port)
    assert not server.is_running()
    server.start()
    assert (server.port, query(server, "SELECT n FROM kept")) == (port, 8)


def test_stopping_ends_sessions_and_may_be_repeated(server: LocalPostgres) -> None:
    server.start()
    with psycopg.connect(server.dsn().reveal()) as session:
        server.stop()
        server.stop()
        with pytest.raises(psycopg.OperationalError):
            session.execute("SELECT 1")
    assert refuses(server.port)


def test_settings_reach_the_server_but_cannot_open_it(server: LocalPostgres) -> None:
    settings = {"max_connections": "17", "listen_addresses": "*"}
    with LocalPostgres(server.directory, password=PASSWORD, settings=settings) as tuned:
        assert query(tuned, "SHOW max_connections") == "17"
        assert query(tuned, "SHOW listen_addresses") == "127.0.0.1"


def test_a_fixed_port_that_is_taken_is_refused(closed_directory: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taker:
        port = taker.getsockname()[1]
        with pytest.raises(LocalServerError, match=f"port {port}"):
            LocalPostgres(closed_directory, password=PASSWORD, port=port).start()


def test_a_server_that_cannot_start_says_why_and_leaves_nothing_running(server: LocalPostgres) -> None:
    server.start()
    server.stop()
    broken = LocalPostgres(server.directory, password=PASSWORD, settings={"shared_buffers": "nonsense"})
    with pytest.raises(LocalServerError, match='parameter "shared_buffers": "nonsense"') as caught:
        broken.start()
    assert PASSWORD.reveal() not in str(caught.value)
    assert not broken.is_running()
    server.start()


def test_a_password_of_two_lines_is_refused_rather_than_cut(closed_directory: Path) -> None:
    with pytest.raises(LocalServerError, match="one line"):
        LocalPostgres(closed_directory, password=Secret("one\ntwo")).start()
    assert not (closed_directory / "cluster").exists()


def test_two_start_together_from_a_thread_that_ends(server: LocalPostgres, closed_directory: Path) -> None:
    """The kernel ties a server to the thread that forked it, and that thread is none of these."""
    second = LocalPostgres(closed_directory, password=PASSWORD)
    try:
        starting = threading.Thread(target=start_all, args=(server, second))
        starting.start()
        starting.join()
        assert [query(one, "SELECT 1") for one in (server, second)] == [1, 1]
    finally:
        second.destroy()


@on_linux
def test_a_pid_file_with_somebody_elses_number_is_no_obstacle(server: LocalPostgres) -> None:
    server.start()
    server.kill()
    pid_file = server.cluster / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    pid_file.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")
    server.start()
    assert query(server, "SELECT 1") == 1


@on_linux
def test_one_that_outlived_its_owner_is_stopped_by_the_next(server: LocalPostgres) -> None:
    """A stopped process does not act on the signal of its owner's death until it is woken."""
    with owner_of(server) as owner:
        postmaster = int((server.cluster / "postmaster.pid").read_text().splitlines()[0])
        query(server, "DROP TABLE IF EXISTS kept; CREATE TABLE kept AS SELECT 7 AS n")
        os.kill(postmaster, signal.SIGSTOP)
        owner.kill()
    waking = threading.Timer(0.2, os.kill, (postmaster, signal.SIGCONT))
    waking.start()
    server.start()
    waking.join()
    assert query(server, "SELECT n FROM kept") == 7


@as_root
def test_root_keeps_the_cluster_in_a_directory_that_the_account_can_reach() -> None:
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        server = LocalPostgres(Path(name, "store"), password=PASSWORD)
        try:
            server.start()
            assert server.cluster.is_dir()
            assert not server.cluster.is_symlink()
        finally:
            server.destroy()


def test_a_making_that_was_cut_short_begins_anew_and_destroying_leaves_no_data(
    closed_directory: Path,
) -> None:
    half_made = closed_directory / "cluster.new"
    half_made.mkdir()
    (half_made / "PG_VERSION").write_text("18\n")
    server = LocalPostgres(closed_directory, superuser="keeper", password=PASSWORD)
    try:
        server.start()
        assert query(server, "SELECT session_user") == "keeper"
        assert not half_made.exists()
        cluster = server.cluster.resolve()
    finally:
        server.destroy()
    assert not cluster.exists()
    assert not server.cluster.is_symlink()


def test_a_link_to_data_that_is_gone_is_not_taken_for_a_new_beginning(closed_directory: Path) -> None:
    link = closed_directory / "cluster"
    link.symlink_to(closed_directory / "lost")
    with pytest.raises(LocalServerError, match="does not exist"):
        LocalPostgres(closed_directory, password=PASSWORD).start()
    assert link.is_symlink()
