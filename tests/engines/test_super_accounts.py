"""A super account has the powers it is for, and none of the known ways leads from it to the server itself.

docs/super-accounts.md explains each.
"""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from uuid import uuid4

import psycopg
import pytest

from rolecall.domain.engine import (
    AccountChange,
    AccountKind,
    DatabaseObject,
    NewAccount,
    NewDatabase,
    ObjectType,
    PrivilegeChange,
)
from rolecall.domain.reasons import Reason, Refused
from rolecall.engines.postgresql import PostgresEngine, group, tenancy
from rolecall.values import Secret

DENIED = (psycopg.errors.InsufficientPrivilege, psycopg.errors.ReservedName)


@pytest.fixture(scope="module", params=["rolecall_super", "pg_example_superuser"])
async def cast(request, scratch):
    """Two super accounts, a tenant with a table in a database of its own, on a group of either kind of name."""
    engine = PostgresEngine(scratch.address(super_role=request.param))
    token = request.param[:2]
    people = SimpleNamespace(
        engine=engine, group=request.param, password="Corr3ct-horse", database=f"tenants_{token}"
    )
    people.boss, people.peer, people.tenant = f"boss_{token}", f"peer_{token}", f"tenant_{token}"
    for name, kind in ((people.tenant, "normal"), (people.boss, "super"), (people.peer, "super")):
        verifier = engine.verifier(name, Secret(people.password))
        await engine.create_account(NewAccount(name, AccountKind(kind), verifier, uuid4()))
    await engine.create_database(NewDatabase(people.database, people.tenant, uuid4()))
    yield people
    await engine.close()


@pytest.fixture
async def boss(cast, postgres):
    """A session of the super account, in the tenant's database."""
    connection = await postgres.connect(cast.database, cast.boss, cast.password)
    async with connection:
        yield connection


@pytest.fixture
async def table(cast, postgres, unique):
    """A table of the tenant's, closed to everyone but its owner, with row-level security over it."""
    name = unique("t")
    await postgres.sql(
        f"CREATE TABLE public.{name} (id int)",
        f"INSERT INTO public.{name} VALUES (1)",
        f"ALTER TABLE public.{name} FORCE ROW LEVEL SECURITY, ENABLE ROW LEVEL SECURITY",
        database=cast.database, user=cast.tenant, password=cast.password,
    )  # fmt: skip
    return name


async def test_it_reads_writes_alters_takes_and_drops_tenants_tables(boss, cast, table):
    assert await (await boss.execute(f"SELECT id FROM public.{table}")).fetchall() == [(1,)]
    await boss.execute(f"INSERT INTO public.{table} VALUES (2)")
    await boss.execute(f"ALTER TABLE public.{table} ADD COLUMN more text")
    await boss.execute(f"ALTER TABLE public.{table} OWNER TO {cast.boss}")
    await boss.execute(f"DROP TABLE public.{table}")


async def test_it_creates_databases_roles_and_trusted_extensions(boss, cast, unique):
    database, role = unique("db"), unique("role")
    await boss.execute(f"CREATE DATABASE {database}")
    await boss.execute(f"DROP DATABASE {database}")
    await boss.execute(f"CREATE ROLE {role} LOGIN CREATEDB")
    await boss.execute(f"GRANT {role} TO {cast.tenant}")
    await boss.execute(f"DROP ROLE {role}")
    await boss.execute("CREATE EXTENSION hstore")
    await boss.execute("DROP EXTENSION hstore")


async def test_it_ends_a_tenants_session_and_sees_its_statement(boss, cast, postgres):
    session = await postgres.connect(cast.database, cast.tenant, cast.password)
    await session.execute("SELECT 'the tenant was here'")
    pid = session.info.backend_pid
    query = await (await boss.execute("SELECT query FROM pg_stat_activity WHERE pid = %s", (pid,))).fetchone()
    assert query == ("SELECT 'the tenant was here'",)
    await boss.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,))
    with pytest.raises(psycopg.OperationalError):
        await session.execute("SELECT 1")
    await session.close()


