"""Hashes, names, quoting, templates, errors and statements of the MySQL family, without a server.

What differs on MySQL 8 and 9 is tested here alone: the statements are those of the Reference Manual.
"""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest
from asyncmy.errors import OperationalError
from hypothesis import given
from hypothesis import strategies as st
from tests.waiting import PATIENCE

from rolecall.domain.engine import Access, AccountFacts, AccountKind, DatabaseGrant, EngineAddress
from rolecall.domain.reasons import Reason, Refused
from rolecall.engines.mysql import (
    MySqlEngine,
    catalog,
    control,
    errors,
    hashes,
    names,
    quoting,
    statements,
    templates,
)
from rolecall.engines.mysql.connections import guards
from rolecall.engines.mysql.databases import Databases
from rolecall.engines.mysql.flavors import MARIADB, MYSQL, Flavor
from rolecall.values import Secret

SHA2 = "$A$005$" + "s" * 20 + "d" * 43


def test_a_native_hash_is_the_published_one() -> None:
    """MariaDB documentation, PASSWORD(): the hash of "password"."""
    assert hashes.native("password") == "*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19"
    assert hashes.is_native(hashes.native("ünïcode"))
    assert hashes.is_native(hashes.UNUSABLE_NATIVE)


def test_the_crypt_digest_is_that_of_libc_and_openssl() -> None:
    """``openssl passwd -5 -salt saltstring 'Hello world!'``"""
    made = hashes.sha_crypt(b"Hello world!", b"saltstring", 5000)
    assert made == "5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5"


def test_a_caching_sha2_hash_has_its_form_and_a_fresh_salt() -> None:
    first, second = hashes.caching_sha2("password"), hashes.caching_sha2("password")
    assert first != second
    assert hashes.is_caching_sha2(first)
    assert (len(first), first[:7]) == (70, "$A$005$")
    assert hashes.caching_sha2("password", salt=first[7:27]) == first
    assert hashes.caching_sha2("passwore", salt=first[7:27]) != first
    assert hashes.is_caching_sha2(hashes.UNUSABLE_SHA2)


def engine(**options: str) -> MySqlEngine:
    return MySqlEngine(EngineAddress("mysql", "127.0.0.1", 1, "root", Secret("x"), "", options))


def test_the_flavor_of_the_instance_decides_on_the_hash() -> None:
    assert hashes.is_native(engine().verifier("a", Secret("x")).reveal())
    assert hashes.is_caching_sha2(engine(flavor="mysql").verifier("a", Secret("x")).reveal())
    with pytest.raises(ValueError, match="flavor"):
        engine(flavor="oracle")


@pytest.mark.parametrize("text", ["", "plain", "*abc", hashes.native("x").lower(), SHA2, "*" + "G" * 40])
def test_anything_but_a_hash_of_the_kind_of_server_is_refused(text: str) -> None:
    with pytest.raises(Refused) as caught:
        statements.verifier_text(MARIADB, Secret(text))
    assert caught.value.reason is Reason.ENGINE_REFUSED
    assert not text or text not in str(caught.value)


def test_the_statements_for_mariadb() -> None:
    native = hashes.native("x")
    assert statements.create_accounts(MARIADB, {("o'x", "%"): native, ("b", "::1"): native}) == (
        rf"CREATE USER 'o\'x'@'%' IDENTIFIED VIA mysql_native_password USING '{native}',"
        f" 'b'@'::1' IDENTIFIED VIA mysql_native_password USING '{native}'"
        f" REQUIRE SUBJECT '{statements.MAKING}'"
    )
    places = [("o'x", "%"), ("b", "::1")]
    assert statements.complete_accounts(MARIADB, places) == r"ALTER USER 'o\'x'@'%', 'b'@'::1' REQUIRE NONE"
    assert statements.grant(places, ("shop", frozenset({"SELECT"})), complete=True) == (
        r"GRANT SELECT ON `shop`.* TO 'o\'x'@'%', 'b'@'::1' REQUIRE NONE"
    )
    assert statements.alter_account(MARIADB, "u", "h", locked=False) == "ALTER USER 'u'@'h' ACCOUNT UNLOCK"


