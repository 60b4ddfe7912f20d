"""The engine suite, identity: a change reaches the account that it is meant for, or none, on every engine."""

from __future__ import annotations

from uuid import uuid4

import pytest
from tests.engines.conftest import MariaHarness, PostgresHarness

from rolecall.domain.engine import (
    NO_DATABASE,
    AccountChange,
    DatabaseObject,
    ExpectedDatabase,
    NewDatabase,
    ObjectType,
    PrivilegeChange,
)
from rolecall.domain.engine.identity import NO_ACCOUNT, ChangedMeanwhile, Expected, Superseded
from rolecall.domain.reasons import Reason
from rolecall.engines.mysql import sessions as mysql_sessions
from rolecall.engines.postgresql import accounts as postgresql_accounts
from rolecall.values import Secret


async def replaced(harness, make):
    """An account, and the one that has its name after it."""
    first = await make(harness.engine)
    assert await harness.engine.drop_account(first.name, uuid4())
    return first, await make(harness.engine, first.name)


async def test_an_identity_is_of_one_account_and_stays_through_its_changes(harness, make):
    first, second = await replaced(harness, make)
    assert first.identity
    assert first.identity != second.identity
    changed = await harness.engine.change_account(AccountChange(second.name, uuid4(), may_log_in=False))
    assert changed.identity == second.identity
    assert (await harness.engine.identify(second.name)).identity == second.identity
    assert second.identity in {one.identity for one in await harness.engine.accounts()}


async def test_a_change_of_the_account_before_is_superseded(harness, make):
    first, second = await replaced(harness, make)
    verifier = harness.engine.verifier(first.name, Secret("Other-w0rd"))
    expected = Expected(first.identity)
    with pytest.raises(Superseded) as caught:
        await harness.engine.change_account(
            AccountChange(first.name, uuid4(), verifier=verifier, may_log_in=False, expected=expected)
        )
    assert caught.value.reason is Reason.ACCOUNT_MISSING
    with pytest.raises(Superseded):
        await harness.engine.drop_account(first.name, uuid4(), expected=expected)
    assert await harness.engine.account(second.name) == second
    assert await harness.can_log_in(second.name, make.PASSWORD)


async def test_a_deletion_of_nobody_leaves_whoever_is_there(harness, make):
    made = await make(harness.engine)
    assert await harness.engine.drop_account(made.name, uuid4(), expected=NO_ACCOUNT) is False
    assert await harness.engine.account(made.name) == made


async def test_the_changes_of_an_account_have_an_order(harness, make):
    made = await make(harness.engine)
    changes = [AccountChange(made.name, uuid4()) for _ in range(3)]
    orders = [made.order, *[(await harness.engine.change_account(change)).order for change in changes]]
    assert orders == sorted(set(orders))
    found = await harness.engine.account(made.name)
    assert list(found.orders) == orders[::-1]


async def test_what_expects_no_change_since_is_refused_after_one(harness, make):
    made = await make(harness.engine)
    changed = await harness.engine.change_account(AccountChange(made.name, uuid4()))
    with pytest.raises(ChangedMeanwhile):
        await harness.engine.change_account(AccountChange(made.name, uuid4(), expected=made.expected))
    with pytest.raises(ChangedMeanwhile):
        await harness.engine.drop_account(made.name, uuid4(), expected=made.expected)
    assert await harness.engine.account(made.name) == changed
    assert await harness.engine.drop_account(made.name, uuid4(), expected=changed.expected)


async def test_a_repetition_changes_nothing_once_more(harness, make):
    """Another password was set since: the repetition of the first must not bring it back."""
    made = await make(harness.engine)
    first, second = (
        AccountChange(made.name, uuid4(), verifier=harness.engine.verifier(made.name, Secret(password)))
        for password in ("First-w0rd", "Second-w0rd")
    )
    for change in (first, second, first):
        await harness.engine.change_account(change)
    assert await harness.can_log_in(made.name, "Second-w0rd")
    found = await harness.engine.account(made.name)
    assert found.operations[:2] == (second.operation, first.operation)


async def test_a_change_of_a_database_that_was_replaced_is_superseded(harness, unique):
    name = unique("db")
    owner = harness.administrator if harness.host == "" else ""

    async def there():
        return next(one for one in await harness.engine.databases() if one.name == name)

    await harness.engine.create_database(NewDatabase(name, owner, uuid4()))
    first = await there()
    assert await harness.engine.drop_database(name, ExpectedDatabase(first.identity))
    operation = uuid4()
    await harness.engine.create_database(NewDatabase(name, owner, operation))
    second = await there()
    assert first.identity != second.identity
    assert second.operations == (operation,)
    with pytest.raises(Superseded) as caught:
        await harness.engine.drop_database(name, ExpectedDatabase(first.identity))
    assert caught.value.reason is Reason.DATABASE_MISSING
    assert await harness.engine.drop_database(name, NO_DATABASE) is False
    assert await there() == second
    assert await harness.engine.drop_database(name, ExpectedDatabase(second.identity))


