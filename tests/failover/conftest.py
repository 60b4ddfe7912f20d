"""The cluster, and two replicas on it with the run's engine: started once for the module that uses them."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests.conftest import Rolecall
from tests.failover.cluster import Cluster, patroni
from tests.programs import ROLECALL, forks
from tests.server.replica import answers, free_port
from tests.waiting import PATIENCE, until

from rolecall.domain.secrets.sealing import new_master_key


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    with patroni() as whole:
        yield whole


@dataclass
class Deployment:
    """A store, at that address for SQL, with an owner, a key and the run's engine; `rolecall` signs with the key."""

    store: str
    rolecall: Rolecall
    environment: dict[str, str]
    user_store: str
    place: Path

    def run(self, *arguments: str) -> str:
        return forks().run(ROLECALL, arguments, self.environment, check=True, timeout=PATIENCE).stdout

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Of the store."""
        with psycopg.connect(self.store) as connection:
            return connection.execute(query.encode()).fetchall()

    @contextmanager
    def replicas(self, number: int) -> Iterator[list[Rolecall]]:
        """Processes that serve, ready."""
        with ExitStack() as stack:
            yield [stack.enter_context(self._replica()) for _ in range(number)]

    @contextmanager
    def _replica(self) -> Iterator[Rolecall]:
        port = free_port()
        endpoint = f"http://127.0.0.1:{port}"
        with (self.place / f"replica-{port}.log").open("wb") as output:
            arguments = ["serve", "--listen", f"127.0.0.1:{port}"]
            process = forks().start(ROLECALL, arguments, self.environment, stdout=output, stderr=output)
        running = replace(self.rolecall, process=process, ready=self.rolecall.ready | {"endpoint": endpoint})
        try:
            until(lambda: process.poll() is not None or answers(endpoint))
            yield running
        finally:
            running.stop()


def deploy(rolecall: Rolecall, store: str, address: str, place: Path) -> Deployment:
    """A store that Rolecall reaches by the address; its engine is that of the run, which stays."""
    engine = rolecall.ready["engines"]["postgres"]
    environment = {
        **os.environ,
        "ROLECALL_DATABASE_URL": address,
        "ROLECALL_MASTER_KEY": new_master_key(),
        "ROLECALL_INSTANCE_PASSWORD": engine["password"],
        "ROLECALL_RATE_LIMIT": "off",
        "ROLECALL_SUB_USER_RATE": "0",
        "ROLECALL_SUB_USER_QUOTA": "1000000",
        "ROLECALL_USER_RATE": "0",
        "ROLECALL_DRIFT_CHECK_SECONDS": "0",  # as in the shared Rolecall
    }
    made = Deployment(store, rolecall, environment, "", place)
    (key,) = json.loads(made.run("key", "create", "--owner", "--json"))
    url = f"postgresql://{engine['user']}@{engine['host']}:{engine['port']}/postgres"
    (instance,) = json.loads(made.run("instance", "add", url, "--json"))
    (users,) = json.loads(made.run("store", "add", "people", "--json"))
    tencent = rolecall.tencent | {
        "secret_id": key["secret_id"],
        "secret_key": key["secret_key"],
        "postgres_instance_id": instance["id"],
    }
    made.rolecall = replace(rolecall, ready=rolecall.ready | {"tencent": tencent})
    made.user_store = users["store"]
    return made


def deploy_on(cluster: Cluster, rolecall: Rolecall, place: Path) -> Deployment:
    """With a role of its own, and all hosts in the address, which does not name `target_session_attrs`."""
    password = secrets.token_urlsafe(12)
    with psycopg.connect(cluster.address(target_session_attrs="read-write"), autocommit=True) as admin:
        admin.execute(f"create role rolecall login password '{password}'".encode())
        admin.execute("create database rolecall owner rolecall")
    hosts = ",".join(f"127.0.0.1:{node.port}" for node in cluster.nodes)
    store = cluster.address(dbname="rolecall", target_session_attrs="read-write", connect_timeout="3")
    return deploy(rolecall, store, f"postgresql://rolecall:{password}@{hosts}/rolecall", place)


@pytest.fixture(scope="module")
def deployment(rolecall: Rolecall, cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    return deploy_on(cluster, rolecall, tmp_path_factory.mktemp("failover"))
