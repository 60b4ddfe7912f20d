"""Whose an account is: hand-made roles with more than a tenant may have are shown, and never changed (findings A1, B3,
B4, A12 of the security review)."""

from __future__ import annotations

from uuid import uuid4

import psycopg
import pytest
from tests.refusals import refused

from rolecall.domain.engine import (
    AccountChange,
    AccountKind,
    DatabaseObject,
    NewDatabase,
    ObjectType,
    PrivilegeChange,
)
from rolecall.domain.instances.store_place import StorePlace
from rolecall.domain.reasons import Reason
from rolecall.engines.postgresql import PostgresEngine, statements, tenancy
from rolecall.engines.postgresql.privileges import Privileges
from rolecall.values import Secret

# Each makes a role {name} that leads to the server; {other} is a role in between.
POWERS = {
    "a superuser": ["CREATE ROLE {name} LOGIN SUPERUSER"],
    "a member of a superuser": ["CREATE ROLE {name} LOGIN", "GRANT postgres TO {name}"],
    "one that may only become a superuser": [
        "CREATE ROLE {name} LOGIN",
        "GRANT postgres TO {name} WITH INHERIT FALSE, SET TRUE",
    ],
    "one that may only administer a superuser": [
        "CREATE ROLE {name} LOGIN",
        "GRANT postgres TO {name} WITH ADMIN TRUE, INHERIT FALSE, SET FALSE",
    ],
    "programs": ["CREATE ROLE {name} LOGIN IN ROLE pg_execute_server_program"],
    "programs, at two removes": [
        "CREATE ROLE {other} IN ROLE pg_execute_server_program",
        "CREATE ROLE {name} LOGIN IN ROLE {other}",
    ],
    "all data": ["CREATE ROLE {name} LOGIN IN ROLE pg_read_all_data"],
    "maintenance": ["CREATE ROLE {name} LOGIN IN ROLE pg_maintain"],
    "subscriptions": ["CREATE ROLE {name} LOGIN IN ROLE pg_create_subscription"],
    "reserved connections": ["CREATE ROLE {name} LOGIN IN ROLE pg_use_reserved_connections"],
    "replication": ["CREATE ROLE {name} LOGIN REPLICATION"],
    "no row-level security": ["CREATE ROLE {name} LOGIN BYPASSRLS"],
    "a right on the verifiers": ["CREATE ROLE {name} LOGIN", "GRANT SELECT ON pg_authid TO {name}"],
    "a right on a column of them": [
        "CREATE ROLE {name} LOGIN",
        "GRANT SELECT (rolpassword) ON pg_authid TO {name}",
    ],
    "a right on reading files": [
        "CREATE ROLE {name} LOGIN",
        "GRANT EXECUTE ON FUNCTION pg_read_file(text) TO {name}",
    ],
    "a right on the configuration": [
        "CREATE ROLE {name} LOGIN",
        "GRANT ALTER SYSTEM ON PARAMETER archive_command TO {name}",
    ],
}
CLEANING = [
    "REASSIGN OWNED BY {name} TO postgres",
    "DROP OWNED BY {name}",
    "DROP ROLE IF EXISTS {name}, {other}",
]


@pytest.fixture
async def powerful(request, postgres, unique):
    parts = {"name": unique("power"), "other": unique("between")}
    await postgres.sql(*(statement.format(**parts) for statement in POWERS[request.param]))
    yield parts["name"]
    await postgres.sql(*(statement.format(**parts) for statement in CLEANING))


