"""A database of the store's own for each test."""

from __future__ import annotations

import json
import secrets
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from rolecall.values import Secret


@pytest.fixture
def dsn(rolecall: Any) -> Secret:
    """A database of its own on the run's store server."""
    server = json.loads((rolecall.data / "connection.json").read_text())["database_url"]
    database = f"store_{secrets.token_hex(4)}"
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f"create database {database}".encode())
    return Secret(make_conninfo(server, dbname=database))
