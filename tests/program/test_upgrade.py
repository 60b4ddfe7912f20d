"""`rolecall upgrade`: what it says, what it does, and its exit status."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import psycopg
from tests.programs import ROLECALL, forks
from tests.waiting import PATIENCE

from rolecall.cli.upgrade import OUTSTANDING
from rolecall.store.schema import migrations

NAMES = [migration.name for migration in migrations()]


def upgrade(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return forks().run(ROLECALL, ["upgrade", *arguments], environment, timeout=PATIENCE)


def row(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    (found,) = json.loads(done.stdout)
    return dict(found)


def test_a_store_is_checked_and_upgraded(production: dict[str, str]) -> None:
    before = upgrade(production, "--check", "--json")
    assert before.returncode == OUTSTANDING
    assert row(before)["outstanding"] == NAMES
    assert row(before)["standing"] == "to be migrated"
    again = upgrade(production, "--check")
    assert again.returncode == OUTSTANDING  # the check has changed nothing
    done = upgrade(production, "--json")
    assert (done.returncode, row(done)["standing"]) == (0, "migrated")
    after = upgrade(production, "--check", "--json")
    assert (after.returncode, row(after)["outstanding"], row(after)["standing"]) == (0, [], "up to date")


def test_a_store_of_a_newer_release_is_refused_in_a_line(production: dict[str, str]) -> None:
    assert upgrade(production).returncode == 0
    with psycopg.connect(production["ROLECALL_DATABASE_URL"]) as admin:
        admin.execute("insert into rolecall.migrations values (9000, '9000_x.sql', '')")
    done = upgrade(production, "--check")
    assert done.returncode == 1
    assert done.stderr.startswith(
        "rolecall: the store was migrated by a newer release (migration 9000_x.sql)"
    )
    with psycopg.connect(production["ROLECALL_DATABASE_URL"]) as admin:
        admin.execute("update rolecall.migrations set serves_beside = 1 where number = 9000")
    done = upgrade(production, "--check", "--json")
    assert (done.returncode, row(done)["newer"]) == (0, ["9000_x.sql"])
