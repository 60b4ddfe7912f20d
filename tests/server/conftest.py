"""What the tests over the wire share: snapshots of what must not change, servers of their own, a strict replica."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import httpx
import psycopg
import pytest
from tests import waiting
from tests.clients.petadata_cloud import cloud as cloud  # a fixture
from tests.conftest import Rolecall, store_admin
from tests.server.ciam import Ciam
from tests.server.replica import replica
from tests.server.wire import Wire

from rolecall.local.postgres import LocalPostgres
from rolecall.values import Secret


@pytest.fixture(scope="session")
def until() -> Callable[[Callable[[], bool]], bool]:
    """Ask again and again until it is so."""

    return waiting.until


def store_rows(running: Rolecall, query: str, *values: Any) -> list[tuple[Any, ...]]:
    """Rows of a query on Rolecall's own store, asked as its owner."""
    with psycopg.connect(
        store_admin(running.data), autocommit=True, options="-c search_path=rolecall"
    ) as connection:
        cursor = connection.execute(query, values or None)  # type: ignore[arg-type]
        return cursor.fetchall() if cursor.description else []


@pytest.fixture(scope="session")
def store(rolecall: Rolecall) -> Callable[..., list[tuple[Any, ...]]]:
    """Rows of a query on the store of the run's Rolecall."""
    return lambda query, *values: store_rows(rolecall, query, *values)


Untouched = Callable[[], AbstractContextManager[None]]

_EVERYTHING = (
    "select 'role', rolname, to_jsonb(r) - 'rolpassword' from pg_roles r union all"
    " select 'member', m.oid::text, to_jsonb(m) from pg_auth_members m union all"
    " select 'database', datname, to_jsonb(d) from pg_database d order by 1, 2"
)


@pytest.fixture(scope="session")
def untouched(rolecall: Rolecall) -> Untouched:
    """What is done inside changes no role, membership or database of the quickstart engine."""
    made = f"first_{secrets.token_hex(4)}"  # the first account brings the group of super accounts with it
    rolecall.ok("CreateAccount", UserName=made, Type="normal")
    rolecall.ok("DeleteAccount", UserName=made)

    @contextmanager
    def guard() -> Iterator[None]:
        before = _frozen(rolecall.sql(_EVERYTHING))
        yield
        assert _frozen(rolecall.sql(_EVERYTHING)) == before

    return guard


def _frozen(rows: list[tuple[Any, ...]]) -> list[str]:
    """Rows without the counters that autovacuum moves."""
    moving = ("datfrozenxid", "datminmxid")
    return [
        json.dumps([kind, name, {k: v for k, v in row.items() if k not in moving}])
        for kind, name, row in rows
    ]


@pytest.fixture(scope="session")
def unreached(rolecall: Rolecall, untouched: Untouched) -> Untouched:
    """What is done inside never gets as far as an operation, so it reaches no engine."""

    @contextmanager
    def guard() -> Iterator[None]:
        before = store_rows(rolecall, "select count(*) from operations")
        with untouched():
            yield
        assert store_rows(rolecall, "select count(*) from operations") == before

    return guard


@pytest.fixture
def register(rolecall: Rolecall) -> Iterator[Callable[..., str]]:
    """Registers a server as a further instance, without looking at it first; its id. Forgotten afterwards."""
    registered: list[str] = []

    def add(host: str, port: int, user: str, password: str) -> str:
        url = f"postgresql://{user}@{host}:{port}/postgres"
        done = rolecall.cli(
            "instance", "add", url, "--unchecked", "--json", ROLECALL_INSTANCE_PASSWORD=password
        )
        public_id = str(json.loads(done.stdout)[0]["id"])
        registered.append(public_id)
        return public_id

    yield add
    for public_id in registered:
        rolecall.cli("instance", "remove", public_id)


@pytest.fixture(scope="module")
def own_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalPostgres]:
    """A running PostgreSQL server that a test may stop."""
    directory = tmp_path_factory.mktemp("own") / "server"
    server = LocalPostgres(
        directory, password=Secret(secrets.token_hex(8)), settings={"shared_buffers": "16MB"}
    )
    with server:
        yield server


@pytest.fixture(scope="session")
def strict(rolecall: Rolecall, until: Callable[[Callable[[], bool]], None]) -> Iterator[Rolecall]:
    """A replica, `rolecall serve` on the same store: the vendor's rates, no server new enough for super accounts."""
    with replica(rolecall, until, rate_limit="contract", super_min_version="99") as running:
        yield running


@pytest.fixture(scope="module")
def nothing_reached(unreached: Untouched) -> Iterator[None]:
    """No test of the module may lead to an operation, or change a role or a database."""
    with unreached():
        yield


@pytest.fixture(scope="module")
def wire(rolecall: Rolecall) -> Iterator[Wire]:
    with httpx.Client(base_url=rolecall.endpoint, timeout=60, trust_env=False) as client:
        yield Wire(rolecall, client)
        assert rolecall.process.poll() is None
        assert client.get("/readyz").json() == {"status": "ready"}


@pytest.fixture
def ciam(rolecall: Rolecall) -> Iterator[Ciam]:
    """Calls on a user store of the test's own."""
    owner = Ciam(rolecall)
    made = owner.call("CreateUserStore", {"UserPoolName": f"test {secrets.token_hex(6)}"})
    yield Ciam(rolecall, made["UserStoreId"])
    owner.call("DeleteUserStore", {"UserPoolId": made["UserStoreId"]})
