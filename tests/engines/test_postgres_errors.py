"""What the server's errors are taken for."""

from __future__ import annotations

import psycopg
import pytest

from rolecall.domain.reasons import OutcomeUnknown, Reason, Refused
from rolecall.engines.postgresql import errors


async def raised(postgres, code: str, text: str) -> psycopg.Error:
    """The error a server sends with that SQLSTATE and message."""
    statement = f"DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '{code}', MESSAGE = '{text}'; END $$"
    with pytest.raises(psycopg.Error) as caught:
        await postgres.sql(statement)
    return caught.value


@pytest.mark.parametrize(
    ("code", "text", "again"),
    [
        ("XX000", "tuple concurrently updated", True),
        ("XX000", "tuple concurrently deleted", True),
        ("XX000", "could not find tuple for role 7", True),
        ("XX000", "cache lookup failed for role 7", False),
        ("40P01", "deadlock detected", True),
        ("40001", "could not serialize access", True),
        ("55P03", "canceling statement due to lock timeout", False),
        ("42501", "tuple concurrently updated", False),
    ],
)
async def test_only_two_writers_meeting_are_tried_again(postgres, code, text, again):
    assert errors.is_transient(await raised(postgres, code, text)) is again


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("42710", Reason.ACCOUNT_TAKEN),
        ("55P03", Reason.ENGINE_BUSY),
        ("57014", Reason.ENGINE_BUSY),
        ("53300", Reason.ENGINE_BUSY),
        ("57P03", Reason.INSTANCE_RESTARTING),
        ("2BP01", Reason.PRIVILEGE_DEPENDENT),
        ("0LP01", Reason.MEMBERSHIP_CIRCULAR),
        ("42501", Reason.ENGINE_REFUSED),
        ("XX000", Reason.ENGINE_REFUSED),
    ],
)
async def test_a_sqlstate_has_its_reason(postgres, code, reason):
    assert errors.refusal(await raised(postgres, code, "words")).reason is reason


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("FATAL:  the database system is starting up", Reason.INSTANCE_RESTARTING),
        ("FATAL:  the database system is shutting down", Reason.INSTANCE_RESTARTING),
        ("FATAL:  sorry, too many clients already", Reason.ENGINE_BUSY),
        ("FATAL:  remaining connection slots are reserved for roles", Reason.ENGINE_BUSY),
        ('FATAL:  database "x" does not exist', Reason.DATABASE_MISSING),
        ('FATAL:  database "x" is not currently accepting connections', Reason.ENGINE_REFUSED),
        ('FATAL:  password authentication failed for user "postgres"', Reason.ENGINE_UNREACHABLE),
        ("Connection refused", Reason.ENGINE_UNREACHABLE),
        ("", Reason.ENGINE_UNREACHABLE),
    ],
)
def test_a_connection_that_cannot_be_made_says_why(text, reason):
    assert errors.at_connect(psycopg.OperationalError(text)).reason is reason


def test_a_lost_connection_is_unknown_in_a_commit_and_a_refusal_before_it():
    lost = psycopg.OperationalError("server closed the connection unexpectedly")
    assert isinstance(errors.in_commit(lost), OutcomeUnknown)
    before = errors.refusal(lost)
    assert isinstance(before, Refused)
    assert before.reason is Reason.ENGINE_UNREACHABLE
