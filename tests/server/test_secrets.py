"""What is planted as a secret is found nowhere: no log, no row of the store, no metric, no server's own log."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from tests.conftest import Rolecall, start_rolecall, store_admin

from rolecall.signing import tc1, tc3
from rolecall.values import Secret

FORM = "application/x-www-form-urlencoded"


class House:
    """A Rolecall of its own that logs all it can, over servers that log every statement."""

    def __init__(self, running: Rolecall) -> None:
        self.running = running
        self.planted: set[str] = {
            running.tencent["secret_key"],
            running.ready["engines"]["postgres"]["password"],
            *json.loads((running.data / "secrets.json").read_text()).values(),
        }

    def new_password(self) -> str:
        password = f"Pl4nted!{secrets.token_hex(8)}"
        self.planted.add(password)
        return password

    def call(self, action: str, **params: Any) -> dict[str, Any]:
        return self.running.call(action, {"DBInstanceId": self.running.instance_id, **params})

    def log_all(self) -> None:
        """Make the engine and the store write every statement to their logs."""
        engine = self.running.ready["engines"]["postgres"]
        keywords = {name: engine[name] for name in ("host", "port", "user", "password")}
        dsns = [make_conninfo(dbname="postgres", **keywords), self.store_dsn]
        for dsn in dsns:
            with psycopg.connect(dsn, autocommit=True) as connection:
                connection.execute("alter system set log_statement = 'all'")
                connection.execute("alter system set log_min_error_statement = 'debug5'")
                connection.execute("alter system set log_connections = on")
                connection.execute("select pg_reload_conf()")

    @property
    def store_dsn(self) -> str:
        return store_admin(self.running.data)

    def logs(self) -> dict[str, bytes]:
        data = self.running.data
        files = {*data.parent.glob("ready-*.log"), *data.rglob("*.log")}
        return {str(path): path.read_bytes() for path in files}

    def rows(self) -> Iterator[tuple[str, bytes]]:
        """Every row of every table of the store: as text, and with its bytes as they are."""
        with psycopg.connect(self.store_dsn, options="-c search_path=rolecall") as connection:
            tables = connection.execute(
                "select tablename from pg_tables where schemaname = 'rolecall'"
            ).fetchall()
            for (table,) in tables:
                for row in connection.execute(f"select * from {table}"):  # type: ignore[arg-type]
                    yield (
                        table,
                        b" ".join(one if isinstance(one, bytes) else repr(one).encode() for one in row),
                    )


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    data = tmp_path_factory.mktemp("secrets") / "data"
    running = start_rolecall(data, ROLECALL_LOG_LEVEL="debug", ROLECALL_RATE_LIMIT="off")
    try:
        made = House(running)
        made.log_all()
        yield made
    finally:
        assert running.stop() == 0


def shapes(secret: str) -> Iterator[bytes]:
    """How a secret may look: as it is, hex, base64, and as PostgreSQL's md5 would have it."""
    plain = secret.encode()
    yield plain
    yield plain.hex().encode()
    yield base64.b64encode(plain).rstrip(b"=")
    yield hashlib.md5(plain).hexdigest().encode()


def live(house: House) -> None:
    """Good calls and bad ones, with secrets in every place that a request has."""
    for number in range(3):
        user = f"planted_{number}"
        kind = "tencentDBSuper" if number else "normal"
        assert house.call("CreateAccount", UserName=user, Type=kind, Password=house.new_password())["Oid"]
        assert "Error" not in house.call("ResetAccountPassword", UserName=user, Password=house.new_password())
        assert "Error" not in house.call("OpenAccountCAM", UserName=user)
        assert "Error" not in house.call("RefreshAccountPassword", UserName=user)
        assert "Error" not in house.call("CloseAccountCAM", UserName=user, Password=house.new_password())
    taken = house.call("CreateAccount", UserName="planted_0", Type="normal", Password=house.new_password())
    assert taken["Error"]["Code"] == "FailedOperation.PreCheckError"
    for wrong in ({"UserName": "1x"}, {"Type": "x"}, {"Remark": ";"}, {"Extra": 1}, {"UserName": "public"}):
        params = {"UserName": "planted_x", "Type": "normal", "Password": house.new_password(), **wrong}
        assert "Error" in house.call("CreateAccount", **params)
    for password in (
        "/" + house.new_password(),
        house.new_password() * 2,
        "{RSA-OAEP}" + house.new_password(),
    ):
        error = house.call("CreateAccount", UserName="planted_x", Type="normal", Password=password)["Error"]
        assert not any(one in error["Message"] for one in house.planted)
    # A secret where none belongs: as a type, in a list, twice, in a body that breaks off, in a query and a form.
    running = house.running
    assert "Error" in house.call(
        "CreateAccount", UserName="x", Type="normal", Password=[house.new_password()]
    )
    broken = f'{{"Password": "{house.new_password()}", "Password": "{house.new_password()}", '.encode()
    for body in (broken, broken + b'"a": 1}', broken[:-30], b"\xff" + broken):
        assert running.call("CreateAccount", body)["Error"]["Code"] == "InvalidParameter"
    assert running.call("CreateAccount", secret_key=house.new_password())["Error"]
    assert running.call("CreateAccount", headers={"X-TC-Token": house.new_password()})["Error"]
    v1(house, "CreateAccount", "planted_form", house.new_password())
    get(house, f"UserName=planted_query&Type=normal&Password={house.new_password()}")
    httpx.post(running.endpoint, content=f"Password={house.new_password()}&=", headers={"Content-Type": FORM})
    httpx.get(running.endpoint, params={"Password": house.new_password(), "SecretKey": house.new_password()})
    httpx.put(running.endpoint, content=house.new_password())