@pytest.mark.parametrize("powerful", POWERS, indirect=True)
async def test_an_account_that_leads_to_the_server_is_shown_and_not_changed(postgres, make, unique, powerful):
    """A1: nobody takes over the administrator's, the operator's, the backup's or the replica's login."""
    engine = postgres.engine
    (listed,) = [facts for facts in await engine.accounts() if facts.name == powerful]
    assert listed.is_protected
    assert await engine.account(powerful) == listed
    verifier = engine.verifier(powerful, Secret("st0len-Word"))
    database = unique("db")
    await engine.create_database(NewDatabase(database, (await make(engine, password=None)).name, uuid4()))
    grant = PrivilegeChange(DatabaseObject(ObjectType.DATABASE, database), ("CONNECT",), grant=True)
    for work in (
        engine.change_account(AccountChange(powerful, uuid4(), verifier=verifier)),
        engine.change_account(AccountChange(powerful, uuid4(), may_log_in=False, end_sessions=True)),
        engine.change_account(AccountChange(powerful, uuid4(), kind=AccountKind.SUPER)),
        engine.drop_account(powerful, uuid4()),
        engine.objects.change_privileges(powerful, [grant], uuid4()),
        engine.create_database(NewDatabase(unique("db"), powerful, uuid4())),
        engine.ownership.change_database_owner(database, powerful, uuid4()),
    ):
        assert await refused(work) is Reason.ACCOUNT_PROTECTED
    assert not await postgres.can_log_in(powerful, "st0len-Word")
    assert (await engine.account(powerful)) == listed


async def test_a_group_without_login_that_leads_to_the_server_is_protected_too(postgres, unique):
    name = unique("group")
    await postgres.sql(f"CREATE ROLE {name} IN ROLE pg_read_all_data")
    assert await refused(postgres.engine.drop_account(name, uuid4())) is Reason.ACCOUNT_PROTECTED
    await postgres.sql(f"DROP ROLE {name}")


@pytest.mark.parametrize(
    "made",
    [
        "CREATE ROLE {name} LOGIN",
        "CREATE ROLE {name} LOGIN CREATEDB",
        "CREATE ROLE {name} LOGIN CREATEROLE",
        "CREATE ROLE {name} LOGIN IN ROLE pg_monitor",
        "CREATE ROLE {name} LOGIN IN ROLE pg_signal_backend",
    ],
)
async def test_an_account_made_by_hand_with_no_more_than_ours_may_have_is_a_tenants(postgres, unique, made):
    name = unique("hand")
    await postgres.sql(made.format(name=name))
    assert not (await postgres.engine.account(name)).is_protected
    verifier = postgres.engine.verifier(name, Secret("Wh4t-ever"))
    await postgres.engine.change_account(AccountChange(name, uuid4(), verifier=verifier))
    assert await postgres.can_log_in(name, "Wh4t-ever")
    assert await postgres.engine.drop_account(name, uuid4())


async def test_an_account_of_ours_made_powerful_by_hand_is_protected_until_it_is_not(postgres, make):
    made = await make(postgres.engine)
    await postgres.sql(f"ALTER ROLE {made.name} SUPERUSER")
    facts = await postgres.engine.account(made.name)
    assert (facts.is_protected, facts.marker, facts.oid) == (True, made.marker, made.oid)
    assert await refused(postgres.engine.drop_account(made.name, uuid4())) is Reason.ACCOUNT_PROTECTED
    await postgres.sql(f"ALTER ROLE {made.name} NOSUPERUSER")
    assert await postgres.engine.account(made.name) == made
    assert await postgres.engine.drop_account(made.name, uuid4())


async def test_super_accounts_stay_ours_when_an_account_under_them_becomes_powerful(postgres, make):
    """What the group inherits goes back before a super account is changed, or one grant would protect them all."""
    boss = await make(postgres.engine, kind=AccountKind.SUPER)
    under = await make(postgres.engine)
    await postgres.sql(f"GRANT pg_read_server_files TO {under.name}")
    assert (await postgres.engine.account(boss.name)).is_protected
    changed = await postgres.engine.change_account(AccountChange(boss.name, uuid4(), may_log_in=False))
    assert (changed.is_protected, changed.kind) == (False, AccountKind.SUPER)
    row = await postgres.sql(f"SELECT pg_has_role('{boss.name}', 'pg_read_server_files', 'MEMBER')")
    assert row == [(False,)]
    await postgres.sql(f"REVOKE pg_read_server_files FROM {under.name}")


