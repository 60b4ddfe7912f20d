"""Nobody puts off the end of an account's login, or any change, by holding a lock (A7)."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import psycopg
import pytest
from asyncmy.errors import MySQLError
from tests.waiting import reached

from rolecall.domain.engine import (
    AccountChange,
    AccountKind,
    DatabaseObject,
    NewDatabase,
    ObjectType,
    PrivilegeChange,
)
from rolecall.domain.reasons import OutcomeUnknown, Reason, Refused
from rolecall.engines.mysql import MySqlEngine
from rolecall.engines.mysql import accounts as mysql_accounts
from rolecall.engines.mysql import server as mysql_server
from rolecall.engines.mysql import sessions as mysql_sessions
from rolecall.engines.mysql.errors import Lost
from rolecall.engines.postgresql import PostgresEngine, connections, obstacles, removal, statements
from rolecall.engines.postgresql import accounts as postgres_accounts
from rolecall.values import Secret


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    monkeypatch.setattr(obstacles, "PATIENCE", 0.2)


async def locked(engine, name):
    return await engine.change_account(AccountChange(name, uuid4(), may_log_in=False, end_sessions=True))


async def given_a_password(engine, name):
    verifier = engine.verifier(name, Secret("An0ther-word"))
    return await engine.change_account(AccountChange(name, uuid4(), verifier=verifier))


async def dropped(engine, name):
    assert await engine.drop_account(name, uuid4())


CHANGES = {"lock": locked, "password": given_a_password, "drop": dropped}


async def expect_begun(harness, make, monkeypatch, change, step, lost):
    """The connection is lost after login was taken away, so the change is to be finished."""
    made = await make(harness.engine)

    async def loses(*_args, **_words):
        raise lost

    with monkeypatch.context() as broken:
        broken.setattr(*step, loses)
        with pytest.raises(OutcomeUnknown):
            await CHANGES[change](harness.engine, made.name)
    assert not await harness.can_log_in(made.name, make.PASSWORD)
    await CHANGES[change](harness.engine, made.name)


@pytest.mark.parametrize(
    ("change", "step"),
    [("lock", (postgres_accounts.Accounts, "_change")), ("drop", (removal.Removal, "_retire"))],
)
async def test_what_has_taken_login_away_on_postgresql_is_not_refused(
    postgres, make, monkeypatch, change, step
):
    lost = psycopg.OperationalError("lost")
    await expect_begun(postgres, make, monkeypatch, change, step, lost)


@pytest.mark.parametrize(
    ("change", "step"),
    [
        ("lock", (mysql_sessions, "are_open")),
        ("drop", (mysql_sessions, "are_open")),
        ("drop", (mysql_sessions, "end")),
        ("drop", (mysql_accounts.Accounts, "_remove")),
    ],
)
async def test_what_has_taken_login_away_on_mariadb_is_not_refused(maria, make, monkeypatch, change, step):
    await expect_begun(maria, make, monkeypatch, change, step, Lost())


async def ended(connection) -> bool:
    try:
        await connection.execute("SELECT 1")
    except psycopg.OperationalError:
        return True
    return False


# PostgreSQL

HOLDING = {
    "the account's lock": "SELECT pg_advisory_lock({role})",
    "the lock of grants": "SELECT pg_advisory_lock({acl})",
    "the row of the role": "ALTER ROLE {name} PASSWORD 'An0ther-word'",
    "an object of the role": "ALTER ROLE {name} SET work_mem = '1MB'",
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("held", HOLDING)
async def test_an_account_cannot_put_off_its_own_revocation(postgres, make, held, change):
    made = await make(postgres.engine)
    keys = {kind: statements.lock_key(kind, made.name if kind == "role" else "") for kind in ("role", "acl")}
    session = await postgres.connect(user=made.name, password=make.PASSWORD)
    await session.execute("BEGIN")
    await session.execute(HOLDING[held].format(name=made.name, **keys))
    await CHANGES[change](postgres.engine, made.name)
    waited_for = change != "password" or held in {"the account's lock", "the row of the role"}
    assert await ended(session) is waited_for
    await session.close()
    assert not await postgres.can_log_in(made.name, make.PASSWORD)


@pytest.mark.parametrize("change", CHANGES)
async def test_nor_can_several_accounts_that_queue_for_its_lock(postgres, make, change):
    made, others = await make(postgres.engine), [await make(postgres.engine) for _ in range(3)]
    key = statements.lock_key("role", made.name)
    sessions = [await postgres.connect(user=one.name, password=make.PASSWORD) for one in others]
    await sessions[0].execute(f"SELECT pg_advisory_lock({key})")
    waiting = [asyncio.create_task(one.execute(f"SELECT pg_advisory_lock({key})")) for one in sessions[1:]]
    queued = f"SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND objid = {key & 0xFFFFFFFF}"

    async def all_wait() -> bool:
        return await postgres.sql(queued) == [(len(waiting),)]

    await reached(all_wait)
    await CHANGES[change](postgres.engine, made.name)
    assert await ended(sessions[0])
    for one in others:
        await dropped(postgres.engine, one.name)
    await asyncio.gather(*waiting, return_exceptions=True)
    for session in sessions:
        await session.close()


@pytest.mark.parametrize(
    ("kind", "work"),
    [
        ("acl", "grant"),
        ("databases", "database"),
        ("super", "group"),
    ],
)
async def test_a_tenant_stops_no_change_of_others(scratch, postgres, make, unique, kind, work):
    holder, owner = await make(postgres.engine), (await make(postgres.engine, password=None)).name
    database = unique("db")
    await postgres.engine.create_database(NewDatabase(database, owner, uuid4()))
    session = await postgres.connect(user=holder.name, password=make.PASSWORD)
    await session.execute(f"SELECT pg_advisory_lock({statements.lock_key(kind)})")
    if work == "grant":
        item = DatabaseObject(ObjectType.DATABASE, database)
        await postgres.engine.objects.change_privileges(
            holder.name, [PrivilegeChange(item, ("CREATE",), grant=True)], uuid4()
        )
    elif work == "database":
        await postgres.engine.create_database(NewDatabase(unique("db"), owner, uuid4()))
    else:
        again = PostgresEngine(scratch.address())
        await make(again, kind=AccountKind.SUPER)
        await again.close()
    assert await ended(session)
    await session.close()


@pytest.mark.parametrize(
    "statement", ["SELECT pg_advisory_xact_lock({role})", "ALTER ROLE {name} PASSWORD 'x'"]
)
async def test_a_prepared_transaction_of_a_tenants_is_rolled_back(postgres, make, statement):
    """It holds locks without a session, over a restart too."""
    made = await make(postgres.engine)
    role = statements.lock_key("role", made.name)
    await postgres.sql(
        "BEGIN", statement.format(role=role, name=made.name), f"PREPARE TRANSACTION '{made.name}'",
        user=made.name, password=make.PASSWORD,
    )  # fmt: skip
    await locked(postgres.engine, made.name)
    assert await postgres.sql(f"SELECT count(*) FROM pg_prepared_xacts WHERE gid = '{made.name}'") == [(0,)]
    assert await postgres.engine.drop_account(made.name, uuid4())


async def test_the_administrators_session_is_left_alone_and_login_is_gone_before_the_lock_is_waited_for(
    scratch, postgres, make, monkeypatch
):
    made = await make(postgres.engine)
    monkeypatch.setitem(connections._GUARDS, "lock_timeout", "700")
    engine = PostgresEngine(scratch.address())
    holder = await postgres.connect()
    tenant = await postgres.connect(user=made.name, password=make.PASSWORD)
    async with holder:
        await holder.execute(f"SELECT pg_advisory_lock({statements.lock_key('role', made.name)})")
        for change in (locked, dropped):
            with pytest.raises(OutcomeUnknown):
                await change(engine, made.name)
        assert not await ended(holder)
        assert await ended(tenant)
        assert not await postgres.can_log_in(made.name, make.PASSWORD)
    await tenant.close()
    await dropped(engine, made.name)
    await engine.close()


async def test_names_of_locks_are_the_houses_own_and_shared_by_its_processes(scratch, postgres, make):
    secret = Secret("of the house")
    engines = [PostgresEngine(scratch.address(), lock_key=secret) for _ in range(2)]
    keys = {engine._server.lock("role", "x").as_string(None) for engine in engines}
    assert len(keys) == 1
    assert keys != {statements.lock("role", "x").as_string(None)}
    made = await make(engines[0])
    await asyncio.gather(*(given_a_password(engine, made.name) for engine in engines))
    for engine in engines:
        await engine.close()


# MariaDB


async def is_ended(session) -> bool:
    try:
        async with session.cursor() as cursor:
            await cursor.execute("SELECT 1")
    except MySQLError:
        return True
    return False


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("whose", ["its own", "another's"])
async def test_no_account_holds_up_a_change_by_taking_its_lock(maria, make, whose, change):
    made, other = await make(maria.engine), await make(maria.engine)
    session = await maria.connect((made if whose == "its own" else other).name, make.PASSWORD)
    async with session.cursor() as cursor:
        await cursor.execute(f"SELECT GET_LOCK('{mysql_server.lock_name('account:' + made.name)}', 0)")
    await CHANGES[change](maria.engine, made.name)
    assert await is_ended(session)
    session.close()
    assert not await maria.can_log_in(made.name, make.PASSWORD)


@pytest.mark.parametrize("change", CHANGES)
async def test_a_process_of_rolecalls_that_has_stopped_puts_off_no_change(maria, make, monkeypatch, change):
    """Its session holds the account's lock and asks for nothing."""
    monkeypatch.setattr(mysql_sessions, "IDLE_SECONDS", 1)
    made = await make(maria.engine)
    stopped = await maria.connect()
    async with stopped.cursor() as cursor:
        await cursor.execute(f"SELECT GET_LOCK('{mysql_server.lock_name('account:' + made.name)}', 0)")
    await CHANGES[change](maria.engine, made.name)
    assert await is_ended(stopped)
    stopped.close()
    assert not await maria.can_log_in(made.name, make.PASSWORD)


