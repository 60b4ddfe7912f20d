"""The engine suite, accounts as roles: limits, memberships, default privileges and PUBLIC."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from tests.engines.conftest import harness_of
from tests.refusals import refused

from rolecall.domain.engine import (
    AccountChange,
    AccountKind,
    DatabaseObject,
    ExpectedDatabase,
    NewDatabase,
    ObjectType,
    PrivilegeChange,
)
from rolecall.domain.engine.identity import Expected, Superseded
from rolecall.domain.engine.roles import (
    NO_LIMIT,
    DefaultPrivileges,
    DefaultsChange,
    Expiry,
    Membership,
    MembershipChange,
    RoleChange,
)
from rolecall.domain.reasons import Reason
from rolecall.values import Secret

END = datetime(2031, 5, 6, 7, 8, 9, 250000, tzinfo=UTC)


@pytest.fixture(params=["postgres", "postgres-15", "memory"])
async def harness(request):
    made = harness_of(request.param, request)
    yield made
    await made.engine.close()


@pytest.fixture
def roles(harness):
    return harness.engine.roles


@pytest.fixture
async def facts(roles):
    async def read(name):
        (found,) = await roles.role_facts(name)
        return found

    return read


@pytest.fixture
def join(roles):
    """A change of the membership of an account in another."""

    def change(account, role, *, grant=True, operation=None, **options):
        membership = MembershipChange(role.name, role.identity, grant, **options)
        expected = Expected(account.identity)
        return roles.change_role(
            RoleChange(account.name, operation or uuid4(), expected, membership=membership)
        )

    return change


@pytest.fixture
async def database(harness, make, unique):
    """A tenant's database, and its owner."""
    owner, name = await make(harness.engine, password=None), unique("db")
    await harness.engine.create_database(NewDatabase(name, owner.name, uuid4()))
    return name, owner


# Limits


async def test_a_new_account_has_no_limit_no_end_and_no_membership(harness, make, facts, roles):
    made = await make(harness.engine, password=None)
    found = await facts(made.name)
    assert (found.name, found.connection_limit, found.valid_until) == (made.name, NO_LIMIT, None)
    assert found.memberships == ()
    assert found in await roles.role_facts()


async def test_limit_and_end_are_set_and_taken_back_each_with_its_mark(harness, make, facts, roles):
    made = await make(harness.engine, password=None)
    changes = (
        ({"connection_limit": 3}, (3, None)),
        ({"expiry": Expiry(END)}, (3, END)),
        ({"connection_limit": NO_LIMIT}, (NO_LIMIT, END)),
        ({"expiry": Expiry(None)}, (NO_LIMIT, None)),
        ({"expiry": Expiry(None)}, (NO_LIMIT, None)),
    )
    for change, after in changes:
        operation = uuid4()
        marked = await roles.change_role(RoleChange(made.name, operation, Expected(made.identity), **change))
        assert (marked.marker, marked.order > made.order) == (operation, True)
        found = await facts(made.name)
        assert (found.connection_limit, found.valid_until) == after


async def test_a_change_that_is_applied_is_not_applied_again(harness, make, facts, roles):
    made = await make(harness.engine, password=None)
    first = RoleChange(made.name, uuid4(), Expected(made.identity), connection_limit=3)
    await roles.change_role(first)
    await roles.change_role(replace(first, operation=uuid4(), connection_limit=4))
    again = await roles.change_role(first)
    assert first.operation in again.operations
    assert (await facts(made.name)).connection_limit == 4


async def test_what_is_meant_for_another_account_changes_nothing(harness, make, facts, roles):
    made = await make(harness.engine, password=None)
    with pytest.raises(Superseded):
        await roles.change_role(RoleChange(made.name, uuid4(), Expected("1"), connection_limit=3))
    assert (await facts(made.name)).connection_limit == NO_LIMIT