async def test_a_downgrade_takes_from_the_roles_an_account_made_what_it_loses_itself(postgres, make, unique):
    """B4: roles with CREATEROLE, CREATEDB and BYPASSRLS outlived their maker's downgrade; and it goes on below them."""
    boss = await make(postgres.engine, kind=AccountKind.SUPER)
    child, grandchild = unique("child"), unique("grandchild")
    own = {"password": make.PASSWORD}
    powers = "CREATEROLE CREATEDB BYPASSRLS LOGIN PASSWORD 'Corr3ct-horse'"
    await postgres.sql(f"CREATE ROLE {child} {powers}", user=boss.name, **own)
    await postgres.sql(f"CREATE ROLE {grandchild} {powers}", user=child, **own)
    assert not (await postgres.engine.account(child)).is_protected  # no more than its maker may have
    await postgres.engine.change_account(AccountChange(boss.name, uuid4(), kind=AccountKind.NORMAL))
    powers = "SELECT bool_or(rolcreaterole OR rolcreatedb OR rolbypassrls) FROM pg_roles WHERE rolname IN "
    assert await postgres.sql(powers + f"('{boss.name}', '{child}', '{grandchild}')") == [(False,)]
    for name in (child, grandchild):
        assert not (await postgres.engine.account(name)).is_protected
        assert await postgres.engine.drop_account(name, uuid4())


@pytest.fixture
async def came_before(postgres, unique):
    """A role that was there before Rolecall, and leads further through another one."""
    name, other = unique("before"), unique("between")
    await postgres.sql(f"CREATE ROLE {other}", f"CREATE ROLE {name} IN ROLE {other}")
    await postgres.sql(f"GRANT SELECT ON pg_authid TO {other}")
    yield name
    await postgres.sql(f"DROP OWNED BY {other}, {name}", f"DROP ROLE {name}, {other}")


async def test_a_heir_that_was_there_before_and_leads_further_is_refused(scratch, make, came_before):
    """B3: its attributes say nothing; what it is a member of does."""
    engine = PostgresEngine(scratch.address(heir_role=came_before))
    assert await refused(make(engine, password=None)) is Reason.ENGINE_REFUSED
    await engine.close()


async def test_a_group_that_was_there_before_leads_no_further(scratch, postgres, make, came_before):
    """B3: what makes it more than a group is taken from it."""
    engine = PostgresEngine(scratch.address(super_role=came_before))
    await make(engine, password=None)
    await engine.close()
    right = f"SELECT has_table_privilege('{came_before}', 'pg_authid', 'SELECT')"
    assert await postgres.sql(right) == [(False,)]


async def test_a_heir_that_somebody_was_given_before_us_is_taken_back(scratch, postgres, make, unique):
    name, thief = unique("heir"), unique("thief")
    await postgres.sql(f"CREATE ROLE {name}", f"CREATE ROLE {thief} LOGIN", f"GRANT {name} TO {thief}")
    engine = PostgresEngine(scratch.address(heir_role=name))
    await make(engine, password=None)
    await engine.close()
    assert await postgres.sql(f"SELECT pg_has_role('{thief}', '{name}', 'MEMBER')") == [(False,)]


@pytest.mark.parametrize("size", ["deep", "long"])
async def test_a_comment_that_a_tenant_wrote_spoils_no_listing(postgres, make, unique, size):
    """A12: 20000 lists in each other ended every listing; 60 MB on a role came along with each."""
    boss, child = await make(postgres.engine, kind=AccountKind.SUPER), unique("child")
    begin = '{"rc":{"op":"x","was":['
    text = begin + "[" * 20000 + "]" * 20000 + "]}}" if size == "deep" else begin + "x" * 60_000_000
    connection = await postgres.connect(user=boss.name, password=make.PASSWORD)
    async with connection:
        await connection.execute(f"CREATE ROLE {child} LOGIN")
        await connection.execute(psycopg.sql.SQL("COMMENT ON ROLE {} IS {}").format(
            psycopg.sql.Identifier(child), psycopg.sql.Literal(text)
        ))  # fmt: skip
    (listed,) = [facts for facts in await postgres.engine.accounts() if facts.name == child]
    assert listed.operations == ()
    row = await postgres.sql(
        f"SELECT max(length(left(description, {statements.MARKER_LENGTH}))) FROM pg_shdescription"
    )
    assert row == [(statements.MARKER_LENGTH,)]
    assert await postgres.engine.drop_account(child, uuid4())