@pytest.mark.parametrize("change", ["lock", "drop"])
async def test_what_waits_too_long_for_a_process_at_work_has_changed_nothing(
    maria, make, monkeypatch, change
):
    made = await make(maria.engine)
    monkeypatch.setattr(mysql_server, "LOCK_SECONDS", 0)
    holder = await maria.connect()
    session = await maria.connect(made.name, make.PASSWORD)
    async with holder.cursor() as cursor:
        await cursor.execute(f"SELECT GET_LOCK('{mysql_server.lock_name('account:' + made.name)}', 0)")
        with pytest.raises(Refused) as caught:
            await CHANGES[change](maria.engine, made.name)
    assert caught.value.reason is Reason.ENGINE_BUSY
    assert not await is_ended(holder)
    assert not await is_ended(session)
    assert await maria.can_log_in(made.name, make.PASSWORD)
    await session.ensure_closed()
    await holder.ensure_closed()


async def test_the_sessions_of_an_account_that_is_renamed_end(maria, make, unique):
    """A session keeps the name it logged in under: a later lock of the account would not find it."""
    made, name = await make(maria.engine), unique("acct")
    session = await maria.connect(made.name, make.PASSWORD)
    await maria.engine.change_account(AccountChange(made.name, uuid4(), new_name=name))
    assert await is_ended(session)
    session.close()
    assert await maria.can_log_in(name, make.PASSWORD)


async def test_mariadbs_names_of_locks_are_the_houses_own(maria, make):
    engine = MySqlEngine(maria.address(), lock_key=Secret("of the house"))
    made = await make(engine)
    session = await maria.connect(made.name, make.PASSWORD)
    async with session.cursor() as cursor:
        await cursor.execute(f"SELECT GET_LOCK('{mysql_server.lock_name('account:' + made.name)}', 0)")
    await given_a_password(engine, made.name)
    assert not await is_ended(session)  # it held a lock that is nobody's
    await session.ensure_closed()
    await engine.close()
