"""`Watched`: times, redacts, and lets out nothing but refusals."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest

from rolecall.domain.engine import AccountChange, AccountKind, NewAccount, ObjectType
from rolecall.domain.instances.lanes import Lane, LaneLimits
from rolecall.domain.reasons import OutcomeUnknown, Reason, Refused
from rolecall.engines.base import Watched
from rolecall.engines.memory import MemoryEngine
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
    lane, inner = Lane(LaneLimits(width=1, failures=1, pause=60.0, longest_pause=60.0)), MemoryEngine()
    engine = Watched(inner, lane=lane)
    async with asyncio.timeout(5), lane.turn():
        await engine.create_account(NewAccount("a", AccountKind.NORMAL, None, uuid4()))  # has a place already
        await asyncio.create_task(engine.accounts())
    with pytest.raises(Refused):
        async with lane.turn():
            raise Refused(Reason.ENGINE_UNREACHABLE)
    asked = [
        engine.facts(), engine.account("a"), engine.accounts(), engine.databases(), engine.objects(ObjectType.DATABASE),
        engine.privileges("a", []), engine.create_account(NewAccount("b", AccountKind.NORMAL, None, uuid4())),
        engine.change_account(AccountChange("a", uuid4())), engine.drop_account("a", uuid4()),
    ]  # fmt: skip
    for work in asked:
        with pytest.raises(Refused, match="a moment ago"):
            await work
    assert [one.name for one in await inner.accounts()] == ["a"]
