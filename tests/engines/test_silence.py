"""Servers that fall silent, hang, refuse, reset or are slow, behind a proxy: real ones, with real accounts.

What is measured is generous for a busy machine; without deadlines these calls would end after minutes, or never.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import replace
from typing import Any
from uuid import uuid4

import asyncmy
import psycopg
import pytest
from tests.engines.conftest import run_sql
from tests.proxy import Proxy, proxy_to
from tests.waiting import reached

from rolecall.domain.engine import Engine, EngineAddress
from rolecall.domain.reasons import OutcomeUnknown, Reason, Refused
from rolecall.engines.mysql import MySqlEngine, server
from rolecall.engines.postgresql import PostgresEngine, statements
from rolecall.exchanges import Deadlines

DEADLINES = Deadlines(connect=1.5, silence=0.3, statement=60.0)
"""A statement may take a minute, so whatever ends sooner was ended because the server was asked."""

SOON = 30.0
"""Seconds: far above what the deadlines allow, far below a statement's."""


class Behind:
    """An engine, and the proxy between it and its server."""

    def __init__(self, proxy: Proxy, engine: Engine, direct: Engine) -> None:
        self.proxy = proxy
        self.engine = engine
        self.direct = direct


@pytest.fixture(params=["postgres", "mariadb"])
def address(request: pytest.FixtureRequest) -> EngineAddress:
    if request.param == "postgres":
        return request.getfixturevalue("scratch").address()
    maria = request.getfixturevalue("mariadb")
    return EngineAddress("mysql", maria.host, maria.port, "root", maria.password, "", {})


@pytest.fixture
def proxy(address: EngineAddress) -> Iterator[Proxy]:
    with proxy_to(address.host, address.port) as running:
        yield running


@pytest.fixture
async def behind(address: EngineAddress, proxy: Proxy) -> AsyncIterator[Behind]:
    kind = PostgresEngine if address.kind == "postgres" else MySqlEngine
    engine = kind(replace(address, host="127.0.0.1", port=proxy.port), deadlines=DEADLINES)
    direct = kind(address)
    yield Behind(proxy, engine, direct)
    proxy.heal()
    await engine.close()
    await direct.close()


async def outcome(work: Awaitable[Any]) -> str:
    """What became of it, within the time that is allowed."""
    async with asyncio.timeout(SOON):
        try:
            await work
        except Refused as refusal:
            return refusal.reason.value
        except OutcomeUnknown:
            return "unknown"
    return "done"


async def heals(work: Callable[[], Awaitable[Any]]) -> float:
    """Seconds until it is done again."""
    started = time.monotonic()
    while await outcome(work()) != "done":
        assert time.monotonic() - started < SOON
    return time.monotonic() - started


class Lock:
    """Another session, which holds an account's lock."""

    def __init__(self, run: Callable[[str], Awaitable[list[tuple[Any, ...]]]], awaited: str) -> None:
        self._run = run
        self._awaited = awaited

    async def is_awaited(self) -> None:
        """A session waits for it."""
        await reached(lambda: self._run(self._awaited))


