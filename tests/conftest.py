"""One Rolecall with servers of its own for each process of the run: tests are kept apart by names, not by restarts."""

from __future__ import annotations

import json
import os
import secrets
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from httpx._config import DEFAULT_TIMEOUT_CONFIG
from httpx._transports import default as transports
from hypothesis import settings
from psycopg.conninfo import make_conninfo
from psycopg.pq import ExecStatus
from tests.forks import Forked
from tests.programs import ROLECALL, forks
from tests.shared_state import changes, shared_state
from tests.waiting import PATIENCE, unless_late

from rolecall.local.children import set_parent_death_signal
from rolecall.signing import tc3
from rolecall.values import Secret

PROGRAM = Path(sys.executable).with_name("rolecall")


def pytest_configure() -> None:
    """What the programs under test inherit.

    What a script starts in the background ignores SIGINT; the programs must not. They are started a thousand times, and
    half of a start is compiling where no bytecode may be kept.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    _read_authorities_once()
    _wait_for_answers()
    settings.register_profile(
        "busy", deadline=None
    )  # an example of microseconds may wait a second for a processor
    settings.load_profile("busy")


def _read_authorities_once() -> None:
    """Of the clients that trust what the system trusts: httpx reads its file for each, and half of a call is that."""
    create = transports.create_ssl_context
    system = cache(create)

    def create_ssl_context(
        verify: ssl.SSLContext | str | bool = True, cert: Any = None, trust_env: bool = True
    ) -> ssl.SSLContext:
        return system() if verify is True and cert is None else create(verify, cert, trust_env)

    transports.create_ssl_context = create_ssl_context


def _wait_for_answers() -> None:
    """Of the clients that name no timeout: the five seconds of httpx pass on a busy machine. Rolecall names its own."""
    for step in ("connect", "read", "write", "pool"):
        setattr(DEFAULT_TIMEOUT_CONFIG, step, PATIENCE)


def pytest_unconfigure() -> None:
    if forks.cache_info().currsize:
        forks().close()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Three for two processors, as tests wait for servers a third of the time; each has servers of its own."""
    processors = os.cpu_count() or 1
    return min(processors + max(processors // 2, 1), 8)


EARLY = ("tests/failover/",)
"""Files that wait for most of their time: they run beside files that do not, and not alone at the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: not item.nodeid.startswith(EARLY))


SEARCHED = "searched"
"""The property under which a search of schedules reports a line for the summary."""


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Here, as the process that prints the summary loads no other conftest.py where others run the tests."""
    reports = [*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")]
    lines = [value for report in reports for name, value in report.user_properties if name == SEARCHED]
    if lines:
        terminalreporter.section("simulation")
    for line in lines:
        terminalreporter.write_line(str(line))


LOOPBACK = '["127.0.0.1"]'
"""Tests speak as proxies where they say X-Forwarded-For."""


@dataclass
class Rolecall:
    """A running `rolecall up` and how to speak with it."""

    process: subprocess.Popen[bytes] | Forked
    ready: dict[str, Any]
    data: Path
    environment: Mapping[str, str]
    arguments: tuple[str, ...] = ()

    @property
    def endpoint(self) -> str:
        return str(self.ready["endpoint"])

    @property
    def netloc(self) -> str:
        return self.endpoint.removeprefix("http://")

    @property
    def tencent(self) -> dict[str, str]:
        return dict(self.ready["tencent"])

    @property
    def instance_id(self) -> str:
        return self.tencent["postgres_instance_id"]

    def call(
        self, action: str, params: Mapping[str, Any] | bytes | None = None, **changes: Any
    ) -> dict[str, Any]:
        """One signed Tencent postgres call; the content of `Response`. `changes` replace what is signed with."""
        payload = params if isinstance(params, bytes) else json.dumps(params or {}).encode()
        key = Secret(changes.pop("secret_key", self.tencent["secret_key"]))
        headers = changes.pop("headers", {})
        endpoint = changes.pop("endpoint", self.endpoint)

        def send() -> dict[str, Any]:
            signed: dict[str, Any] = {
                "service": "postgres",
                "version": "2017-03-12",
                "action": action,
                "region": self.tencent["region"],
                "timestamp": int(time.time()),
                "host": endpoint.removeprefix("http://"),
                "payload": payload,
            } | changes
            key_id = signed.pop("secret_id", self.tencent["secret_id"])
            answer = httpx.post(
                endpoint + "/",
                content=payload,
                headers=tc3.post_headers(key_id, key, **signed) | headers,
                timeout=60,
            )
            assert answer.status_code == 200
            assert answer.headers["content-type"] == "application/json"
            response: dict[str, Any] = answer.json()["Response"]
            assert response["RequestId"]
            return response

        return unless_late(send, lambda response: str(response.get("Error", {}).get("Code", "")))

    def ok(self, action: str, **params: Any) -> dict[str, Any]:
        """A call on the quickstart instance that must succeed."""
        response = self.call(action, {"DBInstanceId": self.instance_id, **params})
        assert "Error" not in response, response
        return response

    def code(self, action: str, **params: Any) -> str:
        """The error code of a call on the quickstart instance, empty if it succeeds."""
        response = self.call(action, {"DBInstanceId": self.instance_id, **params})
        return str(response.get("Error", {}).get("Code", ""))

    def accounts(self) -> dict[str, dict[str, Any]]:
        """All of the quickstart instance, by name: other tests leave more there than a page shows."""
        found: list[dict[str, Any]] = []
        while page := self.ok("DescribeAccounts", Limit=100, Offset=len(found), OrderBy="name")["Details"]:
            found += page
        return {account["UserName"]: account for account in found}

    def sql(
        self, query: str, *values: Any, database: str = "postgres", **login: Any
    ) -> list[tuple[Any, ...]]:
        """Rows of a query on the quickstart engine, by default as its administrator."""
        engine = self.ready["engines"]["postgres"]
        keywords = {"host": engine["host"], "port": engine["port"], "user": engine["user"],
                    "password": engine["password"], "dbname": database} | login  # fmt: skip
        with psycopg.connect(**keywords, autocommit=True, connect_timeout=60) as connection:
            cursor = connection.execute(query, values or None)  # type: ignore[arg-type]
            has_rows = cursor.pgresult is not None and cursor.pgresult.status == ExecStatus.TUPLES_OK
            return cursor.fetchall() if has_rows else []

    def can_log_in(self, user: str, password: str, database: str = "postgres") -> bool:
        try:
            return self.sql("select current_user", user=user, password=password, database=database) == [
                (user,)
            ]
        except psycopg.OperationalError:
            return False

    def cli(
        self, *arguments: str, check: bool = True, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run the program on this Rolecall's data."""
        variables = {**self.environment, **environment}
        done = forks().run(ROLECALL, [*arguments, "--data", self.data], variables, timeout=PATIENCE)
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done

    def stop(self) -> int:
        """End it as Ctrl-C does; its exit status."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(PATIENCE)


def store_admin(data: Path) -> str:
    """The store's address for its superuser, as which `up` migrates."""
    serving = json.loads((data / "connection.json").read_text())["database_url"]
    password = json.loads((data / "secrets.json").read_text())["store_password"]
    return make_conninfo(serving, user="rolecall", password=password)


def start_rolecall(data: Path, *arguments: str, **environment: str) -> Rolecall:
    """`rolecall up` on a free port, ready."""
    ready_file = data.parent / f"ready-{secrets.token_hex(4)}.json"
    log = data.parent / f"{ready_file.stem}.log"
    variables = {**os.environ, **environment}
    with log.open("wb") as output:
        process = subprocess.Popen(
            [
                PROGRAM,
                "up",
                "--listen",
                "127.0.0.1:0",
                "--data",
                data,
                "--ready-file",
                ready_file,
                *arguments,
            ],
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            preexec_fn=set_parent_death_signal(signal.SIGTERM),  # an aborted run kills its workers
        )
    deadline = time.monotonic() + PATIENCE
    while not ready_file.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            pytest.fail(f"rolecall up did not become ready:\n{log.read_text(errors='replace')}")
        time.sleep(0.02)
    return Rolecall(process, json.loads(ready_file.read_text()), data, variables, arguments)


def spare_the_disk(rolecall: Rolecall) -> None:
    """No test cuts the power of this machine: what a server wrote is there although it was killed.

    Tests make hundreds of databases; to have all their files on the disk takes half a minute when the server stops.
    """
    engine = rolecall.ready["engines"]["postgres"]
    keywords = {"host": engine["host"], "port": engine["port"], "user": engine["user"]}
    for address in (store_admin(rolecall.data), make_conninfo(**keywords, password=engine["password"])):
        with psycopg.connect(address, dbname="postgres", autocommit=True) as connection:
            connection.execute("alter system set fsync = off")
            connection.execute("select pg_reload_conf()")


@pytest.fixture(autouse=True)
def _leaves_the_process_as_it_was() -> Iterator[None]:
    """A test that changes what others share fails itself, not a later one of another file.

    It is set up before the fixtures of the test alone, and ends after them.
    """
    before = shared_state()
    yield
    left = changes(before, shared_state())
    if left:
        pytest.fail("\n".join(["the test leaves changed:", *left]), pytrace=False)


@pytest.fixture(scope="session")
def rolecall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rolecall]:
    """The Rolecall of this process of the run, with the rate limit lifted."""
    data = tmp_path_factory.mktemp("rolecall") / "data"
    running = start_rolecall(
        data,
        ROLECALL_RATE_LIMIT="off",
        ROLECALL_LOG_LEVEL="info",
        ROLECALL_TRUSTED_PROXIES=LOOPBACK,
        ROLECALL_SIGN_IN_ADDRESS_FAILURES="100000",  # the wrong passwords of all tests come from one address
        ROLECALL_DRIFT_CHECK_SECONDS="0",  # or `doctor` tells of what a test had changed by SQL just then
    )
    spare_the_disk(running)
    yield running
    assert running.stop() == 0


@pytest.fixture(scope="session")
def start() -> Callable[..., Rolecall]:
    """Starts another one: (data directory, *arguments, **environment) -> Rolecall, ready."""
    return start_rolecall


@pytest.fixture
def name() -> Callable[[str], str]:
    """Makes names that no other test uses."""
    return lambda prefix="user": f"{prefix}_{secrets.token_hex(5)}"