async def test_a_new_password_leaves_the_end_of_an_account(harness, make, facts, roles):
    """A caller that may only reset passwords gives no account more time; nor does the rotation of passwords."""
    made = await make(harness.engine)
    await roles.change_role(RoleChange(made.name, uuid4(), expiry=Expiry(END)))
    verifier = harness.engine.verifier(made.name, Secret("0ther-horse"))
    await harness.engine.change_account(AccountChange(made.name, uuid4(), verifier=verifier))
    assert (await facts(made.name)).valid_until == END


async def test_of_a_missing_or_a_protected_account_there_is_nothing_to_change(harness, unique, roles):
    name = unique("nobody")
    assert await refused(roles.role_facts(name)) is Reason.ACCOUNT_MISSING
    assert await refused(roles.role_facts("a\0b")) is Reason.ACCOUNT_MISSING
    change = RoleChange(name, uuid4(), connection_limit=1)
    assert await refused(roles.change_role(change)) is Reason.ACCOUNT_MISSING
    for protected in harness.protected:
        work = roles.change_role(replace(change, name=protected))
        assert await refused(work) is Reason.ACCOUNT_PROTECTED


# Memberships


async def test_a_membership_is_granted_once_shown_and_revoked(harness, make, facts, join):
    account, role = [await make(harness.engine, password=None) for _ in range(2)]
    operation = uuid4()
    for _ in range(2):
        marked = await join(account, role, operation=operation)
    assert marked.marker == operation
    (found,) = (await facts(account.name)).memberships
    has_options = harness.first_version[0] >= 16
    assert found == Membership(role.name, inherits=True, may_become=not has_options, administers=False)
    await join(account, role, grant=False)
    assert (await facts(account.name)).memberships == ()
    assert await refused(join(account, role, grant=False)) is Reason.GRANT_MISSING


async def test_a_second_grant_replaces_the_options(harness, make, facts, join):
    account, role = [await make(harness.engine, password=None) for _ in range(2)]
    await join(account, role)
    if harness.first_version[0] < 16:
        for options in ({"inherits": False}, {"may_become": True}):
            assert await refused(join(account, role, **options)) is Reason.ENGINE_TOO_OLD
        return
    await join(account, role, inherits=False, may_become=True)
    (found,) = (await facts(account.name)).memberships
    assert found == Membership(role.name, inherits=False, may_become=True, administers=False)


async def test_roles_are_joined_and_left_with_privileges_all_or_none(
    harness, make, facts, database, unique, join
):
    place, _ = database
    account, old, new = [await make(harness.engine, password=None) for _ in range(3)]
    await join(account, old)
    objects, item = harness.engine.objects, DatabaseObject(ObjectType.DATABASE, place)
    grant, operation = [PrivilegeChange(item, ("CREATE",), grant=True)], uuid4()
    memberships = [
        MembershipChange(new.name, new.identity, grant=True),
        MembershipChange(old.name, old.identity, grant=False),
    ]
    lost = MembershipChange(unique("nobody"), "1", grant=True)
    work = objects.change_privileges(account.name, grant, uuid4(), memberships=[*memberships, lost])
    assert await refused(work) is Reason.ACCOUNT_MISSING
    assert await objects.privileges(account.name, [item]) == [()]
    assert [one.role for one in (await facts(account.name)).memberships] == [old.name]
    for _ in range(2):
        marked = await objects.change_privileges(account.name, grant, operation, memberships=memberships)
    assert marked.marker == operation
    assert await objects.privileges(account.name, [item]) == [("CREATE",)]
    assert [one.role for one in (await facts(account.name)).memberships] == [new.name]
    # What is not held is revoked without a refusal, as a privilege is.
    await objects.change_privileges(account.name, [], uuid4(), memberships=memberships[1:])


async def test_no_role_becomes_a_member_of_itself(harness, make, facts, join):
    first, second, third = [await make(harness.engine, password=None) for _ in range(3)]
    assert await refused(join(first, first)) is Reason.MEMBERSHIP_CIRCULAR
    await join(second, first)
    await join(third, second)
    assert await refused(join(first, third)) is Reason.MEMBERSHIP_CIRCULAR
    assert (await facts(first.name)).memberships == ()