async def test_accounts_made_later_and_accounts_made_by_hand_are_under_it(
    cast, boss, postgres, make, unique, scratch
):
    later = (await make(cast.engine)).name
    by_hand = unique("hand")
    await postgres.sql(f"CREATE ROLE {by_hand} LOGIN")
    again = PostgresEngine(scratch.address(super_role=cast.group))
    await make(again, password=None)  # the sweep runs at an engine's first need
    await again.close()
    for name in (later, by_hand):
        row = await (
            await boss.execute("SELECT pg_has_role(%s, 'USAGE'), pg_has_role(%s, 'SET')", (name, name))
        ).fetchone()
        assert row == (True, False)


ESCALATIONS = {
    "become superuser": "ALTER ROLE {boss} SUPERUSER",
    "create a superuser": "CREATE ROLE x_{token} SUPERUSER",
    "create a role for replication": "CREATE ROLE x_{token} REPLICATION LOGIN",
    "take replication": "ALTER ROLE {boss} REPLICATION",
    "take programs": "GRANT pg_execute_server_program TO {boss}",
    "take reading files": "GRANT pg_read_server_files TO {boss}",
    "take writing files": "GRANT pg_write_server_files TO {boss}",
    "take all data": "GRANT pg_read_all_data TO {boss}",
    "take writing all data": "GRANT pg_write_all_data TO {boss}",
    "hand on monitoring": "GRANT pg_monitor TO {tenant}",
    "take the administrator": "GRANT postgres TO {boss}",
    "create a role inside programs": "CREATE ROLE x_{token} IN ROLE pg_execute_server_program",
    "give programs an administrator": "CREATE ROLE x_{token} ADMIN postgres IN ROLE pg_read_server_files",
    "run a program": "COPY (SELECT 1) TO PROGRAM 'true'",
    "read from a program": "DO $$ BEGIN EXECUTE 'CREATE TEMP TABLE p (t text)'; "
    "EXECUTE $c$COPY p FROM PROGRAM 'id'$c$; END $$",
    "read a file": "SELECT pg_read_file('PG_VERSION')",
    "read a binary file": "SELECT pg_read_binary_file('PG_VERSION')",
    "list a directory": "SELECT pg_ls_dir('.')",
    "stat a file": "SELECT pg_stat_file('PG_VERSION')",
    "copy to a file": "COPY (SELECT 1) TO '/tmp/rolecall-escalation'",
    "copy from a file": "DO $$ BEGIN EXECUTE 'CREATE TEMP TABLE f (t text)'; "
    "EXECUTE $c$COPY f FROM '/etc/passwd'$c$; END $$",
    "import a file": "SELECT lo_import('/etc/passwd')",
    "export a file": "SELECT lo_export(lo_create(0), '/tmp/rolecall-escalation')",
    "alter the system": "ALTER SYSTEM SET archive_command = 'true'",
    "reload the configuration": "SELECT pg_reload_conf()",
    "set a guarded parameter": "SET session_preload_libraries = 'x'",
    "set one for a role": "ALTER ROLE {boss} SET session_preload_libraries = 'x'",
    "silence the log": "SET log_statement = 'none'",
    "allow catalog changes": "SET allow_system_table_mods = on",
    "read verifiers": "SELECT rolpassword FROM pg_authid",
    "read verifiers in the old view": "SELECT passwd FROM pg_shadow",
    "write pg_authid": "UPDATE pg_authid SET rolsuper = true WHERE rolname = '{boss}'",
    "write pg_auth_members": "INSERT INTO pg_auth_members SELECT * FROM pg_auth_members",
    "grant on pg_authid": "GRANT SELECT ON pg_authid TO {boss}",
    "grant a file function": "GRANT EXECUTE ON FUNCTION pg_read_file(text) TO {boss}",
    "read others' mappings": "SELECT * FROM pg_user_mapping",
    "an untrusted extension": "CREATE EXTENSION file_fdw",
    "a loopback extension": "CREATE EXTENSION dblink",
    "a function in C": "CREATE FUNCTION x() RETURNS int LANGUAGE c AS 'libc', 'getpid'",
    "an internal function": "CREATE FUNCTION x() RETURNS int LANGUAGE internal AS 'pg_backend_pid'",
    "an untrusted language": "CREATE LANGUAGE plx HANDLER plpgsql_call_handler",
    "load a library": "LOAD 'test_decoding'",
    "a wrapper": "CREATE FOREIGN DATA WRAPPER x",
    "an event trigger": "CREATE EVENT TRIGGER x ON ddl_command_end EXECUTE FUNCTION pg_catalog.trigger_in()",
    "a publication of all tables": "CREATE PUBLICATION x FOR ALL TABLES",
    "a tablespace": "CREATE TABLESPACE x LOCATION '/tmp'",
    "a cast under everyone's feet": "CREATE CAST (text AS int) WITHOUT FUNCTION",
    "a function among the system's": "CREATE FUNCTION pg_catalog.x() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "set role to the administrator": "SET ROLE postgres",
    "set role to the group": "SET ROLE {group}",
    "set role to a tenant": "SET ROLE {tenant}",
    "become the administrator": "SET SESSION AUTHORIZATION postgres",
    "become the administrator by default": "SET SESSION AUTHORIZATION DEFAULT; SET ROLE postgres",
    "the administrator's password": "ALTER ROLE postgres PASSWORD 'x'",
    "the administrator's settings": "ALTER ROLE postgres SET search_path = 'public'",
    "everybody's settings": "ALTER ROLE ALL SET search_path = 'public'",
    "the administrator's database": "ALTER DATABASE postgres SET search_path = 'public'",
    "drop the administrator": "DROP ROLE postgres",
    "the administrator's objects": "REASSIGN OWNED BY postgres TO {boss}",
    "give itself to the administrator": "GRANT {boss} TO postgres",
    "hand the group on": "GRANT {group} TO {tenant}",
    "administer the group": "GRANT {group} TO {boss} WITH ADMIN OPTION",
    "rename the group": "ALTER ROLE {group} RENAME TO x_{token}",
    "drop the group": "DROP ROLE {group}",
    "the group as a login": "ALTER ROLE {group} LOGIN",
    "a role inside the group": "CREATE ROLE x_{token} IN ROLE {group}",
    "the heir as a login": "ALTER ROLE rolecall_heir LOGIN PASSWORD 'x'",
    "take the heir": "GRANT rolecall_heir TO {boss}",
    "another super's password": "ALTER ROLE {peer} PASSWORD 'x'",
    "drop another super": "DROP ROLE {peer}",
    "take another super": "GRANT {peer} TO {boss}",
    "a tenant's password": "ALTER ROLE {tenant} PASSWORD 'x'",
    "take a tenant": "GRANT {tenant} TO {boss} WITH SET TRUE",
    "a forged marker": "COMMENT ON ROLE {tenant} IS 'x'",
    "a marker on itself": "COMMENT ON ROLE {boss} IS 'x'",
    "a copy of the cluster": "SELECT pg_create_physical_replication_slot('x')",
    "a stream of changes": "SELECT pg_create_logical_replication_slot('x', 'test_decoding')",
    "start a backup": "SELECT pg_backup_start('x')",
    "promote": "SELECT pg_promote()",
    "give objects to the administrator": "DO $$ BEGIN EXECUTE 'CREATE FUNCTION public.mine() RETURNS int "
    "LANGUAGE sql SECURITY DEFINER AS ''SELECT 1'''; EXECUTE 'ALTER FUNCTION public.mine() OWNER TO postgres'; END $$",
    "give a schema to the administrator": "CREATE SCHEMA x_{token} AUTHORIZATION postgres",
}