@contextlib.asynccontextmanager
async def locked(address: EngineAddress, name: str) -> AsyncIterator[Lock]:
    password = address.password.reveal()
    if address.kind == "postgres":
        async with await psycopg.AsyncConnection.connect(
            host=address.host, port=address.port, user=address.user, password=password, dbname="postgres"
        ) as holder:
            await holder.execute(statements.lock("role", name))

            async def run(query: str) -> list[tuple[Any, ...]]:
                return await (await holder.execute(query.encode())).fetchall()

            yield Lock(run, "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
        return
    other = await asyncmy.connect(
        host=address.host, port=address.port, user=address.user, password=password, autocommit=True
    )
    await run_sql(other, f"SELECT GET_LOCK('{server.lock_name(server.account_lock(name))}', 0)")
    query = "SELECT ID FROM information_schema.PROCESSLIST WHERE STATE = 'User lock'"
    yield Lock(lambda query: run_sql(other, query), query)
    await other.ensure_closed()


async def swallows(proxy: Proxy) -> None:
    """Something was lost."""
    await reached(lambda: proxy.swallowed)


LOST = {Reason.ENGINE_UNREACHABLE.value, "unknown"}


@pytest.mark.parametrize("to_server", [True, False])
async def test_calls_of_a_server_that_falls_silent_end_and_it_is_found_again(
    behind: Behind, make: Any, to_server: bool
) -> None:
    """Also where only its answers are lost, which leaves open what it did."""
    await make(behind.engine)
    behind.proxy.silence(to_server=to_server)
    calls = [make(behind.engine) for _ in range(6)] + [behind.engine.accounts() for _ in range(6)]
    assert set(await asyncio.gather(*map(outcome, calls))) <= LOST
    assert await outcome(make(behind.engine)) == Reason.ENGINE_UNREACHABLE.value
    behind.proxy.heal()
    await heals(lambda: make(behind.engine))


async def test_a_change_whose_answer_was_lost_can_be_repeated_with_the_same_operation(
    behind: Behind, make: Any, unique: Any
) -> None:
    """The server made the account; what is left of the first try holds no lock against the second."""
    await make(behind.engine)
    name, operation = unique("lost"), uuid4()
    behind.proxy.silence(to_server=False)
    assert await outcome(make(behind.engine, name, operation=operation)) in LOST
    behind.proxy.heal()
    await heals(lambda: make(behind.engine, name, operation=operation))
    found = next(account for account in await behind.direct.accounts() if account.name == name)
    assert operation in found.operations


async def test_what_was_cut_short_holds_no_lock_once_the_server_is_reached_again(
    behind: Behind, make: Any, address: EngineAddress
) -> None:
    """The server does not notice that its client is gone, so the session that holds the lock is ended."""
    made = await make(behind.engine)
    async with locked(address, made.name) as lock:
        call = asyncio.create_task(outcome(behind.engine.drop_account(made.name, uuid4(), made.host)))
        await lock.is_awaited()
        behind.proxy.silence(to_server=False)
    await swallows(behind.proxy)
    behind.proxy.silence()
    assert await call in LOST
    behind.proxy.heal()
    await heals(lambda: behind.engine.drop_account(made.name, uuid4(), made.host))
    assert await behind.direct.account(made.name, made.host) is None


async def test_a_silence_too_short_to_be_noticed_costs_the_one_call_whose_answer_it_swallowed(
    behind: Behind, make: Any
) -> None:
    """The server is there again when it is asked, and says that it waits for us."""
    await make(behind.engine)
    behind.proxy.silence()
    call = asyncio.create_task(outcome(make(behind.engine)))
    await swallows(behind.proxy)
    behind.proxy.heal()
    assert await call in LOST
    assert await outcome(make(behind.engine)) == "done"


async def test_a_statement_that_takes_long_is_waited_for_while_the_server_is_at_work_on_it(
    behind: Behind, make: Any, address: EngineAddress
) -> None:
    made = await make(behind.engine)
    async with locked(address, made.name) as lock:
        call = asyncio.create_task(outcome(behind.engine.drop_account(made.name, uuid4(), made.host)))
        await lock.is_awaited()
        done, _ = await asyncio.wait([call], timeout=5 * DEADLINES.silence)
        assert not done
    assert await call == "done"


async def test_a_server_that_hangs_for_a_while_answers_late_or_not_at_all_and_is_found_again(
    behind: Behind, make: Any
) -> None:
    await make(behind.engine)
    behind.proxy.hang()
    calls = [asyncio.create_task(outcome(make(behind.engine))) for _ in range(4)]
    assert set(await asyncio.gather(*calls)) <= LOST
    behind.proxy.heal()
    await heals(lambda: make(behind.engine))


@pytest.mark.parametrize("fault", ["refuse", "reset"])
async def test_a_server_that_refuses_or_resets_is_out_of_reach_at_once_and_found_again(
    behind: Behind, make: Any, fault: str
) -> None:
    await make(behind.engine)
    getattr(behind.proxy, fault)()
    calls = [make(behind.engine) for _ in range(4)] + [behind.engine.accounts() for _ in range(4)]
    assert set(await asyncio.gather(*map(outcome, calls))) <= LOST
    behind.proxy.heal()
    await heals(lambda: make(behind.engine))


async def test_a_slow_server_is_slow_and_nothing_else(behind: Behind, make: Any) -> None:
    await make(behind.engine)
    behind.proxy.slow(0.1)
    assert await outcome(make(behind.engine)) == "done"
    assert await outcome(behind.engine.accounts()) == "done"


async def test_a_call_that_is_waited_for_no_more_ends_at_once(behind: Behind, make: Any) -> None:
    await make(behind.engine)
    behind.proxy.silence()
    started = time.monotonic()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await behind.engine.accounts()
    assert time.monotonic() - started < SOON
    behind.proxy.heal()
    await heals(behind.engine.accounts)
