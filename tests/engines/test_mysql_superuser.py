"""The tenants' root on a MariaDB server whose administrator is called root too: two accounts that never meet."""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

import asyncmy
import pytest
from asyncmy.errors import MySQLError
from tests.clients.openstack_live import Gate
from tests.engines.conftest import MariaHarness
from tests.engines.test_mysql_engine import PowerCut, cut_after
from tests.engines.test_mysql_super_accounts import DENIED, ESCALATIONS, run

from rolecall.domain.engine import Access, AccountKind, DatabaseGrant, NewDatabase
from rolecall.domain.engine.identity import AppliedBefore
from rolecall.domain.reasons import Reason, Refused
from rolecall.engines.mysql import MySqlEngine, hashes
from rolecall.values import Secret

__all__ = ["cut_after"]

FIRST, SECOND = "first-Passw0rd", "second-Passw0rd"


ADMINISTRATOR, PASSWORD = "caretaker", "Caretak3r"


def verifier(password: str) -> Secret:
    return Secret(hashes.native(password))


@pytest.fixture
async def maria(mariadb):
    """The run's server under an administrator who is not called root, beside those who are."""
    harness = MariaHarness(mariadb)
    await harness.sql(
        f"CREATE OR REPLACE USER {ADMINISTRATOR}@'127.0.0.1' IDENTIFIED BY '{PASSWORD}'",
        f"GRANT ALL ON *.* TO {ADMINISTRATOR}@'127.0.0.1' WITH GRANT OPTION",
    )
    harness.engine = MySqlEngine(replace(harness.address(), user=ADMINISTRATOR, password=Secret(PASSWORD)))
    yield harness
    await harness.engine.close()
    await harness.sql(f"DROP USER {ADMINISTRATOR}@'127.0.0.1'")


@pytest.fixture
def elsewhere(maria):
    """The server's port for a client that is not let in as its administrator."""
    gate = Gate(maria.server.host, maria.server.port, source="127.0.0.2")
    gate.open()
    yield gate.port
    gate.shut()


@pytest.fixture
def log_in(elsewhere):
    async def connect(password: str, user: str = "root"):
        return await asyncmy.connect(
            host="127.0.0.1", port=elsewhere, user=user, password=password.encode(), autocommit=True
        )

    return connect


@pytest.fixture
async def off(maria):
    """Root is not enabled before and after."""
    await maria.engine.superuser.disable(uuid4())
    yield
    await maria.engine.superuser.disable(uuid4())


async def roots(maria) -> dict[str, str]:
    rows = await maria.sql("SELECT Host, Priv FROM mysql.global_priv WHERE User = 'root' ORDER BY Host")
    return dict(rows)


@pytest.mark.usefixtures("off")
async def test_root_is_enabled_renewed_and_disabled_and_the_administrator_stays_as_it_was(maria, log_in):
    before = await roots(maria)
    assert set(before) == {"127.0.0.1", "localhost"}
    assert await maria.engine.superuser.find() is None
    first, second = uuid4(), uuid4()
    made = await maria.engine.superuser.enable(verifier(FIRST), first)
    assert (made.name, made.host, made.kind, made.marker) == ("root", "%", AccountKind.SUPER, first)
    assert await maria.engine.superuser.find() == made
    assert await maria.engine.superuser.enable(verifier(FIRST), first) == made
    session = await log_in(FIRST)
    assert await run(session, "SELECT CURRENT_USER()") == [("root@%",)]
    renewed = await maria.engine.superuser.enable(verifier(SECOND), second)
    assert renewed.operations == (second, first)
    await (await log_in(SECOND)).ensure_closed()
    with pytest.raises(MySQLError):
        await log_in(FIRST)
    assert await maria.engine.superuser.disable(uuid4())
    with pytest.raises(MySQLError):
        await run(session, "SELECT 1")  # ended
    session.close()
    with pytest.raises(MySQLError):
        await log_in(SECOND)
    assert not await maria.engine.superuser.disable(uuid4())
    assert await maria.engine.superuser.find() is None
    assert await roots(maria) == before


@pytest.mark.usefixtures("off")
async def test_root_is_not_enabled_where_the_fence_refuses(maria):
    async def refusing() -> None:
        raise AppliedBefore

    operation = uuid4()
    with pytest.raises(AppliedBefore):
        await maria.engine.superuser.enable(verifier(FIRST), operation, refusing)
    assert await maria.engine.superuser.find() is None
    made = await maria.engine.superuser.enable(verifier(FIRST), operation)
    assert await maria.engine.superuser.enable(verifier(FIRST), operation, refusing) == made
    with pytest.raises(AppliedBefore):
        await maria.engine.superuser.enable(verifier(SECOND), uuid4(), refusing)
    assert await maria.engine.superuser.find() == made


@pytest.mark.usefixtures("off")
async def test_disabling_root_leaves_the_administrators_sessions_alone(maria, log_in):
    mine = await maria.connect()
    await maria.engine.superuser.enable(verifier(FIRST), uuid4())
    theirs = await log_in(FIRST)
    await maria.engine.superuser.disable(uuid4())
    assert await run(mine, "SELECT CURRENT_USER()") == [("root@127.0.0.1",)]
    await mine.ensure_closed()
    theirs.close()


