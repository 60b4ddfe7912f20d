"""The engine suite, privileges and lists of objects: what every engine promises, run on each."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from uuid import uuid4

import pytest
from tests.refusals import refused

from rolecall.domain.engine import DatabaseObject, NewDatabase, ObjectType, PrivilegeChange
from rolecall.domain.reasons import Reason

T = ObjectType


@pytest.fixture
def harness(owning):
    """Privileges on objects are a matter of the engines that have owners."""
    return owning


@dataclass
class Place:
    """A database with one schema `s` that holds one object of each type."""

    database: str
    owner: str

    def at(self, kind, name, schema="s", table=""):
        if kind is T.DATABASE:
            return DatabaseObject(kind, self.database)
        if kind is T.SCHEMA:
            return DatabaseObject(kind, name, self.database)
        return DatabaseObject(kind, name, self.database, schema, table)

    @property
    def objects(self):
        return {
            T.DATABASE: self.at(T.DATABASE, ""),
            T.SCHEMA: self.at(T.SCHEMA, "s"),
            T.TABLE: self.at(T.TABLE, "t"),
            T.VIEW: self.at(T.VIEW, "v"),
            T.MATVIEW: self.at(T.MATVIEW, "m"),
            T.SEQUENCE: self.at(T.SEQUENCE, "q"),
            T.TYPE: self.at(T.TYPE, "y"),
            T.FUNCTION: self.at(T.FUNCTION, "f(integer, text)"),
            T.PROCEDURE: self.at(T.PROCEDURE, "p(integer)"),
            T.COLUMN: self.at(T.COLUMN, "id", table="t"),
        }


WORDS = {
    T.DATABASE: ("CREATE", "CONNECT", "TEMPORARY"),
    T.SCHEMA: ("USAGE", "CREATE"),
    T.TABLE: ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER"),
    T.VIEW: ("SELECT", "INSERT"),
    T.MATVIEW: ("SELECT",),
    T.SEQUENCE: ("USAGE", "SELECT", "UPDATE"),
    T.TYPE: ("USAGE",),
    T.FUNCTION: ("EXECUTE",),
    T.PROCEDURE: ("EXECUTE",),
    T.COLUMN: ("SELECT", "INSERT", "UPDATE", "REFERENCES"),
}


@pytest.fixture
async def place(harness, make, unique):
    owner = (await make(harness.engine, password=None)).name
    made = Place(unique("db"), owner)
    await harness.engine.create_database(NewDatabase(made.database, owner, uuid4()))
    for kind, item in made.objects.items():
        if kind not in {T.DATABASE, T.COLUMN}:
            await harness.own(item, owner)
    return made


async def test_each_type_of_object_grants_and_revokes_all_its_privileges(harness, make, place):
    account = (await make(harness.engine, password=None)).name
    objects = list(place.objects.values())
    assert set(await harness.engine.objects.privileges(account, objects)) == {()}
    grants = [PrivilegeChange(item, WORDS[kind], grant=True) for kind, item in place.objects.items()]
    await harness.engine.objects.change_privileges(account, grants, uuid4())
    held = await harness.engine.objects.privileges(account, objects)
    assert dict(zip(place.objects, held, strict=True)) == WORDS
    revokes = [PrivilegeChange(item, WORDS[kind], grant=False) for kind, item in place.objects.items()]
    await harness.engine.objects.change_privileges(account, revokes, uuid4())
    assert set(await harness.engine.objects.privileges(account, objects)) == {()}


async def test_a_change_of_privileges_marks_the_account(harness, make, place):
    made, operation = await make(harness.engine, password=None), uuid4()
    change = PrivilegeChange(place.objects[T.TABLE], ("SELECT",), grant=True)
    for _ in range(2):
        await harness.engine.objects.change_privileges(made.name, [change], operation)
    found = await harness.engine.account(made.name)
    assert found is not None
    assert found.marker == operation


async def test_an_owner_holds_everything_without_a_grant(harness, place):
    held = await harness.engine.objects.privileges(
        place.owner, [place.objects[T.TABLE], place.objects[T.DATABASE]]
    )
    assert set(held[0]) >= set(WORDS[T.TABLE])
    assert held[1] == WORDS[T.DATABASE]


async def test_a_bare_name_serves_for_a_function_only_while_it_is_unambiguous(harness, make, place):
    account = (await make(harness.engine, password=None)).name
    bare = place.at(T.FUNCTION, "f")
    await harness.engine.objects.change_privileges(
        account, [PrivilegeChange(bare, ("EXECUTE",), grant=True)], uuid4()
    )
    assert (
        await harness.engine.objects.privileges(account, [bare, place.objects[T.FUNCTION]])
        == [("EXECUTE",)] * 2
    )
    await harness.own(place.at(T.FUNCTION, "f(integer)"), place.owner)
    assert await refused(harness.engine.objects.privileges(account, [bare])) is Reason.OBJECT_MISSING


async def test_one_refused_change_leaves_none_done(harness, make, place):
    account = (await make(harness.engine, password=None)).name
    good = PrivilegeChange(place.objects[T.TABLE], ("SELECT",), grant=True)
    elsewhere = DatabaseObject(T.SCHEMA, "nowhere", "postgres")
    bad = PrivilegeChange(elsewhere, ("USAGE",), grant=True)
    work = harness.engine.objects.change_privileges(account, [good, bad], uuid4())
    assert await refused(work) is Reason.OBJECT_MISSING
    assert await harness.engine.objects.privileges(account, [good.object]) == [()]


@pytest.mark.parametrize(
    ("kind", "name", "schema"),
    [
        (T.TABLE, "absent", "s"),
        (T.TABLE, "v", "s"),
        (T.VIEW, "t", "s"),
        (T.TABLE, "t", "absent"),
        (T.FUNCTION, "f(bytea)", "s"),
        (T.FUNCTION, "f(integer", "s"),
        (T.FUNCTION, "f(a b c; x)", "s"),
        (T.FUNCTION, "p(integer)", "s"),
        (T.TYPE, "t", "s"),
        (T.TABLE, "x" * 80, "s"),
        (T.TABLE, "a\0b", "s"),
        (T.TABLE, "\ud800", "s"),
        (T.FUNCTION, "f(\0)", "s"),
        (T.FUNCTION, "f(\ud800)", "s"),
        (T.TABLE, "pg_authid", "pg_catalog"),
        (T.FUNCTION, "pg_read_file(text)", "pg_catalog"),
        (T.SCHEMA, "pg_catalog", ""),
        (T.SCHEMA, "information_schema", ""),
    ],
)
async def test_what_is_not_there_or_the_systems_own_is_missing(harness, place, kind, name, schema):
    item = place.at(kind, name, schema)
    assert await refused(harness.engine.objects.privileges(place.owner, [item])) is Reason.OBJECT_MISSING
    change = PrivilegeChange(item, WORDS[kind], grant=True)
    work = harness.engine.objects.change_privileges(place.owner, [change], uuid4())
    assert await refused(work) is Reason.OBJECT_MISSING


async def test_an_unknown_database_account_or_word_is_named(harness, make, place, unique):
    account = (await make(harness.engine, password=None)).name
    item = DatabaseObject(T.TABLE, "t", unique("absent"), "s")
    assert await refused(harness.engine.objects.privileges(account, [item])) is Reason.DATABASE_MISSING
    item = DatabaseObject(T.DATABASE, "template1")
    assert await refused(harness.engine.objects.privileges(account, [item])) is Reason.DATABASE_MISSING
    assert await refused(harness.engine.objects.privileges(unique("absent"), [])) is Reason.ACCOUNT_MISSING
    word = PrivilegeChange(place.objects[T.TABLE], ("SELECT", "EXECUTE"), grant=True)
    work = harness.engine.objects.change_privileges(account, [word], uuid4())
    assert await refused(work) is Reason.PRIVILEGE_UNKNOWN


async def test_objects_are_listed_by_type_sorted(harness, place):
    async def listed(kind, **at):
        return list(await harness.engine.objects.names(kind, place.database, **at))

    assert "s" in await listed(T.SCHEMA)
    assert await listed(T.COLUMN, schema="s", table="t") == ["id", "text"]
    for kind, item in place.objects.items():
        if kind not in {T.DATABASE, T.SCHEMA, T.COLUMN}:
            assert await listed(kind, schema="s") == [item.name]
    assert place.database in await harness.engine.objects.names(T.DATABASE)


async def test_listing_in_what_is_not_there_is_refused(harness, place):
    objects = harness.engine.objects.names
    assert await refused(objects(T.SCHEMA, "absent")) is Reason.DATABASE_MISSING
    assert await refused(objects(T.TABLE, place.database, "absent")) is Reason.OBJECT_MISSING
    for name in ("absent", "a\0b", "\ud800", "x" * 80):
        assert await refused(objects(T.SCHEMA, name)) is Reason.DATABASE_MISSING
        assert await refused(objects(T.TABLE, place.database, name)) is Reason.OBJECT_MISSING
        assert await refused(objects(T.COLUMN, place.database, "s", name)) is Reason.OBJECT_MISSING


async def test_a_dropped_account_leaves_no_grant_behind(harness, make, place):
    made = await make(harness.engine, password=None)
    change = PrivilegeChange(place.objects[T.TABLE], ("SELECT",), grant=True)
    await harness.engine.objects.change_privileges(made.name, [change], uuid4())
    assert await harness.engine.drop_account(made.name, uuid4())
    await make(harness.engine, made.name, password=None)
    assert await harness.engine.objects.privileges(made.name, [change.object]) == [()]


async def test_eight_tasks_creating_and_granting_at_once_all_succeed(harness, make, place):
    async def one() -> tuple[str, ...]:
        account = (await make(harness.engine, password=None)).name
        changes = [
            PrivilegeChange(place.objects[kind], WORDS[kind], grant=True)
            for kind in (T.DATABASE, T.SCHEMA, T.TABLE)
        ]
        for _ in range(2):
            await harness.engine.objects.change_privileges(account, changes, uuid4())
        held = await harness.engine.objects.privileges(account, [place.objects[T.TABLE]])
        return held[0]

    assert await asyncio.gather(*(one() for _ in range(8))) == [WORDS[T.TABLE]] * 8


async def test_what_no_tenant_owns_is_not_granted_on(harness, make, place):
    """A2: a function of an administrator's runs with an administrator's rights."""
    account = (await make(harness.engine, password=None)).name
    theirs = [
        place.at(T.SCHEMA, "dba"),
        place.at(T.FUNCTION, "run(text)"),
        place.at(T.TABLE, "job"),
        place.at(T.VIEW, "secrets"),
        place.at(T.SEQUENCE, "numbers"),
        place.at(T.TYPE, "kind"),
        place.at(T.PROCEDURE, "act(integer)"),
        place.at(T.MATVIEW, "seen"),
    ]
    for item in theirs:
        await harness.own(item)
    theirs += [place.at(T.COLUMN, "id", table="job"), DatabaseObject(T.SCHEMA, "public", "postgres")]
    for item in theirs:
        for grant in (True, False):
            work = harness.engine.objects.change_privileges(
                account, [PrivilegeChange(item, WORDS[item.type], grant=grant)], uuid4()
            )
            assert await refused(work) is Reason.OBJECT_PROTECTED, item
        assert await harness.engine.objects.privileges(account, [item]) == [()]
    maintenance = PrivilegeChange(DatabaseObject(T.DATABASE, "postgres"), ("CREATE",), grant=True)
    work = harness.engine.objects.change_privileges(account, [maintenance], uuid4())
    assert await refused(work) is Reason.DATABASE_PROTECTED


async def test_a_database_that_went_to_the_administrator_stays_the_tenants(harness, make, place):
    """Its owner was dropped, or gave it away; its schema `public` is its owner's, and so the administrator's now."""
    account = (await make(harness.engine, password=None)).name
    public = DatabaseObject(T.SCHEMA, "public", place.database)
    changes = [
        PrivilegeChange(place.objects[T.DATABASE], ("CONNECT",), grant=True),
        PrivilegeChange(public, ("USAGE", "CREATE"), grant=True),
        PrivilegeChange(place.objects[T.TABLE], ("SELECT",), grant=True),
    ]
    await harness.engine.objects.change_privileges(account, changes, uuid4())
    assert await harness.engine.drop_account(place.owner, uuid4())
    await harness.engine.objects.change_privileges(account, changes, uuid4())
    await harness.engine.ownership.change_database_owner(place.database, account, uuid4())
    await harness.engine.ownership.change_database_owner(place.database, harness.administrator, uuid4())
    await harness.engine.objects.change_privileges(account, changes, uuid4())
    assert await harness.engine.drop_database(place.database)
