"""What only a real PostgreSQL server can show: sessions, locks, logs, lost connections, odd catalogs."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.engines.conftest import PostgresHarness
from tests.refusals import refused
from tests.waiting import reached

from rolecall.domain.engine import (
    AccountChange,
    AccountKind,
    DatabaseObject,
    EngineAddress,
    NewAccount,
    NewDatabase,
    ObjectType,
    PrivilegeChange,
    VerifierWrite,
)
from rolecall.domain.reasons import Reason, Refused
from rolecall.engines import scram
from rolecall.engines.postgresql import PostgresEngine, statements
from rolecall.values import Secret


@pytest.fixture(params=[write.value for write in VerifierWrite])
def verifier_write(request) -> str:
    return request.param


FEW = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,62}", fullmatch=True).filter(
    lambda name: not name.startswith("pg_") and name not in {"public", "none", "all", "postgres"}
)
PASSWORDS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=8, max_size=32)


async def waiting_for_a_lock(postgres) -> bool:
    return bool(await postgres.sql("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"))


# What is stored


@FEW
@given(name=NAMES, password=PASSWORDS)
async def test_an_accepted_name_is_stored_byte_for_byte_and_its_password_logs_in(
    postgres, make, name, password
):
    made = await make(postgres.engine, name, password=password)
    row = await postgres.sql(f"SELECT rolname::text::bytea, oid FROM pg_roles WHERE oid = {made.oid}")
    assert row == [(name.encode(), made.oid)]
    assert await postgres.can_log_in(name, password)
    assert await postgres.engine.drop_account(name, uuid4())


@pytest.mark.parametrize(
    "password",
    ["ﬁsh-Ⅸ-1A", "пароль-1A", "a\u00a0b\u00adC1!", "\u0627\u0031-1A", "pass\u0221-1A", "😀-word-1A"],
)
async def test_a_password_outside_ascii_logs_in_as_libpq_prepares_it(postgres, make, password):
    made = await make(postgres.engine, password=password)
    assert await postgres.can_log_in(made.name, password)


@FEW
@given(password=st.text(min_size=1, max_size=20).filter(lambda text: "\0" not in text))
async def test_a_verifier_is_what_libpq_makes_of_the_same_password(postgres, password):
    try:
        password.encode()
    except UnicodeEncodeError:
        return
    connection = await postgres.connect()
    async with connection:
        theirs = connection.pgconn.encrypt_password(password.encode(), b"x", b"scram-sha-256").decode()
    assert scram.is_verifier(theirs)
    assert scram.matches(theirs, password)


async def test_what_is_no_verifier_never_reaches_the_server(postgres, unique):
    name = unique("acct")
    for text in ("plaintext", "md5" + "0" * 32, scram.verifier("x")[:-1], "x'; DROP ROLE postgres; --"):
        new = NewAccount(name, AccountKind.NORMAL, Secret(text), uuid4())
        assert await refused(postgres.engine.create_account(new)) is Reason.ENGINE_REFUSED
    assert await postgres.engine.account(name) is None


async def test_a_verifier_of_the_empty_password_which_the_server_clears_is_refused_whole(scratch, unique):
    """The read-back: what the server stored is not what was sent, so nothing stays."""
    postgres = PostgresHarness(scratch)
    async with await postgres.connect() as connection:
        empty = connection.pgconn.encrypt_password(b"", b"x", b"scram-sha-256").decode()
    new = NewAccount(unique("acct"), AccountKind.NORMAL, Secret(empty), uuid4())
    assert await refused(postgres.engine.create_account(new)) is Reason.ENGINE_REFUSED
    assert await postgres.engine.account(new.name) is None
    await postgres.engine.close()


async def test_the_marker_is_the_roles_comment(postgres, make):
    made = await make(postgres.engine)
    comment = f"SELECT shobj_description({made.oid}, 'pg_authid')"
    assert await postgres.sql(comment) == [(statements.marker(made.marker),)]
    assert statements.operation_of(statements.marker(made.marker)) == made.marker
    assert [
        statements.operation_of(c) for c in (None, "", "hello", '{"rc":{"op":"x"}}', '{"rc":{"op":"')
    ] == [None] * 5


async def test_accounts_made_by_sql_are_listed_and_plain_groups_are_not(postgres, unique):
    login, plain, power = unique("login"), unique("plain"), unique("power")
    await postgres.sql(
        f"CREATE ROLE {login} LOGIN", f"CREATE ROLE {plain}", f"CREATE ROLE {power} SUPERUSER LOGIN"
    )
    found = {account.name: account for account in await postgres.engine.accounts()}
    assert found[login].marker is None
    assert plain not in found
    assert found[power].is_protected
    assert await postgres.engine.account(power) == found[power]
    assert await refused(postgres.engine.drop_account(power, uuid4())) is Reason.ACCOUNT_PROTECTED
    await postgres.sql(f"DROP ROLE {power}")


# Nothing leaks


async def test_neither_password_nor_verifier_is_in_any_place_that_keeps_statements(postgres, make, unique):
    password = "Pl4nted-secret-word"
    before = postgres.scratch.log.stat().st_size  # tests of other files show what this one must not find
    made = await make(postgres.engine, password=password)
    verifier = postgres.engine.verifier(made.name, Secret(password))
    await postgres.engine.change_account(AccountChange(made.name, uuid4(), verifier=verifier))
    again = NewAccount(made.name, AccountKind.NORMAL, verifier, uuid4())
    assert await refused(postgres.engine.create_account(again)) is Reason.ACCOUNT_TAKEN
    locker = await postgres.connect()
    async with locker:  # a creation that hangs in the middle, seen by everybody else
        await locker.execute("BEGIN")
        await locker.execute(statements.lock("role", name := unique("slow")))
        new = NewAccount(name, AccountKind.NORMAL, verifier, uuid4())
        slow = asyncio.create_task(postgres.engine.create_account(new))
        await reached(lambda: waiting_for_a_lock(postgres))
        seen = str(await postgres.sql("SELECT query FROM pg_stat_activity"))
        await locker.execute("ROLLBACK")
    await slow
    await postgres.sql("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
    seen += str(await postgres.sql("SELECT query FROM pg_stat_statements"))
    seen += postgres.scratch.log.read_bytes()[before:].decode()
    assert "CREATE EXTENSION IF NOT EXISTS pg_stat_statements" in seen  # so the places do keep statements
    assert "Query Text: SELECT query FROM pg_stat_activity" in seen
    assert password not in seen
    assert verifier.reveal() not in seen
    assert "SCRAM-SHA-256$" not in seen


async def test_a_refusals_note_never_quotes_the_statement(postgres, unique):
    await postgres.sql(f"CREATE ROLE {(name := unique('there'))}")
    verifier = postgres.engine.verifier(name, Secret("Pl4nted-secret"))
    with pytest.raises(Refused) as caught:
        await postgres.engine.create_account(NewAccount(name, AccountKind.NORMAL, verifier, uuid4()))
    shown = f"{caught.value!r} {caught.value.note} {caught.value.__cause__!r}"
    assert "SCRAM" not in shown


# Sessions and locks


async def test_a_lock_ends_open_sessions_when_asked(postgres, make):
    made = await make(postgres.engine)
    session = await postgres.connect(user=made.name, password=make.PASSWORD)
    await postgres.engine.change_account(AccountChange(made.name, uuid4(), may_log_in=False))
    assert await (await session.execute("SELECT 1")).fetchone() == (1,)
    await postgres.engine.change_account(AccountChange(made.name, uuid4(), end_sessions=True))
    with pytest.raises(psycopg.OperationalError):
        await session.execute("SELECT 1")
    await session.close()


async def test_dropping_ends_sessions_and_cleans_every_database(postgres, make, unique):
    made, other = await make(postgres.engine), await make(postgres.engine)
    databases = [unique("db"), unique("db")]
    for database in databases:
        await postgres.engine.create_database(NewDatabase(database, made.name, uuid4()))
        await postgres.sql(
            "CREATE TABLE public.t (id int)",
            f"GRANT SELECT ON public.t TO {other.name} WITH GRANT OPTION",
            f"ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO {other.name}",
            database=database, user=made.name, password=make.PASSWORD,
        )  # fmt: skip
    session = await postgres.connect(databases[0], made.name, make.PASSWORD)
    assert await postgres.engine.drop_account(made.name, uuid4())
    with pytest.raises(psycopg.OperationalError):
        await session.execute("SELECT 1")
    await session.close()
    item = DatabaseObject(ObjectType.TABLE, "t", databases[1], "public")
    assert await postgres.engine.objects.privileges(other.name, [item]) == [("SELECT",)]


async def test_a_look_waits_for_a_change_that_is_under_way(postgres, make):
    made = await make(postgres.engine)
    other = await postgres.connect()
    async with other:
        await other.execute("BEGIN")
        await other.execute(statements.lock("role", made.name))
        await other.execute(statements.change_login(made.name, may_log_in=False))
        look = asyncio.create_task(postgres.engine.account(made.name))
        await reached(lambda: waiting_for_a_lock(postgres))
        await other.execute("COMMIT")
    found = await look
    assert found is not None
    assert not found.may_log_in


async def test_writers_outside_our_lock_are_met_by_trying_again(postgres, make, unique):
    """Others' GRANTs on the same database make ours fail with "tuple concurrently updated" now and then."""
    database, stranger = unique("db"), unique("stranger")
    await postgres.engine.create_database(NewDatabase(database, "postgres", uuid4()))
    await postgres.sql(f"CREATE ROLE {stranger}")
    account = (await make(postgres.engine, password=None)).name
    item = DatabaseObject(ObjectType.DATABASE, database)

    async def others() -> None:
        connection = await postgres.connect()
        async with connection:
            for word in ("GRANT {} TO", "REVOKE {} FROM") * 40:
                try:
                    await connection.execute(f"{word.format('CREATE ON DATABASE ' + database)} {stranger}")
                except psycopg.errors.InternalError_:
                    continue

    async def ours() -> None:
        for grant in (True, False) * 20:
            await postgres.engine.objects.change_privileges(
                account, [PrivilegeChange(item, ("CREATE",), grant)], uuid4()
            )

    await asyncio.gather(others(), others(), ours())