@pytest.mark.parametrize("way", ESCALATIONS)
async def test_no_known_way_leads_further(boss, cast, way):
    statement = ESCALATIONS[way].format(
        boss=cast.boss, peer=cast.peer, tenant=cast.tenant, group=cast.group, token=cast.group[:2]
    )
    with pytest.raises(DENIED):
        await boss.execute(statement)


async def test_it_cannot_end_the_administrators_session(boss, postgres):
    session = await postgres.connect()
    async with session:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            await boss.execute("SELECT pg_terminate_backend(%s)", (session.info.backend_pid,))
        assert await (await session.execute("SELECT 1")).fetchone() == (1,)


async def test_it_cannot_stream_the_cluster(cast, postgres):
    with pytest.raises(psycopg.OperationalError, match="permission denied to start WAL sender"):
        await psycopg.AsyncConnection.connect(
            host="127.0.0.1", port=postgres.scratch.port, user=cast.boss, password=cast.password,
            options="", replication="true",
        )  # fmt: skip


async def test_settings_of_its_own_database_do_not_reach_the_control_planes_sessions(cast, postgres, unique):
    """ALTER DATABASE SET on a database it owns: search_path, role, read-only, odd quoting; the engine works on."""
    database, account = unique("trap"), cast.tenant
    await postgres.sql(f"CREATE DATABASE {database}", user=cast.boss, password=cast.password)
    own = {"database": database, "user": cast.boss, "password": cast.password}
    await postgres.sql(
        "CREATE SCHEMA trap",
        "CREATE TABLE trap.t (id int)",
        "CREATE FUNCTION trap.oidvectortypes(oidvector) RETURNS text LANGUAGE plpgsql AS "
        "$$ BEGIN EXECUTE 'ALTER ROLE {} SUPERUSER'; RETURN 'x'; END $$".replace("{}", cast.boss),
        "CREATE VIEW trap.pg_class AS SELECT 1 AS oid",
        **own,
    )
    for setting in (
        f"role = {cast.boss}",
        "search_path = trap, pg_catalog",
        "default_transaction_read_only = on",
        "backslash_quote = on",
        "client_encoding = 'SJIS'",
        "quote_all_identifiers = on",
        "statement_timeout = 1",
    ):
        await postgres.sql(f"ALTER DATABASE {database} SET {setting}", user=cast.boss, password=cast.password)
    item = DatabaseObject(ObjectType.TABLE, "t", database, "trap")
    await cast.engine.objects.change_privileges(
        account, [PrivilegeChange(item, ("SELECT",), grant=True)], uuid4()
    )
    assert await cast.engine.objects.privileges(account, [item]) == [("SELECT",)]
    assert await cast.engine.objects.names(ObjectType.FUNCTION, database, "trap") == [
        "oidvectortypes(oidvector)"
    ]
    row = await postgres.sql(f"SELECT rolsuper FROM pg_roles WHERE rolname = '{cast.boss}'")
    assert row == [(False,)]
    await cast.engine.drop_database(database)


