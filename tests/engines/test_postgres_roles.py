"""PostgreSQL itself: whom a membership makes what, when an account ends, what default privileges and PUBLIC do."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import psycopg
import pytest
from tests.engines.test_postgres_tenancy import CLEANING, POWERS
from tests.refusals import refused

from rolecall.domain.engine import AccountKind, DatabaseObject, NewDatabase, ObjectType, PrivilegeChange
from rolecall.domain.engine.identity import Expected
from rolecall.domain.engine.roles import (
    DefaultPrivileges,
    DefaultsChange,
    Expiry,
    MembershipChange,
    RoleChange,
)
from rolecall.domain.instances.store_place import StorePlace
from rolecall.domain.reasons import Reason
from rolecall.engines.postgresql import PostgresEngine
from rolecall.values import Secret


async def join(engine, account, role, *, grant=True, **options):
    identity = await engine.roles.role(role, to_join=grant)
    membership = MembershipChange(role, identity, grant, **options)
    return await engine.roles.change_role(RoleChange(account, uuid4(), membership=membership))


# Memberships

STRONG = {
    **POWERS,
    "databases": ["CREATE ROLE {name} CREATEDB"],
    "roles": ["CREATE ROLE {name} CREATEROLE"],
    "databases, at one remove": ["CREATE ROLE {other} CREATEDB", "CREATE ROLE {name} IN ROLE {other}"],
    "super accounts, at one remove": [
        "CREATE ROLE {other} CREATEDB",
        "GRANT rolecall_super TO {other} WITH SET FALSE",
        "CREATE ROLE {name}",
        "GRANT {other} TO {name} WITH INHERIT FALSE, SET FALSE",
    ],
    "what deleted accounts left, at one remove": ["CREATE ROLE {name}", "GRANT rolecall_heir TO {name}"],
}


@pytest.fixture
async def strong(request, postgres, make, unique):
    await make(postgres.engine, kind=AccountKind.SUPER, password=None)  # their role is there
    parts = {"name": unique("strong"), "other": unique("between")}
    await postgres.sql(*(statement.format(**parts) for statement in STRONG[request.param]))
    yield parts["name"]
    await postgres.sql(*(statement.format(**parts) for statement in CLEANING))


@pytest.mark.parametrize("strong", STRONG, indirect=True)
async def test_no_membership_leads_to_more_than_a_normal_account_may_have(postgres, make, strong):
    made = await make(postgres.engine, password=None)
    assert await refused(join(postgres.engine, made.name, strong)) is Reason.ACCOUNT_PROTECTED
    # Neither if it became so after it was asked about.
    membership = MembershipChange(strong, "1", grant=True)
    work = postgres.engine.roles.change_role(RoleChange(made.name, uuid4(), membership=membership))
    assert await refused(work) is Reason.ACCOUNT_PROTECTED
    assert await postgres.engine.account(made.name) == made


@pytest.mark.parametrize(
    "role",
    ["postgres", "rolecall_super", "rolecall_heir", "pg_read_server_files", "pg_execute_server_program",
     "pg_write_all_data", "pg_database_owner"],
)  # fmt: skip
async def test_what_is_the_servers_is_joined_and_left_by_nobody(postgres, make, role):
    made = await make(postgres.engine, kind=AccountKind.SUPER)
    for grant in (True, False):
        work = join(postgres.engine, made.name, role, grant=grant)
        assert await refused(work) is Reason.ACCOUNT_PROTECTED


@pytest.mark.parametrize("role", ["pg_monitor", "pg_read_all_stats", "pg_signal_backend", "pg_checkpoint"])
async def test_a_predefined_role_without_danger_is_joined_and_left(postgres, make, role):
    made = await make(postgres.engine)
    query = f"SELECT pg_has_role('{role}', 'USAGE'), pg_has_role('{role}', 'SET')"
    own = {"user": made.name, "password": make.PASSWORD}
    await join(postgres.engine, made.name, role)
    assert await postgres.sql(query, **own) == [(True, False)]
    assert not (await postgres.engine.account(made.name)).is_protected
    await join(postgres.engine, made.name, role, grant=False)
    assert await postgres.sql(query, **own) == [(False, False)]


@pytest.mark.parametrize("may_become", [False, True])
async def test_a_member_has_the_roles_privileges_and_is_the_role_only_where_told(
    postgres, make, unique, may_become
):
    """Of a role without login, which a super account made."""
    boss, made, group = (
        await make(postgres.engine, kind=AccountKind.SUPER),
        await make(postgres.engine),
        unique("g"),
    )
    place = {"database": unique("db")}
    await postgres.engine.create_database(NewDatabase(place["database"], boss.name, uuid4()))
    await postgres.sql(
        f"CREATE ROLE {group}", "CREATE TABLE t ()", f"GRANT SELECT ON t TO {group}",
        user=boss.name, password=make.PASSWORD, **place,
    )  # fmt: skip
    await join(postgres.engine, made.name, group, may_become=may_become)
    own = {"user": made.name, "password": make.PASSWORD, **place}
    assert await postgres.sql("SELECT FROM t", **own) == []
    if may_become:
        assert await postgres.sql(f"SET ROLE {group}", "SELECT current_user::text", **own) == [(group,)]
    else:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            await postgres.sql(f"SET ROLE {group}", **own)


async def test_an_account_that_administers_a_role_keeps_that_when_it_joins_it(postgres, make, unique):
    """Its maker has ADMIN by the same row."""
    boss, group = await make(postgres.engine, kind=AccountKind.SUPER), unique("g")
    own = {"user": boss.name, "password": make.PASSWORD}
    await postgres.sql(f"CREATE ROLE {group}", **own)
    await join(postgres.engine, boss.name, group)
    (found,) = (await postgres.engine.roles.role_facts(boss.name))[0].memberships
    assert (found.inherits, found.may_become, found.administers) == (True, False, True)
    await postgres.sql(f"GRANT {group} TO {boss.name}", f"COMMENT ON ROLE {group} IS 'mine'", **own)


async def test_a_membership_of_several_grantors_is_shown_once_and_revoked_whole(postgres, make, unique):
    boss, made, group = (
        await make(postgres.engine, kind=AccountKind.SUPER),
        await make(postgres.engine),
        unique("g"),
    )
    own = {"user": boss.name, "password": make.PASSWORD}
    await postgres.sql(
        f"CREATE ROLE {group}", f"GRANT {group} TO {made.name} WITH ADMIN TRUE, SET TRUE", **own
    )
    await join(postgres.engine, made.name, group, may_become=False)
    (found,) = (await postgres.engine.roles.role_facts(made.name))[0].memberships
    assert (found.role, found.may_become, found.administers) == (group, True, True)
    other = await make(postgres.engine)
    await postgres.sql(f"GRANT {group} TO {other.name}", user=made.name, password=make.PASSWORD)
    work = join(postgres.engine, made.name, group, grant=False)
    assert await refused(work) is Reason.PRIVILEGE_DEPENDENT
    await join(postgres.engine, other.name, group, grant=False)
    await join(postgres.engine, made.name, group, grant=False)
    assert (await postgres.engine.roles.role_facts(made.name))[0].memberships == ()


async def test_a_role_that_became_more_is_still_left(postgres, make, unique):
    made, group = await make(postgres.engine), unique("g")
    await postgres.sql(f"CREATE ROLE {group}")
    await join(postgres.engine, made.name, group)
    await postgres.sql(f"ALTER ROLE {group} CREATEDB")
    await join(postgres.engine, made.name, group, grant=False)
    assert (await postgres.engine.roles.role_facts(made.name))[0].memberships == ()


async def test_an_administrator_that_is_no_superuser_changes_what_it_may_and_is_refused_the_rest(
    scratch, postgres, make, unique
):
    name, database = unique("adm"), unique("db")
    await postgres.sql(f"CREATE ROLE {name} LOGIN CREATEROLE PASSWORD 'admpass'")
    engine = PostgresEngine(replace(scratch.address(), user=name, password=Secret("admpass")))
    account, role = [await make(engine, password=None) for _ in range(2)]
    await postgres.sql(f"CREATE DATABASE {database} OWNER {role.name}")
    await engine.roles.change_role(RoleChange(account.name, uuid4(), connection_limit=2))
    await join(engine, account.name, role.name)
    (facts,) = await engine.roles.role_facts(account.name)
    assert (facts.connection_limit, [one.role for one in facts.memberships]) == (2, [role.name])
    await join(engine, account.name, role.name, grant=False)
    assert (await engine.roles.role_facts(account.name))[0].memberships == ()
    wanted = DefaultPrivileges(database, role.name, account.name, ObjectType.TABLE, ("SELECT",))
    for work in (
        engine.roles.change_public_privileges(database, ("CONNECT",), grant=False),
        engine.roles.change_default_privileges(DefaultsChange(wanted, role.identity, True, uuid4())),
    ):
        assert await refused(work) is Reason.ENGINE_REFUSED
    assert "CONNECT" in (await engine.roles.public_privileges(database)).privileges
    await engine.close()


# Limits


async def test_an_account_that_has_ended_cannot_log_in_until_it_has_more_time(postgres, make):
    made, now = await make(postgres.engine), datetime.now(UTC)
    for at, may in ((now - timedelta(days=1), False), (now + timedelta(days=1), True), (None, True)):
        await postgres.engine.roles.change_role(RoleChange(made.name, uuid4(), expiry=Expiry(at)))
        assert await postgres.can_log_in(made.name, make.PASSWORD) is may
        assert (await postgres.engine.roles.role_facts(made.name))[0].valid_until == at


@pytest.mark.parametrize(
    ("until", "shown"),
    [
        ("infinity", None),
        ("-infinity", datetime(1, 1, 1, tzinfo=UTC)),
        ("4713-01-01 BC", datetime(1, 1, 1, tzinfo=UTC)),
        ("20000-01-01", datetime(9999, 12, 31, tzinfo=UTC)),
        ("1999-12-31 23:59:59.999999+00", datetime(1999, 12, 31, 23, 59, 59, 999999, UTC)),
    ],
)
async def test_every_end_that_sql_can_set_is_shown(postgres, make, until, shown):
    made = await make(postgres.engine, password=None)
    await postgres.sql(f"ALTER ROLE {made.name} VALID UNTIL '{until}'")
    assert (await postgres.engine.roles.role_facts(made.name))[0].valid_until == shown


async def test_an_account_has_no_more_connections_than_its_limit(postgres, make):
    made = await make(postgres.engine)
    await postgres.engine.roles.change_role(RoleChange(made.name, uuid4(), connection_limit=0))
    assert not await postgres.can_log_in(made.name, make.PASSWORD)
    await postgres.engine.roles.change_role(RoleChange(made.name, uuid4(), connection_limit=1))
    assert await postgres.can_log_in(made.name, make.PASSWORD)


# Default privileges and PUBLIC


@pytest.fixture
async def place(postgres, make, unique):
    owner, database = await make(postgres.engine, kind=AccountKind.SUPER), unique("db")
    await postgres.engine.create_database(NewDatabase(database, owner.name, uuid4()))
    return database, owner


async def test_what_an_owner_makes_from_now_on_is_the_accounts_to_read(postgres, make, place):
    database, owner = place
    account = await make(postgres.engine)
    wanted = DefaultPrivileges(database, owner.name, account.name, ObjectType.TABLE, ("SELECT",))
    change = DefaultsChange(wanted, owner.identity, True, uuid4(), Expected(account.identity))
    own = {"database": database, "user": owner.name, "password": make.PASSWORD}
    await postgres.sql("CREATE TABLE before ()", **own)
    await postgres.engine.roles.change_default_privileges(change)
    await postgres.sql("CREATE TABLE after ()", **own)
    reader = {"database": database, "user": account.name, "password": make.PASSWORD}
    assert await postgres.sql("SELECT FROM after", **reader) == []
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        await postgres.sql("SELECT FROM before", **reader)


async def test_the_stores_database_has_no_default_privileges_and_stays_as_open_as_it_is(
    scratch, postgres, make, place
):
    database, _ = place
    engine = PostgresEngine(scratch.address(), store=StorePlace(None, database, ()))
    for work in (
        engine.roles.default_privileges(database),
        engine.roles.public_privileges(database),
        engine.roles.change_public_privileges(database, ("CONNECT",), grant=False),
    ):
        assert await refused(work) is Reason.DATABASE_PROTECTED
    await engine.close()


async def test_a_database_that_is_closed_to_everyone_is_open_to_its_owner_and_whom_it_was_granted(
    postgres, make, place
):
    database, owner = place
    granted, other = await make(postgres.engine), await make(postgres.engine)
    item = DatabaseObject(ObjectType.DATABASE, database)
    grant = [PrivilegeChange(item, ("CONNECT",), grant=True)]
    await postgres.engine.objects.change_privileges(granted.name, grant, uuid4())
    assert other.name in (await postgres.engine.roles.public_privileges(database)).dependents
    await postgres.engine.roles.change_public_privileges(database, ("CONNECT",), grant=False)
    for account, may in ((owner, True), (granted, True), (other, False)):
        work = postgres.sql("SELECT 1", database=database, user=account.name, password=make.PASSWORD)
        if may:
            await work
            continue
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            await work


async def test_what_another_role_granted_to_everyone_is_not_called_revoked(postgres, make, unique, place):
    """The server says no more than a warning."""
    database, _ = place
    other = unique("other")
    await postgres.sql(
        f"CREATE ROLE {other}", f"GRANT CONNECT ON DATABASE {database} TO {other} WITH GRANT OPTION"
    )
    await postgres.sql(f"SET ROLE {other}", f"GRANT CONNECT ON DATABASE {database} TO PUBLIC")
    work = postgres.engine.roles.change_public_privileges(database, ("CONNECT", "TEMPORARY"), grant=False)
    assert await refused(work) is Reason.ENGINE_REFUSED
    assert (await postgres.engine.roles.public_privileges(database)).privileges == ("CONNECT", "TEMPORARY")


async def test_a_database_without_the_schema_public_is_closed_all_the_same(postgres, place):
    database, _ = place
    await postgres.sql("DROP SCHEMA public", database=database)
    words = ("CONNECT", "TEMPORARY", "CREATE")
    await postgres.engine.roles.change_public_privileges(database, words, grant=False)
    assert (await postgres.engine.roles.public_privileges(database)).privileges == ()
    work = postgres.engine.roles.change_public_privileges(database, words, grant=True)
    assert await refused(work) is Reason.OBJECT_MISSING