# Privileges that hang together


async def test_a_grant_that_was_handed_on_is_revoked_only_with_cascade(postgres, make, unique):
    """As PostgreSQL has it: dependent privileges need CASCADE."""
    owner, first, second = [await make(postgres.engine) for _ in range(3)]
    database = unique("db")
    await postgres.engine.create_database(NewDatabase(database, owner.name, uuid4()))
    item = DatabaseObject(ObjectType.TABLE, "t", database, "public")
    await postgres.own(item, owner.name)
    await postgres.sql(f"GRANT SELECT ON public.t TO {first.name} WITH GRANT OPTION", database=database)
    await postgres.sql(
        f"GRANT SELECT ON public.t TO {second.name}",
        database=database,
        user=first.name,
        password=make.PASSWORD,
    )
    work = postgres.engine.objects.change_privileges(
        first.name, [PrivilegeChange(item, ("SELECT",), False)], uuid4()
    )
    assert await refused(work) is Reason.PRIVILEGE_DEPENDENT
    assert await postgres.engine.objects.privileges(second.name, [item]) == [("SELECT",)]
    change = PrivilegeChange(item, ("SELECT",), grant=False, cascade=True)
    await postgres.engine.objects.change_privileges(first.name, [change], uuid4())
    assert await postgres.engine.objects.privileges(second.name, [item]) == [()]


