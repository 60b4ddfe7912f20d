"""Servers for callers on this machine: one directory each, started once, gone without a trace."""

from __future__ import annotations

import asyncio
import secrets
from pathlib import Path
from typing import Any

import psycopg
import pytest

from rolecall.cli.running.callers_servers import CallersServers
from rolecall.local.account import LocalServerError
from rolecall.local.binaries import program_version
from rolecall.local.cluster import processes_in
from rolecall.local.provisioner import MYSQL, POSTGRESQL, LocalProvisioner
from rolecall.values import Secret


def left(directory: Path) -> list[str]:
    return sorted(one.name for one in directory.iterdir())


def said(host: Any, port: Any, password: Secret, query: str) -> str:
    login = {"user": "postgres", "password": password.reveal(), "dbname": "postgres"}
    with psycopg.connect(host=host, port=port, **login) as connection:
        return str(connection.execute(query.encode()).fetchall()[0][0])


async def test_a_server_is_made_stopped_started_again_and_deleted(tmp_path: Path) -> None:
    password = Secret(secrets.token_hex(8))
    with LocalProvisioner(tmp_path) as provisioner:
        *place, sockets = started = await provisioner.start("one", POSTGRESQL, password, "LATIN1")
        again, _ = await asyncio.gather(
            provisioner.start("one", POSTGRESQL, password, "LATIN1"),
            provisioner.start("two", POSTGRESQL, password, ""),
        )
        assert again == started
        assert said(sockets, place[1], password, "show server_encoding") == "LATIN1"
        assert set(provisioner.running) == {"one", "two"}
        assert said(*place, password, "show server_encoding") == "LATIN1"
        assert said(*place, password, "select datcollate from pg_database") == "C"
        assert said(*place, password, "show server_version").startswith(program_version()[:2])
        await provisioner.stop("one")
        await provisioner.stop("one")
        assert set(provisioner.running) == {"two"}
        assert await provisioner.start("one", POSTGRESQL, password, "LATIN1") == started
        await provisioner.destroy("one", POSTGRESQL)
        await provisioner.destroy("one", POSTGRESQL)
        assert left(tmp_path) == ["two"]
    assert not processes_in(tmp_path / "two" / "cluster")
    with LocalProvisioner(tmp_path) as provisioner:
        await provisioner.destroy("two", POSTGRESQL)
        await provisioner.stop("never")
    assert left(tmp_path) == []


async def test_what_was_given_up_goes_on_and_is_ended_at_the_close(tmp_path: Path) -> None:
    with LocalProvisioner(tmp_path) as provisioner:
        starting = asyncio.create_task(provisioner.start("one", POSTGRESQL, Secret("x" * 8), ""))
        while not (tmp_path / "one" / "cluster.new").exists():
            await asyncio.sleep(0.001)
        starting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await starting
    assert (tmp_path / "one" / "cluster").exists()
    assert not processes_in(tmp_path / "one" / "cluster")


@pytest.mark.parametrize("place", ["..", "a/b", "/etc", ""])
async def test_a_place_is_a_plain_name(tmp_path: Path, place: str) -> None:
    with LocalProvisioner(tmp_path / "here") as provisioner:
        with pytest.raises(LocalServerError, match="not the name of a place"):
            await provisioner.start(place, POSTGRESQL, Secret("x" * 8), "")
        with pytest.raises(LocalServerError):
            await provisioner.start("one", "oracle", Secret("x" * 8), "")
    assert left(tmp_path) == []


def test_blueprints_are_those_of_the_kinds_of_servers(tmp_path: Path) -> None:
    with CallersServers(tmp_path) as servers:
        assert servers.engines[POSTGRESQL] == program_version().partition(".")[0]
        one, other = (
            servers.blueprint(POSTGRESQL, "", ""),
            servers.blueprint(POSTGRESQL, "ap-tokyo", "ap-tokyo-2"),
        )
        assert (one.region, one.zone, one.administrator, one.database) == (
            "ap-guangzhou", "ap-guangzhou-1", "postgres", "postgres",
        )  # fmt: skip
        assert (other.region, other.zone) == ("ap-tokyo", "ap-tokyo-2")
        assert one.faces["tencent"] != other.faces["tencent"]
        assert one.options["super_role"] == "pg_tencentdb_superuser"
        mariadb = servers.blueprint(MYSQL, "", "")
        assert set(mariadb.faces) == {"aliyun", "openstack"}
        assert (mariadb.region, mariadb.zone, mariadb.options["flavor"]) == (
            "cn-hangzhou",
            "cn-hangzhou-a",
            "mariadb",
        )
