"""Servers for crash tests: a store and an engine that live, and Rolecall processes that die on cue."""

from __future__ import annotations

import json
import os
import secrets
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from tests.conftest import PATIENCE, store_admin
from tests.forks import Forked
from tests.programs import ROLECALL, forks

from rolecall.domain.secrets.sealing import new_master_key
from rolecall.store.replica import REPLICA_LOCKS

SCRIPT = Path(__file__).with_name("dying_server.py")
COMMAND = Path(__file__).with_name("dying_command.py")


@dataclass
class CrashBench:
    """A store of its own on the run's servers, with an owner, a key and the run's engine registered."""

    rolecall: object
    environment: dict[str, str]
    secret_id: str
    secret_key: str
    instance_id: str
    store: str
    place: Path
    process: Forked | None = None
    alive: int = 0
    """Servers that have not ended."""

    def kill(self) -> None:
        """SIGKILL the newest server."""
        assert self.process is not None
        self.process.kill()

    @contextmanager
    def server(self, die_at: str = "never", servers: Path | None = None) -> Iterator[str]:
        """A Rolecall process; gives its endpoint. It dies by itself at `die_at`, else it is stopped.

        `die_at` is a cue of `dying_server`.

        With `servers` it starts servers for callers, below that directory.
        """
        self.await_death()
        port_file = self.place / f"port-{secrets.token_hex(6)}"
        arguments = [die_at, port_file, *([servers] if servers else [])]
        process = forks().start(SCRIPT, arguments, self.environment)
        self.process = process
        self.alive += 1
        try:
            deadline = time.monotonic() + PATIENCE
            while not port_file.exists():
                assert process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.01)
            yield f"http://127.0.0.1:{port_file.read_text()}"
            if die_at != "never" and ":" not in die_at:
                assert process.wait(PATIENCE) == -signal.SIGKILL
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.send_signal(signal.SIGINT)
                process.wait(PATIENCE)
            self.alive -= 1

    def run(self, *arguments: str, check: bool = True) -> str:
        """A command of `rolecall`; its output."""
        return forks().run(ROLECALL, arguments, self.environment, check=check).stdout

    def die_in(self, step: str, *arguments: str) -> None:
        """A command that changes something, whose process dies at `step`."""
        self.process = forks().start(COMMAND, [step, *arguments], self.environment)
        assert self.process.wait(PATIENCE) == -signal.SIGKILL

    def await_death(self) -> None:
        """Wait until the store has seen that the newest server is dead, if it is and runs alone.

        Until then its operations are taken for those of a living replica: the kernel closes the connections of a
        killed process, but the store's own processes may get to see that much later on a busy machine.
        """
        if self.process is None or self.process.poll() is None or self.alive:
            return
        query = (
            "select count(*) from pg_locks where locktype = 'advisory' and classid = %s"
            " and database = (select oid from pg_database where datname = current_database())"
        )
        deadline = time.monotonic() + PATIENCE
        with psycopg.connect(self.store, autocommit=True) as connection:
            while connection.execute(query, (REPLICA_LOCKS,)).fetchone() != (0,):
                assert time.monotonic() < deadline
                time.sleep(0.01)

    def take_for_dead(self, target: str) -> None:
        """End the session by which the process that carries out a change of that target is known to live."""
        query = (
            "select pg_terminate_backend(l.pid) from pg_locks l join rolecall.operations o on l.objid = o.replica::oid"
            " where l.locktype = 'advisory' and l.classid = %s and o.target = %s and o.state = 'accepted'"
        )
        with psycopg.connect(self.store, autocommit=True) as connection:
            assert connection.execute(query, (REPLICA_LOCKS, target)).fetchall() == [(True,)]

    def await_state(self, target: str, state: str) -> None:
        """Until the last operation on it has that state."""
        deadline = time.monotonic() + PATIENCE
        while self.operations(target)[-1][1] != state:
            assert time.monotonic() < deadline, self.operations(target)
            time.sleep(0.05)

    def await_operation(self, target: str, operation: tuple[str, str]) -> None:
        """Until one of that kind and state is among those on it."""
        deadline = time.monotonic() + PATIENCE
        while operation not in self.operations(target):
            assert time.monotonic() < deadline, self.operations(target)
            time.sleep(0.05)

    @contextmanager
    def planted(self, fault: str) -> Iterator[None]:
        """Servers that are started meanwhile have a fault of the past (`dying_server.plant`)."""
        self.environment["PLANTED_FAULT"] = fault
        try:
            yield
        finally:
            del self.environment["PLANTED_FAULT"]

    @contextmanager
    def held_up(self, cue: str, work: Callable[[str], Any]) -> Iterator[Future[Any]]:
        """A call on a server that stops itself in it. Inside, it is stopped; it goes on at the end, to its answer."""
        with self.server(cue) as endpoint, ThreadPoolExecutor(1) as caller:
            process = self.process
            assert process is not None
            answer = caller.submit(work, endpoint)
            try:
                deadline = time.monotonic() + PATIENCE
                while Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0] != "T":
                    assert not answer.done(), answer.result()
                    assert time.monotonic() < deadline
                    time.sleep(0.01)
                yield answer
            finally:
                process.send_signal(signal.SIGCONT)
            answer.result(PATIENCE)

    def operations(self, target: str) -> list[tuple[str, str]]:
        """(kind, state) of the operations on a target, the oldest first."""
        query = "select kind, state from rolecall.operations where target = %s order by accepted_at"
        with psycopg.connect(self.store) as connection:
            return [(str(kind), str(state)) for kind, state in connection.execute(query, (target,))]