async def test_names_and_types_that_need_quoting_are_found_and_granted(postgres, make, unique):
    account, owner = [(await make(postgres.engine, password=None)).name for _ in range(2)]
    database = unique('d"b')
    await postgres.engine.create_database(NewDatabase(database, owner, uuid4()))
    await postgres.sql(
        f"SET ROLE {owner}",
        'CREATE SCHEMA "S s"',
        'CREATE TYPE "S s"."Y""y" AS ENUM (\'a\')',
        'CREATE FUNCTION "S s"."F;f"(a "S s"."Y""y", numeric(10,2)) RETURNS int LANGUAGE sql AS \'SELECT 1\'',
        'CREATE TABLE "S s"."T%s" ("C""c" int)',
        database=database,
    )
    (function,) = await postgres.engine.objects.names(ObjectType.FUNCTION, database, "S s")
    items = [
        DatabaseObject(ObjectType.FUNCTION, function, database, "S s"),
        DatabaseObject(ObjectType.TYPE, 'Y"y', database, "S s"),
        DatabaseObject(ObjectType.COLUMN, 'C"c', database, "S s", "T%s"),
    ]
    words = [("EXECUTE",), ("USAGE",), ("SELECT",)]
    changes = [PrivilegeChange(item, some, grant=True) for item, some in zip(items, words, strict=True)]
    await postgres.engine.objects.change_privileges(account, changes, uuid4())
    assert await postgres.engine.objects.privileges(account, items) == words


async def test_an_extensions_functions_are_not_to_be_granted(postgres, make, unique):
    account = (await make(postgres.engine, password=None)).name
    database = unique("db")
    await postgres.engine.create_database(NewDatabase(database, "postgres", uuid4()))
    await postgres.sql("CREATE EXTENSION dblink SCHEMA public", database=database)
    item = DatabaseObject(ObjectType.FUNCTION, "dblink_connect_u(text)", database, "public")
    change = PrivilegeChange(item, ("EXECUTE",), grant=True)
    assert (
        await refused(postgres.engine.objects.change_privileges(account, [change], uuid4()))
        is Reason.OBJECT_MISSING
    )


# Databases


