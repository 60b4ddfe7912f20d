"""An exchange ends when its answer is lost, and not before."""

from __future__ import annotations

import asyncio
from collections.abc import Container
from typing import cast

import psycopg
import pytest

from rolecall.exchanges import Deadlines, Inquiry, Watch
from rolecall.exchanges.pools import Pool
from rolecall.exchanges.postgresql import Connection

QUICK = Deadlines(connect=1.0, silence=0.01, statement=60.0)


async def wait_for_ever() -> None:
    await asyncio.Event().wait()


async def test_an_answer_that_comes_is_taken_without_asking() -> None:
    async def at_work(_since: float) -> bool:
        raise AssertionError("asked")

    async with Watch(Deadlines(silence=60.0), at_work).exchange():
        pass


async def test_a_server_that_is_at_work_is_waited_for_and_one_that_is_not_is_given_up() -> None:
    answers = iter([True, True, False])
    with pytest.raises(TimeoutError):
        async with Watch(QUICK, lambda _since: asyncio.sleep(0, next(answers))).exchange():
            await wait_for_ever()
    assert not list(answers)


async def test_a_statement_has_an_end_whatever_the_server_says() -> None:
    with pytest.raises(TimeoutError):
        async with Watch(
            Deadlines(silence=0.01, statement=0.05), lambda _since: asyncio.sleep(0, True)
        ).exchange():
            await wait_for_ever()


async def test_whoever_waits_no_more_is_not_told_of_a_deadline() -> None:
    with pytest.raises(asyncio.CancelledError):
        async with Watch(QUICK, lambda _since: asyncio.sleep(0, True)).exchange():
            raise asyncio.CancelledError


class Asked:
    """A server that is asked, and answers when it is let."""

    def __init__(self, *answers: Container[int] | None) -> None:
        self.answers = list(answers)
        self.times = 0
        self.let = asyncio.Event()

    async def __call__(self) -> Container[int] | None:
        self.times += 1
        await self.let.wait()
        return self.answers.pop(0)


def now() -> float:
    return asyncio.get_running_loop().time()


async def test_those_who_wonder_at_the_same_time_share_a_question() -> None:
    asked = Asked({1, 2})
    inquiry = Inquiry(asked)
    since = now()
    wondering = [asyncio.create_task(inquiry.is_at_work(session, since)) for session in (1, 2, 3)]
    await asyncio.sleep(0)
    asked.let.set()
    assert await asyncio.gather(*wondering) == [True, True, False]
    assert asked.times == 1


async def test_an_answer_older_than_the_statement_counts_for_nothing() -> None:
    asked = Asked({1}, {2})
    inquiry = Inquiry(asked)
    first = asyncio.create_task(inquiry.is_at_work(1, now()))
    await asyncio.sleep(0.01)
    second = asyncio.create_task(inquiry.is_at_work(2, now()))
    await asyncio.sleep(0)
    asked.let.set()
    assert await asyncio.gather(first, second) == [True, True]
    assert asked.times == 2


async def test_a_server_that_answers_without_telling_is_taken_to_be_at_work() -> None:
    asked = Asked(None)
    asked.let.set()
    assert await Inquiry(asked).is_at_work(1, now())


async def test_sessions_that_were_left_behind_are_ended_by_the_next_connection_that_can() -> None:
    """One that is lost itself before it has ended them leaves that to the next."""
    told: list[list[int]] = []

    class Server:
        place = (1, 2)

        def __init__(self, *, is_lost: bool) -> None:
            self.is_lost = is_lost

        async def execute(self, _query: str, values: tuple[list[int]]) -> None:
            if self.is_lost:
                raise psycopg.OperationalError
            told.append(values[0])

    pool = Pool(lambda: pytest.fail("connected"), size=1, deadlines=QUICK)
    pool.abandoned |= {((1, 2), 7), ((1, 1), 8)}
    for is_lost in (True, False):
        await pool._end_abandoned(cast("Connection", Server(is_lost=is_lost)))
    assert told == [[7]]
    assert not pool.abandoned