@pytest.mark.usefixtures("off")
async def test_root_is_listed_nowhere_and_no_account_call_reaches_it(maria, make):
    await maria.engine.superuser.enable(verifier(FIRST), uuid4())
    assert "root" not in {account.name for account in await maria.engine.accounts()}
    assert await maria.engine.account("root") is None
    work = [
        make(maria.engine, "root"),
        maria.engine.drop_account("root", uuid4()),
        maria.engine.grants.change_grants(
            "root", "", [DatabaseGrant("x", Access.ALL)], [], uuid4(), allow_missing=True
        ),
    ]
    for one in work:
        with pytest.raises(Refused) as caught:
            await one
        assert caught.value.reason in {Reason.ACCOUNT_PROTECTED, Reason.ACCOUNT_NAME_RESERVED}


@pytest.mark.usefixtures("off")
async def test_root_rules_every_tenants_database_and_makes_its_own(maria, make, log_in, unique):
    database, own = unique("shop"), unique("own")
    await maria.engine.create_database(NewDatabase(database, "", uuid4()))
    await maria.engine.superuser.enable(verifier(FIRST), uuid4())
    session = await log_in(FIRST)
    await run(session, f"CREATE TABLE {database}.t (n INT)", f"INSERT INTO {database}.t VALUES (1)")
    await run(session, f"CREATE DATABASE {own}", f"DROP DATABASE {own}", f"DROP TABLE {database}.t")
    await session.ensure_closed()


@pytest.mark.usefixtures("off")
async def test_none_of_the_known_ways_leads_from_root_to_the_server(maria, make, log_in, unique):
    """The ways that super accounts are tried on, here by an account that shares its name with administrators."""
    database = unique("tenants")
    await maria.engine.create_database(NewDatabase(database, "", uuid4()))
    tenant, peer = (await make(maria.engine)).name, (await make(maria.engine, kind=AccountKind.SUPER)).name
    await maria.engine.superuser.enable(verifier(FIRST), uuid4())
    administrator = await maria.connect(ADMINISTRATOR, PASSWORD)
    session = await log_in(FIRST)
    await run(session, f"USE {database}", "CREATE TABLE t (id INT)")
    words = {"boss": "root", "tenant": tenant, "peer": peer, "database": database}
    words["administrator"] = str(administrator.thread_id())
    answers = {}
    for way, statement in ESCALATIONS.items():
        try:
            await run(session, filled(statement, words))
            answers[way] = 0
        except MySQLError as error:
            answers[way] = int(error.args[0])
    assert {way: number for way, number in answers.items() if number not in DENIED} == {}
    schemas = "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'rolecall_control'"
    assert await run(session, schemas) == [(0,)]
    assert {row[1] for row in await run(session, "SHOW PROCESSLIST")} == {"root"}
    assert await run(administrator, "SELECT 1") == [(1,)]
    await administrator.ensure_closed()
    await session.ensure_closed()


def filled(statement: str, words: dict[str, str]) -> str:
    for word, text in words.items():
        statement = statement.replace(f"{{{word}}}", text)
    return statement


@pytest.mark.parametrize("powers", ["", "GRANT ALL ON *.* TO root@'%' WITH GRANT OPTION"])
@pytest.mark.usefixtures("off")
async def test_a_root_that_somebody_else_made_is_never_touched(maria, powers):
    """It may be an administrator's, or Rolecall's own."""
    making = ["CREATE USER root@'%' IDENTIFIED BY 'theirs'", *filter(None, [powers])]
    await maria.sql(*making)
    before = await roots(maria)
    try:
        assert await maria.engine.superuser.find() is None
        for work in (
            maria.engine.superuser.enable(verifier(FIRST), uuid4()),
            maria.engine.superuser.disable(uuid4()),
        ):
            with pytest.raises(Refused) as caught:
                await work
            assert caught.value.reason is Reason.ACCOUNT_PROTECTED
        assert await roots(maria) == before
    finally:
        await maria.sql("DROP USER root@'%'")


@pytest.mark.usefixtures("off")
async def test_enabling_root_cut_anywhere_leaves_nobody_or_the_whole_root(maria, cut_after, monkeypatch):
    for statements in range(20):
        operation, was_cut = uuid4(), False
        engine = MySqlEngine(replace(maria.address(), user=ADMINISTRATOR, password=Secret(PASSWORD)))
        await engine.facts()
        cut_after(statements)
        try:
            await engine.superuser.enable(verifier(FIRST), operation)
        except PowerCut:
            was_cut = True
        finally:
            monkeypatch.undo()
            await engine.close()
        seen = await maria.engine.superuser.find()
        assert seen is None or (seen.kind is AccountKind.SUPER and operation in seen.operations)
        await maria.engine.superuser.enable(verifier(SECOND), uuid4())
        assert await maria.engine.superuser.find() is not None
        await maria.engine.superuser.disable(uuid4())
        assert set(await roots(maria)) == {"127.0.0.1", "localhost"}
        if not was_cut:
            return
    pytest.fail("never came to its end")


async def test_a_server_administered_as_root_has_no_root_for_tenants(maria):
    """Whoever is called root may see, and end, what every root does."""
    engine = MySqlEngine(maria.address())
    assert engine.superuser is None
    await engine.close()