async def test_a_draft_left_by_a_crash_is_not_listed_and_goes_with_the_next_creation(postgres, unique):
    draft = f"rolecall_draft_{uuid4().hex}"
    await postgres.sql(f"CREATE DATABASE {draft} ALLOW_CONNECTIONS false")
    assert draft not in {facts.name for facts in await postgres.engine.databases()}
    await postgres.engine.create_database(NewDatabase(unique("db"), "postgres", uuid4()))
    assert await postgres.sql(f"SELECT 1 FROM pg_database WHERE datname = '{draft}'") == []


async def test_a_database_in_use_is_dropped_and_its_sessions_end(postgres, make, unique):
    made, database = await make(postgres.engine), unique("db")
    await postgres.engine.create_database(NewDatabase(database, made.name, uuid4()))
    session = await postgres.connect(database, made.name, make.PASSWORD)
    assert await postgres.engine.drop_database(database)
    with pytest.raises(psycopg.OperationalError):
        await session.execute("SELECT 1")
    await session.close()


async def test_an_acl_is_shown_as_the_server_writes_it(postgres, make, unique):
    made, database = await make(postgres.engine, password=None), unique("db")
    await postgres.engine.create_database(NewDatabase(database, "postgres", uuid4()))
    item = DatabaseObject(ObjectType.DATABASE, database)
    await postgres.engine.objects.change_privileges(
        made.name, [PrivilegeChange(item, ("CREATE",), grant=True)], uuid4()
    )
    acl = next(facts.acl for facts in await postgres.engine.databases() if facts.name == database)
    assert acl.split(",") == ["=Tc/postgres", "postgres=CTc/postgres", f"{made.name}=C/postgres"]


# Other servers and other administrators


async def test_an_administrator_who_is_no_superuser_makes_changes_and_drops_accounts(postgres, make, unique):
    admin = unique("admin")
    await postgres.sql(f"CREATE ROLE {admin} LOGIN CREATEROLE CREATEDB PASSWORD 'Adm1n-word'")
    address = EngineAddress(
        "postgres", "127.0.0.1", postgres.scratch.port, admin, Secret("Adm1n-word"), "postgres",
        {"super_role": unique("grp"), "heir_role": unique("heir")},
    )  # fmt: skip
    engine = PostgresEngine(address)
    facts = await engine.facts()
    assert (facts.administrator, facts.is_superuser, facts.can_read_verifiers) == (admin, False, False)
    made = await make(engine)
    assert await postgres.can_log_in(made.name, make.PASSWORD)
    assert await engine.account(made.name) == made
    assert await engine.drop_account(made.name, uuid4())
    await engine.close()


async def test_on_15_normal_accounts_work_and_super_ones_are_refused(scratch_15, make, unique):
    engine = PostgresEngine(scratch_15.address())
    assert await refused(make(engine, kind=AccountKind.SUPER)) is Reason.ENGINE_TOO_OLD
    made, database = await make(engine), unique("db")
    await engine.create_database(NewDatabase(database, made.name, uuid4(), encoding="LATIN1"))
    item = DatabaseObject(ObjectType.FUNCTION, "f(a b c; x)", database, "public")
    assert await refused(engine.objects.privileges(made.name, [item])) is Reason.OBJECT_MISSING
    schema = DatabaseObject(ObjectType.SCHEMA, "public", database)
    await engine.objects.change_privileges(
        made.name, [PrivilegeChange(schema, ("CREATE",), grant=True)], uuid4()
    )
    assert await engine.objects.privileges(made.name, [schema]) == [("CREATE",)]
    maintain = PrivilegeChange(
        DatabaseObject(ObjectType.TABLE, "t", database, "public"), ("MAINTAIN",), grant=True
    )
    assert (
        await refused(engine.objects.change_privileges(made.name, [maintain], uuid4()))
        is Reason.PRIVILEGE_UNKNOWN
    )
    assert await engine.drop_account(made.name, uuid4())
    assert await engine.account(made.name) is None
    await engine.close()


async def test_an_account_made_anew_while_the_old_one_was_dropped_stays(postgres, make):
    """A drop removes the account it found, not whoever has the name a moment later."""
    made = await make(postgres.engine, password=None)
    server = postgres.engine._server
    run = server.run

    async def run_and_swap(work):
        result = await run(work)
        server.run = run
        await postgres.sql(f"DROP ROLE {made.name}", f"CREATE ROLE {made.name} LOGIN")
        return result

    server.run = run_and_swap
    assert await postgres.engine.drop_account(made.name, uuid4())
    found = await postgres.engine.account(made.name)
    assert found is not None
    assert found.oid != made.oid


async def test_two_drops_at_once_are_one(postgres, make):
    made, operation = await make(postgres.engine, password=None), uuid4()
    drops = (postgres.engine.drop_account(made.name, operation) for _ in range(2))
    assert True in await asyncio.gather(*drops)
    assert await postgres.engine.account(made.name) is None
