"""A restored state takes several commits on MariaDB: cut between any two, it counts once it is whole."""

from __future__ import annotations

from uuid import uuid4

import pytest
from msgspec import structs
from tests.engines.test_mysql_engine import cut, cut_after, database  # noqa: F401 - fixtures

from rolecall.domain.engine import Access, AccountChange, AccountKind, DatabaseGrant
from rolecall.domain.engine.identity import ChangedMeanwhile
from rolecall.domain.engine.states import UNLIMITED, AccountState
from rolecall.engines.mysql.flavors import MARIADB
from rolecall.engines.mysql.statements import make_super


@pytest.fixture
async def role(maria, unique):
    name = unique("role")
    await maria.sql(f"CREATE ROLE `{name}`")
    yield name
    await maria.sql(f"DROP ROLE `{name}`")


@pytest.fixture
def drifted(maria, make, database, role):  # noqa: F811
    """Makes an account and lets SQL change it: the account, and its state before."""

    async def drift(kind):
        grants = (DatabaseGrant(database, Access.READ_ONLY),) if kind is AccountKind.NORMAL else ()
        made = await make(maria.engine, kind=kind, grants=grants)
        (before,) = await maria.engine.states.at([(made.name, "%")])
        user = f"'{made.name}'@'%'"
        statements = [
            f"ALTER USER {user} WITH MAX_USER_CONNECTIONS 3 ACCOUNT LOCK",
            f"GRANT `{role}` TO {user} WITH ADMIN OPTION",
            f"GRANT SELECT ON `{database}_b`.* TO {user}",
        ]
        if kind is AccountKind.NORMAL:
            statements += make_super(MARIADB, made.name, "%", "rolecall_control")
        else:
            statements.append(f"REVOKE ALL ON `%`.* FROM {user}")
        await maria.sql(*statements)
        return made, before.state

    return drift


def wanted(before, database, role):  # noqa: F811
    """What `drifted` changes, as it was."""
    return AccountState(
        login=True, kind=before.kind, connection_limit=UNLIMITED, memberships={role: None},
        grants={database: before.grants.get(database), f"{database}_b": None},
    )  # fmt: skip


@pytest.mark.parametrize("kind", AccountKind)
async def test_a_state_cut_anywhere_counts_once_it_is_whole_and_can_be_repeated(
    maria,
    drifted,
    database,  # noqa: F811
    role,
    cut_after,  # noqa: F811
    monkeypatch,
    kind,
):
    for statements in range(0, 30, 1 if kind is AccountKind.NORMAL else 3):
        made, before = await drifted(kind)
        place, operation, state = (made.name, "%"), uuid4(), wanted(before, database, role)

        async def restore(engine, place=place, operation=operation, state=state, made=made):
            return await engine.states.restore(place, state, operation, made.expected)

        was_cut = await cut(maria, cut_after, monkeypatch, statements, restore)
        (found,) = await maria.engine.states.at([place])
        assert (operation in found.facts.operations) is not was_cut
        await restore(maria.engine)
        (found,) = await maria.engine.states.at([place])
        assert found.facts.marker == operation
        assert found.state == structs.replace(before, password=found.state.password)
        held = await maria.sql(f"SELECT Db FROM mysql.db WHERE User = '{made.name}'")
        # A super account has the pattern, and the four schemas that are spared.
        assert len(held) == (1 if kind is AccountKind.NORMAL else 5)
        if not was_cut:
            return
    pytest.fail("it has no end")


async def test_a_state_cut_and_changed_by_another_is_neither_applied_nor_repeated(
    maria,
    drifted,
    database,  # noqa: F811
    role,
    cut_after,  # noqa: F811
    monkeypatch,
):
    made, before = await drifted(AccountKind.NORMAL)
    place, operation, state = (made.name, "%"), uuid4(), wanted(before, database, role)

    async def restore(engine):
        return await engine.states.restore(place, state, operation, made.expected)

    assert await cut(maria, cut_after, monkeypatch, 2, restore)
    other = await maria.engine.change_account(AccountChange(made.name, uuid4()))
    assert operation not in other.operations
    with pytest.raises(ChangedMeanwhile):
        await restore(maria.engine)
