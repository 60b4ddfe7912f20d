"""Accounts that are created at the same time share a transaction on PostgreSQL, and nothing of what becomes of them."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import psycopg
import pytest
from tests.waiting import reached

from rolecall.domain.engine import AccountKind, NewAccount, VerifierWrite
from rolecall.domain.reasons import OutcomeUnknown, Reason, Refused
from rolecall.engines import scram
from rolecall.engines.postgresql import creations, statements
from rolecall.exchanges.postgresql import Connection
from rolecall.values import Secret

PASSWORD = "Corr3ct-horse"
VERIFIER = Secret(scram.verifier(PASSWORD))


@pytest.fixture(params=list(VerifierWrite))
def verifier_write(request) -> VerifierWrite:
    return request.param


@pytest.fixture
def news(unique, verifier_write):
    """New accounts; with passwords where these are stored quickly."""

    def make(count: int) -> list[NewAccount]:
        verifier = VERIFIER if verifier_write is VerifierWrite.CATALOG else None
        return [NewAccount(unique("many"), AccountKind.NORMAL, verifier, uuid4()) for _ in range(count)]

    return make


@pytest.fixture(autouse=True)
async def ready(postgres, make):
    """The role of super accounts is there, so that the next message is that of the creation."""
    await make(postgres.engine)


async def transactions(postgres, together) -> int:
    """In how many transactions the accounts were created."""
    names = ", ".join(f"'{new.name}'" for new in together)
    found = await postgres.sql(
        f"SELECT count(*), count(DISTINCT xmin::text) FROM pg_authid WHERE rolname IN ({names})"
    )
    assert found[0][0] == len(together)
    return int(str(found[0][1]))


async def create(postgres, together) -> list[object]:
    return await asyncio.gather(
        *(postgres.engine.create_account(new) for new in together), return_exceptions=True
    )


async def expect_made(postgres, new, facts) -> None:
    assert facts == await postgres.engine.account(new.name)
    assert facts.marker == new.operation
    assert facts.has_password == (new.verifier is not None)
    assert await postgres.can_log_in(new.name, PASSWORD) == facts.has_password


async def test_several_accounts_are_one_transaction_and_each_is_whole(postgres, news):
    together = news(8)
    made = await create(postgres, together)
    assert await transactions(postgres, together) == 1
    for new, facts in zip(together, made, strict=True):
        await expect_made(postgres, new, facts)
    assert await create(postgres, together) == made  # a repetition with the same operations changes nothing


async def test_more_than_fit_are_several_transactions(postgres, news):
    together = news(creations.MOST + 1)
    await create(postgres, together)
    assert await transactions(postgres, together) == 2


async def test_a_name_that_is_taken_is_refused_alone(postgres, news):
    (taken, *others), [again] = news(4), news(1)
    await postgres.sql(f"CREATE ROLE {taken.name}")
    refused, *made = await create(postgres, [taken, *others, again])
    assert isinstance(refused, Refused)
    assert refused.reason is Reason.ACCOUNT_TAKEN
    for new, facts in zip([*others, again], made, strict=True):
        await expect_made(postgres, new, facts)


async def test_two_of_one_name_are_one_account(postgres, news):
    [one] = news(1)
    other = NewAccount(one.name, one.kind, one.verifier, uuid4())
    made, refused = await create(postgres, [one, other])
    await expect_made(postgres, one, made)
    assert isinstance(refused, Refused)
    assert refused.reason is Reason.ACCOUNT_TAKEN


async def test_a_verifier_that_is_none_is_refused_alone(postgres, news):
    [new], others = news(1), news(3)
    bad = NewAccount(new.name, new.kind, Secret("plaintext"), uuid4())
    refused, *made = await create(postgres, [bad, *others])
    assert isinstance(refused, Refused)
    assert refused.reason is Reason.ENGINE_REFUSED
    assert await postgres.engine.account(bad.name) is None
    for new, facts in zip(others, made, strict=True):
        await expect_made(postgres, new, facts)


async def waiting(postgres) -> bool:
    return bool(await postgres.sql("SELECT 1 FROM pg_locks WHERE NOT granted"))


@pytest.mark.parametrize("held", ["the account's lock", "its name"])
async def test_an_account_that_has_to_wait_waits_alone(postgres, news, held):
    slow, *others = news(4)
    lock = statements.lock("role", slow.name) if held == "the account's lock" else f"CREATE ROLE {slow.name}"
    async with await postgres.connect() as holder:
        await holder.execute("BEGIN")
        await holder.execute(lock)
        waits = asyncio.create_task(postgres.engine.create_account(slow))
        made = await create(postgres, others)
        await reached(lambda: waiting(postgres))
        assert not waits.done()
        (later,) = await create(postgres, [last] if (last := news(1)[0]) else [])
        for new, facts in zip([*others, last], [*made, later], strict=True):
            await expect_made(postgres, new, facts)
        await holder.execute("ROLLBACK")
    await expect_made(postgres, slow, await waits)


async def test_a_connection_lost_in_the_commit_leaves_the_outcome_of_each_open(postgres, news, monkeypatch):
    together, last_row = news(3), Connection.last_row

    async def losing(self, *arguments):
        await last_row(self, *arguments)
        raise psycopg.OperationalError("lost")

    with monkeypatch.context() as lost:
        lost.setattr(Connection, "last_row", losing)
        assert {type(outcome) for outcome in await create(postgres, together)} == {OutcomeUnknown}
    for new in together:
        await expect_made(postgres, new, await postgres.engine.create_account(new))


async def test_what_is_cancelled_before_it_is_sent_is_not_created(postgres, news):
    new, *others = news(3)
    gone = asyncio.create_task(postgres.engine.create_account(new))
    rest = asyncio.create_task(create(postgres, others))
    asyncio.get_running_loop().call_soon(gone.cancel)
    for other, facts in zip(others, await rest, strict=True):
        await expect_made(postgres, other, facts)
    with pytest.raises(asyncio.CancelledError):
        await gone
    assert await postgres.engine.account(new.name) is None


async def test_verifiers_by_statement_and_super_accounts_are_transactions_of_their_own(postgres, news):
    """The server works on each for milliseconds: on several connections at once it does so in parallel."""
    by_statement = postgres.engine._server.address.options["verifier_write"] == VerifierWrite.STATEMENT
    verifier, kind = (VERIFIER, AccountKind.NORMAL) if by_statement else (None, AccountKind.SUPER)
    together = [NewAccount(new.name, kind, verifier, uuid4()) for new in news(4)]
    await create(postgres, together)
    assert await transactions(postgres, together) == 4