@pytest.fixture(scope="session")
def crash_bench(rolecall, tmp_path_factory: pytest.TempPathFactory) -> CrashBench:
    admin_dsn = store_admin(rolecall.data)
    database = f"crash_{secrets.token_hex(4)}"
    with psycopg.connect(admin_dsn, autocommit=True) as admin:
        admin.execute(f"create database {database}".encode())
    store = make_conninfo(admin_dsn, dbname=database)
    environment = {
        **os.environ,
        "ROLECALL_DATABASE_URL": store,
        "ROLECALL_MASTER_KEY": new_master_key(),
        "ROLECALL_RATE_LIMIT": "off",
        "ROLECALL_LOG_LEVEL": "warning",
    }

    def run(*arguments: str) -> str:
        return forks().run(ROLECALL, arguments, environment, check=True).stdout

    key = json.loads(run("key", "create", "--owner", "--json"))[0]
    engine = rolecall.ready["engines"]["postgres"]
    environment["ROLECALL_INSTANCE_PASSWORD"] = engine["password"]
    url = f"postgresql://{engine['user']}@{engine['host']}:{engine['port']}/postgres"
    instance = json.loads(run("instance", "add", url, "--json"))[0]
    return CrashBench(
        rolecall, environment, key["secret_id"], key["secret_key"], instance["id"], store,
        tmp_path_factory.mktemp("crash"),
    )  # fmt: skip


@pytest.fixture(scope="session")
def mariadb_instance(crash_bench: CrashBench) -> str:
    """The run's MariaDB in the crash bench's store; its id for PetaData."""
    engine = crash_bench.rolecall.ready["engines"]["mysql"]  # type: ignore[attr-defined]
    environment = {**crash_bench.environment, "ROLECALL_INSTANCE_PASSWORD": engine["password"]}

    def run(*arguments: str) -> str:
        return forks().run(ROLECALL, arguments, environment, check=True).stdout

    url = f"mariadb://{engine['user']}@{engine['host']}:{engine['port']}"
    added = str(json.loads(run("instance", "add", url, "--json"))[0]["id"])
    run("instance", "set", added, "--account-quota", "0")
    return added
