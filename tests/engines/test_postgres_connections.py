"""Connections to a real PostgreSQL server: lost, ended, refused, too many; and who waits for whom."""

from __future__ import annotations

import asyncio
import os
import socket
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from tests.refusals import refused
from tests.waiting import PATIENCE, reached

from rolecall.domain.engine import EngineAddress, NewDatabase
from rolecall.domain.reasons import OutcomeUnknown, Reason, Refused
from rolecall.engines.postgresql import PostgresEngine, databases, removal, sessions, statements
from rolecall.exchanges import Deadlines
from rolecall.values import Secret


async def waiting_for_a_lock(postgres) -> bool:
    return bool(await postgres.sql("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"))


async def test_a_connection_lost_while_committing_leaves_the_outcome_open_and_a_look_tells_it(
    postgres, make, unique
):
    engine = PostgresEngine(postgres.scratch.address())
    await make(engine, password=None)
    name, operation = unique("lost"), uuid4()
    [(_, kept)] = engine._server.connections._pool._idle
    locker = await postgres.connect()
    async with locker:
        await locker.execute("BEGIN")
        await locker.execute(statements.lock("role", name))
        task = asyncio.create_task(make(engine, name, operation=operation))
        await reached(lambda: waiting_for_a_lock(postgres))
        with socket.socket(fileno=os.dup(kept.fileno())) as wire:
            wire.shutdown(socket.SHUT_RDWR)
        with pytest.raises(OutcomeUnknown):
            await task
        await locker.execute("COMMIT")
    found = await engine.account(name)
    assert found is None or found.marker == operation
    assert (await make(engine, name, operation=operation)).marker == operation
    await engine.close()


async def test_a_database_whose_drop_was_cut_off_may_be_gone(postgres, unique, monkeypatch):
    """DROP DATABASE commits by itself."""
    engine, name = PostgresEngine(postgres.scratch.address()), unique("cut")
    await engine.create_database(NewDatabase(name, "postgres", uuid4()))
    [(_, kept)] = engine._server.connections._pool._idle
    with monkeypatch.context() as slow:
        slow.setattr(databases, "_drop", lambda _name: sql.SQL("SELECT pg_sleep(60)"))
        task = asyncio.create_task(engine.drop_database(name))
        await reached(lambda: postgres.sql("SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'"))
        with socket.socket(fileno=os.dup(kept.fileno())) as wire:
            wire.shutdown(socket.SHUT_RDWR)
        with pytest.raises(OutcomeUnknown):
            await task
    await postgres.sql(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
    )
    assert await engine.drop_database(name)
    await engine.close()


@pytest.mark.parametrize("step", ["end", "_remove"])
async def test_an_account_that_is_locked_to_be_dropped_is_not_refused_when_the_server_is_lost(
    postgres, make, unique, monkeypatch, step
):
    """It would stay locked, though the operation said that nothing was done."""
    engine, name, operation = PostgresEngine(postgres.scratch.address()), unique("half"), uuid4()
    await make(engine, name)
    lost = psycopg.OperationalError("the server did not answer in time")
    with monkeypatch.context() as cut:
        target = sessions if step == "end" else removal.Removal
        name_of = "only_row" if step == "end" else "_remove"
        original = getattr(target, name_of)

        async def lose(*arguments, **values):
            if name_of == "_remove" or arguments[1] == sessions.END:
                raise lost
            return await original(*arguments, **values)

        cut.setattr(target, name_of, lose)
        with pytest.raises(OutcomeUnknown):
            await engine.drop_account(name, operation)
    assert await engine.drop_account(name, operation)
    assert await engine.account(name) is None
    await engine.close()


async def test_a_session_the_administrator_ended_is_replaced_without_a_word(postgres, make):
    engine = PostgresEngine(postgres.scratch.address())
    await make(engine, password=None)
    await postgres.sql(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'rolecall'"
    )
    await make(engine, password=None)
    await engine.close()


async def test_a_stopped_server_is_unreachable_at_once_and_found_again_after_its_start(
    restartable, make, unique
):
    engine = PostgresEngine(restartable.address())
    await make(engine, password=None)
    for mode in ("fast", "immediate"):
        await asyncio.to_thread(restartable.stop, mode)
        async with asyncio.timeout(PATIENCE):
            assert await refused(make(engine, password=None)) is Reason.ENGINE_UNREACHABLE
            assert await refused(engine.accounts()) is Reason.ENGINE_UNREACHABLE
        await asyncio.to_thread(restartable.start)
        await make(engine, password=None)
    await engine.close()


async def test_a_wrong_password_or_a_silent_host_is_unreachable(scratch):
    address = scratch.address()
    wrong = EngineAddress("postgres", "127.0.0.1", scratch.port, "postgres", Secret("wrong"), "postgres", {})
    assert await refused(PostgresEngine(wrong).facts()) is Reason.ENGINE_UNREACHABLE
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        mute = EngineAddress("postgres", "127.0.0.1", port, "postgres", address.password, "postgres", {})
        engine = PostgresEngine(mute, deadlines=Deadlines(connect=0.2))
        assert await refused(engine.facts()) is Reason.ENGINE_UNREACHABLE


async def fill(server, crowd) -> None:
    """Open connections until the server takes no more."""
    while True:
        try:
            crowd.append(
                await psycopg.AsyncConnection.connect(
                    host="127.0.0.1",
                    port=server.port,
                    user="postgres",
                    password=server.password,
                    dbname="postgres",
                )
            )
        except psycopg.OperationalError:
            return


async def test_a_full_server_is_busy(restartable):
    crowd: list[psycopg.AsyncConnection] = []
    try:
        await fill(restartable, crowd)
        assert await refused(PostgresEngine(restartable.address()).facts()) is Reason.ENGINE_BUSY
    finally:
        for connection in crowd:
            await connection.close()


async def test_an_instance_that_asks_for_tls_is_never_spoken_to_without(scratch):
    engine = PostgresEngine(scratch.address(sslmode="require"))
    with pytest.raises(Refused, match="SSL") as caught:
        await engine.facts()
    assert caught.value.reason is Reason.ENGINE_UNREACHABLE
