"""Both ways of storing a verifier on PostgreSQL leave the same; one is taken only where it skips nothing."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from uuid import uuid4

import psycopg
import pytest
from tests.engines.conftest import EMBEDDED, PostgresHarness, Scratch
from tests.waiting import reached

from rolecall.domain.engine import AccountChange, AccountKind, NewAccount, VerifierWrite
from rolecall.domain.engine.identity import Superseded
from rolecall.domain.reasons import Reason, Refused
from rolecall.engines import scram
from rolecall.engines.postgresql import PostgresEngine, statements, verifiers
from rolecall.values import Secret

CATALOG, STATEMENT = VerifierWrite.CATALOG, VerifierWrite.STATEMENT
NEW = "An0ther-horse"


@pytest.fixture(params=["scratch", "scratch_15"])
def server(request: pytest.FixtureRequest) -> Scratch:
    """Every version at hand."""
    found: Scratch = request.getfixturevalue(request.param)
    return found


@pytest.fixture(params=["restartable", "scratch_15"])
def loud(request: pytest.FixtureRequest) -> Scratch:
    """The same, for administrators that may not silence the log: other tests search that of `scratch` for verifiers."""
    found: Scratch = request.getfixturevalue(request.param)
    return found


@pytest.fixture(params=list(VerifierWrite))
async def writing(server: Scratch, request: pytest.FixtureRequest) -> AsyncIterator[PostgresHarness]:
    """Each version with each way."""
    harness = PostgresHarness(server, request.param)
    yield harness
    assert (await harness.engine.facts()).verifier_write is request.param
    await harness.engine.close()


@pytest.fixture
async def catalog(server: Scratch) -> AsyncIterator[PostgresHarness]:
    harness = PostgresHarness(server, CATALOG)
    yield harness
    await harness.engine.close()


async def set_password(engine: PostgresEngine, name: str, password: str = NEW, **more):
    verifier = await asyncio.to_thread(engine.verifier, name, Secret(password))
    return await engine.change_account(AccountChange(name, uuid4(), verifier=verifier, **more))


async def test_each_password_logs_in_until_the_next(writing, make):
    made = await make(writing.engine)
    assert await writing.can_log_in(made.name, make.PASSWORD)
    changed = await set_password(writing.engine, made.name)
    assert made.verifier_write is changed.verifier_write
    assert made.verifier_write.value == writing.engine._server.address.options["verifier_write"]
    assert await writing.can_log_in(made.name, NEW)
    assert not await writing.can_log_in(made.name, make.PASSWORD)
    await writing.engine.change_account(AccountChange(made.name, uuid4(), may_log_in=False))
    unlocked = await set_password(writing.engine, made.name, make.PASSWORD, may_log_in=True)
    assert unlocked.verifier_write is made.verifier_write
    assert await writing.can_log_in(made.name, make.PASSWORD)


async def test_what_stores_no_verifier_tells_no_way(writing, make):
    made = await make(writing.engine, password=None)
    assert made.verifier_write is None
    assert not made.has_password
    locked = await writing.engine.change_account(AccountChange(made.name, uuid4(), may_log_in=False))
    assert locked.verifier_write is None
    given = await set_password(writing.engine, made.name)
    assert given.has_password
    assert given.verifier_write is not None


@pytest.mark.parametrize("expires", ["NULL", "'infinity'", "'2001-01-01'"])
async def test_both_ways_leave_the_same_row(server, unique, expires):
    rows = []
    verifier, other = Secret(scram.verifier("Corr3ct-horse")), Secret(scram.verifier(NEW))
    for write in VerifierWrite:
        harness, name = PostgresHarness(server, write), unique("same")
        await harness.engine.create_account(NewAccount(name, AccountKind.NORMAL, verifier, uuid4()))
        query = f"SELECT to_jsonb(a) - 'oid' - 'rolname' FROM pg_authid a WHERE rolname = '{name}'"
        [(made,)] = await harness.sql(query)
        if expires != "NULL":
            await harness.sql(f"ALTER ROLE {name} VALID UNTIL {expires}")
        await harness.engine.change_account(AccountChange(name, uuid4(), verifier=other))
        [(changed,)] = await harness.sql(query)
        rows.append((made, changed))
        await harness.engine.close()
    assert rows[0] == rows[1]
    made, changed = rows[0]
    assert made["rolpassword"] == verifier.reveal()
    assert changed["rolpassword"] == other.reveal()
    assert re.fullmatch(r"SCRAM-SHA-256\$4096:[^$]+\$[^:]+:.+", changed["rolpassword"])
    ends = {"NULL": None, "'infinity'": "infinity", "'2001-01-01'": "2001-01-01T00:00:00+00:00"}
    assert changed["rolvaliduntil"] == ends[expires]


async def test_every_other_session_sees_the_new_password_at_once(writing, make, unique):
    """ALTER ROLE changes the row that its session has in its cache: it fails if the cache holds an older one."""
    made, database = await make(writing.engine), unique("db")
    await writing.sql(f"CREATE DATABASE {database}")
    async with await writing.connect() as here, await writing.connect(database) as there:
        for session in (here, there):
            await session.execute(f"ALTER ROLE {made.name} CONNECTION LIMIT 7")
        await set_password(writing.engine, made.name)
        for session in (there, here):
            await session.execute(f"ALTER ROLE {made.name} CONNECTION LIMIT 8")
    assert await writing.can_log_in(made.name, NEW)
    await writing.sql(f"DROP DATABASE {database}")


async def waits(harness) -> bool:
    query = "SELECT 1 FROM pg_locks WHERE locktype IN ('transactionid', 'tuple', 'object') AND NOT granted"
    return bool(await harness.sql(query))


async def test_a_change_by_sql_at_the_same_time_stays(writing, make):
    made = await make(writing.engine)
    async with await writing.connect() as other:
        await other.execute("BEGIN")
        await other.execute(f"ALTER ROLE {made.name} CONNECTION LIMIT 7")
        changing = asyncio.create_task(set_password(writing.engine, made.name))
        await reached(lambda: waits(writing))
        await other.execute("COMMIT")
    await changing
    assert await writing.can_log_in(made.name, NEW)
    assert await writing.sql(f"SELECT rolconnlimit FROM pg_authid WHERE oid = {made.oid}") == [(7,)]


async def test_a_change_by_sql_behind_ours_is_told_to_try_again(catalog, make):
    """As behind an ALTER ROLE."""
    made = await make(catalog.engine)
    async with await catalog.connect() as ours, await catalog.connect() as other:
        await ours.execute("BEGIN")
        await ours.execute(f"UPDATE pg_authid SET rolpassword = NULL WHERE oid = {made.oid}")
        changing = asyncio.create_task(other.execute(f"ALTER ROLE {made.name} CONNECTION LIMIT 7"))
        await reached(lambda: waits(catalog))
        await ours.execute("COMMIT")
        with pytest.raises(psycopg.errors.InternalError_, match="tuple concurrently updated"):
            await changing


async def test_an_account_that_sql_replaces_meanwhile_keeps_its_own_password(writing, make):
    made = await make(writing.engine)
    async with await writing.connect() as other:
        await other.execute("BEGIN")
        await other.execute(f"DROP ROLE {made.name}")
        await other.execute(f"CREATE ROLE {made.name} LOGIN")
        changing = asyncio.create_task(set_password(writing.engine, made.name, expected=made.expected))
        await reached(lambda: waits(writing))
        await other.execute("COMMIT")
    with pytest.raises(Superseded):
        await changing
    query = f"SELECT rolpassword FROM pg_authid WHERE rolname = '{made.name}'"
    assert await writing.sql(query) == [(None,)]


async def test_a_creation_that_is_refused_writes_nothing(catalog, make):
    made = await make(catalog.engine)
    with pytest.raises(Refused) as caught:
        await make(catalog.engine, made.name, password=NEW)
    assert caught.value.reason is Reason.ACCOUNT_TAKEN
    assert await catalog.can_log_in(made.name, make.PASSWORD)


async def test_another_role_of_the_name_is_not_written(catalog, make):
    made, verifier = await make(catalog.engine), Secret(scram.verifier(NEW))
    async with await catalog.connect() as connection:
        for name, oid, written in (
            ("x", made.oid, 0),
            (made.name, made.oid + 1, 0),
            (made.name, made.oid, 1),
        ):
            done = await connection.execute(statements.write_password(name, oid, verifier))
            assert done.rowcount == written
    assert await catalog.can_log_in(made.name, NEW)


async def test_a_mark_on_another_account_of_the_name_is_taken_back(writing, make):
    """Only SQL can replace an account while Rolecall has its lock."""
    made, operation = await make(writing.engine), uuid4()
    async with await writing.connect() as other:
        await other.execute("BEGIN")
        await other.execute(f"DROP ROLE {made.name}")
        await other.execute(f"CREATE ROLE {made.name} LOGIN")
        change = AccountChange(made.name, operation, expected=made.expected)
        changing = asyncio.create_task(writing.engine.change_account(change))
        await reached(lambda: waits(writing))
        await other.execute("COMMIT")
    with pytest.raises(Superseded):
        await changing
    found = await writing.engine.account(made.name)
    assert found is not None
    assert found.marker is None


# Where it is not used


def engine_of(server: Scratch, user: str, password: str) -> PostgresEngine:
    address = server.address(verifier_write=CATALOG)
    return PostgresEngine(replace(address, user=user, password=Secret(password)))


async def test_an_administrator_that_is_no_superuser_stores_by_statement(restartable, make, unique):
    harness, admin = PostgresHarness(restartable), unique("admin")
    await harness.sql(f"CREATE ROLE {admin} LOGIN CREATEROLE CREATEDB PASSWORD 'Adm1n-word'")
    address = restartable.address(verifier_write=CATALOG, super_role=unique("grp"), heir_role=unique("heir"))
    engine = PostgresEngine(replace(address, user=admin, password=Secret("Adm1n-word")))
    facts = await engine.facts()
    assert facts.verifier_write is STATEMENT
    assert facts.catalog_withheld == verifiers.NO_SUPERUSER
    made = await make(engine)
    assert made.verifier_write is STATEMENT
    assert await harness.can_log_in(made.name, make.PASSWORD)
    await engine.close()


async def test_an_administrator_that_loses_superuser_goes_on_by_statement(loud, make, unique):
    harness, admin = PostgresHarness(loud), unique("admin")
    await harness.sql(f"CREATE ROLE {admin} LOGIN SUPERUSER PASSWORD 'Adm1n-word'")
    engine = engine_of(loud, admin, "Adm1n-word")
    made = await make(engine)
    assert made.verifier_write is CATALOG
    await harness.sql(f"ALTER ROLE {admin} NOSUPERUSER CREATEROLE", f"GRANT SELECT ON pg_authid TO {admin}")
    if (await engine.facts()).version[0] >= 16:
        await harness.sql(f"GRANT rolecall_super, {made.name} TO {admin} WITH ADMIN TRUE")
    assert (await set_password(engine, made.name)).verifier_write is STATEMENT
    assert await harness.can_log_in(made.name, NEW)
    await engine.close()
    await harness.engine.close()


async def test_a_module_that_may_check_passwords_is_heeded_from_the_next_session_on(server, make, unique):
    harness, admin = PostgresHarness(server), unique("admin")
    await harness.sql(f"CREATE ROLE {admin} LOGIN SUPERUSER PASSWORD 'Adm1n-word'")
    engine = engine_of(server, admin, "Adm1n-word")
    assert (await make(engine)).verifier_write is CATALOG
    await harness.sql(
        f"ALTER ROLE {admin} SET session_preload_libraries = auto_explain, passwordcheck",
        f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = '{admin}'",
    )
    made = await make(engine)
    assert made.verifier_write is STATEMENT
    assert await harness.can_log_in(made.name, make.PASSWORD)
    facts = await engine.facts()
    assert facts.verifier_write is STATEMENT
    assert "passwordcheck" in facts.catalog_withheld
    assert "auto_explain" not in facts.catalog_withheld
    await engine.close()
    await harness.engine.close()


async def test_a_module_preloaded_by_the_whole_server_is_heeded(make):
    server = Scratch(EMBEDDED, shared_preload_libraries="pg_stat_statements, $libdir/passwordcheck")
    try:
        await asyncio.to_thread(server.create)
        engine = PostgresEngine(server.address(verifier_write=CATALOG))
        assert (await make(engine)).verifier_write is STATEMENT
        assert "passwordcheck" in (await engine.facts()).catalog_withheld
        await engine.close()
    finally:
        await asyncio.to_thread(server.destroy)


@pytest.mark.parametrize(
    ("setting", "unknown"),
    [
        ("", set()),
        (",,", set()),
        ('pg_stat_statements, "auto_explain"', set()),
        ("$libdir/auto_explain,$libdir/plugins/pg_prewarm", set()),
        ("/tmp/auto_explain", {"/tmp/auto_explain"}),
        ("auto_explain.so", {"auto_explain.so"}),
        ("Auto_explain", {"Auto_explain"}),
        ("pgaudit", {"pgaudit"}),
    ],
)
def test_only_what_is_known_to_be_harmless_counts_as_harmless(setting, unknown):
    assert verifiers.modules(setting) - verifiers.HARMLESS == unknown


async def test_there_is_no_verifier_of_the_empty_password(writing):
    with pytest.raises(Refused) as caught:
        writing.engine.verifier("x", Secret(""))
    assert caught.value.reason is Reason.PASSWORD_LENGTH
    assert scram.is_verifier(writing.engine.verifier("x", Secret("\u00ad")).reveal())
