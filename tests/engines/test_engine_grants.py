"""The engine suite, whole databases granted to names at hosts: what every engine of that kind promises."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest
from tests.refusals import refused

from rolecall.domain.engine import Access, AccountChange, AccountKind, DatabaseGrant, NewDatabase
from rolecall.domain.reasons import Reason, Refused

TEMPLATES = tuple(access for access in Access if access is not Access.OTHER)


@pytest.fixture
async def database(granting, unique):
    """Makes databases whose names have every character that means something in a grant."""

    async def make() -> str:
        name = unique("d_b%\\x")
        await granting.engine.create_database(NewDatabase(name, "", uuid4()))
        return name

    return make


async def test_an_account_is_made_with_its_grants(granting, make, database):
    named = sorted([await database() for _ in TEMPLATES])
    grants = tuple(DatabaseGrant(name, access) for name, access in zip(named, TEMPLATES, strict=True))
    made = await make(granting.engine, grants=grants)
    assert made.grants == grants
    assert await granting.engine.account(made.name) == made
    assert made in await granting.engine.accounts()


async def test_of_two_grants_on_one_database_the_last_counts(granting, make, database):
    name = await database()
    both = (DatabaseGrant(name, Access.ALL), DatabaseGrant(name, Access.READ_ONLY))
    assert (await make(granting.engine, grants=both)).grants == both[1:]


async def test_a_grant_on_a_database_that_is_not_there_leaves_nobody(granting, make, unique, database):
    """Servers would take it, and open the next database of that name."""
    name = unique("acct")
    for missing in (unique("absent"), "mysql", "rolecall_control", "information_schema", "%", ""):
        grants = (DatabaseGrant(await database(), Access.ALL), DatabaseGrant(missing, Access.READ_ONLY))
        assert await refused(make(granting.engine, name, grants=grants)) is Reason.DATABASE_MISSING
        assert await granting.engine.account(name) is None


async def test_every_template_takes_the_place_of_every_other(granting, make, database):
    name = await database()
    account = (await make(granting.engine)).name
    order = [
        *TEMPLATES,
        *reversed(TEMPLATES),
        Access.ALL,
        Access.DDL_ONLY,
        Access.READ_WRITE,
        Access.READ_ONLY,
    ]
    for access in order:
        grant = DatabaseGrant(name, access)
        changed = await granting.engine.grants.change_grants(account, "", [grant], [], uuid4())
        assert changed.grants == (grant,)


async def test_grants_and_revocations_of_one_change_are_told_apart_by_exact_name(
    granting, make, database, unique
):
    kept, gone, new = await database(), await database(), await database()
    held = tuple(DatabaseGrant(name, Access.READ_WRITE) for name in sorted((kept, gone)))
    account = (await make(granting.engine, grants=held)).name
    operation = uuid4()
    for _ in range(2):
        changed = await granting.engine.grants.change_grants(
            account, "%", [DatabaseGrant(new, Access.ALL)], [gone, unique("never")], operation
        )
        assert {grant.database: grant.access for grant in changed.grants} == {
            kept: Access.READ_WRITE, new: Access.ALL,
        }  # fmt: skip
        assert changed.marker == operation
        assert await granting.engine.account(account) == changed


async def test_a_change_of_grants_that_cannot_be_changes_nothing(granting, make, database, unique):
    name = await database()
    account = (await make(granting.engine, grants=(DatabaseGrant(name, Access.READ_ONLY),))).name
    before = await granting.engine.account(account)
    grant = [DatabaseGrant(unique("absent"), Access.ALL)]
    change = granting.engine.grants.change_grants
    assert await refused(change(account, "", grant, [name], uuid4())) is Reason.DATABASE_MISSING
    assert await refused(change(unique("nobody"), "", [], [name], uuid4())) is Reason.ACCOUNT_MISSING
    assert await refused(change("root", "", [], [name], uuid4())) is Reason.ACCOUNT_PROTECTED
    assert await refused(change(account, "no host", [], [name], uuid4())) is Reason.ACCOUNT_MISSING
    assert await granting.engine.account(account) == before


async def test_a_database_made_anew_has_none_of_the_grants_of_the_old_one(granting, make, database):
    name = await database()
    account = (await make(granting.engine, grants=(DatabaseGrant(name, Access.ALL),))).name
    assert await granting.engine.drop_database(name)
    assert (await granting.engine.account(account)).grants == ()
    await granting.engine.create_database(NewDatabase(name, "", uuid4()))
    assert (await granting.engine.account(account)).grants == ()


async def test_one_name_at_two_hosts_is_two_accounts(granting, make, unique):
    name = unique("two")
    here, there = [await make(granting.engine, name, host=host) for host in ("%", "10.0.0.0/24")]
    assert (here.host, there.host) == ("%", "10.0.0.0/255.255.255.0")
    assert await granting.engine.account(name, "10.0.0.0/255.255.255.0") == there
    await granting.engine.change_account(AccountChange(name, uuid4(), may_log_in=False, host=there.host))
    assert (await granting.engine.account(name)).may_log_in
    assert await granting.engine.drop_account(name, uuid4(), there.host)
    assert await granting.engine.account(name) == here


@pytest.mark.parametrize(
    ("said", "stored"),
    [
        ("", "%"),
        ("%", "%"),
        ("10.1.2.3", "10.1.2.3"),
        ("10.1.2.%", "10.1.2.%"),
        ("10.%", "10.%"),
        ("10.%.%.%", "10.%.%.%"),
        ("192.168.0.0/255.255.0.0", "192.168.0.0/255.255.0.0"),
        ("192.168.4.0/22", "192.168.4.0/255.255.252.0"),
        ("2001:DB8:0:0::1", "2001:db8::1"),
        ("App.Example.COM", "app.example.com"),
        ("%.example.com", "%.example.com"),
        ("localhost", "localhost"),
    ],
)
async def test_a_host_is_stored_in_the_spelling_that_clients_are_compared_with(granting, make, said, stored):
    made = await make(granting.engine, host=said)
    assert made.host == stored == granting.engine.canonical_host(said)
    assert await granting.engine.account(made.name, stored) == made
    assert await granting.engine.drop_account(made.name, uuid4(), stored)


@pytest.mark.parametrize(
    "host",
    [
        "10.0.0.1/33", "10.0.0.1/24", "10.0.0.0/255.0.255.0", "10.0.0.0/0.0.0.255", "999.1.1.1", "10.0.0", "10.0.0.%5",
        "%.%", "10.0.%.1", "fe80::/10", "fe80::1%eth0", "a b", "a_b", "-a.example", "'", "@", "a" * 256, "x\0",
        "\ud800", " ", "1", "10.0.0.0/", "/24", "example..com",
    ],
)  # fmt: skip
async def test_a_host_that_could_match_no_client_is_refused(granting, make, host):
    assert await refused(make(granting.engine, host=host)) is Reason.HOST_MALFORMED
    with pytest.raises(Refused) as caught:
        granting.engine.canonical_host(host)
    assert caught.value.reason is Reason.HOST_MALFORMED


async def test_an_account_moves_with_its_password_and_grants(granting, make, database, unique):
    grants = (DatabaseGrant(await database(), Access.READ_WRITE),)
    made = await make(granting.engine, grants=grants)
    name, operation = unique("moved"), uuid4()
    moved = await granting.engine.change_account(
        AccountChange(made.name, operation, new_name=name, new_host="127.0.0.1")
    )
    assert (moved.name, moved.host, moved.grants, moved.marker) == (name, "127.0.0.1", grants, operation)
    assert moved.earlier == (made.marker,)
    assert await granting.engine.account(made.name) is None
    assert await granting.engine.account(name, "127.0.0.1") == moved


async def test_an_account_moves_to_no_name_that_is_taken_or_reserved(granting, make):
    first, second = await make(granting.engine), await make(granting.engine)
    for name, reason in (
        (second.name, Reason.ACCOUNT_TAKEN),
        ("root", Reason.ACCOUNT_NAME_RESERVED),
        ("", Reason.ACCOUNT_NAME_MALFORMED),
    ):
        change = AccountChange(first.name, uuid4(), new_name=name)
        assert await refused(granting.engine.change_account(change)) is reason
    assert await granting.engine.account(first.name) == first
    assert await granting.engine.account(second.name) == second


async def test_a_super_account_has_no_grants_of_single_databases(granting, make, database):
    grant = DatabaseGrant(await database(), Access.READ_ONLY)
    work = make(granting.engine, kind=AccountKind.SUPER, grants=(grant,))
    assert await refused(work) is Reason.ACCOUNT_PROTECTED
    made = await make(granting.engine, grants=(grant,))
    raised = await granting.engine.change_account(AccountChange(made.name, uuid4(), kind=AccountKind.SUPER))
    assert (raised.kind, raised.grants) == (AccountKind.SUPER, ())
    work = granting.engine.grants.change_grants(made.name, "", [grant], [], uuid4())
    assert await refused(work) is Reason.ACCOUNT_PROTECTED
    lowered = await granting.engine.change_account(AccountChange(made.name, uuid4(), kind=AccountKind.NORMAL))
    assert (lowered.kind, lowered.grants) == (AccountKind.NORMAL, ())


@pytest.mark.parametrize(
    ("encoding", "collate", "stored"),
    [
        ("utf8mb4", "", ("utf8mb4", "utf8mb4_general_ci")),
        ("utf8mb4", "utf8mb4_bin", ("utf8mb4", "utf8mb4_bin")),
        ("latin1", "", ("latin1", "latin1_swedish_ci")),
        ("", "latin1_bin", ("latin1", "latin1_bin")),
    ],
)
async def test_a_database_gets_the_character_set_asked_for(granting, unique, encoding, collate, stored):
    name = unique("db")
    await granting.engine.create_database(NewDatabase(name, "", uuid4(), encoding, collate))
    (facts,) = [one for one in await granting.engine.databases() if one.name == name]
    assert (facts.encoding, facts.collate, facts.owner) == (*stored, "")


@pytest.mark.parametrize(
    ("encoding", "collate", "ctype", "reason"),
    [
        ("nonsense", "", "", Reason.ENCODING_UNSUPPORTED),
        ("'; DROP DATABASE x", "", "", Reason.ENCODING_UNSUPPORTED),
        ("latin1", "utf8mb4_bin", "", Reason.LOCALE_UNSUPPORTED),
        ("", "nonsense", "", Reason.LOCALE_UNSUPPORTED),
        ("", "", "C", Reason.LOCALE_UNSUPPORTED),
    ],
)
async def test_a_character_set_there_is_not_leaves_nothing(
    granting, unique, encoding, collate, ctype, reason
):
    name = unique("db")
    work = granting.engine.create_database(NewDatabase(name, "", uuid4(), encoding, collate, ctype))
    assert await refused(work) is reason
    assert name not in {facts.name for facts in await granting.engine.databases()}


async def test_many_changes_of_one_account_at_once_all_happen(granting, make, database):
    names = [await database() for _ in range(6)]
    account = (await make(granting.engine)).name
    await asyncio.gather(
        *(
            granting.engine.grants.change_grants(
                account, "", [DatabaseGrant(name, Access.READ_WRITE)], [], uuid4()
            )
            for name in names
        )
    )
    assert [grant.database for grant in (await granting.engine.account(account)).grants] == sorted(names)
