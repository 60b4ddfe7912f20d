"""What every engine shows of the whole states of accounts, and how it restores them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from uuid import uuid4

import pytest
from msgspec import structs
from tests.engines.conftest import Harness, Maker

from rolecall.domain.engine import AccountKind, NewAccount
from rolecall.domain.engine.identity import Expected
from rolecall.domain.engine.states import AccountState, FoundState, digest_of, new_state
from rolecall.domain.reasons import Reason, Refused
from rolecall.values import Secret


async def state_of(harness: Harness, name: str) -> FoundState:
    (found,) = await harness.engine.states.at([(name, harness.host)])
    return found


async def test_a_new_account_has_the_state_that_is_recorded_of_it(
    harness: Harness, unique: Callable[[str], str]
) -> None:
    for kind in harness.kinds:
        name = unique("state")
        verifier = harness.engine.verifier(name, Secret("Corr3ct-horse"))
        for given in (verifier, None):
            made = await harness.engine.create_account(
                NewAccount(f"{name}{given is None}", kind, given, uuid4())
            )
            found = await state_of(harness, made.name)
            assert replace(found.facts, verifier_write=None) == replace(made, verifier_write=None)
            assert found.state == new_state(kind.value, {}, (), digest_of(given))


async def test_pages_have_every_account_once(
    harness: Harness, make: Maker, unique: Callable[[str], str]
) -> None:
    names = {unique("state") for _ in range(3)}
    for name in names:
        await make(harness.engine, name)
    if (
        harness.host
    ):  # the key has the host first: pages of accounts at several hosts are not in the order of names
        for number, host in enumerate(("10.0.0.3", "10.0.0.2", "%")):
            await make(harness.engine, unique(f"at{number}"), host=host)
    found: list[FoundState] = []
    after = None
    while page := await harness.engine.states.page(after, 2):
        found += page
        after = page[-1].facts.name, page[-1].facts.host
    places = [(state.facts.name, state.facts.host) for state in found]
    assert len(set(places)) == len(places)
    assert set(places) >= {(name, harness.host) for name in names}
    assert await harness.engine.states.at([]) in ((), [])
    assert list(await harness.engine.states.at([("no such account", harness.host), ("x\0y", "")])) == []


async def test_a_part_of_a_state_is_restored_once_and_of_that_account(
    harness: Harness, make: Maker, unique: Callable[[str], str]
) -> None:
    made = await make(harness.engine, unique("state"))
    place, states = (made.name, harness.host), harness.engine.states
    before = await state_of(harness, made.name)
    operation = uuid4()
    wanted = AccountState(login=False, connection_limit=3)
    for _ in range(2):
        after = await states.restore(place, wanted, operation, made.expected)
        assert after.marker == operation
        found = await state_of(harness, made.name)
        assert found.state == structs.replace(before.state, login=False, connection_limit=3)
    for expected, reason in (
        (made.expected, Reason.ENGINE_BUSY),
        (Expected("another"), Reason.ACCOUNT_MISSING),
    ):
        with pytest.raises(Refused) as refused:
            await states.restore(place, AccountState(connection_limit=4), uuid4(), expected)
        assert refused.value.reason is reason
    await states.restore(place, AccountState(login=True, connection_limit=-1), uuid4())
    assert (await state_of(harness, made.name)).state == before.state
    with pytest.raises(Refused) as refused:
        await states.restore((unique("none"), harness.host), wanted, uuid4())
    assert refused.value.reason is Reason.ACCOUNT_MISSING


async def test_another_kind_is_restored(harness: Harness, make: Maker, unique: Callable[[str], str]) -> None:
    if AccountKind.SUPER not in harness.kinds:
        pytest.skip("no super accounts on this server")
    made = await make(harness.engine, unique("state"))
    place = (made.name, harness.host)
    for kind in (AccountKind.SUPER, AccountKind.NORMAL):
        await harness.engine.states.restore(place, AccountState(kind=kind.value), uuid4())
        found = await state_of(harness, made.name)
        assert (found.state.kind, found.state.attributes) == (kind.value, "")
