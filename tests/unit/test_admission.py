"""Rates: counted per action, region and principal, in this process or in a Redis that processes share."""

from __future__ import annotations

import asyncio
import shutil
import socket
import subprocess
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from functools import wraps
from typing import Any, cast

import pytest
from tests.waiting import until

from rolecall.admission import Admission
from rolecall.contracts.model import Action, Shape
from rolecall.domain.access.rates import Allowance
from rolecall.domain.reasons import Reason, Refused
from rolecall.rate_store import unreachable
from rolecall.values import Call, Caller, Envelope, Language, Origin, Request, SentParams

ACTION = Action(Shape("A", (), object), "none", rate=3)


REGIONS = frozenset({"r", "s"})


def call(action: str = "A", region: str = "r", client: str = "1.1.1.1") -> Call:
    request = Request("POST", "/", "", (), b"", client, False, 0.0)
    return Call(
        Envelope(request, "id", Language.ENGLISH),
        "d",
        "s",
        "v",
        action,
        region,
        SentParams.parsed({}),
        False,
        cast("Any", None),
    )


def caller(principal: int = 1) -> Caller:
    return Caller(1, 1, 1, principal, "k")


async def passes(
    admission: Admission,
    times: int,
    what: Call,
    who: Caller,
    action: Action = ACTION,
    limit: int = 3,
    regions: frozenset[str] = frozenset(),
) -> int:
    """How many of so many calls at once are let through."""
    count, refusals = 0, []
    for _ in range(times):
        try:
            await admission.admit(what, who, action, regions)
            count += 1
        except Refused as refused:
            refusals.append(
                (refused.reason, refused.facts["limit"], int(str(refused.facts["count"])) > limit)
            )
    assert set(refusals) <= {(Reason.RATE_EXCEEDED, limit, True)}
    return count


