"""A tenant may do what it likes with what it owns: that protects nobody from a change, and stops none (A1, A7)."""

from __future__ import annotations

from uuid import uuid4

import pytest
from tests.engines.test_revocation import CHANGES

from rolecall.domain.engine import AccountKind, NewDatabase

# What the owner of a database may do to it.
DOINGS = {
    "made a template": "IS_TEMPLATE true",
    "short transactions": "SET transaction_timeout = '1ms'",
    "short sessions": "SET idle_session_timeout = '1ms'",
    "a library that is missing": "SET local_preload_libraries = 'missing'",
    "no connections": "CONNECTION LIMIT 0",
    "closed": "ALLOW_CONNECTIONS false",
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("doing", DOINGS)
async def test_the_owner_of_a_database_makes_nobody_irrevocable(postgres, make, unique, doing, change):
    owner, other = await make(postgres.engine), await make(postgres.engine)
    database = unique("db")
    await postgres.engine.create_database(NewDatabase(database, owner.name, uuid4()))
    for one in (owner, other):
        await postgres.sql(f"CREATE SCHEMA {one.name} AUTHORIZATION {one.name}", database=database)
    await postgres.sql(f"ALTER DATABASE {database} {DOINGS[doing]}", user=owner.name, password=make.PASSWORD)
    for one in (other, owner):
        await CHANGES[change](postgres.engine, one.name)
        assert not await postgres.can_log_in(one.name, make.PASSWORD)
    found = await postgres.sql(f"SELECT datallowconn FROM pg_database WHERE datname = '{database}'")
    assert found == [(doing != "closed",)]


@pytest.mark.parametrize("change", CHANGES)
async def test_deleting_who_made_an_account_by_sql_leaves_it_revocable(postgres, make, unique, change):
    """Also at two removes: nobody administers it then, and BYPASSRLS would have protected it."""
    boss, between, child = (
        await make(postgres.engine, kind=AccountKind.SUPER),
        unique("between"),
        unique("child"),
    )
    made = "CREATE ROLE {} LOGIN BYPASSRLS CREATEROLE PASSWORD 'Word-of-1ts-own'"
    await postgres.sql(made.format(between), user=boss.name, password=make.PASSWORD)
    await postgres.sql(made.format(child), user=between, password="Word-of-1ts-own")
    assert await postgres.engine.drop_account(between, uuid4())
    await CHANGES[change](postgres.engine, child)
    assert not await postgres.can_log_in(child, "Word-of-1ts-own")
