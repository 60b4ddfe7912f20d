"""What tests of the program share."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from tests.conftest import store_admin


@pytest.fixture
def production(rolecall: Any, name: Callable[[str], str]) -> Iterator[dict[str, str]]:
    """The environment of a production Rolecall, with a temporary directory and a mark of its own."""
    store = store_admin(rolecall.data)
    database = name("processes")
    with psycopg.connect(store, autocommit=True) as admin:
        admin.execute(f"create database {database}".encode())
    # Not in pytest's own, whose name may be too long for the sockets in it.
    with tempfile.TemporaryDirectory(prefix="rolecall-tests-") as temporary:
        yield {
            **os.environ,
            "ROLECALL_DATABASE_URL": make_conninfo(store, dbname=database),
            "ROLECALL_MASTER_KEY": json.loads((rolecall.data / "secrets.json").read_text())["master_key"],
            "TMPDIR": temporary,
            "MARK": name("mark"),
        }