# Objects and databases


async def test_a_superusers_database_is_neither_dropped_nor_given_away(postgres, make, unique):
    """A2: one made by hand, whoever asks for it, and whatever the tenants own in it."""
    database, tenant = unique("dbas_own"), (await make(postgres.engine, password=None)).name
    await postgres.sql(f"CREATE DATABASE {database}")
    await postgres.sql(f"CREATE SCHEMA s AUTHORIZATION {tenant}", database=database)
    engine = postgres.engine
    assert await refused(engine.drop_database(database)) is Reason.DATABASE_PROTECTED
    work = engine.ownership.change_database_owner(database, tenant, uuid4())
    assert await refused(work) is Reason.DATABASE_PROTECTED
    item = DatabaseObject(ObjectType.DATABASE, database)
    work = engine.objects.change_privileges(tenant, [PrivilegeChange(item, ("CREATE",), grant=True)], uuid4())
    assert await refused(work) is Reason.DATABASE_PROTECTED
    assert await engine.objects.privileges(tenant, [item]) == [()]
    own = PrivilegeChange(DatabaseObject(ObjectType.SCHEMA, "s", database), ("USAGE",), grant=True)
    await engine.objects.change_privileges((await make(engine, password=None)).name, [own], uuid4())
    await postgres.sql(f"DROP DATABASE {database}")


async def test_a_database_made_by_a_tenant_is_a_tenants_though_rolecall_did_not_make_it(
    postgres, make, unique
):
    boss, database = await make(postgres.engine, kind=AccountKind.SUPER), unique("own")
    await postgres.sql(f"CREATE DATABASE {database}", user=boss.name, password=make.PASSWORD)
    assert await postgres.engine.drop_account(boss.name, uuid4())
    assert await postgres.sql(
        f"SELECT datdba::regrole::text FROM pg_database WHERE datname = '{database}'"
    ) == [("postgres",)]
    assert await postgres.engine.drop_database(database)


async def test_what_an_extension_made_does_not_exist_for_grants(postgres, make, unique):
    """A2: with pg_cron its table of jobs would run any SQL as the superuser."""
    owner, database = (await make(postgres.engine, password=None)).name, unique("db")
    await postgres.engine.create_database(NewDatabase(database, owner, uuid4()))
    await postgres.sql(
        f"CREATE SCHEMA ext AUTHORIZATION {owner}",
        "CREATE EXTENSION pg_stat_statements SCHEMA ext",
        "CREATE EXTENSION hstore SCHEMA ext",
        "CREATE TABLE ext.job (id int)",
        "ALTER EXTENSION hstore ADD TABLE ext.job",
        "CREATE SCHEMA member",
        "ALTER EXTENSION hstore ADD SCHEMA member",
        f"ALTER TABLE ext.job OWNER TO {owner}",
        database=database,
    )
    t = ObjectType
    for kind, name, table, word in (
        (t.TABLE, "job", "", "INSERT"),
        (t.COLUMN, "id", "job", "INSERT"),
        (t.VIEW, "pg_stat_statements", "", "SELECT"),
        (t.TYPE, "hstore", "", "USAGE"),
        (t.FUNCTION, "akeys(hstore)", "", "EXECUTE"),
    ):
        item = DatabaseObject(kind, name, database, "ext", table)
        assert await refused(postgres.engine.objects.privileges(owner, [item])) is Reason.OBJECT_MISSING, kind
        work = postgres.engine.objects.change_privileges(
            owner, [PrivilegeChange(item, (word,), grant=True)], uuid4()
        )
        assert await refused(work) is Reason.OBJECT_MISSING, kind
        if kind is not t.COLUMN:
            assert await postgres.engine.objects.names(kind, database, "ext") == []
    item = DatabaseObject(t.SCHEMA, "member", database)
    assert await refused(postgres.engine.objects.privileges(owner, [item])) is Reason.OBJECT_MISSING
    assert "member" not in await postgres.engine.objects.names(t.SCHEMA, database)