async def test_an_account_with_more_than_a_tenants_rights_is_never_under_the_group(
    cast, boss, postgres, unique, scratch, make
):
    """Granted by hand before or after: the sweep leaves it out, or takes it back."""
    before, after = unique("before"), (await make(cast.engine)).name
    await postgres.sql(
        f"CREATE ROLE {before} LOGIN IN ROLE pg_execute_server_program",
        f"GRANT pg_read_server_files TO {after}",
    )
    again = PostgresEngine(scratch.address(super_role=cast.group))
    await make(again, password=None)
    await again.close()
    for name in (before, after):
        row = await (await boss.execute("SELECT pg_has_role(%s, 'MEMBER')", (name,))).fetchone()
        assert row == (False,)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        await boss.execute("SELECT pg_read_file('PG_VERSION')")


async def test_a_group_that_somebody_else_administers_is_taken_back(scratch, postgres, unique, make):
    name, thief = unique("grp"), unique("thief")
    await postgres.sql(f"CREATE ROLE {thief} LOGIN CREATEROLE", f"CREATE ROLE {name} ADMIN {thief}")
    engine = PostgresEngine(scratch.address(super_role=name))
    await make(engine, password=None)
    await engine.close()
    query = f"SELECT count(*) FROM pg_auth_members WHERE admin_option AND roleid = '{name}'::regrole"
    assert await postgres.sql(query + f" AND member = '{thief}'::regrole") == [(0,)]


