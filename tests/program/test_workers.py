"""Two workers on one port: rates, quotas and the lane to a server are those of one."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest
from tests.collector import Collector, collector
from tests.program.served import processes_with, served
from tests.programs import ROLECALL, forks
from tests.waiting import PATIENCE, until

from rolecall.local import LocalPostgres
from rolecall.signing import tc3
from rolecall.values import Secret

RATE = 10
WIDTH = 4
QUOTA = 5
CONNECTIONS = 8
"""Of each worker to the store, in one pool: the default."""
VERSIONS = {"postgres": "2017-03-12", "cam": "2019-01-16", "ciam": "2022-03-31"}


@dataclass(frozen=True)
class Workers:
    """Two workers in production, and the key of the owner."""

    environment: Mapping[str, str]
    address: str
    key: Mapping[str, Any]

    def cli(self, *arguments: str) -> Any:
        done = forks().run(ROLECALL, [*arguments, "--json"], self.environment, timeout=PATIENCE, check=True)
        return json.loads(done.stdout)

    def call(self, action: str, service: str = "postgres", **parameters: object) -> str:
        """Its error's code, or ok. Each call has a connection of its own, which either worker accepts."""
        payload = json.dumps(parameters).encode()
        headers = tc3.post_headers(
            self.key["secret_id"], Secret(self.key["secret_key"]), service=service, version=VERSIONS[service],
            action=action, region="ap-guangzhou", timestamp=int(time.time()), host=self.address, payload=payload,
        )  # fmt: skip
        answer = httpx.post(
            f"http://{self.address}/", content=payload, headers=headers, trust_env=False, timeout=PATIENCE
        )
        error: Mapping[str, str] = answer.json()["Response"].get("Error", {"Code": "ok"})
        return error["Code"]

    def at_once(self, *calls: Callable[[], str]) -> Sequence[str]:
        with ThreadPoolExecutor(16) as threads:
            return [done.result() for done in [threads.submit(call) for call in calls]]


@pytest.fixture(scope="module")
def collecting() -> Iterator[Collector]:
    with collector() as one:
        yield one


@pytest.fixture
def workers(
    production: dict[str, str], collecting: Collector, request: pytest.FixtureRequest
) -> Iterator[Workers]:
    traced = {"ROLECALL_TRACES_ENDPOINT": collecting.url}
    environment = {**production, **traced, **getattr(request, "param", {})}
    done = forks().run(
        ROLECALL, ["key", "create", "--owner", "--json"], environment, timeout=PATIENCE, check=True
    )
    with served(environment, 2) as (_, address):
        until(lambda: len(processes_with(f"MARK={environment['MARK']}")) >= 3)
        yield Workers(environment, address, json.loads(done.stdout)[0])


@pytest.mark.parametrize(
    "workers", [{"ROLECALL_USER_RATE": str(RATE), "ROLECALL_RATE_LIMIT": "1000"}], indirect=True
)
def test_an_owner_has_the_rate_once(workers: Workers) -> None:
    """The rate of a minute, which a busy machine exceeds as well."""
    (store,) = workers.cli("store", "add", "people")

    def delete() -> str:
        return workers.call("DeleteUsers", "ciam", UserStoreId=store["store"], UserIds=[uuid4().hex])

    answers = Counter(workers.at_once(*[delete] * (3 * RATE)))
    assert answers == {"ok": RATE, "RequestLimitExceeded.FrequentRequest": 2 * RATE}


@pytest.mark.parametrize("workers", [{"ROLECALL_SUB_USER_QUOTA": str(QUOTA)}], indirect=True)
def test_a_quota_holds_for_both(workers: Workers) -> None:
    def add(number: int) -> str:
        return workers.call("AddUser", "cam", Name=f"user{number}")

    answers = workers.at_once(*(lambda number=number: add(number) for number in range(3 * QUOTA)))
    assert answers.count("ok") == QUOTA


@pytest.fixture
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalPostgres]:
    with LocalPostgres(tmp_path_factory.mktemp("own"), password=Secret("Own-pass-1")) as own:
        yield own


@pytest.mark.parametrize(
    "workers", [{"ROLECALL_LANE_WIDTH": str(WIDTH), "ROLECALL_RATE_LIMIT": "off"}], indirect=True
)
def test_the_workers_share_the_lane_to_a_server(
    workers: Workers, server: LocalPostgres, tmp_path: Path, collecting: Collector
) -> None:
    password = tmp_path / "password"
    password.write_text(server.password.reveal())
    url = f"postgresql://postgres@{server.host}:{server.port}/postgres"
    (instance,) = workers.cli("instance", "add", url, "--password-file", str(password))
    most, ended = 0, threading.Event()

    def watch() -> None:
        nonlocal most
        query = "select count(*) from pg_stat_activity where application_name = 'rolecall'"
        with psycopg.connect(server.dsn().reveal(), autocommit=True) as admin:
            while not ended.is_set():
                row = admin.execute(query).fetchone()
                most = max(most, 0 if row is None else row[0])

    def create(number: int) -> str:
        return workers.call(
            "CreateAccount",
            DBInstanceId=instance["id"],
            UserName=f"user{number}",
            Password="Pw123456_",
            Type="normal",
        )

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        answers = workers.at_once(*(lambda number=number: create(number) for number in range(40)))
    finally:
        ended.set()
        watching.join()
    assert set(answers) == {"ok"}
    assert 2 <= most <= WIDTH
    until(lambda: len({span.resource["service.instance.id"] for span in list(collecting.spans)}) >= 2)
    most_to_store = f'rolecall_store_connections_most{{pool="durable"}} {2 * CONNECTIONS}.0'
    until(lambda: most_to_store in metrics_of(workers))


def metrics_of(workers: Workers) -> str:
    """Of all workers, whichever answers."""
    return httpx.get(f"http://{workers.address}/metrics", trust_env=False, timeout=PATIENCE).text
