"""`rolecall up --workers`: two workers answer calls, and their parent has the servers, those of callers too."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncmy
import httpx
import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from tests.program.served import PROGRAM, processes_with
from tests.waiting import PATIENCE, until

from rolecall.local.cluster import PROGRAMS, processes_in
from rolecall.signing import acs1, tc3
from rolecall.values import Secret

CALLS = 16
"""At the same time, each with a connection of its own."""


@dataclass(frozen=True)
class Up:
    process: subprocess.Popen[bytes]
    data: Path
    ready: Mapping[str, Any]
    mark: str
    temporary: Path

    def post(self, headers: Mapping[str, str], content: bytes) -> httpx.Response:
        return httpx.post(
            self.ready["endpoint"], content=content, headers=headers, trust_env=False, timeout=PATIENCE
        )

    def call(self, action: str, **params: object) -> dict[str, Any]:
        tencent, payload = self.ready["tencent"], json.dumps(params).encode()
        headers = tc3.post_headers(
            tencent["secret_id"], Secret(tencent["secret_key"]), service="postgres", version="2017-03-12",
            action=action, region=tencent["region"], timestamp=int(time.time()),
            host=self.ready["endpoint"].removeprefix("http://"), payload=payload,
        )  # fmt: skip
        answer: dict[str, Any] = self.post(headers, payload).json()["Response"]
        assert "Error" not in answer, answer
        return answer

    def status(self, instance: str) -> str:
        found = self.call("DescribeDBInstances", Limit=100)["DBInstanceSet"]
        return next((each["DBInstanceStatus"] for each in found if each["DBInstanceId"] == instance), "gone")

    def workers(self) -> set[int]:
        """Its children in Python but the one of `multiprocessing`, which never listens."""
        pids = processes_with(f"MARK={self.mark}") - {self.process.pid}
        return {pid for pid in pids if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()}


@pytest.fixture
def up(production: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    place = tmp_path_factory.mktemp("workers")
    kept = {key: text for key, text in production.items() if not key.startswith("ROLECALL_")}
    data, ready, temporary = place / "data", place / "ready.json", tmp_path_factory.mktemp("tmp")
    with (place / "log").open("wb") as log:
        process = subprocess.Popen(
            [
                PROGRAM,
                "up",
                "--workers",
                "2",
                "--listen",
                "127.0.0.1:0",
                "--data",
                place / "data",
                "--ready-file",
                ready,
            ],
            env={**kept, "ROLECALL_RATE_LIMIT": "off", "TMPDIR": str(temporary)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        until(lambda: process.poll() is not None or ready.exists())
        assert process.poll() is None, (place / "log").read_text()
        content, mark = json.loads(ready.read_text()), production["MARK"]
        yield Up(process, data, content, mark, temporary)
    finally:
        process.kill()
        process.wait(PATIENCE)


def at_once(call: Callable[[], Any]) -> Sequence[Any]:
    """The answers to several calls at the same time, which more than one worker accepts."""
    with ThreadPoolExecutor(CALLS) as threads:
        return [done.result() for done in [threads.submit(call) for _ in range(CALLS)]]


def test_workers_answer_as_one_server_and_end_with_it(up: Up) -> None:
    assert len(up.workers()) == 2
    signed_once(up)
    reached_by_sockets(up)
    provisioned(up)
    restarted(up)
    ends(up)


def signed_once(up: Up) -> None:
    aliyun = up.ready["aliyun"]
    params = {
        "Action": "DescribeAccounts", "Version": "2016-01-01", "Format": "JSON",
        "AccessKeyId": aliyun["access_key_id"], "SignatureMethod": "HMAC-SHA1", "SignatureVersion": "1.0",
        "SignatureNonce": str(uuid4()), "Timestamp": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "InstanceId": aliyun["instance_id"],
    }  # fmt: skip
    signature = acs1.sign("POST", tuple(params.items()), Secret(aliyun["access_key_secret"]))
    content = httpx.QueryParams({**params, "Signature": signature})
    headers = {"content-type": "application/x-www-form-urlencoded"}
    answers = at_once(lambda: up.post(headers, str(content).encode()).json().get("Code", "ok"))
    assert Counter(answers) == {"ok": 1, "SignatureNonceUsed": CALLS - 1}


def reached_by_sockets(up: Up) -> None:
    """Store and instances, by every process of Rolecall's; others log in by TCP, as here."""
    engine = up.ready["engines"]["postgres"]
    tcp = make_conninfo(
        **{word: engine[word] for word in ("host", "port", "user", "password")}, dbname="postgres"
    )
    store = json.loads((up.data / "connection.json").read_text())["database_url"]
    clients = "select client_addr is null from pg_stat_activity where application_name like 'rolecall%'"
    for dsn in (tcp, store):
        with psycopg.connect(dsn) as connection:
            assert connection.info.host == "127.0.0.1"
            assert set(connection.execute(clients.encode()).fetchall()) == {(True,)}
    hosts = (
        "select HOST from information_schema.PROCESSLIST where USER = 'rolecall' and ID <> connection_id()"
    )
    assert {host for (host,) in asyncio.run(mariadb_rows(up, hosts))} == {"localhost"}


