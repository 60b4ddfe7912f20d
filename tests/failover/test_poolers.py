"""A pooler before the store: in session mode everything works, in another one Rolecall does not start."""

from __future__ import annotations

import configparser
import json
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from tests.conftest import Rolecall, store_admin
from tests.failover.cluster import ROOT, program, running
from tests.failover.conftest import Deployment, deploy
from tests.programs import ROLECALL, forks
from tests.server.replica import free_port
from tests.waiting import PATIENCE, until

from rolecall.exchanges import DEFAULTS
from rolecall.local.account import current_account
from rolecall.store.connection import make_pool
from rolecall.store.primary import Primary
from rolecall.store.replica import REPLICA_LOCKS
from rolecall.values import Secret

EXAMPLE = ROOT / "deploy" / "patroni" / "pgbouncer.ini"
PASSWORD = "Pooled_people1"

SETTINGS = (
    "search_path", "timezone", "lock_timeout", "statement_timeout", "synchronous_commit", "application_name",
)  # fmt: skip


@pytest.fixture(scope="module")
def store(rolecall: Rolecall) -> str:
    """The address of a database of its own."""
    server, database = store_admin(rolecall.data), f"pooled_{secrets.token_hex(4)}"
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f"create database {database}".encode())
    return make_conninfo(server, dbname=database)


@contextmanager
def pooler(store: str, mode: str) -> Iterator[str]:
    """The store's address through PgBouncer, configured as the documents have it but for the places and the mode."""
    words = conninfo_to_dict(store)
    settings = configparser.ConfigParser()
    settings.read(EXAMPLE)
    with psycopg.connect(store) as admin:
        query = "select rolname, rolpassword from pg_authid where rolname = current_user"
        (user, verifier) = admin.execute(query).fetchone() or ("", "")
    place, port = Path(tempfile.mkdtemp(prefix="rolecall-pooler-")), free_port()
    try:
        settings["databases"] = {str(words["dbname"]): f"host={words['host']} port={words['port']}"}
        own = settings["pgbouncer"]
        for name in [name for name in own if name.startswith("client_tls")]:
            del own[name]
        own.update(
            {
                "listen_addr": "127.0.0.1",
                "listen_port": str(port),
                "unix_socket_dir": "",
                "pool_mode": mode,
                "auth_file": str(place / "userlist.txt"),
            }
        )
        with (place / "pgbouncer.ini").open("w") as file:
            settings.write(file)
        (place / "userlist.txt").write_text(f'"{user}" "{verifier}"\n')
        account = current_account()
        account.adopt(place)
        command = [program("pgbouncer"), str(place / "pgbouncer.ini")]
        with running(command, place / "pgbouncer.log", account):
            address = make_conninfo(store, host="127.0.0.1", port=port)
            until(lambda: _accepts(address))
            yield address
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _accepts(address: str) -> bool:
    try:
        psycopg.connect(address, connect_timeout=5).close()
    except psycopg.OperationalError:
        return False
    return True


@pytest.fixture(scope="module")
def pooled(rolecall: Rolecall, store: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    with pooler(store, "session") as address:
        yield deploy(rolecall, store, address, tmp_path_factory.mktemp("pooled"))


def test_calls_and_commands_work_through_a_pooler_in_session_mode(pooled: Deployment, name: Any) -> None:
    with pooled.replicas(2) as replicas:
        names = [name() for _ in replicas]
        for replica, account in zip(replicas, names, strict=True):
            replica.ok("CreateAccount", UserName=account, Type="normal", Password=PASSWORD)
        key = json.loads(pooled.run("key", "create", "--json"))[0]
        signing = {"secret_id": key["secret_id"], "secret_key": key["secret_key"]}
        assert all("Error" not in replica.call("DescribeRegions", **signing) for replica in replicas)
        pooled.run("key", "disable", key["secret_id"])
        until(lambda: all("Error" in replica.call("DescribeRegions", **signing) for replica in replicas))
        locks = (
            "select count(*) from pg_locks join pg_database d on d.oid = database"
            f" where locktype = 'advisory' and classid = {REPLICA_LOCKS} and granted and datname = current_database()"
        )
        assert pooled.rows(locks) == [(2,)]  # each replica is known to live
    listed = json.loads(pooled.run("account", "list", "--json"))
    assert set(names) <= {row["name"] for row in listed if row["standing"] == "managed"}
    assert {row["ok"] for row in json.loads(pooled.run("doctor", "--json")) if row["check"] == "store"} == {
        True
    }
    pooled.run("backup", str(pooled.place / "pooled.backup"))


async def test_sessions_have_their_settings(store: str) -> None:
    """A pooler refuses or ignores start-up options: the settings are made in the session."""
    with pooler(store, "session") as address:
        primary = Primary(Secret(address))
        for durable, expected in ((True, "on"), (False, "off")):
            pool = make_pool(primary, size=1, durable=durable, deadlines=DEFAULTS)
            async with pool.connection() as connection:
                made = [await connection.value(f"show {name}") for name in SETTINGS]
                assert connection.session != connection.info.backend_pid
            assert made == ["rolecall", "UTC", "3s", "35s", expected, "rolecall-store"]
            await pool.close()


@pytest.mark.parametrize("mode", ["transaction", "statement"])
def test_a_pooler_in_another_mode_is_refused_at_the_start(pooled: Deployment, store: str, mode: str) -> None:
    with pooler(store, mode) as address:
        environment = pooled.environment | {"ROLECALL_DATABASE_URL": address}
        for arguments in (["key", "list"], ["serve", "--listen", f"127.0.0.1:{free_port()}"]):
            done = forks().run(ROLECALL, arguments, environment, timeout=PATIENCE)
            assert done.returncode == 1
            assert "pool_mode = session" in done.stderr
            assert "Traceback" not in done.stderr
