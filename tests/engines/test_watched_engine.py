"""`Watched`: times, redacts, and lets out nothing but refusals."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest
from tests.waiting import PATIENCE

from rolecall.domain.engine import AccountChange, AccountKind, EngineAddress, NewAccount, ObjectType
from rolecall.domain.engine.capabilities import required
from rolecall.domain.instances.lanes import LaneLimits
from rolecall.domain.reasons import OutcomeUnknown, Reason, Refused
from rolecall.engines.base import Watched
from rolecall.engines.memory import MemoryEngine
from rolecall.engines.memory_grants import MemoryGrantsEngine
from rolecall.engines.mysql import WRITERS, MySqlEngine
from rolecall.engines.postgresql import PostgresEngine
from rolecall.values import Secret


class Broken(MemoryEngine):
    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.error = error

    async def change_account(self, change):
        raise self.error


async def test_the_watcher_hears_of_each_method_and_how_it_ended():
    heard = []
    engine = Watched(MemoryEngine(), watcher=lambda *what: heard.append(what))
    new = NewAccount("a", AccountKind.NORMAL, None, uuid4())
    made = await engine.create_account(new)
    assert await engine.accounts() == [made]
    with pytest.raises(Refused):
        await engine.create_account(NewAccount("a", AccountKind.NORMAL, None, uuid4()))
    assert [(method, outcome) for method, _, outcome in heard] == [
        ("create_account", "done"),
        ("accounts", "done"),
        ("create_account", "account-taken"),
    ]
    assert all(seconds >= 0 for _, seconds, _ in heard)


async def test_known_secrets_are_struck_out_of_a_note():
    error = Refused(Reason.ENGINE_REFUSED, "f", facts={"value": 1}, note="key adm1n and ver1fier")
    engine = Watched(Broken(error), secrets=[Secret("adm1n")])
    with pytest.raises(Refused) as caught:
        await engine.change_account(AccountChange("a", uuid4(), verifier=Secret("ver1fier")))
    assert caught.value.note == "key *** and ***"
    assert (caught.value.reason, caught.value.field, caught.value.facts) == (error.reason, "f", {"value": 1})


@pytest.mark.parametrize(
    ("error", "raised", "outcome"),
    [
        (RuntimeError("CREATE ROLE x PASSWORD 'y'"), Refused, "engine-refused"),
        (OutcomeUnknown("?"), OutcomeUnknown, "unknown"),
        (asyncio.CancelledError(), asyncio.CancelledError, "cancelled"),
    ],
)
async def test_a_surprise_is_a_refusal_that_quotes_nothing(error, raised, outcome):
    heard = []
    engine = Watched(Broken(error), watcher=lambda *what: heard.append(what))
    with pytest.raises(raised) as caught:
        await engine.change_account(AccountChange("a", uuid4()))
    assert heard[0][2] == outcome
    assert "PASSWORD" not in str(caught.value)


async def test_what_is_asked_takes_a_place_in_the_lane_reads_as_changes_and_neither_waits_for_a_sick_server():
    inner, limits = MemoryEngine(), LaneLimits(width=1, failures=1, pause=60.0, longest_pause=60.0)
    engine = Watched(inner, limits=limits)
    lane = engine.lane
    async with asyncio.timeout(PATIENCE), lane.turn():
        await engine.create_account(NewAccount("a", AccountKind.NORMAL, None, uuid4()))  # has a place already
        await asyncio.create_task(engine.accounts())
    with pytest.raises(Refused):
        async with lane.turn():
            raise Refused(Reason.ENGINE_UNREACHABLE)
    asked = [
        engine.facts(), engine.account("a"), engine.accounts(), engine.databases(),
        engine.objects.names(ObjectType.DATABASE), engine.objects.privileges("a", []),
        engine.create_account(NewAccount("b", AccountKind.NORMAL, None, uuid4())),
        engine.change_account(AccountChange("a", uuid4())), engine.drop_account("a", uuid4()),
    ]  # fmt: skip
    for work in asked:
        with pytest.raises(Refused, match="a moment ago"):
            await work
    assert [one.name for one in await inner.accounts()] == ["a"]


CAPABILITIES = ("objects", "ownership", "grants", "superuser", "password_check")


def at(kind, user):
    return EngineAddress(kind, "127.0.0.1", 1, user, Secret("x"), "", {})


@pytest.mark.parametrize(
    ("engine", "capable"),
    [
        (MemoryEngine(), {"objects", "ownership"}),
        (PostgresEngine(at("postgresql", "postgres")), {"objects", "ownership"}),
        (MemoryGrantsEngine(), {"grants", "superuser", "password_check"}),
        (MySqlEngine(at("mysql", "caretaker")), {"grants", "superuser", "password_check"}),
        (MySqlEngine(at("mysql", "Root ")), {"grants", "password_check"}),
    ],
    ids=["memory", "postgres", "memory-grants", "mysql", "mysql as root"],
)
def test_an_engine_tells_its_capabilities_and_so_does_the_one_around_it(engine, capable):
    watched = Watched(engine)
    for name in CAPABILITIES:
        assert (getattr(engine, name) is not None) == (name in capable), name
        assert (getattr(watched, name) is not None) == (name in capable), name
        if name not in capable:
            with pytest.raises(Refused) as caught:
                required(getattr(watched, name))
            assert caught.value.reason is Reason.ENGINE_UNSUITED


async def test_the_lane_is_as_wide_as_the_engine_has_writers():
    for engine, width in ((MemoryEngine(), 3), (MySqlEngine(at("mysql", "caretaker")), WRITERS)):
        lane, release = Watched(engine, limits=LaneLimits(width=3, depth=0)).lane, asyncio.Event()

        async def hold(lane=lane, release=release):
            async with lane.turn():
                await release.wait()

        holding = [asyncio.create_task(hold()) for _ in range(width)]
        while lane.depth < width:
            await asyncio.sleep(0)
        with pytest.raises(Refused, match="full"):
            await hold()
        release.set()
        await asyncio.gather(*holding)