async def mariadb_rows(up: Up, query: str) -> Sequence[tuple[str]]:
    engine = up.ready["engines"]["mysql"]
    login = {"host": engine["host"], "port": engine["port"], "user": engine["user"]}
    connection = await asyncmy.connect(**login, password=engine["password"].encode())
    try:
        async with connection.cursor() as cursor:
            await cursor.execute(query)
            rows: Sequence[tuple[str]] = await cursor.fetchall()
            return rows
    finally:
        connection.close()


def provisioned(up: Up) -> None:
    """Whichever worker is asked, the parent makes, stops and deletes the server."""
    made = up.call(
        "CreateInstances", SpecCode="cdb.pg.z1.2g", Storage=10, InstanceCount=1, Period=1, Charset="UTF8",
        AdminName="root_user", AdminPassword="Test_password1", Zone="ap-guangzhou-2", DBMajorVersion="18",
        InstanceChargeType="POSTPAID_BY_HOUR", VpcId="vpc-xxxxxxxx", SubnetId="subnet-xxxxxxxx",
        DBNodeSet=[{"Role": "Primary", "Zone": "ap-guangzhou-2"}], Name="mine",
    )  # fmt: skip
    (instance,) = made["DBInstanceIdSet"]
    until(lambda: up.status(instance) == "running")
    (server,) = (up.data / "instances").iterdir()
    (postmaster, *_) = (server / "cluster" / "postmaster.pid").read_text().split()
    parent = next(
        line.split()[1]
        for line in Path(f"/proc/{postmaster}/status").read_text().splitlines()
        if line.startswith("PPid")
    )
    assert int(parent) == up.process.pid
    for number in range(4):  # each worker probably, and each time with a server that it has not connected to
        up.call(
            "CreateAccount",
            DBInstanceId=instance,
            UserName=f"app{number}",
            Type="normal",
            Password="Pw123456_",
        )
    up.call("IsolateDBInstances", DBInstanceIdSet=[instance])
    until(lambda: up.status(instance) == "isolated")
    up.call("DestroyDBInstance", DBInstanceId=instance)
    until(lambda: up.status(instance) == "gone")
    assert not server.exists()


def restarted(up: Up) -> None:
    before = up.workers()
    killed = min(before)
    subprocess.run(["/bin/kill", "-KILL", str(killed)], check=True)
    until(lambda: len(up.workers() - {killed}) == 2)
    (new,) = up.workers() - before
    until(lambda: has_answered(up, new))


def has_answered(up: Up, worker: int) -> bool:
    """Whether a worker has counted calls in its file."""
    at_once(lambda: up.call("DescribeRegions"))
    files = up.temporary.glob(f"rolecall-workers-*/counter_{worker}.db")
    return any(b"DescribeRegions" in file.read_bytes() for file in files)


def ends(up: Up) -> None:
    servers = [*up.data.glob("quickstart*"), up.data / "store"]
    up.process.send_signal(signal.SIGTERM)
    assert up.process.wait(PATIENCE) == 0
    until(lambda: processes_with(f"MARK={up.mark}") == set())
    assert not any(processes_in(each / "cluster", program) for each in servers for program in PROGRAMS)
    assert list(up.temporary.iterdir()) == []
    assert not (up.data / "ready.json").exists()