def test_the_statements_for_mysql_8_and_9() -> None:
    assert statements.create_accounts(MYSQL, {("u", "10.0.0.%"): SHA2}) == (
        f"CREATE USER 'u'@'10.0.0.%' IDENTIFIED WITH caching_sha2_password AS 0x{SHA2.encode().hex()}"
        f" REQUIRE SUBJECT '{statements.MAKING}' ACCOUNT LOCK"
    )
    assert (
        statements.complete_accounts(MYSQL, [("u", "%")]) == "ALTER USER 'u'@'%' REQUIRE NONE ACCOUNT UNLOCK"
    )
    assert statements.alter_account(MYSQL, "u", "%", verifier=SHA2, locked=True) == (
        f"ALTER USER 'u'@'%' IDENTIFIED WITH caching_sha2_password AS 0x{SHA2.encode().hex()} ACCOUNT LOCK"
    )
    *narrow, everything = statements.make_super(MYSQL, "u", "%", "rolecall_control")
    assert narrow == [
        rf"GRANT LOCK TABLES ON `{schema}`.* TO 'u'@'%'"
        for schema in ("mysql", "sys", r"performance\_schema", r"rolecall\_control")
    ]
    assert everything.endswith(" ON `%`.* TO 'u'@'%'")
    assert "DELETE HISTORY" not in everything
    assert "GRANT OPTION" not in everything


def test_a_session_of_each_flavor_sets_only_what_the_server_knows() -> None:
    mariadb, mysql = guards(MARIADB, 30)[1], guards(MYSQL, 30)[1]
    assert "NO_AUTO_CREATE_USER" in mariadb
    assert "SESSION max_statement_time = 30" in mariadb
    assert "NO_AUTO_CREATE_USER" not in mysql
    assert "SESSION max_execution_time = 30000" in mysql


def test_a_template_is_read_back_as_itself_on_each_flavor() -> None:
    for access in set(Access) - {Access.OTHER}:
        held = templates.privileges(access, templates.MARIADB_COLUMNS)
        assert templates.access(held, templates.MARIADB_COLUMNS) is access
    everything = templates.privileges(Access.ALL, templates.COLUMNS)
    assert everything == templates.READ_WRITE  # on MySQL these two are one
    assert templates.access(everything, templates.COLUMNS) is Access.READ_WRITE


@given(st.text(min_size=1, max_size=64))
def test_an_escaped_name_matches_itself_alone(name: str) -> None:
    escaped = quoting.escaped(name)
    assert quoting.unescaped(escaped) == name
    assert not quoting.matches_many(escaped)


def test_a_name_cannot_quote_its_way_out() -> None:
    assert quoting.name("a`; DROP") == "`a``; DROP`"
    assert quoting.text("a'; DROP \\") == r"'a\'; DROP \\'"
    grant = DatabaseGrant(r"a`_%\b", Access.READ_ONLY)
    given_ = statements.give("u", "%", grant, templates.COLUMNS)
    assert given_ == r"GRANT SELECT, SHOW VIEW ON `a``\_\%\\b`.* TO 'u'@'%'"


@given(st.text(max_size=20))
def test_a_host_is_refused_or_stays_what_it_became(text: str) -> None:
    try:
        host = names.host(text)
    except Refused:
        return
    assert names.host(host) == host
    assert host.isascii()


@pytest.mark.parametrize(
    ("name", "flavor", "fits"),
    [("x" * 32, MYSQL, True), ("x" * 33, MYSQL, False), ("x" * 128, MARIADB, True)],
)
def test_each_flavor_has_its_length_of_names(name: str, flavor: Flavor, fits: bool) -> None:
    assert names.fits(name, flavor.user_characters) is fits


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (1007, Reason.DATABASE_TAKEN),
        (1133, Reason.ACCOUNT_MISSING),
        (1410, Reason.ACCOUNT_MISSING),
        (1205, Reason.ENGINE_BUSY),
        (1213, Reason.ENGINE_BUSY),
        (1969, Reason.ENGINE_BUSY),
        (1053, Reason.INSTANCE_RESTARTING),
        (1290, Reason.ENGINE_REFUSED),
        (1227, Reason.ENGINE_REFUSED),
        (1372, Reason.ENGINE_REFUSED),
        (1827, Reason.ENGINE_REFUSED),
        (1524, Reason.ENGINE_REFUSED),
    ],
)
def test_an_error_number_has_its_reason(number: int, reason: Reason) -> None:
    assert errors.refusal(OperationalError(number, "words")).reason is reason


