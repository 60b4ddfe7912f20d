"""Lanes bound what one instance can hold up, and refuse at once while its server is away."""

from __future__ import annotations

import asyncio

import pytest
from tests.waiting import PATIENCE

from rolecall.domain.instances.lanes import Lane, LaneLimits
from rolecall.domain.reasons import OutcomeUnknown, Reason, Refused


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


async def fail(lane: Lane, reason: Reason = Reason.ENGINE_UNREACHABLE) -> Reason:
    with pytest.raises(Refused) as refused:
        async with lane.turn():
            raise Refused(reason, note="tried")
    return Reason(refused.value.reason)


async def test_only_the_width_is_under_way_at_once() -> None:
    lane = Lane(LaneLimits(width=2, depth=10))
    most = running = 0

    async def work() -> None:
        nonlocal most, running
        async with lane.turn():
            running += 1
            most = max(most, running)
            await asyncio.sleep(0)
            running -= 1

    await asyncio.gather(*(work() for _ in range(10)))
    assert most == 2
    assert lane.depth == 0


async def test_a_full_lane_refuses_at_once() -> None:
    lane = Lane(LaneLimits(width=1, depth=1))
    release = asyncio.Event()

    async def hold() -> None:
        async with lane.turn():
            await release.wait()

    holders = [asyncio.create_task(hold()) for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(Refused) as refused:
        async with lane.turn():
            pass
    assert refused.value.reason is Reason.ENGINE_BUSY
    release.set()
    await asyncio.gather(*holders)


async def test_the_breaker_opens_after_refused_connections_and_lets_one_probe_through() -> None:
    clock = Clock()
    lane = Lane(LaneLimits(failures=2, pause=1.0, longest_pause=4.0), clock)
    await fail(lane)
    assert lane.healthy
    await fail(lane)
    assert not lane.healthy
    with pytest.raises(Refused) as refused:
        async with lane.turn():
            pytest.fail("the server must not be asked now")
    assert "a moment ago" in refused.value.note
    clock.now += 10
    async with lane.turn():
        pass
    assert lane.healthy


async def test_other_refusals_do_not_open_the_breaker() -> None:
    lane = Lane(LaneLimits(failures=1))
    for _ in range(5):
        await fail(lane, Reason.ACCOUNT_TAKEN)
    assert lane.healthy


async def test_looks_do_not_wait_for_changes_and_share_their_breaker() -> None:
    lane = Lane(LaneLimits(width=1, failures=2, pause=60.0, longest_pause=60.0))
    async with lane.turn(), asyncio.timeout(PATIENCE):
        await asyncio.create_task(look(lane))
        assert lane.depth == 1
    await fail(lane)
    await fail(lane)
    with pytest.raises(Refused, match="a moment ago"):
        await look(lane)


async def look(lane: Lane) -> None:
    async with lane.look():
        pass


async def test_whoever_has_a_place_needs_no_other() -> None:
    lane = Lane(LaneLimits(width=1, depth=0))
    async with asyncio.timeout(PATIENCE), lane.turn(), lane.turn(), lane.look():
        assert lane.depth == 1
    assert lane.depth == 0


async def test_those_who_waited_when_the_breaker_opened_do_not_try_one_after_the_other() -> None:
    lane = Lane(LaneLimits(width=1, failures=1, pause=60.0, longest_pause=60.0))
    release = asyncio.Event()

    async def hang() -> None:
        async with lane.turn():
            await release.wait()
            raise Refused(Reason.ENGINE_UNREACHABLE)

    async def follow() -> None:
        async with lane.turn():
            pytest.fail("the server was asked again")

    calls = [asyncio.create_task(hang()), *(asyncio.create_task(follow()) for _ in range(20))]
    while lane.depth < len(calls):
        await asyncio.sleep(0)
    release.set()
    ended = await asyncio.gather(*calls, return_exceptions=True)
    assert all(isinstance(one, Refused) and one.reason is Reason.ENGINE_UNREACHABLE for one in ended)


async def test_an_outcome_that_is_unknown_counts_against_the_server() -> None:
    lane = Lane(LaneLimits(failures=1))
    with pytest.raises(OutcomeUnknown):
        async with lane.turn():
            raise OutcomeUnknown
    assert not lane.healthy


async def test_after_a_long_outage_the_breaker_lets_a_probe_through_within_a_second() -> None:
    clock = Clock()
    lane = Lane(LaneLimits(), clock)
    for _ in range(50):
        clock.now += 1.0
        await fail(lane)
    clock.now += 1.0
    async with lane.turn():
        pass
    assert lane.healthy


async def test_two_lanes_share_nothing() -> None:
    sick, well = Lane(LaneLimits(failures=1)), Lane(LaneLimits(width=1))
    async with sick.turn():
        await asyncio.create_task(look(well))
    await fail(sick)
    assert well.healthy
    await look(well)