async def test_nobody_joins_what_is_not_a_tenants_or_is_not_there(harness, make, unique, roles, join, facts):
    account = await make(harness.engine, password=None)
    for protected in harness.protected:
        if protected == "pg_monitor":
            continue  # which a super account has
        assert await refused(roles.role(protected, to_join=True)) is Reason.ACCOUNT_PROTECTED
        assert await refused(join(account, replace(account, name=protected))) is Reason.ACCOUNT_PROTECTED
    name = unique("nobody")
    assert await refused(roles.role(name)) is Reason.ACCOUNT_MISSING
    assert await refused(join(account, replace(account, name=name))) is Reason.ACCOUNT_MISSING
    assert (await facts(account.name)).memberships == ()


async def test_a_role_that_took_the_name_of_another_is_not_joined(harness, make, facts, join):
    account, role = [await make(harness.engine, password=None) for _ in range(2)]
    with pytest.raises(Superseded):
        await join(account, replace(role, identity="1"))
    assert (await facts(account.name)).memberships == ()


async def test_a_normal_account_joins_no_super_account_and_a_role_with_members_does_not_become_one(
    harness, make, facts, join
):
    if AccountKind.SUPER not in harness.kinds:
        pytest.skip("no super accounts on this version")
    account, role = [await make(harness.engine, password=None) for _ in range(2)]
    boss = await make(harness.engine, password=None, kind=AccountKind.SUPER)
    assert await refused(join(account, boss)) is Reason.ACCOUNT_PROTECTED
    await join(boss, role)
    await join(account, role)
    promotion = AccountChange(role.name, uuid4(), kind=AccountKind.SUPER)
    assert await refused(harness.engine.change_account(promotion)) is Reason.MEMBERSHIP_CIRCULAR
    demotion = AccountChange(boss.name, uuid4(), kind=AccountKind.NORMAL)
    assert (await harness.engine.change_account(demotion)).kind is AccountKind.NORMAL
    assert [one.role for one in (await facts(boss.name)).memberships] == [role.name]
    await join(account, role, grant=False)
    await join(boss, role, grant=False)
    assert (await harness.engine.change_account(promotion)).kind is AccountKind.SUPER


async def test_an_account_is_dropped_with_its_memberships(harness, make, facts, join):
    account, role, member = [await make(harness.engine, password=None) for _ in range(3)]
    await join(role, account)
    await join(member, role)
    assert await harness.engine.drop_account(role.name, uuid4())
    assert (await facts(member.name)).memberships == ()


# Default privileges


def defaults(database, owner, account, **others):
    given = {"type": ObjectType.TABLE, "privileges": ("INSERT", "SELECT"), **others}
    return DefaultPrivileges(database, owner.name, account.name, **given)


@pytest.fixture
def change_defaults(roles):
    def change(wanted, owner, account, *, grant=True, operation=None):
        expected = Expected(account.identity)
        return roles.change_default_privileges(
            DefaultsChange(wanted, owner.identity, grant, operation or uuid4(), expected)
        )

    return change


async def test_default_privileges_are_granted_listed_and_revoked(
    harness, make, roles, database, change_defaults
):
    place, owner = database
    account, operation = await make(harness.engine, password=None), uuid4()
    everywhere = defaults(place, owner, account)
    in_public = replace(everywhere, schema="public", type=ObjectType.SEQUENCE, privileges=("USAGE",))
    marked = await change_defaults(everywhere, owner, account, operation=operation)
    assert marked.marker == operation
    await change_defaults(in_public, owner, account)
    assert list(await roles.default_privileges(place)) == [everywhere, in_public]
    await change_defaults(replace(everywhere, privileges=("INSERT",)), owner, account, grant=False)
    await change_defaults(in_public, owner, account, grant=False)
    assert list(await roles.default_privileges(place)) == [replace(everywhere, privileges=("SELECT",))]
    # Repeated, as recovery does: what was changed since stays.
    await change_defaults(everywhere, owner, account, operation=operation)
    assert list(await roles.default_privileges(place)) == [replace(everywhere, privileges=("SELECT",))]


