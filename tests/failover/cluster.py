"""Three PostgreSQL servers on loopback that Patroni keeps, with synchronous replication, and the etcd it decides by.

A machine is a Patroni with its server: `Node.kill` and `Node.pause` strike both, as power and a hypervisor do. The
servers' programs are those of the tests' other servers; Patroni and etcd are the system's (`scripts/setup-failover`).
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from psycopg.conninfo import make_conninfo
from tests.server.replica import free_port
from tests.waiting import PATIENCE, until

from rolecall.local.account import Account, current_account, environment
from rolecall.local.binaries import programs_for
from rolecall.local.children import set_parent_death_signal
from rolecall.local.cluster import processes_in

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "deploy" / "patroni" / "patroni.yml"

DCS = {"ttl": 5, "loop_wait": 1, "retry_timeout": 2}
"""Seconds. The smallest that Patroni's rule permits, ``loop_wait + 2 * retry_timeout <= ttl``, so that a test is short:
a machine that is paused is replaced `ttl` after it was heard of last."""

SUPERUSER = {"username": "postgres", "password": "a-superuser-in-tests"}
REPLICATION = {"username": "replicator", "password": "a-standby-in-tests"}


def program(name: str) -> str:
    """Its path. Where the suite can install it, that it is missing is a failure and not a reason to skip a test."""
    found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
    if found is not None:
        return found
    how = f"{name} is not installed: run scripts/setup-failover as root"
    if os.geteuid() == 0 and shutil.which("apt-get") and os.environ.get("ROLECALL_FAILOVER") != "off":
        pytest.fail(how)
    pytest.skip(how)


@contextmanager
def running(command: list[str], log: Path, account: Account) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd="/",
            env=environment() | {"LC_ALL": "C.UTF-8"},
            user=account.uid if account.switch else None,
            group=account.gid if account.switch else None,
            extra_groups=[] if account.switch else None,
            preexec_fn=set_parent_death_signal(signal.SIGTERM),
        )
    try:
        yield process
    finally:
        process.kill()  # what it kept is thrown away
        process.wait(PATIENCE)


@dataclass
class Node:
    """One machine: `port` is its server's, `api` its Patroni's."""

    name: str
    place: Path
    port: int = field(default_factory=free_port)
    api: int = field(default_factory=free_port)
    patroni: subprocess.Popen[bytes] | None = None

    @property
    def data(self) -> Path:
        return self.place / "data"

    def state(self) -> dict[str, Any]:
        """What its Patroni tells; empty if it does not answer."""
        try:
            answer = httpx.get(f"http://127.0.0.1:{self.api}/patroni", timeout=1, trust_env=False)
        except httpx.TransportError:
            return {}
        found: dict[str, Any] = answer.json()
        return found

    def is_primary(self) -> bool:
        """Whether it holds the leader's key, and takes writes."""
        return self.state().get("role") == "master"

    def _signal(self, number: signal.Signals) -> None:
        assert self.patroni is not None
        self.patroni.send_signal(number)
        for process in processes_in(self.data):
            with suppress(ProcessLookupError):
                os.kill(process, number)

    def kill(self) -> None:
        self._signal(signal.SIGKILL)
        assert self.patroni is not None
        self.patroni.wait(PATIENCE)
        until(lambda: not processes_in(self.data))

    def pause(self) -> None:
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)


