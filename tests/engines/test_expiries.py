"""Accounts whose password has expired, or does soon, are counted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.engines.conftest import harness_of

from rolecall.domain.instances.examination import Expiries

POSTGRES = (
    "CREATE ROLE {name}_never LOGIN",
    "CREATE ROLE {name}_infinity LOGIN VALID UNTIL 'infinity'",
    "CREATE ROLE {name}_past LOGIN VALID UNTIL '2020-01-01'",
    "CREATE ROLE {name}_locked NOLOGIN VALID UNTIL '2020-01-01'",
    "DO $$ BEGIN EXECUTE format('CREATE ROLE {name}_soon LOGIN VALID UNTIL %L', now() + interval '6 days'); END $$",
    "DO $$ BEGIN EXECUTE format('CREATE ROLE {name}_later LOGIN VALID UNTIL %L', now() + interval '8 days'); END $$",
)
MARIADB = (
    "CREATE USER {name}_never IDENTIFIED BY 'x' PASSWORD EXPIRE NEVER",
    "CREATE USER {name}_marked IDENTIFIED BY 'x' PASSWORD EXPIRE",
    "CREATE USER {name}_locked IDENTIFIED BY 'x' PASSWORD EXPIRE ACCOUNT LOCK",
    "CREATE USER {name}_soon IDENTIFIED BY 'x' PASSWORD EXPIRE INTERVAL 6 DAY",
    "CREATE USER {name}_later IDENTIFIED BY 'x' PASSWORD EXPIRE INTERVAL 8 DAY",
    "CREATE ROLE {name}_role",
    "SET timestamp = UNIX_TIMESTAMP() - 10 * 86400",
    "CREATE USER {name}_past IDENTIFIED BY 'x' PASSWORD EXPIRE INTERVAL 6 DAY",
)


@pytest.mark.parametrize(
    ("kind", "statements", "more"),
    [("postgres", POSTGRES, Expiries(1, 1)), ("mariadb", MARIADB, Expiries(2, 1))],
)
async def test_accounts_that_have_expired_or_do_soon_are_counted(
    kind: str,
    statements: tuple[str, ...],
    more: Expiries,
    request: pytest.FixtureRequest,
    unique: Callable[[str], str],
) -> None:
    harness = harness_of(kind, request)
    engine: Any = harness.engine
    name = unique("e")
    before = await engine.expiries()
    await harness.sql(*(statement.format(name=name) for statement in statements))
    after = await engine.expiries()
    await engine.close()
    assert Expiries(after.expired - before.expired, after.soon - before.soon) == more