async def test_an_object_that_takes_anothers_place_meanwhile_is_not_granted_on(
    postgres, make, unique, monkeypatch
):
    """A tenant's two schemas change their names between look and grant: the superuser's function stays closed."""
    tenant, account = (await make(postgres.engine, password=None)).name, (await make(postgres.engine)).name
    database = unique("db")
    await postgres.engine.create_database(NewDatabase(database, tenant, uuid4()))
    body = "RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'"
    await postgres.sql(
        f"CREATE SCHEMA a AUTHORIZATION {tenant}", f"CREATE SCHEMA b AUTHORIZATION {tenant}",
        f"CREATE FUNCTION a.run() {body}", "REVOKE ALL ON FUNCTION a.run() FROM PUBLIC",
        f"CREATE FUNCTION b.run() {body}", f"ALTER FUNCTION b.run() OWNER TO {tenant}",
        database=database,
    )  # fmt: skip
    look = Privileges._find

    async def swapped(self, connection, item, account):
        found = await look(self, connection, item, account)
        await postgres.sql("ALTER SCHEMA b RENAME TO c", "ALTER SCHEMA a RENAME TO b", database=database)
        return found

    monkeypatch.setattr(Privileges, "_find", swapped)
    item = DatabaseObject(ObjectType.FUNCTION, "run()", database, "b")
    work = postgres.engine.objects.change_privileges(
        account, [PrivilegeChange(item, ("EXECUTE",), grant=True)], uuid4()
    )
    assert await refused(work) is Reason.ENGINE_BUSY
    held = f"SELECT has_function_privilege('{account}', 'b.run()', 'EXECUTE')"
    assert await postgres.sql(held, database=database) == [(False,)]


@pytest.mark.parametrize("told", ["its own identifier", "none", "another's"])
async def test_the_stores_database_and_roles_are_out_of_reach_on_its_own_server(
    scratch, postgres, make, unique, told
):
    """A2: whoever could drop the store, or log in as its owner, would have Rolecall."""
    database, owner, user = unique("store"), unique("owner"), unique("runtime")
    await postgres.sql(f"CREATE ROLE {owner} LOGIN", f"CREATE ROLE {user} LOGIN")
    await postgres.sql(f"CREATE DATABASE {database} OWNER {owner}")
    ((system,),) = await postgres.sql("SELECT system_identifier FROM pg_control_system()")
    systems = {"its own identifier": system, "none": None, "another's": system + 1}
    engine = PostgresEngine(scratch.address(), store=StorePlace(systems[told], database, (user,)))
    tenant = (await make(engine, password=None)).name
    grant = PrivilegeChange(DatabaseObject(ObjectType.DATABASE, database), ("CONNECT",), grant=True)
    works = {
        Reason.ACCOUNT_PROTECTED: [
            lambda name=name: engine.drop_account(name, uuid4()) for name in (owner, user)
        ],
        Reason.DATABASE_PROTECTED: [
            lambda: engine.objects.change_privileges(tenant, [grant], uuid4()),
            lambda: engine.ownership.change_database_owner(database, tenant, uuid4()),
            lambda: engine.drop_database(database),
        ],
    }
    if told == "another's":
        assert await engine.drop_database(database)
        assert await engine.drop_account(owner, uuid4())
    else:
        for reason, some in works.items():
            for work in some:
                assert await refused(work()) is reason
    await engine.close()


def test_a_marker_is_read_back_whole_and_nothing_else_is():
    operations = [uuid4() for _ in range(12)]
    text = statements.marker(operations[0], operations[1 : 1 + statements.EARLIER_KEPT])
    assert len(text) <= statements.MARKER_LENGTH
    assert statements.operations_of(text) == tuple(operations[: 1 + statements.EARLIER_KEPT])
    for other in (text + " ", text[:-1], text.replace('"v":1', '"v":2'), text.upper(), "[" * 100_000):
        assert statements.operations_of(other) == ()


def test_every_predefined_role_that_is_not_known_to_be_harmless_counts():
    assert "pg_read_all_data" not in tenancy.HARMLESS