async def test_privileges_meant_for_the_account_before_are_not_given_to_the_next(owning, make, unique):
    first, second = await replaced(owning, make)
    database = unique("db")
    await owning.engine.create_database(NewDatabase(database, second.name, uuid4()))
    item = DatabaseObject(ObjectType.DATABASE, database)
    change = PrivilegeChange(item, ("CREATE",), grant=True)
    engine = owning.engine
    with pytest.raises(Superseded):
        await engine.objects.change_privileges(
            first.name, [change], uuid4(), expected=Expected(first.identity)
        )
    with pytest.raises(Superseded):
        await engine.ownership.change_database_owner(
            database, second.name, uuid4(), owned_by=Expected(first.identity)
        )
    (facts,) = [one for one in await owning.engine.databases() if one.name == database]
    expected = ExpectedDatabase(facts.identity, "another")
    with pytest.raises(Superseded):
        await engine.ownership.change_database_owner(database, "postgres", uuid4(), expected=expected)


async def test_grants_meant_for_the_account_before_are_not_given_to_the_next(granting, make):
    first, second = await replaced(granting, make)
    with pytest.raises(Superseded):
        await granting.engine.grants.change_grants(
            first.name, "", (), ("x",), uuid4(), expected=Expected(first.identity)
        )
    assert await granting.engine.account(second.name) == second


async def test_an_account_made_by_sql_gets_an_identity_at_its_first_change(maria, unique):
    name = unique("sql")
    await maria.sql(f"CREATE USER {name} IDENTIFIED BY 'x'")
    assert (await maria.engine.account(name)).identity == ""
    found = await maria.engine.identify(name)
    assert found.identity
    assert found.marker is None
    assert await maria.engine.identify(name) == found
    changed = await maria.engine.change_account(
        AccountChange(name, uuid4(), may_log_in=False, expected=found.expected)
    )
    assert changed.identity == found.identity


@pytest.fixture
def between(granting, monkeypatch):
    """Registers what others do when a change has taken login away, and is about to end the account's sessions."""

    def register(work):
        works = [work]

        async def others():
            while works:
                await works.pop()()

        if isinstance(granting, MariaHarness):
            are_open = mysql_sessions.are_open

            async def looked(*arguments):
                await others()
                return await are_open(*arguments)

            monkeypatch.setattr(mysql_sessions, "are_open", looked)
        else:

            async def passed(step):
                if step != "locked":
                    await others()

            monkeypatch.setattr(granting.memory, "passed", passed)

    return register


async def test_an_account_that_is_being_deleted_is_not_renamed(granting, make, unique, between):
    """Login is gone: under another name, the account would be left without it."""
    made, name, engine = await make(granting.engine), unique("acct"), granting.engine

    async def renamed():
        with pytest.raises(ChangedMeanwhile):
            await engine.change_account(
                AccountChange(made.name, uuid4(), new_name=name, expected=made.expected)
            )

    between(renamed)
    assert await engine.drop_account(made.name, uuid4(), expected=made.expected)
    assert await engine.account(made.name) is None
    assert await engine.account(name) is None


async def test_an_account_that_is_locked_and_renamed_is_marked_as_locked(granting, make, unique, between):
    made, name, engine, lock = await make(granting.engine), unique("acct"), granting.engine, uuid4()

    async def renamed():
        assert lock in (await engine.account(made.name)).operations
        await engine.change_account(AccountChange(made.name, uuid4(), new_name=name))

    between(renamed)
    locking = AccountChange(made.name, lock, may_log_in=False, end_sessions=True, expected=made.expected)
    await engine.change_account(locking)
    found = await engine.account(name)
    assert lock in found.operations
    assert not found.may_log_in


async def test_a_repeated_move_is_recognized_though_another_account_has_the_name(granting, make, unique):
    made, name, engine = await make(granting.engine), unique("acct"), granting.engine
    move = AccountChange(made.name, uuid4(), new_name=name, expected=Expected(made.identity))
    moved = await engine.change_account(move)
    other = await make(engine, made.name)
    assert await engine.change_account(move) == moved
    assert await engine.account(made.name) == other


async def test_a_lock_that_others_have_applied_and_undone_takes_no_login_away(owning, make, monkeypatch):
    """Its process is held up after its look; another one finishes the lock, and a call undoes it."""
    made, engine = await make(owning.engine), owning.engine
    lock = AccountChange(made.name, uuid4(), may_log_in=False, expected=Expected(made.identity))
    works = [lock, AccountChange(made.name, uuid4(), may_log_in=True)]

    async def others():
        due = works[:]
        works.clear()
        for work in due:
            await engine.change_account(work)

    if isinstance(owning, PostgresHarness):
        look = postgresql_accounts.Accounts.find_tenants

        async def looked(*arguments):
            found = await look(*arguments)
            await others()
            return found

        monkeypatch.setattr(postgresql_accounts.Accounts, "find_tenants", looked)
    else:

        async def passed(step):
            if step == "looked":
                await others()

        monkeypatch.setattr(owning.memory, "passed", passed)
    await engine.change_account(lock)
    assert (await engine.account(made.name)).may_log_in
    assert await owning.can_log_in(made.name, make.PASSWORD)