async def test_two_processes_that_need_the_group_at_once_make_one(
    scratch, postgres, unique, make, monkeypatch
):
    """Each sweeps in, in parts, the accounts that were there before."""
    monkeypatch.setattr(group, "_SWEEP_AT_ONCE", 2)
    name = unique("pg_grp")
    engines = [PostgresEngine(scratch.address(super_role=name)) for _ in range(3)]
    made = await asyncio.gather(*(make(engine, password=None) for engine in engines))
    members = await postgres.sql(
        f"SELECT count(DISTINCT roleid) FROM pg_auth_members WHERE member = '{name}'::regrole"
        f" AND roleid IN ({', '.join(str(account.oid) for account in made)})"
    )
    assert members == [(3,)]
    for engine in engines:
        await engine.close()


async def test_a_group_that_can_do_more_than_a_group_is_refused(scratch, postgres, unique, make):
    name = unique("grp")
    await postgres.sql(f"CREATE ROLE {name} LOGIN")
    engine = PostgresEngine(scratch.address(super_role=name))
    with pytest.raises(Refused) as caught:
        await make(engine, password=None)
    await engine.close()
    assert caught.value.reason is Reason.ENGINE_REFUSED
    await postgres.sql(f"DROP ROLE {name}")


async def test_the_group_comes_back_after_it_was_dropped(scratch, postgres, unique, make):
    name = unique("grp")
    engine = PostgresEngine(scratch.address(super_role=name))
    await make(engine)
    await postgres.sql(f"DROP ROLE {name}")
    made = await make(engine, kind=AccountKind.SUPER)
    assert await engine.account(made.name) == made
    await engine.close()


async def test_a_super_accounts_dropping_hands_over_what_would_run_as_a_superuser(
    cast, postgres, make, unique
):
    """A SECURITY DEFINER function and a view of pg_authid, left by a dropped account, gain nothing."""
    made = await make(cast.engine, kind=AccountKind.SUPER)
    database, child = unique("left"), unique("child")
    own = {"user": made.name, "password": make.PASSWORD}
    await postgres.sql(
        f"CREATE DATABASE {database}", f"CREATE ROLE {child} LOGIN", f"GRANT {child} TO {cast.tenant}", **own
    )
    await postgres.sql(
        "CREATE VIEW public.v AS SELECT rolname, rolpassword FROM pg_authid",
        "CREATE FUNCTION public.f() RETURNS name LANGUAGE sql SECURITY DEFINER AS 'SELECT current_user'",
        "GRANT SELECT ON public.v TO PUBLIC",
        database=database, **own,
    )  # fmt: skip
    assert await cast.engine.drop_account(made.name, uuid4())
    as_tenant = {"database": database, "user": cast.tenant, "password": cast.password}
    assert await postgres.sql("SELECT public.f()", **as_tenant) == [("rolecall_heir",)]
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        await postgres.sql("SELECT * FROM public.v", **as_tenant)


async def test_a_normal_account_that_was_super_has_no_power_left(cast, postgres, make, unique):
    made = await make(cast.engine, kind=AccountKind.SUPER)
    await cast.engine.change_account(AccountChange(made.name, uuid4(), kind=AccountKind.NORMAL))
    own = {"user": made.name, "password": make.PASSWORD}
    for statement in (f"CREATE DATABASE {unique('db')}", f"CREATE ROLE {unique('r')}"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            await postgres.sql(statement, **own)
    assert await postgres.sql(
        f"SELECT pg_has_role('{cast.tenant}', 'MEMBER'), pg_has_role('pg_monitor', 'MEMBER')", **own
    ) == [(False, False)]


async def test_below_the_minimum_version_a_super_account_is_refused_and_a_normal_one_made(scratch, make):
    engine = PostgresEngine(scratch.address(), super_min_version=99)
    with pytest.raises(Refused) as caught:
        await make(engine, kind=AccountKind.SUPER)
    assert caught.value.reason is Reason.ENGINE_TOO_OLD
    made = await make(engine)
    with pytest.raises(Refused) as caught:
        await engine.change_account(AccountChange(made.name, uuid4(), kind=AccountKind.SUPER))
    assert caught.value.reason is Reason.ENGINE_TOO_OLD
    await engine.close()


async def test_no_predefined_role_of_the_group_makes_anybody_more_than_a_tenant():
    assert set(group.PREDEFINED) <= set(tenancy.HARMLESS)