class Cluster:
    def __init__(self, directory: Path, account: Account, stack: ExitStack) -> None:
        self._directory, self._account, self._stack = directory, account, stack
        self._etcd = free_port()
        self.nodes = [Node(f"node{number}", directory / f"node{number}") for number in (1, 2, 3)]

    def start(self) -> None:
        self._start_etcd()
        for node in self.nodes:
            node.place.mkdir(mode=0o700)
            (node.place / "patroni.yml").write_text(yaml.safe_dump(self._configuration(node)))
        self._account.adopt(self._directory)
        first, *others = self.nodes
        self.start_node(first)
        until(lambda: self.primary() is first)  # until there is one, the others look for it every ten seconds
        for node in others:
            self.start_node(node)
        until(self.is_whole)

    def _start_etcd(self) -> None:
        client, peer = f"http://127.0.0.1:{self._etcd}", f"http://127.0.0.1:{free_port()}"
        place = self._directory / "etcd"
        place.mkdir(mode=0o700)
        self._account.adopt(place)
        command = [
            program("etcd"), "--data-dir", str(place), "--listen-client-urls", client,
            "--advertise-client-urls", client, "--listen-peer-urls", peer,
            "--initial-advertise-peer-urls", peer, "--initial-cluster", f"default={peer}", "--enable-v2=true",
        ]  # fmt: skip
        self._stack.enter_context(running(command, self._directory / "etcd.log", self._account))
        until(lambda: _answers(f"{client}/health"))

    def start_node(self, node: Node) -> None:
        command = [program("patroni"), str(node.place / "patroni.yml")]
        log = self._directory / f"{node.name}.log"
        node.patroni = self._stack.enter_context(running(command, log, self._account))

    def _configuration(self, node: Node) -> dict[str, Any]:
        """The example of the documents, with these servers' places and shorter times."""
        made: dict[str, Any] = yaml.safe_load(EXAMPLE.read_text())
        made["name"] = node.name
        made["restapi"] = {"listen": f"127.0.0.1:{node.api}", "connect_address": f"127.0.0.1:{node.api}"}
        made["etcd"] = {"hosts": f"127.0.0.1:{self._etcd}"}
        made["bootstrap"]["dcs"] |= DCS
        made["bootstrap"]["initdb"].append("no-sync")
        server = made["postgresql"]
        server |= {
            "listen": f"127.0.0.1:{node.port}",
            "connect_address": f"127.0.0.1:{node.port}",
            "data_dir": str(node.data),
            "bin_dir": str(programs_for(self._account)),
            "pgpass": str(node.place / "pgpass"),
            "authentication": {"superuser": SUPERUSER, "replication": REPLICATION},
            "pg_hba": [
                "host all all 127.0.0.1/32 scram-sha-256",
                "host replication all 127.0.0.1/32 scram-sha-256",
            ],
        }
        server["basebackup"] = ["no-sync", {"checkpoint": "fast"}]
        server["parameters"] = {"unix_socket_directories": "", "fsync": "off", "max_connections": 60}
        return made

    def address(self, *nodes: Node, **words: str) -> str:
        """The superuser's, with all nodes as its hosts in their order unless some are given."""
        used = nodes or tuple(self.nodes)
        return make_conninfo(
            host=",".join("127.0.0.1" for _ in used),
            port=",".join(str(node.port) for node in used),
            user=SUPERUSER["username"],
            password=SUPERUSER["password"],
            **({"dbname": "postgres"} | words),
        )

    def primary(self) -> Node | None:
        """The node that holds the leader's key, and takes writes."""
        return next((node for node in self.nodes if node.is_primary()), None)

    def is_whole(self) -> bool:
        """A primary with two standbys, all of one timeline, and Patroni knows which standby is synchronous."""
        states = [node.state() for node in self.nodes]
        leaders = [
            state for state in states if state.get("role") == "master" and state.get("state") == "running"
        ]
        if len(leaders) != 1 or len({state.get("timeline") for state in states}) != 1:
            return False
        return len(leaders[0].get("replication", [])) == 2 and any(
            state.get("sync_standby") for state in states
        )

    def logs(self) -> str:
        return "\n".join(
            f"== {log.name}\n{log.read_text(errors='replace')[-4000:]}"
            for log in sorted(self._directory.glob("*.log"))
        )


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=1, trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


@contextmanager
def patroni() -> Iterator[Cluster]:
    """Whole, and gone afterwards."""
    for name in ("patroni", "etcd"):
        program(name)
    account = current_account()
    directory = Path(tempfile.mkdtemp(prefix="rolecall-failover-"))
    directory.chmod(0o755)
    try:
        with ExitStack() as stack:
            cluster = Cluster(directory, account, stack)
            try:
                cluster.start()
                yield cluster
            except BaseException:
                print(cluster.logs())
                raise
            finally:
                for node in cluster.nodes:
                    if node.patroni is not None:
                        node.kill()
    finally:
        shutil.rmtree(directory, ignore_errors=True)
