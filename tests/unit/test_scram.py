"""SCRAM-SHA-256 verifiers: RFC 7677's example, libpq's own, and PostgreSQL's way with SASLprep."""

from __future__ import annotations

import base64

import pytest
from psycopg import pq

from rolecall.engines import scram


def test_rfc_7677_gives_the_same_keys():
    """User "user", password "pencil", salt and iterations of RFC 7677 section 3; keys by its formulas."""
    salt = base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ==")
    assert scram.verifier("pencil", salt=salt, iterations=4096) == (
        "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$"
        "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
    )


def test_two_verifiers_of_one_password_differ_and_both_match():
    first, second = scram.verifier("one word"), scram.verifier("one word")
    assert first != second
    assert scram.matches(first, "one word")
    assert scram.matches(second, "one word")
    assert not scram.matches(first, "one  word")


def libpq_verifier(password: str) -> str:
    """libpq's PQencryptPasswordConn; it needs a connection object but no server."""
    connection = pq.PGconn.connect_start(b"host=127.0.0.1 port=1")
    try:
        return connection.encrypt_password(password.encode(), b"user", b"scram-sha-256").decode()
    finally:
        connection.finish()


@pytest.mark.parametrize(
    "password",
    [
        "Abc-1234",
        "a\x07b",
        "ﬁsh",
        "Ⅸ",
        "a\u00a0b",
        "so\u00adft",
        "пароль",
        "密码",
        "A\u030a",
        "\u0627\u0031",
        "😀",
        "\u0221",
    ],
)
def test_libpq_prepares_the_password_the_same_way(password):
    verifier = libpq_verifier(password)
    assert scram.is_verifier(verifier)
    assert scram.matches(verifier, password)


@pytest.mark.parametrize(
    ("password", "prepared"),
    [
        ("plain", b"plain"),
        ("a\x07b", b"a\x07b"),
        ("ﬁ", b"fi"),
        ("a\u00a0b", b"a b"),
        ("I\u00adX", b"IX"),
        ("\u0627\u0031", "\u0627\u0031".encode()),
        ("\u0627\u0031\u0628", "\u0627\u0031\u0628".encode()),
        ("\u0627a\u0628", "\u0627a\u0628".encode()),
        ("\u00ad", "\u00ad".encode()),
        ("\u0221", "\u0221".encode()),
    ],
)
def test_a_password_is_normalised_or_where_any_check_fails_taken_as_it_is(password, prepared):
    assert scram.prepared(password) == prepared


@pytest.mark.parametrize(
    "spoil",
    [
        lambda v: v[:-1],
        lambda v: v + "\n",
        lambda v: v.lower(),
        lambda v: v.replace("$4096:", "$0:"),
        lambda v: v.replace("$4096:", "$-1:"),
        lambda v: "md5" + "0" * 32,
        lambda v: "",
        lambda v: v[:30] + "'" + v[31:],
    ],
)
def test_what_the_server_would_hash_as_plaintext_is_no_verifier(spoil):
    verifier = scram.verifier("word")
    assert scram.is_verifier(verifier)
    assert not scram.is_verifier(spoil(verifier))
