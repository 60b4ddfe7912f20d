"""The MySQL engine on a MariaDB server: cut-short changes, sessions, accounts made by others, and what leaks."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from uuid import uuid4

import pytest
from asyncmy.errors import MySQLError
from tests.refusals import refused
from tests.waiting import PATIENCE

from rolecall.domain.engine import (
    Access,
    AccountChange,
    AccountFacts,
    AccountKind,
    DatabaseGrant,
    EngineAddress,
    NewAccount,
    NewDatabase,
)
from rolecall.domain.reasons import OutcomeUnknown, Reason, Refused
from rolecall.engines.base import Watched
from rolecall.engines.mysql import MySqlEngine, control, errors, server, sessions
from rolecall.engines.mysql.connections import Session
from rolecall.exchanges import Deadlines
from rolecall.local import LocalMariaDB
from rolecall.values import Secret


@pytest.fixture
async def database(maria, unique):
    name = unique("d_b")
    await maria.engine.create_database(NewDatabase(name, "", uuid4()))
    return name


class PowerCut(Exception):
    """What a crash looks like from inside: nothing more is sent."""


@pytest.fixture
def cut_after(monkeypatch):
    """Let so many changing statements through, one by one, then stop: the control plane is gone at that point."""

    def arm(statements: int) -> None:
        left = statements
        run = Session._run

        async def counted(self, batch):
            nonlocal left
            answers = []
            for statement in batch:
                if not statement.lstrip().startswith(("SELECT", "WITH", "DO", "SET")):
                    if left == 0:
                        self.drop()
                        raise PowerCut
                    left -= 1
                answers += await run(self, [statement])
            return answers

        monkeypatch.setattr(Session, "_run", counted)

    yield arm
    monkeypatch.undo()


async def cut(maria, cut_after, monkeypatch, statements, work) -> bool:
    """Do work with an engine that dies after some statements. False if it came to its end before."""
    engine = MySqlEngine(maria.address())
    await engine.facts()  # what is sent once is sent
    with monkeypatch.context():
        cut_after(statements)
        try:
            await work(engine)
        except PowerCut:
            return True
        finally:
            monkeypatch.undo()
            await engine.close()
    return False


async def test_a_creation_cut_anywhere_leaves_nobody_or_the_whole_account_and_can_be_repeated(
    maria, make, unique, database, cut_after, monkeypatch
):
    for statements in range(10):
        name, operation = unique("cut"), uuid4()
        grants = (DatabaseGrant(database, Access.READ_WRITE),)

        async def create(engine, name=name, operation=operation, grants=grants):
            await make(engine, name, operation=operation, grants=grants)

        was_cut = await cut(maria, cut_after, monkeypatch, statements, create)
        found = await maria.engine.account(name)
        can_log_in = await maria.can_log_in(name, make.PASSWORD)
        assert (found is not None) == can_log_in
        assert found is None or (found.marker, found.grants) == (operation, grants)
        assert (found in await maria.engine.accounts()) == (found is not None)
        made = await make(maria.engine, name, operation=operation, grants=grants)
        assert (made.marker, made.grants) == (operation, grants)
        if not was_cut:
            assert statements == 4  # created, granted, noted, unlocked
            return
    pytest.fail("the creation has no end")


async def test_a_creation_cut_short_gives_its_name_to_the_next(maria, make, unique, cut_after, monkeypatch):
    name = unique("cut")
    assert await cut(maria, cut_after, monkeypatch, 2, lambda engine: make(engine, name))
    assert await maria.sql(f"SELECT COUNT(*) FROM mysql.global_priv WHERE User = '{name}'") == [(1,)]
    assert await refused(maria.engine.change_account(AccountChange(name, uuid4()))) is Reason.ACCOUNT_MISSING
    made = await make(maria.engine, name, password="An0ther-one")
    assert await maria.can_log_in(name, "An0ther-one")
    assert await maria.engine.account(name) == made


async def test_dropping_what_a_crash_left_removes_it_and_says_that_nobody_was_there(
    maria, make, unique, cut_after, monkeypatch
):
    name = unique("cut")
    assert await cut(maria, cut_after, monkeypatch, 2, lambda engine: make(engine, name))
    assert await maria.engine.drop_account(name, uuid4()) is False
    assert await maria.sql(f"SELECT COUNT(*) FROM mysql.global_priv WHERE User = '{name}'") == [(0,)]


async def test_one_cut_short_and_unlocked_by_hand_lets_nobody_in_and_is_still_nobodys(
    maria, make, unique, database, cut_after, monkeypatch
):
    name, grants = unique("cut"), (DatabaseGrant(database, Access.ALL),)
    assert await cut(maria, cut_after, monkeypatch, 3, lambda engine: make(engine, name, grants=grants))
    await maria.sql(f"ALTER USER '{name}'@'%' ACCOUNT UNLOCK")
    assert not await maria.can_log_in(name, make.PASSWORD)
    assert await maria.engine.account(name) is None
    assert (await make(maria.engine, name)).grants == ()
    assert await maria.sql(f"SELECT COUNT(*) FROM mysql.db WHERE User = '{name}'") == [(0,)]


async def test_one_that_was_made_stays_its_owners_whatever_is_locked_by_hand(maria, make, unique):
    made = await make(maria.engine)
    await maria.sql(f"ALTER USER '{made.name}'@'%' ACCOUNT LOCK")
    assert await refused(make(maria.engine, made.name)) is Reason.ACCOUNT_TAKEN
    found = await maria.engine.account(made.name)
    assert (found.marker, found.may_log_in) == (made.marker, False)


async def test_the_mark_tells_at_any_cut_whether_a_new_password_holds(maria, make, cut_after, monkeypatch):
    for statements in range(10):
        made, operation = await make(maria.engine), uuid4()
        verifier = maria.engine.verifier(made.name, Secret("N3w-password"))
        change = AccountChange(made.name, operation, verifier=verifier, may_log_in=True)
        was_cut = await cut(
            maria,
            cut_after,
            monkeypatch,
            statements,
            lambda engine, change=change: engine.change_account(change),
        )
        found = await maria.engine.account(made.name)
        holds = await maria.can_log_in(made.name, "N3w-password")
        assert (operation in found.operations) == holds
        assert holds != await maria.can_log_in(made.name, make.PASSWORD)
        assert made.marker in found.operations
        if not was_cut:
            assert statements == 3
            return


async def test_the_mark_tells_at_any_cut_whether_grants_were_changed(
    maria, make, database, cut_after, monkeypatch
):
    for statements in range(10):
        made = await make(maria.engine, grants=(DatabaseGrant(database, Access.READ_WRITE),))
        operation, grant = uuid4(), DatabaseGrant(database, Access.DDL_ONLY)

        async def change(engine, name=made.name, operation=operation, grant=grant):
            await engine.grants.change_grants(name, "", [grant], [], operation)

        was_cut = await cut(maria, cut_after, monkeypatch, statements, change)
        found = await maria.engine.account(made.name)
        assert (operation in found.operations) == (found.grants == (grant,))
        if not was_cut:
            assert statements == 4
            return


async def test_an_account_of_somebody_else_is_never_touched(maria, make, unique):
    name = unique("foreign")
    await maria.sql(f"CREATE USER '{name}'@'%' IDENTIFIED BY 'Th3irs-own' ACCOUNT LOCK")
    before = await maria.sql(f"SELECT Priv FROM mysql.global_priv WHERE User = '{name}'")
    assert await refused(make(maria.engine, name)) is Reason.ACCOUNT_TAKEN
    assert await maria.sql(f"SELECT Priv FROM mysql.global_priv WHERE User = '{name}'") == before
    found = await maria.engine.account(name)
    assert (found.marker, found.may_log_in, found.has_password) == (None, False, True)


async def test_one_made_by_hand_between_look_and_creation_is_taken_and_not_touched(
    maria, make, unique, monkeypatch
):
    """The name was free a moment ago; CREATE USER fails, and nothing of ours stays."""
    name = unique("race")
    await maria.sql(f"CREATE USER '{name}'@'%' IDENTIFIED BY 'Th3irs-own'")
    monkeypatch.setattr("rolecall.engines.mysql.catalog.found", lambda *_: None)
    assert await refused(make(maria.engine, name)) is Reason.ACCOUNT_TAKEN
    monkeypatch.undo()
    assert await maria.can_log_in(name, "Th3irs-own")
    assert (await maria.engine.account(name)).marker is None


async def test_a_creation_whose_grant_the_server_refuses_leaves_nobody(
    maria, make, unique, database, monkeypatch
):
    name = unique("undone")
    monkeypatch.setattr(
        "rolecall.engines.mysql.statements.grant",
        lambda *_, **__: "GRANT SELECT ON nowhere.* TO 'no such user'",
    )
    work = make(maria.engine, name, grants=(DatabaseGrant(database, Access.ALL),))
    assert await refused(work) is Reason.ACCOUNT_MISSING
    assert await maria.sql(f"SELECT COUNT(*) FROM mysql.global_priv WHERE User = '{name}'") == [(0,)]
    assert await maria.sql(f"SELECT COUNT(*) FROM rolecall_control.accounts WHERE user = '{name}'") == [(0,)]


async def test_roles_and_the_servers_own_accounts_are_not_listed(maria, unique):
    role = unique("role")
    await maria.sql(
        f"CREATE ROLE {role}", "GRANT SELECT ON test.* TO PUBLIC", "REVOKE SELECT ON test.* FROM PUBLIC"
    )
    listed = {facts.name for facts in await maria.engine.accounts()}
    assert not listed & {role, "root", "mariadb.sys", "PUBLIC", ""}


@pytest.mark.parametrize(
    ("privileges", "access"),
    [
        ("SELECT", Access.OTHER),
        ("SELECT, SHOW VIEW", Access.READ_ONLY),
        ("SELECT, SHOW VIEW, LOCK TABLES", Access.OTHER),
        ("SELECT, INSERT", Access.OTHER),
        ("CREATE, DROP", Access.OTHER),
        ("EXECUTE", Access.OTHER),
        ("ALL", Access.ALL),
    ],
)
async def test_grants_by_others_are_read_as_a_template_only_if_they_are_one(
    maria, make, database, privileges, access
):
    made = await make(maria.engine)
    await maria.sql(f"GRANT {privileges} ON `{database}`.* TO '{made.name}'@'%'")  # the wildcard not escaped
    words = tuple(privileges.split(", ")) if access is Access.OTHER else ()
    (held,) = (await maria.engine.account(made.name)).grants
    assert (held.database, held.access, set(held.privileges)) == (database, access, set(words))
    wanted = DatabaseGrant(database, Access.DDL_ONLY)
    changed = await maria.engine.grants.change_grants(made.name, "", [wanted], [], uuid4())
    assert changed.grants == (wanted,)
    changed = await maria.engine.grants.change_grants(made.name, "", [], [database], uuid4())
    assert changed.grants == ()
    assert await maria.sql(f"SELECT COUNT(*) FROM mysql.db WHERE User = '{made.name}'") == [(0,)]


async def test_a_grant_opens_its_database_and_none_that_a_wildcard_would_match(maria, make, unique):
    tail = unique("")
    for name in (f"a_b{tail}", f"axb{tail}", f"a%b{tail}"):
        await maria.engine.create_database(NewDatabase(name, "", uuid4()))
        await maria.sql(f"CREATE TABLE `{name}`.t (id INT)")
    made = await make(maria.engine, grants=(DatabaseGrant(f"a_b{tail}", Access.READ_ONLY),))
    login = {"user": made.name, "password": make.PASSWORD}
    assert await maria.sql(f"SELECT COUNT(*) FROM `a_b{tail}`.t", **login) == [(0,)]
    for name in (f"axb{tail}", f"a%b{tail}"):
        with pytest.raises(MySQLError, match="denied"):
            await maria.sql(f"SELECT * FROM `{name}`.t", **login)


CAN = {
    "read": "SELECT * FROM t",
    "write": "INSERT INTO t VALUES (2)",
    "define": "CREATE TABLE made (id INT)",
    "run": "CREATE PROCEDURE p() SELECT 1",
}


@pytest.mark.parametrize(
    ("access", "powers"),
    [
        (Access.READ_ONLY, {"read"}),
        (Access.READ_WRITE, set(CAN)),
        (Access.DDL_ONLY, {"define", "run"}),
        (Access.ALL, set(CAN)),
    ],
)
async def test_a_template_gives_what_its_name_says(maria, make, database, access, powers):
    await maria.sql(f"CREATE TABLE `{database}`.t (id INT)")
    made = await make(maria.engine, grants=(DatabaseGrant(database, access),))
    for power, statement in CAN.items():
        work = maria.sql(statement, user=made.name, password=make.PASSWORD, database=database)
        if power in powers:
            await work
        else:
            with pytest.raises(MySQLError, match="denied"):
                await work


async def alive(connection) -> bool:
    try:
        async with connection.cursor() as cursor:
            await cursor.execute("SELECT 1")
    except MySQLError:
        return False
    return True


async def test_sessions_end_with_a_lock_a_downgrade_and_a_deletion_and_with_nothing_else(
    maria, make, database
):
    grant = DatabaseGrant(database, Access.READ_WRITE)
    made = await make(maria.engine, grants=(grant,))
    other = await make(maria.engine)
    name, engine = made.name, maria.engine
    bystander = await maria.connect(other.name, make.PASSWORD)
    weaker, more = DatabaseGrant(database, Access.READ_ONLY), DatabaseGrant(database, Access.ALL)
    steps = [
        (False, lambda: engine.change_account(AccountChange(name, uuid4(), may_log_in=True))),
        (False, lambda: engine.grants.change_grants(name, "", [more], [], uuid4())),
        (True, lambda: engine.grants.change_grants(name, "", [weaker], [], uuid4())),
        (True, lambda: engine.grants.change_grants(name, "", [], [database], uuid4())),
        (
            True,
            lambda: engine.change_account(AccountChange(name, uuid4(), may_log_in=False, end_sessions=True)),
        ),
        (True, lambda: engine.drop_account(name, uuid4())),
    ]
    for ends, step in steps:
        facts = await engine.account(name)
        if not facts.may_log_in:
            await engine.change_account(AccountChange(name, uuid4(), may_log_in=True))
        session = await maria.connect(name, make.PASSWORD)
        await step()
        assert await alive(session) is not ends
        session.close()
    assert await alive(bystander)
    await bystander.ensure_closed()


PAUSED = {
    "drop": lambda engine, name, operation: engine.drop_account(name, operation),
    "lock": lambda engine, name, operation: engine.change_account(
        AccountChange(name, operation, may_log_in=False, end_sessions=True)
    ),
}


@pytest.mark.parametrize("change", PAUSED)
async def test_a_paused_change_ends_no_session_of_the_next_account_of_its_name(
    maria, make, monkeypatch, change
):
    """Its process is held up before it ends sessions. Others delete the account meanwhile, and create another."""
    made, engine, are_open = await make(maria.engine), maria.engine, sessions.are_open
    opened = []

    async def looked(*arguments):
        monkeypatch.setattr(sessions, "are_open", are_open)
        await engine.drop_account(made.name, uuid4())
        await make(engine, made.name)
        opened.append(await maria.connect(made.name, make.PASSWORD))
        return await are_open(*arguments)

    monkeypatch.setattr(sessions, "are_open", looked)
    await PAUSED[change](engine, made.name, uuid4())
    (session,) = opened
    assert await alive(session)
    assert (await engine.account(made.name)).may_log_in
    await session.ensure_closed()


async def test_neither_password_nor_hash_is_in_the_servers_log_or_in_a_refusal(maria, make, unique):
    name, password = unique("quiet"), f"Pa55-{unique('word')}"
    verifier = maria.engine.verifier(name, Secret(password))
    watched = Watched(maria.engine, secrets=[maria.server.password])
    await watched.create_account(NewAccount(name, AccountKind.NORMAL, verifier, uuid4()))
    await watched.change_account(AccountChange(name, uuid4(), verifier=verifier))
    with pytest.raises(Refused) as caught:
        await watched.create_account(NewAccount(name, AccountKind.NORMAL, verifier, uuid4()))
    with pytest.raises(Refused) as other:
        await watched.create_account(NewAccount(unique("x"), AccountKind.NORMAL, Secret(password), uuid4()))
    assert other.value.reason is Reason.ENGINE_REFUSED
    log = (maria.server.cluster.resolve() / "statements.log").read_text(errors="replace")
    said = log + maria.server.log.read_text() + str(caught.value) + str(other.value)
    assert "Connect" in log
    for secret in (password, verifier.reveal(), maria.server.password.reveal()):
        assert secret not in said
    marks = await maria.sql("SELECT wanted FROM rolecall_control.accounts WHERE wanted LIKE '%*%'")
    assert marks == []


async def test_grants_on_tables_and_routines_do_not_outlive_their_database(maria, make, unique):
    name = unique("d_b")
    made = await make(maria.engine)
    for _ in range(2):
        await maria.engine.create_database(NewDatabase(name, "", uuid4()))
        await maria.sql(
            f"CREATE TABLE `{name}`.t (id INT)",
            f"CREATE PROCEDURE `{name}`.p() SELECT 1",
            f"GRANT SELECT (id) ON `{name}`.t TO '{made.name}'@'%'",
            f"GRANT INSERT ON `{name}`.t TO '{made.name}'@'%'",
            f"GRANT EXECUTE ON PROCEDURE `{name}`.p TO '{made.name}'@'%'",
            f"GRANT SELECT ON `{name}`.* TO '{made.name}'@'%' WITH GRANT OPTION",
        )
        await maria.engine.drop_database(name)
        for table in ("db", "tables_priv", "columns_priv", "procs_priv"):
            query = f"SELECT COUNT(*) FROM mysql.{table} WHERE User = '{made.name}'"
            assert await maria.sql(query) == [(0,)], table


async def test_grants_left_by_a_database_dropped_by_hand_are_not_inherited(maria, make, database):
    made = await make(maria.engine, grants=(DatabaseGrant(database, Access.ALL),))
    await maria.sql(f"DROP DATABASE `{database}`")
    await maria.engine.create_database(NewDatabase(database, "", uuid4()))
    assert (await maria.engine.account(made.name)).grants == ()


async def test_a_change_waits_for_another_of_the_same_account_and_then_says_busy(maria, make, monkeypatch):
    made = await make(maria.engine)
    locker = await maria.connect()
    monkeypatch.setattr(server, "LOCK_SECONDS", 0)
    async with locker.cursor() as cursor:
        await cursor.execute(f"SELECT GET_LOCK('{server.lock_name('account:' + made.name)}', 0)")
        assert await refused(maria.engine.account(made.name)) is Reason.ENGINE_BUSY
        await cursor.execute("DO RELEASE_ALL_LOCKS()")
    assert await maria.engine.account(made.name) == made
    await locker.ensure_closed()


async def test_a_kept_connection_that_died_is_replaced_without_a_word(maria, make):
    made = await make(maria.engine)
    others = "SELECT ID FROM information_schema.PROCESSLIST WHERE USER = 'root' AND ID <> CONNECTION_ID()"
    for row in await maria.sql(others):
        await maria.sql(f"KILL {row[0]}")
    assert await maria.engine.account(made.name) == made


async def test_a_connection_lost_in_a_change_leaves_the_outcome_open_and_a_look_tells_it(
    maria, make, unique, monkeypatch
):
    name, operation = unique("lost"), uuid4()
    execute = Session.execute

    async def lost(self, *statements):
        await execute(self, *statements)
        self.drop()
        raise errors.Lost

    monkeypatch.setattr(Session, "execute", lost)
    with pytest.raises(OutcomeUnknown):
        await make(maria.engine, name, operation=operation)
    monkeypatch.undo()
    assert operation in (await maria.engine.account(name)).operations


async def test_a_wrong_password_or_a_silent_host_or_tls_that_must_be_there_is_unreachable(maria):
    wrong = EngineAddress("mysql", "127.0.0.1", maria.server.port, "root", Secret("wrong"), "", {})
    assert await refused(MySqlEngine(wrong).facts()) is Reason.ENGINE_UNREACHABLE
    assert (
        await refused(MySqlEngine(maria.address(sslmode="verify-full")).facts()) is Reason.ENGINE_UNREACHABLE
    )
    preferring = MySqlEngine(maria.address(sslmode="prefer"))
    assert (await preferring.facts()).is_superuser
    await preferring.close()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        mute = EngineAddress("mysql", "127.0.0.1", silent.getsockname()[1], "root", Secret("x"), "", {})
        async with asyncio.timeout(PATIENCE):
            facts = MySqlEngine(mute, deadlines=Deadlines(connect=0.2)).facts()
            assert await refused(facts) is Reason.ENGINE_UNREACHABLE


async def test_a_server_of_the_other_flavor_is_refused_with_the_word_to_use(maria):
    with pytest.raises(Refused, match="flavor mariadb") as caught:
        await MySqlEngine(maria.address(flavor="mysql")).facts()
    assert caught.value.reason is Reason.ENGINE_REFUSED


async def test_a_statement_that_takes_too_long_is_given_up(maria, make, monkeypatch):
    monkeypatch.setattr(sessions, "IDLE_SECONDS", 600)
    engine = MySqlEngine(maria.address(), deadlines=Deadlines(statement=0.3))
    made = await make(engine)
    locker = await maria.connect()
    async with locker.cursor() as cursor:
        await cursor.execute(f"SELECT GET_LOCK('{server.lock_name('account:' + made.name)}', 0)")
        assert await refused(engine.account(made.name)) in {Reason.ENGINE_BUSY, Reason.ENGINE_UNREACHABLE}
    await locker.ensure_closed()
    await engine.close()


@pytest.fixture
def restartable(tmp_path):
    own = LocalMariaDB(tmp_path, password=Secret("restart"), settings={"max_connections": "10"})
    own.start()
    yield own
    own.destroy()


async def test_a_stopped_server_is_unreachable_at_once_a_full_one_busy_and_a_killed_one_has_lost_nothing(
    restartable, make
):
    address = EngineAddress("mysql", restartable.host, restartable.port, "root", restartable.password, "", {})
    engine = MySqlEngine(address)
    made = await make(engine)
    await asyncio.to_thread(restartable.stop)
    assert await refused(make(engine)) is Reason.ENGINE_UNREACHABLE
    await asyncio.to_thread(restartable.start)
    again = await make(engine)
    os.kill(restartable.pid, signal.SIGKILL)
    await asyncio.to_thread(restartable.restart)
    names = {facts.name: facts.marker for facts in await engine.accounts()}
    assert names == {made.name: made.marker, again.name: again.marker}
    crowd = [MySqlEngine(address, pool_size=20) for _ in range(12)]
    outcomes = await asyncio.gather(*(one.facts() for one in crowd), return_exceptions=True)
    reasons = {one.reason for one in outcomes if isinstance(one, Refused)}
    assert reasons == {Reason.ENGINE_BUSY}
    for one in (engine, *crowd):
        await one.close()


def test_a_mark_forgets_all_but_the_last_operations():
    operations = [uuid4() for _ in range(20)]
    facts = AccountFacts(0, "u", AccountKind.NORMAL, True, True, None, "%")
    for operation in operations:
        facts = facts.changed_by(operation)
    statement = control.finish("c", "u", "%", facts)
    assert str(operations[-9]) in statement
    assert str(operations[-10]) not in statement
    assert list(facts.orders) == sorted(set(facts.orders), reverse=True)
