"""The engine suite, accounts: what every engine promises, run on each."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest
from tests.refusals import refused

from rolecall.domain.engine import (
    AccountChange,
    AccountKind,
    DatabaseObject,
    NewAccount,
    NewDatabase,
    ObjectType,
)
from rolecall.domain.reasons import Reason, Refused
from rolecall.values import Secret


async def test_the_facts_name_the_version_and_the_administrator(harness):
    facts = await harness.engine.facts()
    assert facts.version >= harness.first_version
    assert facts.version_text.startswith(str(facts.version[0]))
    assert (facts.administrator, facts.is_superuser) == (harness.administrator, True)


async def test_a_created_account_logs_in_with_its_password_and_no_other(harness, make):
    made = await make(harness.engine, password="S3cret-word")
    assert made.kind is AccountKind.NORMAL
    assert made.may_log_in
    assert made.has_password
    assert await harness.can_log_in(made.name, "S3cret-word")
    assert not await harness.can_log_in(made.name, "S3cret-wore")


async def test_the_answer_to_a_creation_is_what_a_look_finds(harness, make):
    for kind in harness.kinds:
        made = await make(harness.engine, kind=kind)
        assert await harness.engine.account(made.name) == made
        assert made in await harness.engine.accounts()


async def test_an_account_without_a_password_is_there_and_cannot_log_in(harness, make):
    made = await make(harness.engine, password=None)
    assert not made.has_password
    assert await harness.engine.account(made.name) == made
    assert not await harness.can_log_in(made.name, "")


async def test_the_same_operation_again_gives_the_same_account(harness, make, unique):
    name, operation = unique("again"), uuid4()
    first = await make(harness.engine, name, operation=operation)
    assert await make(harness.engine, name, operation=operation) == first


async def test_the_same_operation_twice_at_once_gives_one_account(harness, make, unique):
    name, operation = unique("twice"), uuid4()
    first, second = await asyncio.gather(
        make(harness.engine, name, operation=operation), make(harness.engine, name, operation=operation)
    )
    assert first == second


async def test_another_operation_on_the_same_name_is_refused(harness, make):
    made = await make(harness.engine)
    assert await refused(make(harness.engine, made.name)) is Reason.ACCOUNT_TAKEN


async def test_the_administrators_name_is_taken_where_it_is_not_reserved(owning, make):
    assert await refused(make(owning.engine, "postgres")) is Reason.ACCOUNT_TAKEN


async def test_a_reserved_name_is_refused(harness, make):
    for name in harness.reserved:
        assert await refused(make(harness.engine, name)) is Reason.ACCOUNT_NAME_RESERVED, name


async def test_a_name_the_server_cannot_hold_is_refused_and_is_nobodys(harness):
    for name in harness.malformed:
        new = NewAccount(name, AccountKind.NORMAL, None, uuid4())
        assert await refused(harness.engine.create_account(new)) is Reason.ACCOUNT_NAME_MALFORMED, name
        assert await harness.engine.account(name) is None
        assert await harness.engine.drop_account(name, uuid4()) is False


@pytest.mark.parametrize(
    "name", ['a"; DROP ROLE postgres; --', "sp ace", "new\nline", "qu'ote", "back\\slash", "Ünïcödé", "%s"]
)
async def test_a_name_that_quotes_its_way_out_is_stored_as_it_is(harness, make, name, unique):
    name = unique(name)
    made = await make(harness.engine, name)
    assert made.name == name
    assert await harness.engine.account(name) == made
    assert await harness.can_log_in(name, make.PASSWORD)
    assert await harness.engine.drop_account(name, uuid4())


async def test_a_new_password_replaces_the_old_one(harness, make):
    made = await make(harness.engine)
    operation = uuid4()
    verifier = harness.engine.verifier(made.name, Secret("Other-w0rd"))
    changed = await harness.engine.change_account(AccountChange(made.name, operation, verifier=verifier))
    assert (changed.oid, changed.marker) == (made.oid, operation)
    assert await harness.can_log_in(made.name, "Other-w0rd")
    assert not await harness.can_log_in(made.name, make.PASSWORD)


async def test_a_locked_account_is_listed_and_cannot_log_in_until_unlocked(harness, make):
    made = await make(harness.engine)
    locked = await harness.engine.change_account(AccountChange(made.name, uuid4(), may_log_in=False))
    assert not locked.may_log_in
    assert locked in await harness.engine.accounts()
    assert not await harness.can_log_in(made.name, make.PASSWORD)
    await harness.engine.change_account(AccountChange(made.name, uuid4(), may_log_in=True))
    assert await harness.can_log_in(made.name, make.PASSWORD)


async def test_an_account_changes_its_kind_there_and_back(harness, make):
    if AccountKind.SUPER not in harness.kinds:
        pytest.skip("no super accounts on this server")
    made = await make(harness.engine)
    for kind in (AccountKind.SUPER, AccountKind.SUPER, AccountKind.NORMAL, AccountKind.NORMAL):
        changed = await harness.engine.change_account(AccountChange(made.name, uuid4(), kind=kind))
        assert changed.kind is kind
        assert await harness.engine.account(made.name) == changed


async def test_changing_or_dropping_who_is_not_there(harness, unique):
    name = unique("nobody")
    assert (
        await refused(harness.engine.change_account(AccountChange(name, uuid4()))) is Reason.ACCOUNT_MISSING
    )
    assert await harness.engine.account(name) is None
    assert await harness.engine.drop_account(name, uuid4()) is False


async def test_the_administrator_and_the_servers_own_roles_are_protected(harness, make):
    await make(harness.engine)  # what the engine itself needs is there from now on
    for name in harness.protected:
        assert await refused(harness.engine.drop_account(name, uuid4())) is Reason.ACCOUNT_PROTECTED
        change = AccountChange(name, uuid4(), may_log_in=False)
        assert await refused(harness.engine.change_account(change)) is Reason.ACCOUNT_PROTECTED
        assert await harness.engine.account(name) is None
        assert name not in {account.name for account in await harness.engine.accounts()}


async def test_a_dropped_account_is_gone_and_dropping_it_again_is_no_error(harness, make):
    made = await make(harness.engine)
    operation = uuid4()
    assert await harness.engine.drop_account(made.name, operation) is True
    assert await harness.engine.account(made.name) is None
    assert await harness.engine.drop_account(made.name, operation) is False


async def test_a_dropped_accounts_objects_go_to_a_role_without_power_and_its_databases_to_the_administrator(
    owning, make, unique
):
    """Never to a superuser: a tenant's function or view would run with its rights."""
    made = await make(owning.engine)
    database = unique("db")
    await owning.engine.create_database(NewDatabase(database, made.name, uuid4()))
    table = DatabaseObject(ObjectType.TABLE, "t", database, "public")
    await owning.own(table, made.name)
    assert await owning.engine.drop_account(made.name, uuid4())
    assert await owning.owner(table) == "rolecall_heir"
    owners = {facts.name: facts.owner for facts in await owning.engine.databases()}
    assert owners[database] == "postgres"


