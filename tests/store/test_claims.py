"""Client tokens and the order of counted operations are decided in the commit that accepts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any
from uuid import UUID, uuid4

import pytest
from msgspec.structs import replace
from tests.store.test_ledger import SEALER, new_instance

from rolecall.domain.access.keys import Owner
from rolecall.domain.instances.registry import register
from rolecall.domain.messages import ClientToken
from rolecall.domain.operations.claims import Claim, ClaimedBefore
from rolecall.domain.operations.client_tokens import ClientTokens
from rolecall.domain.operations.model import Change, Intent, Promised, Runner, State
from rolecall.domain.reasons import Reason, Refused
from rolecall.store import Store
from rolecall.store.memory import MemoryReplica, MemoryStore
from rolecall.values import Caller, Origin, Secret

Replica = Store | MemoryReplica

AT_ONCE = 12


@pytest.fixture(params=["memory", "postgres"])
async def replicas(request: pytest.FixtureRequest) -> AsyncIterator[list[Replica]]:
    """Three of them on one store."""
    if request.param == "memory":
        shared = MemoryStore()
        yield [shared.replica() for _ in range(3)]
        return
    dsn = request.getfixturevalue("dsn")
    async with AsyncExitStack() as opened:
        stores = [Store(dsn, pool_size=4) for _ in range(3)]
        for one in stores:
            await one.open()
            opened.push_async_callback(one.close)
        yield [*stores]


@pytest.fixture
async def owner(replicas: list[Replica]) -> int:
    return (await replicas[0].keys.add_owner(100, 200)).id


@pytest.fixture
async def instance(replicas: list[Replica], owner: int) -> int:
    made = await register(replicas[0].instances, SEALER, new_instance(Owner(owner, 100, 200)))
    return made.id


def intent(owner: int, target: str, claim: Claim | None = None, *, counted: bool = False) -> Intent:
    origin = Origin(Caller(owner, 1, 1, 1, "AKIDx"), "d", "A", "r")
    return Intent(Change.ACCOUNT_CREATE, target, origin, {"remark": ""}, None, claim, counted)


def other(replicas: list[Replica], number: int) -> Replica:
    return replicas[number % len(replicas)]


async def test_of_calls_at_once_one_has_the_token_and_nothing_is_accepted_of_the_others(
    replicas: list[Replica], owner: int
) -> None:
    ids = [uuid4() for _ in range(AT_ONCE)]
    wanted = intent(owner, "acc", Claim("t", "digest"))
    done = await asyncio.gather(
        *(other(replicas, n).operations.accept(one, 7, wanted) for n, one in enumerate(ids)),
        return_exceptions=True,
    )
    (winner,) = [one for one, outcome in zip(ids, done, strict=True) if outcome is None]
    for outcome in done:
        assert outcome is None or isinstance(outcome, ClaimedBefore)
        assert outcome is None or outcome.kept.operation == winner
    assert [one.id for one in await replicas[0].operations.operations(limit=99)] == [winner]


async def test_a_token_is_renewed_by_one_call_at_once(replicas: list[Replica], owner: int) -> None:
    table, first = replicas[0].operations, uuid4()
    await table.accept(first, 7, intent(owner, "acc", Claim("t", "digest")))
    await table.close(first, State.REFUSED, "engine-refused", "")
    ids = [uuid4() for _ in range(AT_ONCE)]
    wanted = intent(owner, "acc", Claim("t", "another", renews=first))
    done = await asyncio.gather(
        *(other(replicas, n).operations.accept(one, 7, wanted) for n, one in enumerate(ids)),
        return_exceptions=True,
    )
    (winner,) = [one for one, outcome in zip(ids, done, strict=True) if outcome is None]
    kept = await table.claimed(owner, "t")
    assert kept is not None
    assert (kept.operation, kept.instance_id, kept.state, kept.digest) == (
        winner, 7, State.ACCEPTED, "another"
    )  # fmt: skip


async def test_an_operation_that_is_open_again_keeps_its_token(replicas: list[Replica], owner: int) -> None:
    """A repetition saw it recorded, and then a crash of the store lost that."""
    table, first = replicas[0].operations, uuid4()
    await table.accept(first, 7, intent(owner, "acc", Claim("t", "digest", waits=True)))
    with pytest.raises(ClaimedBefore) as refused:
        await table.accept(uuid4(), 7, intent(owner, "acc", Claim("t", "digest", renews=first, waits=True)))
    assert (refused.value.kept.operation, refused.value.kept.state) == (first, State.ACCEPTED)


async def test_a_promise_that_is_refused_leaves_its_token_free(replicas: list[Replica], owner: int) -> None:
    table = replicas[0].operations
    promise = replace(intent(owner, "acc"), runner=Runner.DEFERRED)
    await table.promise(7, [Promised(uuid4(), promise)])
    again = replace(promise, claim=Claim("t", "digest"))
    with pytest.raises(Refused):
        await table.promise(7, [Promised(uuid4(), again)])
    assert await table.claimed(owner, "t") is None


async def test_tokens_of_owners_are_their_own(replicas: list[Replica], owner: int) -> None:
    second = (await replicas[0].keys.add_owner(101, 201)).id
    for one in (owner, second):
        await replicas[0].operations.accept(uuid4(), 7, intent(one, "acc", Claim("t", "digest")))
    assert len(await replicas[0].operations.operations(limit=9)) == 2


async def test_of_counted_operations_each_is_told_all_that_were_accepted_before_it(
    replicas: list[Replica], owner: int, instance: int
) -> None:
    async def accepted(number: int) -> int:
        table, one = other(replicas, number).operations, uuid4()
        await table.accept(one, instance, intent(owner, f"acc{number}", counted=True))
        return len(await table.ahead(one))

    assert sorted(await asyncio.gather(*map(accepted, range(AT_ONCE)))) == list(range(AT_ONCE))


async def test_what_is_closed_of_another_instance_or_no_creation_is_not_ahead(
    replicas: list[Replica], owner: int, instance: int
) -> None:
    table = replicas[0].operations

    async def accept(target: str, place: int = instance, *, counted: bool = True) -> UUID:
        one = uuid4()
        await table.accept(one, place, intent(owner, target, counted=counted))
        return one

    await accept("elsewhere", instance + 1)
    await table.close(await accept("closed"), State.REFUSED, "engine-refused", "")
    await table.accept(
        uuid4(), instance, replace(intent(owner, "locked", counted=True), change=Change.ACCOUNT_LOCK)
    )
    await accept("uncounted", counted=False)
    mine = await accept("mine")
    await accept("later")
    assert await table.ahead(mine) == {("uncounted", "")}


class Calls:
    """What a service does with client tokens, on an engine that is a dictionary."""

    def __init__(self, replicas: list[Replica], owner: int) -> None:
        self._owner = owner
        self._stores = replicas
        self._tokens = [ClientTokens(one.operations, Secret("key")) for one in replicas]
        self.made: list[UUID] = []
        self.refuse = 0
        """How many more operations the engine refuses."""

    async def create(self, number: int, token: str = "t", digest: str = "d") -> UUID:
        table = other(self._stores, number).operations

        async def call(claim: Claim) -> UUID:
            one = uuid4()
            await table.accept(one, 7, intent(self._owner, "acc", claim))
            if self.refuse:
                self.refuse -= 1
                await table.close(one, State.REFUSED, "engine-refused", "")
                raise Refused(Reason.ENGINE_REFUSED)
            self.made.append(one)
            await table.record(one, 7, None)
            return one

        async def repeat(kept: Any) -> UUID | None:
            return kept.operation if kept.operation in self.made else None

        tokens = self._tokens[number % len(self._tokens)]
        return await tokens.once(self._owner, ClientToken(token, digest), call, repeat)


@pytest.fixture
def calls(replicas: list[Replica], owner: int) -> Calls:
    return Calls(replicas, owner)


async def test_calls_with_one_token_at_three_replicas_are_one_call(calls: Calls) -> None:
    for attempt in range(20):
        done = await asyncio.gather(*(calls.create(number, f"t{attempt}") for number in range(AT_ONCE)))
        assert len(set(done)) == 1
    assert len(calls.made) == 20


async def test_a_call_that_was_refused_is_done_by_a_repetition_and_its_token_stays_taken(
    calls: Calls,
) -> None:
    """The call that was refused must not give back the token of what a repetition has made since."""
    calls.refuse = 2
    done = await asyncio.gather(*map(calls.create, range(AT_ONCE)), return_exceptions=True)
    assert len([one for one in done if isinstance(one, Refused)]) == 2
    assert len(calls.made) == 1
    assert await calls.create(1) == calls.made[0]


async def test_other_parameters_are_refused_unless_nothing_was_done(calls: Calls) -> None:
    calls.refuse = 1
    with pytest.raises(Refused, match="engine-refused"):
        await calls.create(0)
    await calls.create(1, digest="another")
    with pytest.raises(Refused) as refusal:
        await calls.create(2)
    assert refusal.value.reason is Reason.CLIENT_TOKEN_MISMATCH


async def test_what_is_gone_is_made_again(calls: Calls) -> None:
    first = await calls.create(0)
    calls.made.clear()
    done = await asyncio.gather(*map(calls.create, range(AT_ONCE)))
    assert len(set(done)) == 1
    assert done[0] != first


async def test_a_repetition_of_a_call_that_does_not_end_is_told_so(
    replicas: list[Replica], owner: int, calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rolecall.domain.operations.client_tokens._PATIENCE", 0.1)
    key = ClientTokens(replicas[0].operations, Secret("key"))
    held = asyncio.Event()
    started = asyncio.Event()

    async def call(claim: Claim) -> UUID:
        one = uuid4()
        await replicas[0].operations.accept(one, 7, intent(owner, "acc", claim))
        started.set()
        await held.wait()
        await replicas[0].operations.close(one, State.REFUSED, "engine-refused", "")
        return one

    async def repeat(_kept: Any) -> None:
        return None

    first = asyncio.create_task(key.once(owner, ClientToken("t", "d"), call, repeat))
    await started.wait()
    with pytest.raises(Refused) as refusal:
        await calls.create(1)
    assert refusal.value.reason is Reason.CLIENT_TOKEN_BUSY
    held.set()
    await first
    assert await calls.create(1) == calls.made[0]
