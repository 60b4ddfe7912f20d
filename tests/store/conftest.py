"""A database of the store's own for each test."""

from __future__ import annotations

import asyncio
import secrets
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from tests.conftest import store_admin

from rolecall.store.schema import migrate
from rolecall.store.serving import make_serving_role
from rolecall.values import Secret

SERVING = "serving_in_tests"
_SERVING_PASSWORD = Secret(secrets.token_urlsafe(16))


@pytest.fixture
def empty(rolecall: Any) -> Secret:
    """A database of its own on the run's store server, without tables."""
    return _created(rolecall.data)


@pytest.fixture(scope="session")
def migrated(rolecall: Any) -> str:
    """The name of a database with all tables, to be copied."""
    made = _created(rolecall.data)
    with ThreadPoolExecutor(1) as thread:  # asked for inside a running loop too
        thread.submit(lambda: asyncio.run(migrate(made))).result()
    return str(conninfo_to_dict(made.reveal())["dbname"])


@pytest.fixture
def dsn(rolecall: Any, migrated: str) -> Secret:
    """The same with all tables."""
    return _created(rolecall.data, f"template {migrated}")


@pytest.fixture(scope="module")
def module_dsn(rolecall: Any, migrated: str) -> Secret:
    """The same for all tests of a module."""
    return _created(rolecall.data, f"template {migrated}")


def _created(data: Path, how: str = "") -> Secret:
    server = store_admin(data)
    database = f"store_{secrets.token_hex(4)}"
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f"create database {database} {how}".encode())
    return Secret(make_conninfo(server, dbname=database))


@pytest.fixture
async def serving(dsn: Secret) -> Secret:
    """The address of the role that serves there; `dsn` owns the tables."""
    return await make_serving_role(dsn, SERVING, _SERVING_PASSWORD)