def test_a_server_that_wants_to_see_passwords_is_told_from_one_that_is_read_only() -> None:
    words = "The MariaDB server is running with the --{} option so it cannot execute this statement"
    strict = OperationalError(1290, words.format("strict-password-validation"))
    assert errors.refusal(strict).reason is Reason.VERIFIERS_REFUSED
    assert errors.refusal(OperationalError(1290, words.format("read-only"))).reason is Reason.ENGINE_REFUSED


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (1040, Reason.ENGINE_BUSY),
        (1203, Reason.ENGINE_BUSY),
        (1053, Reason.INSTANCE_RESTARTING),
        (1045, Reason.ENGINE_UNREACHABLE),
        (1130, Reason.ENGINE_UNREACHABLE),
        (2003, Reason.ENGINE_UNREACHABLE),
        (2013, Reason.ENGINE_UNREACHABLE),
    ],
)
def test_a_connection_that_cannot_be_made_says_why(number: int, reason: Reason) -> None:
    assert errors.at_connect(OperationalError(number, "words")).reason is reason


def test_a_syntax_error_keeps_no_text_since_it_quotes_the_statement() -> None:
    assert "secret" not in errors.refusal(OperationalError(1064, "near 'secret'")).note


def test_a_mark_reads_what_was_begun_and_what_is_done() -> None:
    done, begun = uuid4(), uuid4()
    mark = control.mark((str(done), f"{begun},{done}", str(begun), '{"locked": true}', "", ""))
    assert mark.done == (done, begun, done)
    assert (mark.begun, mark.wanted) == (begun, {"locked": True})
    assert control.mark((None, None, None, None, None, None)) == control.Mark()
    assert control.mark(("", "", "", "{}", "", "")) == control.Mark()
    after = AccountFacts(0, "u", AccountKind.NORMAL, True, True, UUID(int=0), "%", orders=(7,))
    statement = control.begin("c", "u", "%", after, {"auth": "'"})
    assert str(UUID(int=0)) in statement
    assert '"order": 7' in statement.replace("\\", "")


def test_a_mark_older_than_identities_tells_the_account_by_its_oldest_operation() -> None:
    done, first = uuid4(), uuid4()
    old = control.mark((str(done), str(first), "", "{}", "", ""))
    assert (old.identity, old.orders) == (str(first), (0, 0))
    new = control.mark((str(done), str(first), "", "{}", "x", "9,8"))
    assert (new.identity, new.orders) == ("x", (9, 8))


async def test_a_host_where_nobody_listens_is_unreachable() -> None:
    nobody = engine()
    with pytest.raises(Refused) as caught:
        await asyncio.wait_for(nobody.facts(), PATIENCE)
    assert caught.value.reason is Reason.ENGINE_UNREACHABLE
    await nobody.close()


LATER = templates.columns_of([*templates.MARIADB_COLUMNS.values(), "Show_create_routine_priv"])
"""MariaDB 11.3 and later (MDEV-29167)."""


class Rows:
    """A session that answers every query with the same rows."""

    def __init__(self, *rows: tuple[str, ...]) -> None:
        self._rows = [list(row) for row in rows]

    async def fetch(self, *_statements: str) -> list[list[str]]:
        return self._rows


def test_privileges_are_what_the_server_has_columns_for() -> None:
    assert templates.columns_of(templates.COLUMNS.values()) == templates.COLUMNS
    assert {**templates.MARIADB_COLUMNS, "SHOW CREATE ROUTINE": "Show_create_routine_priv"} == LATER
    everything = templates.privileges(Access.ALL, LATER)
    assert "SHOW CREATE ROUTINE" in everything
    assert templates.access(everything, LATER) is Access.ALL


async def test_a_privilege_that_came_with_a_later_server_goes_with_its_database() -> None:
    server = engine()._server
    server.columns = LATER
    session: Any = Rows(("u", "%", "f08", "Y" * len(LATER)), ("v", "%", "f08", "N" * (len(LATER) - 1) + "Y"))
    whole, rest = await Databases(server)._on_database(session, "f08", frozenset())
    assert whole.startswith("REVOKE ALTER, ")
    assert "SHOW CREATE ROUTINE" in whole
    assert rest == "REVOKE SHOW CREATE ROUTINE ON `f08`.* FROM 'v'@'%'"


def test_a_privilege_that_came_with_a_later_server_is_taken_with_a_grant() -> None:
    made = engine()
    made._server.columns = LATER
    account = ("u", "%", 1, "x", 0, 0, 0, *[None] * 6)
    (found,) = catalog.read(made._server, [[account], [("u", "%", "f08", "Y" * len(LATER))]])
    (taking,) = made.grants._surplus(found, "f08", None)
    assert "SHOW CREATE ROUTINE" in taking
    (left,) = made.grants._surplus(found, "f08", Access.READ_WRITE)
    assert left == "REVOKE DELETE HISTORY, GRANT OPTION, SHOW CREATE ROUTINE ON `f08`.* FROM 'u'@'%'"
