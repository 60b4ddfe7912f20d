"""Memberships that drifted on PostgreSQL: what counts as recorded, and what is not put back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest
from tests.engines.drifting import PLACE, Domain
from tests.engines.test_drift import PASSWORD, create, serving
from tests.refusals import refused

from rolecall.domain.accounts import role_commands
from rolecall.domain.accounts.commands import DeleteAccount
from rolecall.domain.accounts.drift_commands import AdoptAccount, ReassertAccount
from rolecall.domain.engine import AccountKind
from rolecall.domain.reasons import Reason


@pytest.fixture
async def owning(request: pytest.FixtureRequest) -> AsyncIterator[Domain]:
    async with serving("owning", request) as found:
        yield found


@pytest.fixture
async def member(owning: Domain, unique: Callable[[str], str]) -> AsyncIterator[tuple[str, str]]:
    """An account, and a role that SQL made and that Rolecall has made it a member of."""
    name, role = unique("member"), unique("role")
    await owning.do(create(unique("super"), kind=AccountKind.SUPER))  # Rolecall's own roles are there
    await owning.do(create(name))
    await owning.harness.sql(f'CREATE ROLE "{role}" LOGIN')
    await owning.do(role_commands.GrantMembership(PLACE, name, role))
    yield name, role
    await owning.harness.sql(f'DROP ROLE "{role}"')


async def test_memberships_in_a_role_stay_recorded_when_it_is_adopted(
    owning: Domain, member: tuple[str, str]
) -> None:
    name, role = member
    await owning.do(AdoptAccount(PLACE, role))
    await owning.harness.sql(f'GRANT "{role}" TO "{name}" WITH SET TRUE')
    assert await owning.found(name) == {("memberships", role): ("inherit", "inherit, set")}
    await owning.harness.sql(f'REVOKE "{role}" FROM "{name}"')
    assert await owning.found(name) == {("memberships", role): ("inherit", "none")}
    await owning.do(ReassertAccount(PLACE, name))
    assert await owning.drifts(name) == []


async def test_a_membership_that_was_adopted_is_known_by_its_role(
    owning: Domain, unique: Callable[[str], str]
) -> None:
    """It goes with that role, and not with a former one of the name."""
    name, role = unique("member"), unique("role")
    for each in (name, role):
        await owning.do(create(each))
    await owning.do(DeleteAccount(PLACE, role))
    await owning.do(create(role))
    await owning.harness.sql(f'GRANT "{role}" TO "{name}"')
    await owning.do(AdoptAccount(PLACE, name))
    facts = await owning.connected.engine.account(role)
    assert facts is not None
    (state,) = await owning.replica.states.states_at(owning.connected.instance.id, [(name, "")])
    assert state.current[f"role:{role}"][0] == facts.identity
    assert await owning.drifts(name) == []
    await owning.do(DeleteAccount(PLACE, role))
    assert await owning.drifts(name) == []


async def test_no_membership_is_put_back_in_another_role_of_the_name(
    owning: Domain, member: tuple[str, str]
) -> None:
    name, role = member
    await owning.harness.sql(f'DROP ROLE "{role}"', f'CREATE ROLE "{role}"')
    await owning.harness.sql(f'ALTER ROLE "{name}" CONNECTION LIMIT 7')
    done = await owning.do(ReassertAccount(PLACE, name))
    assert [each.field for each in done.done] == ["connection_limit"]
    assert [(each.field, each.subject) for each in done.left] == [("memberships", role)]
    assert await owning.found(name) == {("memberships", role): ("inherit", "none")}
    assert await refused(owning.do(ReassertAccount(PLACE, name))) is Reason.ENGINE_UNSUITED


@pytest.mark.parametrize(
    "statement", ['ALTER ROLE "{role}" CREATEROLE', 'GRANT rolecall_heir TO "{role}"'], ids=["roles", "heir"]
)
async def test_no_membership_is_put_back_in_a_role_that_has_become_more(
    owning: Domain, member: tuple[str, str], statement: str
) -> None:
    name, role = member
    await owning.harness.sql(f'REVOKE "{role}" FROM "{name}"', statement.format(role=role))
    assert await refused(owning.do(ReassertAccount(PLACE, name))) is Reason.ACCOUNT_PROTECTED
    assert await owning.found(name) == {("memberships", role): ("inherit", "none")}


async def test_no_membership_is_taken_away_that_others_have_by_it(
    owning: Domain, member: tuple[str, str], unique: Callable[[str], str]
) -> None:
    name, role = member
    other = unique("other")
    await owning.do(create(other))
    await owning.harness.sql(f'GRANT "{role}" TO "{name}" WITH ADMIN TRUE')
    await owning.harness.sql(f'GRANT "{role}" TO "{other}"', user=name, password=PASSWORD.reveal())
    assert await refused(owning.do(ReassertAccount(PLACE, name))) is Reason.PRIVILEGE_DEPENDENT
    assert await owning.harness.sql(f"SELECT pg_has_role('{other}', '{role}', 'MEMBER')") == [(True,)]


async def test_an_expiry_before_our_era_does_not_become_one_to_come(
    owning: Domain, unique: Callable[[str], str]
) -> None:
    """An account that has expired stays so."""
    name = unique("expired")
    await owning.do(create(name))
    await owning.harness.sql(f"ALTER ROLE \"{name}\" VALID UNTIL '4713-01-01 00:00:00+00 BC'")
    await owning.do(AdoptAccount(PLACE, name))
    await owning.harness.sql(f"ALTER ROLE \"{name}\" VALID UNTIL '2999-01-01'")
    await owning.do(ReassertAccount(PLACE, name))
    assert not await owning.harness.can_log_in(name, PASSWORD.reveal())


async def test_no_membership_is_put_back_on_mariadb_in_a_role_that_has_become_more(
    request: pytest.FixtureRequest, unique: Callable[[str], str]
) -> None:
    name, role = unique("member"), unique("role")
    async with serving("granting", request) as granting:
        await granting.do(create(name))
        await granting.harness.sql(f"CREATE ROLE `{role}`", f"GRANT `{role}` TO '{name}'@'%'")
        await granting.do(AdoptAccount(PLACE, name))
        await granting.harness.sql(f"REVOKE `{role}` FROM '{name}'@'%'", f"GRANT ALL ON *.* TO `{role}`")
        assert await refused(granting.do(ReassertAccount(PLACE, name))) is Reason.ACCOUNT_PROTECTED
        assert await granting.found(name) == {("memberships", role): ("inherit", "none")}
        await granting.harness.sql(f"DROP ROLE `{role}`")
