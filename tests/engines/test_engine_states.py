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


async def test_a_membership_is_restored_and_ended(
    harness: Harness, make: Maker, unique: Callable[[str], str]
) -> None:
    made, role = await make(harness.engine, unique("state")), unique("role")
    await harness.add_role(role)
    place, states = (made.name, harness.host), harness.engine.states
    has_options = (
        harness.first_version[0] == 16
    )  # PostgreSQL's; other servers' members may always become the role
    options = "inherit, set, admin" if has_options else "inherit, admin"
    await states.restore(place, AccountState(memberships={role: options}), uuid4())
    assert (await state_of(harness, made.name)).state.memberships == {role: options}
    await states.restore(place, AccountState(memberships={role: None}), uuid4())
    assert (await state_of(harness, made.name)).state.memberships == {}


async def refuses(harness: Harness, name: str, state: AccountState, reason: Reason) -> None:
    """And changes nothing, of what it could change either."""
    before = await state_of(harness, name)
    more = structs.replace(state, login=False, connection_limit=5)
    with pytest.raises(Refused) as refused:
        await harness.engine.states.restore((name, harness.host), more, uuid4(), before.facts.expected)
    assert refused.value.reason is reason
    found = await state_of(harness, name)
    assert found.facts.operations == before.facts.operations
    # PostgreSQL takes the login away before all else, so that no tenant can delay it.
    assert structs.replace(found.state, login=before.state.login) == before.state


async def test_no_membership_is_restored_in_a_role_that_is_gone_or_has_more(
    harness: Harness, make: Maker, unique: Callable[[str], str]
) -> None:
    made, strong = await make(harness.engine, unique("state")), unique("strong")
    await harness.add_role(strong, is_strong=True)
    for role, reason in ((unique("none"), Reason.ACCOUNT_MISSING), (strong, Reason.ACCOUNT_PROTECTED)):
        await refuses(harness, made.name, AccountState(memberships={role: "inherit"}), reason)


async def test_no_membership_is_restored_that_leads_back(owning: Harness, make: Maker) -> None:
    first, second, third = [await make(owning.engine, password=None) for _ in range(3)]
    restore = owning.engine.states.restore
    await restore((second.name, ""), AccountState(memberships={first.name: "inherit"}), uuid4())
    await restore((third.name, ""), AccountState(memberships={second.name: "inherit"}), uuid4())
    for role in (first, third):
        state = AccountState(memberships={role.name: "inherit"})
        await refuses(owning, first.name, state, Reason.MEMBERSHIP_CIRCULAR)
    await refuses(owning, first.name, AccountState(kind=AccountKind.SUPER.value), Reason.MEMBERSHIP_CIRCULAR)


async def test_no_privilege_is_restored_on_a_database_that_is_gone_or_no_tenants(
    owning: Harness, make: Maker, unique: Callable[[str], str]
) -> None:
    made = await make(owning.engine, password=None)
    for database, reason in (
        (unique("none"), Reason.DATABASE_MISSING),
        ("postgres", Reason.DATABASE_PROTECTED),
    ):
        await refuses(owning, made.name, AccountState(privileges={database: {"CREATE": True}}), reason)