def within_a_second(test: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    """Counts are per second of the clock: the test starts early in one, and again if it ends in another and fails."""

    @wraps(test)
    async def run(*arguments: Any, **named: Any) -> None:
        for _ in range(20):
            await asyncio.sleep(1.02 - time.time() % 1)
            began = int(time.time())
            try:
                return await test(*arguments, **named)
            except AssertionError:
                if int(time.time()) == began:
                    raise
        pytest.fail("this machine takes more than a second for a few calls")

    return run


@within_a_second
async def test_each_action_region_and_principal_has_its_own_count() -> None:
    admission = Admission(None)
    assert await passes(admission, 5, call(), caller(), regions=REGIONS) == 3
    assert await passes(admission, 1, call(action="B"), caller(), regions=REGIONS) == 1
    assert await passes(admission, 1, call(region="s"), caller(), regions=REGIONS) == 1
    assert await passes(admission, 1, call(), caller(2), regions=REGIONS) == 1


@pytest.mark.parametrize("regions", [frozenset(), REGIONS])
@within_a_second
async def test_regions_that_the_contract_does_not_list_are_counted_as_one(regions: frozenset[str]) -> None:
    """So no spelling of a region is a budget of its own, nor a place in memory."""
    admission = Admission(None)
    counts = [await passes(admission, 1, call(region=f"x{n}"), caller(), regions=regions) for n in range(20)]
    assert sum(counts) == 3


@within_a_second
async def test_callers_without_credentials_count_by_address() -> None:
    admission = Admission(None)
    assert await passes(admission, 5, call(), caller(0)) == 3
    assert await passes(admission, 1, call(client="2.2.2.2"), caller(0)) == 1


@within_a_second
async def test_a_fixed_rate_replaces_the_contracts_and_none_lifts_it() -> None:
    assert await passes(Admission(None, contract_rates=False), 50, call(), caller()) == 50


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def redis() -> Iterator[str]:
    program = shutil.which("redis-server") or shutil.which("valkey-server")
    if program is None:
        pytest.skip("no redis-server or valkey-server on this system")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    arguments = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    process = subprocess.Popen([program, *arguments], stdout=subprocess.DEVNULL, cwd="/tmp")
    try:
        until(lambda: answers(port))
        yield f"redis://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(120)


@within_a_second
async def test_processes_that_share_a_redis_share_their_counts(redis: str) -> None:
    one, other = Admission(None, store=redis), Admission(None, store=redis)
    assert await passes(one, 2, call(), caller()) == 2
    assert await passes(other, 2, call(), caller()) == 1
    await one.close()
    await other.close()


CHANGES = Allowance("directories", "changes", 3, 60)


async def test_an_allowance_is_spent_by_its_owner_whatever_the_dialect() -> None:
    admission = Admission(None, contract_rates=False)
    spent = [await admission.spend(CHANGES, origin(dialect=dialect)) for dialect in "ddee"]
    assert spent == [True, True, True, False]
    other = Origin(replace(caller(), owner_number=2), "d", "L", "id", "r")
    assert await admission.spend(CHANGES, other)


async def test_an_allowance_is_shared_through_a_redis(redis: str) -> None:
    one, other = Admission(None, store=redis), Admission(None, store=redis)
    spent = [await replica.spend(CHANGES, origin()) for replica in (one, other, one, other)]
    assert spent == [True, True, True, False]
    await one.close()
    await other.close()


MINUTELY = replace(ACTION, rate=5, rate_seconds=60, rate_group="GET")


def origin(principal: int = 1, dialect: str = "d") -> Origin:
    return Origin(caller(principal), dialect, "L", "id", "r")


async def test_actions_of_a_group_share_one_count_for_the_whole_owner_and_the_refusal_says_when_to_come_again() -> (
    None
):
    admission = Admission(None)
    for action, who in (("A", 1), ("B", 1), ("A", 2), ("C", 3), ("B", 2)):
        await let_through(admission, call(action=action), caller(who))
    with pytest.raises(Refused) as caught:
        await admission.admit(call(action="Z"), caller(9), MINUTELY)
    facts = caught.value.facts
    assert (facts["limit"], facts["seconds"]) == (5, 60)
    assert 1 <= int(str(facts["retry_after"])) <= 60
    await let_through(admission, call(action="Z"), caller(9), replace(MINUTELY, rate_group="POST"))
    await let_through(admission, call(action="Z"), replace(caller(9), owner_number=2))


async def let_through(admission: Admission, what: Call, who: Caller, action: Action = MINUTELY) -> None:
    """As a call that is permitted."""
    await admission.admit(what, who, action)
    await admission.charge(what, who, action)


async def test_calls_that_are_not_permitted_use_up_their_senders_share_alone() -> None:
    admission = Admission(None)
    for _ in range(5):
        await admission.admit(call(), caller(7), MINUTELY)
    with pytest.raises(Refused):
        await admission.admit(call(), caller(7), MINUTELY)
    for _ in range(5):
        await let_through(admission, call(), caller(8))
    with pytest.raises(Refused):
        await admission.admit(call(), caller(9), MINUTELY)


async def test_calls_at_once_do_not_exceed_the_owners_share() -> None:
    admission = Admission(None)
    for who in range(1, 9):
        await admission.admit(call(), caller(who), MINUTELY)
    outcomes = [await charged(admission, who) for who in range(1, 9)]
    assert outcomes == [True] * 5 + [False] * 3


async def charged(admission: Admission, who: int) -> bool:
    try:
        await admission.charge(call(), caller(who), MINUTELY)
    except Refused:
        return False
    return True


async def test_a_longer_rate_is_kept_in_every_such_span() -> None:
    """The window moves: the next call is let in when the oldest has left it, and then no other."""
    admission, short = Admission(None), replace(MINUTELY, rate=2, rate_seconds=2)
    begun = time.monotonic()
    while await passes(admission, 1, call(), caller(), short, limit=2) or time.monotonic() - begun < 1:
        await asyncio.sleep(0.02)
    while not await passes(admission, 1, call(), caller(), short, limit=2):
        await asyncio.sleep(0.02)
    assert time.monotonic() - begun >= 1.99


async def test_what_is_left_of_a_rate_can_be_asked() -> None:
    admission, asked = Admission(None), Allowance("s", "GET", 5, 60)
    for left in (5, 4, 3):
        standing = await admission.standing(asked, origin())
        assert standing is not None
        assert (standing.allowance, standing.remaining) == (asked, left)
        await let_through(admission, call(), caller())
    assert await Admission(None, contract_rates=False).standing(asked, origin()) is None
    fixed = await Admission(7, contract_rates=False).standing(asked, origin())
    assert fixed is not None
    assert (fixed.allowance, fixed.remaining) == (Allowance("s", "GET", 7, 1), 7)


async def test_longer_rates_are_shared_through_a_redis_too(redis: str) -> None:
    one, other = Admission(None, store=redis), Admission(None, store=redis)
    for admission in (one, other, one, other, one):
        await let_through(admission, call(), caller())
    with pytest.raises(Refused) as caught:
        await other.admit(call(), caller(), MINUTELY)
    assert 1 <= int(str(caught.value.facts["retry_after"])) <= 60
    standing = await other.standing(Allowance("s", "GET", 5, 60), origin())
    assert standing is not None
    assert standing.remaining == 0
    await one.close()
    await other.close()


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def test_with_the_redis_refused_the_rate_is_kept_in_this_process() -> None:
    alone: list[None] = []
    admission = Admission(None, store=f"redis://127.0.0.1:{closed_port()}", alone=lambda: alone.append(None))
    assert await passes(admission, 5, call(), caller(), replace(ACTION, rate_seconds=60)) == 3
    assert not admission.shares
    assert len(alone) == 5
    assert await admission.standing(Allowance("s", "GET", 5, 60), origin()) is not None
    await admission.close()


async def time_of(work: Awaitable[None]) -> float:
    began = time.monotonic()
    await work
    return time.monotonic() - began


async def test_a_silent_redis_is_waited_for_once_and_not_by_every_call() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        admission = Admission(None, store=f"redis://127.0.0.1:{silent.getsockname()[1]}")
        started = time.monotonic()
        await asyncio.gather(*(admission.admit(call(action=f"A{n}"), caller(), ACTION) for n in range(50)))
        assert not admission.shares
        seconds = [await time_of(admission.admit(call(action=f"B{n}"), caller(), ACTION)) for n in range(5)]
        assert time.monotonic() - started < 30
        assert min(seconds) < 0.5  # which a wait takes; a busy machine may for one of them
        await admission.close()
    assert await unreachable(f"redis://127.0.0.1:{closed_port()}")


@within_a_second
async def test_a_redis_that_is_back_is_asked_again(redis: str) -> None:
    admission, other = Admission(None, store=redis), Admission(None, store=redis)
    admission.shares = False  # it was away, and its time has come
    assert await passes(admission, 3, call(), caller()) == 3
    assert admission.shares
    assert await passes(other, 1, call(), caller()) == 0
    await admission.close()
    await other.close()
