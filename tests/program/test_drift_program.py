"""`rolecall account check`, `adopt` and `reassert` on a running server, and what the periodic check leaves."""

from __future__ import annotations

import json
from collections.abc import Callable
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


def test_all_that_have_drifted_are_put_back_or_adopted_once(
    rolecall: Rolecall, place: str, name: Callable[[], str]
) -> None:
    """Each leaves one audit record, and a second run finds nothing."""
    on, prefix = ("--instance", place), name()
    names, every = [f"{prefix}_{number}" for number in range(3)], ("--all", "--filter", prefix, "--json", *on)
    for account in names:
        rolecall.ok("CreateAccount", UserName=account, Type="normal", Password="Corr3ct-horse")
    sql(
        rolecall,
        f'ALTER ROLE "{names[0]}" CONNECTION LIMIT 3',
        f"ALTER ROLE \"{names[1]}\" PASSWORD 'by-sql' CONNECTION LIMIT 3",
        f"ALTER ROLE \"{names[2]}\" PASSWORD 'by-sql'",
    )
    asked = rolecall.cli("account", "adopt", *every, check=False)
    assert (asked.returncode, asked.stdout, "--yes confirms" in asked.stderr) == (1, "", True)
    planned = rolecall.cli("account", "reassert", "--dry-run", *every, check=False)
    assert (planned.returncode, results(planned)) == (
        1,
        {names[0]: "would be put back", names[1]: "in part", names[2]: "refused"},
    )
    limited = rolecall.cli("account", "adopt", "--dry-run", "--field", "connection_limit", *every)
    assert results(limited) == dict.fromkeys(names[:2], "would be adopted")

    done = rolecall.cli("account", "reassert", "--yes", *every, check=False)
    assert (done.returncode, results(done)) == (
        1,
        {names[0]: "put back", names[1]: "in part", names[2]: "refused"},
    )
    (refused,) = [row for row in json.loads(done.stdout) if row["name"] == names[2]]
    assert "password cannot be put back" in refused["reason"]
    adopted = rolecall.cli("account", "adopt", "--yes", *every)
    assert results(adopted) == dict.fromkeys(names[1:], "adopted")
    assert results(rolecall.cli("account", "adopt", "--yes", *every)) == {}

    listed = json.loads(rolecall.cli("audit", "list", "--json", "--limit", "1000").stdout)
    resolved = [(row["action"], row["target"]) for row in listed if row["target"] in names]
    assert sorted(one for one in resolved if one[0].startswith("account ")) == [
        *(("account adopt", account) for account in names[1:]),
        *(("account reassert", account) for account in names[:2]),
    ]
    for account in names:
        rolecall.ok("DeleteAccount", UserName=account)


def test_accounts_of_another_standing_are_adopted_if_they_are_asked_for(
    rolecall: Rolecall, place: str, name: Callable[[], str]
) -> None:
    account = name()
    every = ("--all", "--filter", account, "--yes", "--instance", place)
    sql(rolecall, f'CREATE ROLE "{account}" LOGIN')
    adopted = rolecall.cli("account", "adopt", "--standing", "foreign", *every).stdout
    assert adopted.endswith("\n1 adopted\n")
    rolecall.ok("DeleteAccount", UserName=account)


@pytest.mark.parametrize(
    "words", [("adopt",), ("adopt", "x", "--all"), ("reassert", "x", "--field", "login")], ids=" ".join
)
def test_a_name_and_all_exclude_each_other(rolecall: Rolecall, place: str, words: tuple[str, ...]) -> None:
    done = rolecall.cli("account", *words, "--instance", place, check=False)
    assert (done.returncode, done.stdout, "--all" in done.stderr) == (1, "", True)


def results(done: Any) -> dict[str, str]:
    return {row["name"]: row["result"] for row in json.loads(done.stdout)}
