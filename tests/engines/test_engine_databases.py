"""The engine suite, databases: what every engine promises, run on each."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest
from tests.refusals import refused

from rolecall.domain.engine import DatabaseObject, NewDatabase, ObjectType, PrivilegeChange
from rolecall.domain.reasons import Reason


async def found(harness, name):
    return next((facts for facts in await harness.engine.databases() if facts.name == name), None)


async def test_a_created_database_belongs_to_its_owner_and_is_listed(owning, make, unique):
    owner, name = (await make(owning.engine, password=None)).name, unique("db")
    await owning.engine.create_database(NewDatabase(name, owner, uuid4()))
    facts = await found(owning, name)
    assert (facts.owner, facts.encoding, facts.allows_connections, facts.connection_limit) == (
        owner,
        "UTF8",
        True,
        -1,
    )
    assert facts.acl == ""


async def test_the_list_is_sorted_and_has_none_of_the_servers_own(harness, make, unique):
    owner = (await make(harness.engine, password=None)).name
    for prefix in ("zz", "aa", "Mm"):
        await harness.engine.create_database(NewDatabase(unique(prefix), owner, uuid4()))
    names = [facts.name for facts in await harness.engine.databases()]
    assert names == sorted(names)
    assert not {"template0", "template1", "mysql", "information_schema"} & set(names)


@pytest.mark.parametrize(
    "encoding", ["UTF8", "LATIN1", "LATIN2", "WIN1250", "WIN1251", "WIN1252", "KOI8R", "EUC_JP", "EUC_KR"]
)
async def test_every_encoding_asked_for_is_given(owning, unique, encoding):
    name = unique("db")
    await owning.engine.create_database(NewDatabase(name, "postgres", uuid4(), encoding=encoding))
    facts = await found(owning, name)
    assert (facts.encoding, facts.collate, facts.ctype) == (encoding, "C", "C")
    assert await owning.engine.drop_database(name)


async def test_a_locale_asked_for_is_given(owning, unique):
    name = unique("db")
    await owning.engine.create_database(
        NewDatabase(name, "postgres", uuid4(), encoding="UTF8", collate="C", ctype="C.UTF-8")
    )
    facts = await found(owning, name)
    assert (facts.collate, facts.ctype.replace("utf8", "UTF-8")) == ("C", "C.UTF-8")


async def test_the_same_operation_again_is_no_error_and_another_is(harness, unique):
    new = NewDatabase(unique("db"), harness.administrator, uuid4())
    await asyncio.gather(harness.engine.create_database(new), harness.engine.create_database(new))
    await harness.engine.create_database(new)
    again = NewDatabase(new.name, harness.administrator, uuid4())
    assert await refused(harness.engine.create_database(again)) is Reason.DATABASE_TAKEN


async def test_the_servers_own_databases_are_protected(harness):
    for name in harness.protected_databases:
        new = NewDatabase(name, harness.administrator, uuid4())
        assert await refused(harness.engine.create_database(new)) is Reason.DATABASE_TAKEN
        assert await refused(harness.engine.drop_database(name)) is Reason.DATABASE_PROTECTED


@pytest.mark.parametrize("name", ["postgres", "template0", "template1"])
async def test_the_servers_own_databases_keep_their_owner(owning, name):
    work = owning.engine.ownership.change_database_owner(name, "postgres", uuid4())
    assert await refused(work) is Reason.DATABASE_PROTECTED


async def test_a_name_the_server_cannot_hold_is_refused(harness):
    for name in harness.malformed_databases:
        work = harness.engine.create_database(NewDatabase(name, harness.administrator, uuid4()))
        assert await refused(work) is Reason.DATABASE_NAME_MALFORMED, name
        assert await harness.engine.drop_database(name) is False


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"encoding": "NOT_ONE"}, Reason.ENCODING_UNSUPPORTED),
        ({"encoding": "SJIS"}, Reason.ENCODING_UNSUPPORTED),
        ({"encoding": "\0"}, Reason.ENCODING_UNSUPPORTED),
        ({"collate": "\ud800"}, Reason.LOCALE_UNSUPPORTED),
        ({"collate": "xx_XX.nowhere"}, Reason.LOCALE_UNSUPPORTED),
        ({"ctype": "'; DROP DATABASE x"}, Reason.LOCALE_UNSUPPORTED),
        ({"owner": "nobody_at_all"}, Reason.ACCOUNT_MISSING),
        ({"owner": "pg_monitor"}, Reason.ACCOUNT_MISSING),
    ],
)
async def test_what_cannot_be_is_refused_and_leaves_nothing(owning, unique, changed, reason):
    name = unique("db")
    new = NewDatabase(**{"name": name, "owner": "postgres", "operation": uuid4()} | changed)
    assert await refused(owning.engine.create_database(new)) is reason
    assert await found(owning, name) is None


async def test_a_dropped_database_is_gone_and_dropping_it_again_is_no_error(harness, unique):
    name = unique("db")
    await harness.engine.create_database(NewDatabase(name, harness.administrator, uuid4()))
    assert await harness.engine.drop_database(name) is True
    assert await found(harness, name) is None
    assert await harness.engine.drop_database(name) is False


async def test_a_database_changes_its_owner(owning, make, unique):
    owner, name = (await make(owning.engine, password=None)).name, unique("db")
    await owning.engine.create_database(NewDatabase(name, "postgres", uuid4()))
    for _ in range(2):
        await owning.engine.ownership.change_database_owner(name, owner, uuid4())
    assert (await found(owning, name)).owner == owner
    work = owning.engine.ownership.change_database_owner(name, "nobody_at_all", uuid4())
    assert await refused(work) is Reason.ACCOUNT_MISSING
    work = owning.engine.ownership.change_database_owner(unique("absent"), owner, uuid4())
    assert await refused(work) is Reason.DATABASE_MISSING


async def test_what_owners_were_granted_on_a_database_goes_to_the_next_owner(owning, make, unique):
    engine, name = owning.engine, unique("db")
    owners = [(await make(engine)).name for _ in range(2)]
    await engine.create_database(NewDatabase(name, owners[0], uuid4()))
    item = DatabaseObject(ObjectType.DATABASE, name)
    for owner in owners:
        await engine.objects.change_privileges(owner, [PrivilegeChange(item, ("CREATE",), True)], uuid4())
    for owner in (owners[1], "postgres"):
        await engine.ownership.change_database_owner(name, owner, uuid4())
    found = await engine.states.at([(owner, "") for owner in owners])
    assert [account.state.privileges.get(name, {}) for account in found] == [{}, {}]
