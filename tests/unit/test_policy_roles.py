"""Taking roles: what a trust document may ask of the call, and what a stranger is told."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from rolecall.domain.access.keys import Owner
from rolecall.domain.iam.model import Role
from rolecall.domain.iam.role_commands import AssumeRole, IssueOwnSession, RoleRef
from rolecall.domain.iam.roles import Roles
from rolecall.domain.reasons import Reason, Refused
from rolecall.values import Caller, Origin, Session

NOW = datetime(2026, 1, 1, tzinfo=UTC)
HOME, STRANGER = Caller(1, 100, 125, 700, "AKID"), Caller(2, 200, 126, 200, "AKID2")
REFS = [RoleRef(7), RoleRef(None, "secret-name")]


class Book:
    """One role, whose trust document has these further members."""

    def __init__(self, **more: Any) -> None:
        statement = {"effect": "allow", "action": "sts:AssumeRole", **more}
        statement["principal"] = {"qcs": "qcs::cam::uin/100:root"}
        trust = json.dumps({"version": "2.0", "statement": statement})
        self._role = Role(7, 1, "secret-name", "", trust, False, 7200, NOW, NOW)

    async def role(self, owner_number: int, ref: RoleRef) -> tuple[Owner, Role]:
        return Owner(1, 100, 125), self._role

    async def note(self, record: object) -> None:
        pass


async def told(repository: Book, ref: RoleRef, origin: Origin) -> object:
    """What the refusal names; None if the role was taken."""
    lending: Any = SimpleNamespace(issue=lambda caller, until: SimpleNamespace(key_id="AKIDlent"))
    roles = Roles(repository, lending, SimpleNamespace())  # type: ignore[arg-type]
    try:
        await roles.assume(AssumeRole(100, ref, "test", None, "", ""), origin)
    except Refused as refusal:
        if refusal.reason is not Reason.ROLE_UNTRUSTING:
            raise
        return refusal.facts["value"]
    return None


@pytest.mark.parametrize("ref", REFS)
async def test_a_stranger_is_told_no_name_that_it_did_not_say(ref: RoleRef) -> None:
    origin = Origin(STRANGER, "d", "A", "r")
    assert await told(Book(), ref, origin) == ("7" if ref.id else "secret-name")


async def test_whoever_is_of_the_account_is_told_the_roles_name() -> None:
    repository = Book(condition={"bool_equal": {"qcs:secure_transport": "true"}})
    assert await told(repository, RoleRef(7), Origin(HOME, "d", "A", "r")) == "secret-name"


def in_session(chain_ends: int) -> Caller:
    return replace(HOME, session=Session("first", role=True, key_id="AKID", chain_ends=chain_ends))


async def lent_until(caller: Caller, seconds: int | None, now: int = 1_000_000) -> tuple[int, int]:
    """When the credentials end, and the chain that they may begin; both after now."""
    found: list[tuple[int, int]] = []

    def lend(taken: Caller, until: int) -> Any:
        assert taken.session is not None
        found.append((until - now, taken.session.chain_ends - now))
        return SimpleNamespace(key_id="AKIDlent")

    roles = Roles(Book(), SimpleNamespace(issue=lend), SimpleNamespace(), clock=lambda: float(now))  # type: ignore[arg-type]
    await roles.assume(AssumeRole(100, RoleRef(7), "test", seconds, "", ""), Origin(caller, "d", "A", "r"))
    return found[0]


async def test_a_session_that_was_got_with_a_session_is_short_and_its_chain_has_an_end() -> None:
    """B6: sessions led to sessions without end, each as long as any."""
    assert await lent_until(HOME, None) == (7200, 43200)
    assert await lent_until(in_session(1_000_000 + 43200), None) == (3600, 43200)
    assert await lent_until(in_session(1_000_000 + 600), 3600) == (600, 600)
    with pytest.raises(Refused) as refused:
        await lent_until(in_session(0), 3601)
    assert refused.value.reason is Reason.SESSION_TOO_LONG


async def test_a_narrowed_session_of_ones_own_leads_to_none_that_outlives_it() -> None:
    found: list[Caller] = []

    def lend(taken: Caller, _until: int) -> Any:
        found.append(taken)
        return SimpleNamespace(key_id="AKIDlent")

    roles = Roles(Book(), SimpleNamespace(issue=lend), SimpleNamespace(), clock=lambda: 1_000_000.0)  # type: ignore[arg-type]
    policy = json.dumps({"version": "2.0", "statement": {"effect": "allow", "action": "*", "resource": "*"}})
    await roles.lend_own(IssueOwnSession("me", policy, 1800), Origin(HOME, "d", "A", "r"))
    assert found[0].session is not None
    assert found[0].session.chain_ends == 1_001_800


async def test_no_region_that_a_call_names_takes_a_role() -> None:
    """The service of roles has no regions: whatever stands in the header is the caller's word (A8)."""
    repository = Book(condition={"string_equal": {"qcs:region": "ap-x"}})
    assert await told(repository, RoleRef(7), Origin(HOME, "d", "A", "r", "ap-x")) == "secret-name"


@pytest.mark.parametrize("key", ["qcs:secure_transport", "qcs:ip"])
async def test_a_trust_document_is_asked_of_what_is_known_of_the_call(key: str) -> None:
    values = {"qcs:secure_transport": "true", "qcs:ip": "192.0.2.1"}
    repository = Book(condition={"string_equal": {key: values[key]}})
    there = Origin(HOME, "d", "A", "r", "ap-x", "192.0.2.1", secure=True)
    elsewhere = Origin(HOME, "d", "A", "r", "ap-y", "192.0.2.2", secure=False)
    assert await told(repository, RoleRef(7), there) is None
    assert await told(repository, RoleRef(7), elsewhere) == "secret-name"
