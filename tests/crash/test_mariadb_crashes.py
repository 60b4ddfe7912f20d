"""Accounts on MariaDB: killed between two steps, or at any moment while several are made, each is whole or absent."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import httpx
import pytest
from tests.clients.petadata_cloud import MariaDb
from tests.crash.kinds import petadata
from tests.waiting import until

PASSWORD = "Pw123456"
CREATE = "account.create"
Call = Callable[..., httpx.Response]


@pytest.fixture
def server(rolecall: Any) -> Iterator[MariaDb]:
    one = MariaDb(rolecall)
    yield one
    one.close()


@pytest.fixture
def create(crash_bench: Any, mariadb_instance: str) -> Call:
    """A signed CreateAccount at an endpoint of the crash bench."""

    def call(endpoint: str, name: str, **more: str) -> httpx.Response:
        params = {"AccountName": name, "AccountPassword": PASSWORD, **more}
        return petadata(crash_bench, endpoint, mariadb_instance, "CreateAccount", **params)

    return call


@pytest.fixture
def database(server: MariaDb) -> Iterator[str]:
    name = word("d")
    server.sql(f"CREATE DATABASE {name}")
    yield name
    server.sql(f"DROP DATABASE {name}")


def word(letter: str = "a") -> str:
    """A name as PetaData takes it: a letter, then letters and digits, at most ten."""
    return letter + uuid4().hex[:9]


def left_of(server: MariaDb, name: str) -> list[tuple[Any, ...]]:
    return server.sql(f"SELECT User FROM mysql.global_priv WHERE User = '{name}'")


@pytest.mark.parametrize("step", ["accepted", "applied", "recorded"])
def test_a_crash_while_creating_leaves_the_account_whole_and_recorded_or_absent(
    crash_bench: Any, create: Call, server: MariaDb, database: str, step: str
) -> None:
    name = word()
    with crash_bench.server(step) as endpoint, pytest.raises(httpx.TransportError):
        create(endpoint, name, DBName=database)
    with crash_bench.server() as endpoint:
        if step == "accepted":
            assert left_of(server, name) == []
            assert crash_bench.operations(f"{name}@%") == [(CREATE, "undone")]
            assert create(endpoint, name, DBName=database).status_code == 200
        else:
            assert crash_bench.operations(f"{name}@%") == [(CREATE, "recorded")]
            assert create(endpoint, name).status_code != 200
    assert server.may(name, PASSWORD, database, "CREATE TABLE IF NOT EXISTS t (id INT)")


def test_a_process_killed_while_it_makes_accounts_together_leaves_none_half_made(
    crash_bench: Any, create: Call, server: MariaDb, database: str
) -> None:
    """Eight clients create accounts until the process is killed at a random time."""
    names = [word() for _ in range(600)]
    answered: list[str] = []
    with crash_bench.server() as endpoint:
        stop = threading.Event()

        def client(some: list[str]) -> None:
            for name in some:
                if stop.is_set():
                    return
                try:
                    assert create(endpoint, name, DBName=database).status_code == 200
                except httpx.TransportError:
                    return
                answered.append(name)

        with ThreadPoolExecutor(8) as clients:
            done = [clients.submit(client, names[number::8]) for number in range(8)]
            until(lambda: len(answered) >= 10 or any(one.done() for one in done), pause=0.001)
            time.sleep(random.uniform(0, 0.03))
            crash_bench.kill()
            stop.set()
            for one in done:
                one.result()
    with crash_bench.server():
        for name in names:
            states = crash_bench.operations(f"{name}@%")
            if not states:
                assert name not in answered
                continue
            ((kind, state),) = states
            is_there = server.may(name, PASSWORD, database, "SELECT 1")
            assert (kind, state) == (CREATE, "recorded" if is_there else "undone")
            assert is_there == bool(left_of(server, name))
            assert is_there or name not in answered
