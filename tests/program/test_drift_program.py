"""`rolecall account check`, `adopt` and `reassert` on a running server, and what the periodic check leaves."""

from __future__ import annotations

import json
from typing import Any

import psycopg
import pytest
from tests.conftest import Rolecall


@pytest.fixture
def place(rolecall: Rolecall) -> str:
    return str(rolecall.tencent["postgres_instance_id"])


def sql(rolecall: Rolecall, *statements: str) -> None:
    engine = rolecall.ready["engines"]["postgres"]
    login = {word: engine[word] for word in ("host", "port", "user", "password")}
    with psycopg.connect(**login, dbname=engine["database"], autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def checked(rolecall: Rolecall, place: str, name: str, *options: str) -> tuple[int, list[dict[str, Any]]]:
    done = rolecall.cli("account", "check", place, name, "--json", *options, check=False)
    return done.returncode, json.loads(done.stdout)


def test_drift_is_found_adopted_and_put_back(rolecall: Rolecall, place: str, name: str) -> None:
    on = ("--instance", place)
    rolecall.cli("account", "create", name, "--generate", *on)
    assert checked(rolecall, place, name) == (0, [])
    sql(rolecall, f'ALTER ROLE "{name}" CONNECTION LIMIT 3 NOLOGIN')
    status, rows = checked(rolecall, place, name)
    assert status == 1
    assert {(row["field"], row["recorded"], row["found"]) for row in rows} == {
        ("login", "allowed", "not allowed"),
        ("connection_limit", "no limit", "3"),
    }
    assert [row["field"] for row in checked(rolecall, place, name, "--field", "login")[1]] == ["login"]
    whole = rolecall.cli("account", "check", place, "--filter", name, check=False)
    assert (whole.returncode, "not allowed" in whole.stdout) == (1, True)
    planned = rolecall.cli("account", "reassert", name, "--dry-run", *on).stdout
    assert "would be put back" in planned
    assert len(checked(rolecall, place, name)[1]) == 2
    rolecall.cli("account", "reassert", name, *on)
    assert checked(rolecall, place, name) == (0, [])
    sql(rolecall, f"ALTER ROLE \"{name}\" PASSWORD 'by-sql'")
    refused = rolecall.cli("account", "reassert", name, *on, check=False)
    assert (refused.returncode, "password" in refused.stderr) == (1, True)
    (adopted,) = json.loads(rolecall.cli("account", "adopt", name, "--json", *on).stdout)
    assert (adopted["adopted"], [one["field"] for one in adopted["differences"]]) == (True, ["password"])
    assert checked(rolecall, place, name) == (0, [])
    assert "as recorded" in rolecall.cli("account", "adopt", name, *on).stdout
    rolecall.cli("account", "delete", name, "--yes", *on)


def test_a_verifier_and_a_fingerprint_are_never_shown(rolecall: Rolecall, place: str, name: str) -> None:
    rolecall.cli("account", "create", name, "--generate", "--instance", place)
    sql(rolecall, f"ALTER ROLE \"{name}\" PASSWORD 'by-sql'")
    _, (row,) = checked(rolecall, place, name)
    assert (row["recorded"], row["found"]) == ("one that Rolecall set", "another one")
    rolecall.cli("account", "adopt", name, "--instance", place)
    listed = rolecall.cli("audit", "list", "--json", "--limit", "1000").stdout
    assert "account.adopt" in listed
    assert "SCRAM" not in listed
    rolecall.cli("account", "delete", name, "--yes", "--instance", place)