def v1(house: House, action: str, user: str, password: str) -> None:
    running = house.running
    params = {
        "Action": action, "Version": "2017-03-12", "Region": "ap-guangzhou", "Timestamp": str(int(time.time())),
        "Nonce": "1", "SecretId": running.tencent["secret_id"], "DBInstanceId": running.instance_id,
        "UserName": user, "Type": "normal", "Password": password,
    }  # fmt: skip
    signed = tc1.Signed("POST", running.netloc, "/", tuple(params.items()))
    signature = tc1.sign(signed, Secret(running.tencent["secret_key"]))
    answer = httpx.post(running.endpoint, data=params | {"Signature": signature})
    assert answer.json()["Response"]["Oid"]


def get(house: House, query: str) -> None:
    running = house.running
    query = f"DBInstanceId={running.instance_id}&{query}"
    now = int(time.time())
    secret = Secret(running.tencent["secret_key"])
    headers = tc3.post_headers(
        running.tencent["secret_id"], secret, service="postgres", version="2017-03-12", action="CreateAccount",
        region="ap-guangzhou", timestamp=now, host=running.netloc, payload=b"",
    )  # fmt: skip
    proof = tc3.authorization(
        running.tencent["secret_id"], secret, service="postgres", timestamp=now, host=running.netloc,
        method="GET", query=query, content_type=FORM,
    )  # fmt: skip
    answer = httpx.get(
        f"{running.endpoint}/?{query}", headers=headers | {"Authorization": proof, "Content-Type": FORM}
    )
    assert answer.json()["Response"]["Oid"]


def test_planted_secrets_are_found_nowhere(house: House) -> None:
    live(house)
    running = house.running
    verifiers = {
        row[0] for row in running.sql("select rolpassword from pg_authid where rolname like 'planted%%'")
    }
    managed = running.cli("instance", "list", "--json").stdout + running.cli("key", "list", "--json").stdout
    managed += (
        running.cli("operation", "list", "--json").stdout + running.cli("account", "list", "--json").stdout
    )
    managed += running.cli("doctor", "--json", check=False).stdout
    places: dict[str, bytes] = house.logs() | {
        "/metrics": httpx.get(running.endpoint + "/metrics").content,
        "the command line's listings": managed.encode(),
    }
    rows = list(house.rows())
    written = b"".join(places.values())
    assert b"planted_0" in written
    assert {"operations", "accounts", "access_keys", "instances"} <= {table for table, _ in rows}
    assert len(house.planted) > 30
    own = Path(next(path for path in places if "ready-" in path))
    for secret in house.planted:
        for shape in shapes(secret):
            for place, content in places.items():
                if Path(place) == own and secret == running.tencent["secret_key"]:
                    continue  # `rolecall up` prints it on purpose, once: its banner is how one learns it
                assert shape not in content, place
            for table, row in rows:
                assert shape not in row, table
    # Verifiers can be guessed against: they stand in no log either, although every statement does.
    assert all(one.startswith("SCRAM-SHA-256$") for one in verifiers)
    assert b"SCRAM-SHA-256$" not in written + b"".join(row for _, row in rows)
    assert b"log_statement" not in own.read_bytes()


def test_the_logs_looked_into_hold_what_others_do(house: House) -> None:
    """So that finding nothing means something: another client's statement is there to be found."""
    house.running.sql("create role outsider password 'Seen_in_the_log1'")
    logged = [path for path, content in house.logs().items() if b"Seen_in_the_log1" in content]
    assert len(logged) == 1
    assert "quickstart" in logged[0]


@pytest.mark.parametrize("form", ["console", "json"])
def test_a_logged_crash_shows_no_variables_of_its_frames(form: str) -> None:
    """The log's formatter for people would, by default."""
    program = f"""
import structlog
from rolecall.cli.logs import set_up_logs

def handle(password):
    raise RuntimeError("mishap")

set_up_logs("debug", "{form}")
try:
    handle("Pl4nted!" + "variable")
except RuntimeError:
    structlog.get_logger().exception("a call crashed")
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "RuntimeError: mishap" in done.stderr
    assert "Pl4nted!variable" not in done.stdout + done.stderr