async def test_a_super_account_is_dropped_too(harness, make):
    if AccountKind.SUPER not in harness.kinds:
        pytest.skip("no super accounts on this server")
    made = await make(harness.engine, kind=AccountKind.SUPER)
    assert await harness.engine.drop_account(made.name, uuid4())
    assert await harness.engine.account(made.name) is None


async def test_the_operations_that_changed_an_account_are_remembered(harness, make):
    """The last one is the marker; recovery looks for one of its own among all."""
    operations = [uuid4() for _ in range(3)]
    made = await make(harness.engine, operation=operations[0])
    for operation in operations[1:]:
        await harness.engine.change_account(AccountChange(made.name, operation))
    found = await harness.engine.account(made.name)
    assert found.marker == operations[-1]


async def test_an_account_is_at_every_host_unless_another_is_said(harness, make):
    made = await make(harness.engine)
    assert made.host == harness.host
    assert await harness.engine.account(made.name, harness.host) == made


async def test_no_account_is_made_at_a_host_that_no_client_could_have(harness, make, unique):
    for host in ("not a host", "10.0.0.1/33", "\0"):
        assert await refused(make(harness.engine, unique("h"), host=host)) is Reason.HOST_MALFORMED
        with pytest.raises(Refused) as caught:
            harness.engine.canonical_host(host)
        assert caught.value.reason is Reason.HOST_MALFORMED
