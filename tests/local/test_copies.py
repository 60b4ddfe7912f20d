"""Copies of local servers: what a copied server has, and what is said if one cannot be copied."""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from rolecall.local import LocalServerError
from rolecall.local.copies import (
    Login,
    copy_mariadb,
    copy_postgresql,
    copy_stopped,
    fill_mariadb,
    make_cluster_of,
)
from rolecall.local.mariadb import LocalMariaDB
from rolecall.local.postgres import LocalPostgres
from rolecall.local.server import LocalServer
from rolecall.values import Secret

PASSWORD = Secret("it's \\ a secret ☂")


def login(server: LocalPostgres | LocalMariaDB) -> Login:
    return Login(server.host, server.port, server.superuser, server.password)


def test_a_copied_postgresql_server_has_the_same_roles(tmp_path: Path) -> None:
    """While it runs, and after it was stopped: by their numbers, and with their data."""
    source, target = (LocalPostgres(tmp_path / name, password=PASSWORD) for name in ("source", "target"))
    with source:
        with psycopg.connect(source.dsn().reveal()) as connection:
            connection.execute("create role kept login")
            connection.execute("create table t as select 'row' as a")
            role = connection.execute("select oid from pg_roles where rolname = 'kept'").fetchone()
        make_cluster_of(target.directory, copy_postgresql(login(source)))
        with pytest.raises(LocalServerError, match="another process"):
            list(copy_stopped(LocalPostgres(source.directory, password=PASSWORD)))
    with target, psycopg.connect(target.dsn().reveal()) as connection:
        assert connection.execute("select oid from pg_roles where rolname = 'kept'").fetchone() == role
        assert connection.execute("select a from t").fetchall() == [("row",)]
    stopped = LocalPostgres(tmp_path / "stopped", password=PASSWORD)
    make_cluster_of(stopped.directory, copy_stopped(source))
    with stopped, psycopg.connect(stopped.dsn().reveal()) as connection:
        assert connection.execute("select oid from pg_roles where rolname = 'kept'").fetchone() == role


def sql(server: LocalMariaDB, statement: str) -> str:
    done = subprocess.run(
        ["mariadb", "--no-defaults", f"--host={server.host}", f"--port={server.port}", f"--user={server.superuser}",
         "--skip-column-names", "--execute", statement],
        env={**os.environ, "MYSQL_PWD": server.password.reveal()}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout.strip()


@pytest.mark.skipif(not LocalMariaDB.is_available(), reason="MariaDB is not installed")
def test_a_copied_mariadb_server_has_the_same_accounts(tmp_path: Path) -> None:
    password = Secret("it's \\ a secret")
    names = ("source", "target", "stopped")
    source, target, stopped = (
        LocalMariaDB(tmp_path / name, password=password, superuser="admin") for name in names
    )
    shown = "show create user `it's`@`10.%`; show grants for `it's`@`10.%`; select hex(a) from d.t"
    with source:
        for statement in (
            "create database d", "create table d.t (a blob)", "insert into d.t values (x'00ff0a')",
            "create user `it's`@`10.%` identified by 'x' account lock", "grant select on d.* to `it's`@`10.%`",
        ):  # fmt: skip
            sql(source, statement)
        before = sql(source, shown)
        with target:
            fill_mariadb(target, copy_mariadb(login(source)))
            assert sql(target, shown) == before
    make_cluster_of(stopped.directory, copy_stopped(source))
    stopped.name_administrator()
    with LocalMariaDB(stopped.directory, password=password) as again:
        assert sql(again, shown) == before


def test_a_server_that_cannot_be_copied_is_named(tmp_path: Path) -> None:
    nowhere = Login("127.0.0.1", 1, "postgres", Secret("x"))
    with pytest.raises(LocalServerError, match=r"^pg_basebackup failed: .*connect"):
        list(copy_postgresql(nowhere))
    if LocalMariaDB.is_available():
        with pytest.raises(LocalServerError, match=r"^mariadb-dump failed: .*connect"):
            list(copy_mariadb(replace(nowhere, user="root")))


def test_a_damaged_archive_makes_no_cluster(tmp_path: Path) -> None:
    server: LocalServer = LocalPostgres(tmp_path / "damaged", password=PASSWORD)
    with pytest.raises(LocalServerError, match="is damaged"):
        make_cluster_of(server.directory, iter([b"not an archive" * 100]))
    assert not server.cluster.exists()