async def test_default_privileges_are_refused_where_privileges_are(
    harness, make, unique, roles, database, change_defaults
):
    place, owner = database
    account = await make(harness.engine, password=None)
    wanted, missing = defaults(place, owner, account), replace(account, name=unique("nobody"))
    cases = (
        (replace(wanted, database=unique("no_db")), owner, account, Reason.DATABASE_MISSING),
        (replace(wanted, database="postgres"), owner, account, Reason.DATABASE_PROTECTED),
        (replace(wanted, schema="nowhere"), owner, account, Reason.OBJECT_MISSING),
        (replace(wanted, privileges=("EXECUTE",)), owner, account, Reason.PRIVILEGE_UNKNOWN),
        (replace(wanted, owner="postgres"), owner, account, Reason.ACCOUNT_PROTECTED),
        (replace(wanted, owner=missing.name), owner, account, Reason.ACCOUNT_MISSING),
        (replace(wanted, account="postgres"), owner, account, Reason.ACCOUNT_PROTECTED),
        (replace(wanted, account=missing.name), owner, account, Reason.ACCOUNT_MISSING),
        (wanted, replace(owner, identity="1"), account, Reason.ACCOUNT_MISSING),
        (wanted, owner, replace(account, identity="1"), Reason.ACCOUNT_MISSING),
    )
    for change, owned_by, meant_for, reason in cases:
        assert await refused(change_defaults(change, owned_by, meant_for)) is reason, change
    assert await roles.default_privileges(place) == []
    assert await refused(roles.default_privileges("postgres")) is Reason.DATABASE_PROTECTED


async def test_accounts_are_dropped_with_their_default_privileges(
    harness, make, roles, database, change_defaults
):
    place, owner = database
    first, second = [await make(harness.engine, password=None) for _ in range(2)]
    await change_defaults(defaults(place, owner, first), owner, first)
    await change_defaults(defaults(place, first, second), first, second)
    assert await harness.engine.drop_account(first.name, uuid4())
    assert await roles.default_privileges(place) == []


# PUBLIC


async def test_what_everyone_may_do_is_revoked_and_granted_back(roles, database):
    place, _ = database
    before = await roles.public_privileges(place)
    assert before.privileges == ("CONNECT", "TEMPORARY")
    expected = ExpectedDatabase(before.identity)
    words = ("CONNECT", "TEMPORARY", "CREATE")
    for _ in range(2):
        await roles.change_public_privileges(place, words, grant=False, expected=expected)
        assert (await roles.public_privileges(place)).privileges == ()
    await roles.change_public_privileges(place, ("CREATE",), grant=True)
    assert (await roles.public_privileges(place)).privileges == ("CREATE",)
    await roles.change_public_privileges(place, words, grant=True)
    assert (await roles.public_privileges(place)).privileges == ("CONNECT", "CREATE", "TEMPORARY")


async def test_accounts_that_connect_by_nothing_else_are_told(harness, make, roles, database):
    place, owner = database
    plain, granted, member = [await make(harness.engine, password=None) for _ in range(3)]
    item = DatabaseObject(ObjectType.DATABASE, place)
    objects = harness.engine.objects
    await objects.change_privileges(granted.name, [PrivilegeChange(item, ("CONNECT",), grant=True)], uuid4())
    membership = MembershipChange(granted.name, granted.identity, grant=True)
    await roles.change_role(RoleChange(member.name, uuid4(), membership=membership))
    told = set((await roles.public_privileges(place)).dependents)
    assert plain.name in told
    assert told.isdisjoint({owner.name, granted.name, member.name})
    await roles.change_public_privileges(place, ("CONNECT",), grant=False)
    assert (await roles.public_privileges(place)).dependents == ()


async def test_only_tenants_databases_and_the_maintenance_one_are_closed_to_everyone(
    harness, unique, roles, database
):
    place, _ = database
    assert await refused(roles.public_privileges(unique("no_db"))) is Reason.DATABASE_MISSING
    assert (await roles.public_privileges("postgres")).database == "postgres"
    with pytest.raises(Superseded):
        await roles.change_public_privileges(place, ("CONNECT",), grant=False, expected=ExpectedDatabase("1"))
    assert "CONNECT" in (await roles.public_privileges(place)).privileges
