"""A database of the store's own for each test."""

from __future__ import annotations

import secrets
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from tests.conftest import store_admin

from rolecall.store.serving import make_serving_role
from rolecall.values import Secret

SERVING = "serving_in_tests"
_SERVING_PASSWORD = Secret(secrets.token_urlsafe(16))


@pytest.fixture
def dsn(rolecall: Any) -> Secret:
    """A database of its own on the run's store server."""
    server = store_admin(rolecall.data)
    database = f"store_{secrets.token_hex(4)}"
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f"create database {database}".encode())
    return Secret(make_conninfo(server, dbname=database))


@pytest.fixture
async def serving(dsn: Secret) -> Secret:
    """The address of the role that serves there; `dsn` owns the tables."""
    return await make_serving_role(dsn, SERVING, _SERVING_PASSWORD)
