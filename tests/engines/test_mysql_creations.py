"""Accounts that are asked for at the same time are made together: none suffers from another, or from a cut."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
from uuid import uuid4

import pytest

from rolecall.domain.engine import Access, AccountKind, DatabaseGrant, EngineAddress, NewAccount, NewDatabase
from rolecall.domain.reasons import OutcomeUnknown, Reason, Refused
from rolecall.engines.mysql import MySqlEngine, creations, hashes, server
from rolecall.engines.mysql.connections import Session
from rolecall.local import LocalMariaDB
from rolecall.values import Secret

PASSWORD = "Corr3ct-horse"
VERIFIER = Secret(hashes.native(PASSWORD))


@pytest.fixture
async def database(maria, unique):
    name = unique("d_b")
    await maria.engine.create_database(NewDatabase(name, "", uuid4()))
    return name


@pytest.fixture
def new(unique):
    """A new account of a name of its own."""

    def build(name="", *grants, kind=AccountKind.NORMAL):
        return NewAccount(name or unique("acct"), kind, VERIFIER, uuid4(), "", grants)

    return build


async def at_once(engine, *wanted):
    """What each creation gave or raised."""
    return await asyncio.gather(*(engine.create_account(one) for one in wanted), return_exceptions=True)


def reasons(outcomes):
    return [one.reason if isinstance(one, Refused) else None for one in outcomes]


@pytest.fixture
def sent(monkeypatch):
    """The statements that were sent, by round trip."""
    trips = []
    run = Session._run

    async def noted(self, batch):
        trips.append(list(batch))
        return await run(self, batch)

    monkeypatch.setattr(Session, "_run", noted)
    return trips


async def test_they_share_their_statements_and_one_round_trip(maria, new, database, sent):
    writer, reader = DatabaseGrant(database, Access.READ_WRITE), DatabaseGrant(database, Access.READ_ONLY)
    wanted = [new("", writer), new("", reader), new("", writer), new(), new(kind=AccountKind.SUPER)]
    await maria.engine.facts()
    sent.clear()
    made = await at_once(maria.engine, *wanted)
    assert len(sent) == 1
    verbs = [statement.split()[0] for statement in sent[0]]
    assert verbs.count("CREATE") == verbs.count("ALTER") == verbs.count("INSERT") == 1
    assert verbs.count("GRANT") == 2 + 5
    for one, facts in zip(wanted, made, strict=True):
        assert await maria.engine.account(one.name) == facts
        assert (facts.marker, facts.kind, facts.grants) == (one.operation, one.kind, one.grants)
        assert await maria.can_log_in(one.name, PASSWORD)


async def test_one_alone_is_not_looked_at_before_or_after(maria, new, database, sent):
    await maria.engine.facts()
    sent.clear()
    await maria.engine.create_account(new("", DatabaseGrant(database, Access.ALL)))
    (statements,) = sent
    assert [statement.split()[0] for statement in statements] == [
        "SELECT", "SHOW", "CREATE", "INSERT", "GRANT", "SELECT",
    ]  # fmt: skip


async def test_a_name_that_is_free_is_looked_up_in_one_round_trip_and_without_a_lock(
    maria, new, database, sent
):
    one = new("", DatabaseGrant(database, Access.ALL))
    await maria.engine.facts()
    sent.clear()
    await maria.engine.grants.require_new([one])
    (statements,) = sent
    assert not any("LOCK" in statement for statement in statements)
    await maria.engine.create_account(one)
    sent.clear()
    with pytest.raises(Refused) as refusal:
        await maria.engine.grants.require_new([one])
    assert refusal.value.reason is Reason.ACCOUNT_TAKEN
    assert any("GET_LOCK" in statement for statement in sent[-1])


async def test_no_more_than_a_few_are_made_together(maria, new, sent):
    await maria.engine.facts()
    sent.clear()
    made = await at_once(maria.engine, *(new() for _ in range(creations.MOST + 3)))
    assert len(sent) == 2
    assert all(facts.may_log_in for facts in made)


async def test_one_that_is_refused_spoils_none_of_the_others(maria, new, unique, database):
    taken = unique("foreign")
    await maria.sql(f"CREATE USER '{taken}'@'%' IDENTIFIED BY 'Th3irs-own' ACCOUNT LOCK")
    before = await maria.sql(f"SELECT Priv FROM mysql.global_priv WHERE User = '{taken}'")
    grant = DatabaseGrant(database, Access.READ_WRITE)
    twice = unique("twice")
    wanted = [
        new("", grant),
        new(taken, grant),
        new("", DatabaseGrant(database.upper(), Access.READ_WRITE)),
        new("", DatabaseGrant("mysql", Access.READ_WRITE)),
        new(twice, grant),
        new(twice),
        new("", grant),
    ]
    outcomes = await at_once(maria.engine, *wanted)
    missing = Reason.DATABASE_MISSING
    assert reasons(outcomes) == [
        None,
        Reason.ACCOUNT_TAKEN,
        missing,
        missing,
        None,
        Reason.ACCOUNT_TAKEN,
        None,
    ]
    for number in (0, 4, 6):
        assert outcomes[number].grants == (grant,)
        assert await maria.engine.account(wanted[number].name) == outcomes[number]
    for number in (2, 3):
        query = f"SELECT COUNT(*) FROM mysql.global_priv WHERE User = '{wanted[number].name}'"
        assert await maria.sql(query) == [(0,)]
    assert await maria.sql(f"SELECT Priv FROM mysql.global_priv WHERE User = '{taken}'") == before


async def test_one_that_another_process_is_changing_keeps_the_others_waiting_and_no_more(
    maria, new, monkeypatch
):
    wanted = [new(), new(), new()]
    await maria.engine.facts()
    monkeypatch.setattr(server, "LOCK_SECONDS", 0)
    locker = await maria.connect()
    async with locker.cursor() as cursor:
        await cursor.execute(f"SELECT GET_LOCK('{server.lock_name('account:' + wanted[1].name)}', 0)")
        outcomes = await at_once(maria.engine, *wanted)
    await locker.ensure_closed()
    assert reasons(outcomes) == [None, Reason.ENGINE_BUSY, None]
    assert await maria.sql(f"SELECT COUNT(*) FROM mysql.global_priv WHERE User = '{wanted[1].name}'") == [
        (0,)
    ]


async def test_a_caller_that_goes_away_takes_nobody_with_it(maria, new):
    first, second = new(), new()
    leaving = asyncio.create_task(maria.engine.create_account(first))
    staying = asyncio.create_task(maria.engine.create_account(second))
    await asyncio.sleep(0)
    leaving.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await leaving
    assert (await staying).name == second.name


class PowerCut(Exception):
    """What a crash looks like from inside: nothing more is sent."""


async def cut(maria, statements, wanted):
    """Make accounts at once with an engine that dies after some changing statements; whether it did."""
    engine, left = MySqlEngine(maria.address()), statements
    await engine.facts()
    run = Session._run

    async def counted(self, batch):
        nonlocal left
        answers = []
        for statement in batch:
            if not statement.lstrip().startswith(("SELECT", "SHOW", "DO", "SET")):
                if left == 0:
                    self.drop()
                    raise PowerCut
                left -= 1
            answers += await run(self, [statement])
        return answers

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Session, "_run", counted)
        outcomes = await at_once(engine, *wanted)
    await engine.close()
    return any(isinstance(one, PowerCut) for one in outcomes)


async def test_cut_anywhere_each_is_nobody_or_whole_and_can_be_repeated(maria, new, database):
    writer, reader = DatabaseGrant(database, Access.READ_WRITE), DatabaseGrant(database, Access.READ_ONLY)
    for statements in range(12):
        wanted = [new("", writer), new("", reader), new("", writer, DatabaseGrant("test", Access.ALL))]
        await maria.sql("CREATE DATABASE IF NOT EXISTS test")
        was_cut = await cut(maria, statements, wanted)
        for one in wanted:
            found = await maria.engine.account(one.name)
            assert (found is not None) == await maria.can_log_in(one.name, PASSWORD)
            assert found is None or (found.marker, found.grants) == (one.operation, one.grants)
        repeated = await at_once(maria.engine, *wanted)
        assert [(facts.marker, facts.grants) for facts in repeated] == [
            (one.operation, one.grants) for one in wanted
        ]
        if not was_cut:
            assert statements == 6  # created, granted beforehand, noted, granted and completed in three ways
            return
    pytest.fail("the creation has no end")


async def test_a_kept_connection_that_died_is_replaced_before_anything_is_sent(maria, new):
    await maria.engine.create_account(new())
    others = "SELECT ID FROM information_schema.PROCESSLIST WHERE USER = 'root' AND ID <> CONNECTION_ID()"
    for row in await maria.sql(others):
        await maria.sql(f"KILL {row[0]}")
    one = new()
    assert (await maria.engine.create_account(one)).marker == one.operation


@pytest.fixture
def mortal(tmp_path):
    """A server of its own, with the durability that it has by default."""
    own = LocalMariaDB(tmp_path, password=Secret("mortal"))
    own.start()
    yield own
    own.destroy()


async def test_a_server_killed_while_making_them_has_each_whole_or_gives_its_name_to_the_repetition(
    mortal, new
):
    address = EngineAddress("mysql", mortal.host, mortal.port, "root", mortal.password, "", {})
    engine = MySqlEngine(address)
    await engine.create_database(NewDatabase("shop", "", uuid4()))
    grant = DatabaseGrant("shop", Access.READ_WRITE)
    for _ in range(3):
        wanted, made = [new("", grant) for _ in range(400)], {}

        async def client(waiting, made=made):
            for one in waiting:
                made[one.name] = await engine.create_account(one)

        waiting = iter(wanted)
        clients = [asyncio.create_task(client(waiting)) for _ in range(8)]
        while len(made) < 20:
            await asyncio.sleep(0.001)
        await asyncio.sleep(random.uniform(0, 0.02))
        os.kill(mortal.pid, signal.SIGKILL)
        ends = await asyncio.gather(*clients, return_exceptions=True)
        assert any(isinstance(end, OutcomeUnknown | Refused) for end in ends)
        await asyncio.to_thread(mortal.restart)
        found = {facts.name: facts for facts in await engine.accounts()}
        for one in wanted:
            facts = found.get(one.name)
            assert facts is not None or one.name not in made
            assert facts is None or (facts.marker, facts.grants) == (one.operation, (grant,))
        touched = wanted[: len(made) + 8]
        assert all(facts.grants == (grant,) for facts in await at_once(engine, *touched))
    await engine.close()
