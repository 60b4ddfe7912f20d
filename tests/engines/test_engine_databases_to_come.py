"""The engine suite, grants on databases that are not there yet: what every engine of that kind promises."""

from __future__ import annotations

from uuid import uuid4

import pytest

from rolecall.domain.engine import (
    Access,
    AccountChange,
    AccountKind,
    DatabaseGrant,
    ExpectedDatabase,
    NewAccount,
    NewDatabase,
)
from rolecall.domain.reasons import Reason, Refused


@pytest.fixture
async def promise(granting, unique):
    """Makes an account with a grant on each of some databases, there or not."""

    async def make(*databases: str, name: str = "", host: str = "") -> str:
        account = name or unique("acct")
        grants = tuple(DatabaseGrant(one, Access.ALL) for one in databases)
        new = NewAccount(account, AccountKind.NORMAL, None, uuid4(), host, grants, allow_missing=True)
        made = await granting.engine.create_account(new)
        assert made.grants == tuple(sorted(grants, key=lambda one: one.database))
        assert await granting.engine.account(account, host) == made
        return account

    return make


async def held(granting, name: str, host: str = "") -> list[str]:
    facts = await granting.engine.account(name, host)
    return [grant.database for grant in facts.grants]


async def make_database(granting, name: str) -> None:
    await granting.engine.create_database(NewDatabase(name, "", uuid4()))


async def test_a_grant_on_a_database_to_come_is_kept_until_it_is_made_and_after(granting, promise, unique):
    ghost = unique("g_%\\x")
    account = await promise(ghost)
    await make_database(granting, ghost)
    assert await held(granting, account) == [ghost]


async def test_a_grant_of_a_database_to_come_can_be_given_later_and_taken_before_it_is_made(
    granting, make, unique
):
    kept, taken = sorted([unique("g"), unique("g")])
    account = (await make(granting.engine)).name
    grants = [DatabaseGrant(kept, Access.READ_ONLY), DatabaseGrant(taken, Access.ALL)]
    for _ in range(2):
        changed = await granting.engine.grants.change_grants(
            account, "", grants, [], uuid4(), allow_missing=True
        )
        assert changed.grants == tuple(grants)
    await granting.engine.grants.change_grants(account, "", [], [taken], uuid4())
    for one in (kept, taken):
        await make_database(granting, one)
    assert await held(granting, account) == [kept]


async def test_what_waits_for_a_database_ends_with_it(granting, promise, unique):
    """The next database of the name has none of the grants, as ever."""
    ghost = unique("g")
    account = await promise(ghost)
    await make_database(granting, ghost)
    await granting.engine.drop_database(ghost)
    await make_database(granting, ghost)
    assert await held(granting, account) == []


async def test_a_database_that_never_was_can_be_dropped_with_what_waits_for_it(granting, promise, unique):
    ghost = unique("g")
    account = await promise(ghost)
    assert not await granting.engine.drop_database(ghost)
    await make_database(granting, ghost)
    assert await held(granting, account) == []


async def test_a_deletion_that_is_repeated_takes_nothing_that_waits_for_the_next_database(
    granting, make, promise, unique
):
    name = unique("g")
    await make_database(granting, name)
    (database,) = [each for each in await granting.engine.databases() if each.name == name]
    expected = ExpectedDatabase(database.identity)
    left = (await make(granting.engine, grants=(DatabaseGrant(name, Access.ALL),))).name
    assert await granting.engine.drop_database(name, expected)
    waiting = await promise(name)
    assert not await granting.engine.drop_database(name, expected)
    assert await held(granting, waiting) == [name]
    await make_database(granting, name)
    assert await held(granting, waiting) == [name]
    assert await held(granting, left) == []


async def test_a_renamed_account_goes_on_waiting_and_a_dropped_one_does_not(granting, promise, unique):
    ghost, new = unique("g"), unique("new")
    moved, gone = await promise(ghost), await promise(ghost)
    await granting.engine.change_account(AccountChange(moved, uuid4(), new_name=new, new_host="10.0.0.1"))
    await granting.engine.drop_account(gone, uuid4())
    await promise(name=gone)
    await make_database(granting, ghost)
    assert await held(granting, new, "10.0.0.1") == [ghost]
    assert await held(granting, gone) == []


@pytest.mark.parametrize("never", ["mysql", "ROLECALL_CONTROL", "information_schema", "", "_" * 33])
async def test_what_no_tenants_database_can_be_called_is_missing_all_the_same(granting, promise, never):
    assert not granting.engine.grants.may_be_database(never)
    with pytest.raises(Refused) as caught:
        await promise(never)
    assert caught.value.reason is Reason.DATABASE_MISSING


async def test_a_grant_left_by_a_database_dropped_by_hand_is_nobodys_wish(maria, make, promise, unique):
    """Only accounts that were promised the database keep theirs."""
    name = unique("d")
    await maria.engine.create_database(NewDatabase(name, "", uuid4()))
    left = (await make(maria.engine, grants=(DatabaseGrant(name, Access.ALL),))).name
    await maria.sql(f"DROP DATABASE {name}")
    grants = (DatabaseGrant(name, Access.ALL),)
    waiting = unique("acct")
    await maria.engine.create_account(
        NewAccount(waiting, AccountKind.NORMAL, None, uuid4(), "", grants, allow_missing=True)
    )
    await maria.engine.create_database(NewDatabase(name, "", uuid4()))
    assert (await maria.engine.account(left)).grants == ()
    assert (await maria.engine.account(waiting)).grants == grants
