"""Changes that SQL makes are found, exactly these, and those that Rolecall makes are not taken for them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from msgspec import structs
from tests.engines.conftest import harness_of
from tests.engines.drifting import PLACE, Domain, domain

from rolecall.domain.accounts import commands, drift_commands, role_commands
from rolecall.domain.accounts.context import Target
from rolecall.domain.accounts.drift import DriftStanding
from rolecall.domain.engine import (
    Access,
    AccountKind,
    DatabaseGrant,
    DatabaseObject,
    ObjectType,
    PrivilegeChange,
)
from rolecall.domain.engine.roles import DefaultPrivileges
from rolecall.domain.messages import Command
from rolecall.domain.operations.model import Change, State
from rolecall.domain.reasons import Reason, Refused
from rolecall.values import Secret

PASSWORD, OTHER = Secret("Corr3ct-horse"), Secret("0ther-Horse-1")
EXPIRY = datetime(2030, 1, 2, 3, 4, 5, 678, tzinfo=UTC)
READ, WRITE = Access.READ_ONLY, Access.READ_WRITE


def create(name: str, **more: Any) -> commands.CreateAccount:
    fields: dict[str, Any] = {"kind": AccountKind.NORMAL, "password": PASSWORD, "remark": "",
                              "managed_password": False, **more}  # fmt: skip
    return commands.CreateAccount(PLACE, name, **fields)


SERVERS = {"owning": ("postgres", "postgresql"), "granting": ("mariadb", "mysql")}


@asynccontextmanager
async def serving(kind: str, request: pytest.FixtureRequest) -> AsyncIterator[Domain]:
    server, engine = SERVERS[kind]
    harness = harness_of(server, request)
    async with domain(harness.engine, engine) as found:
        found.harness = harness
        yield found
    await harness.engine.close()


@pytest.fixture(params=SERVERS)
async def served(request: pytest.FixtureRequest) -> AsyncIterator[Domain]:
    """On each kind of server."""
    async with serving(request.param, request) as found:
        yield found


@pytest.fixture
async def owning(request: pytest.FixtureRequest) -> AsyncIterator[Domain]:
    async with serving("owning", request) as found:
        yield found


@pytest.fixture
async def granting(request: pytest.FixtureRequest) -> AsyncIterator[Domain]:
    async with serving("granting", request) as found:
        yield found


def on_database(name: str, *words: str, grant: bool = True) -> PrivilegeChange:
    return PrivilegeChange(DatabaseObject(ObjectType.DATABASE, name), words, grant)


NOT_CHANGING = frozenset(
    {
        # the tenants' superuser is listed nowhere, and has no row
        commands.EnableSuperuser, commands.DisableSuperuser,
        commands.ListAccounts, commands.PageAccounts, commands.AllAccounts, commands.ShowAccount,
        commands.AllDatabases, commands.SuperuserState, commands.ShowPrivileges, commands.ListDatabases,
        commands.ListObjects, role_commands.ShowRoles, role_commands.ListDefaults, role_commands.ListPublic,
    }
)  # fmt: skip


def owned_changes(name: str, database: str) -> list[Command[Any]]:
    other = f"{name}_o"
    return [
        create(name),
        create(f"{name}_m", managed_password=True, password=None),
        create(f"{name}_s", kind=AccountKind.SUPER),
        create(f"{name}_n", password=None),
        create(other),
        commands.ChangeRemark(PLACE, name, "remark"),
        commands.ResetPassword(PLACE, name, OTHER),
        commands.ResetPasswords(
            PLACE, (commands.AccountSpec(name, "", PASSWORD), commands.AccountSpec(other, "", OTHER))
        ),
        commands.LockAccount(PLACE, name),
        commands.UnlockAccount(PLACE, name),
        commands.OpenManagedPassword(PLACE, name),
        commands.RefreshManagedPassword(PLACE, name),
        commands.CloseManagedPassword(PLACE, name, PASSWORD),
        commands.MoveAccount(PLACE, name, "", None, None, OTHER),
        commands.CreateDatabase(PLACE, database, "postgres", "", "", ""),
        commands.ChangePrivileges(PLACE, name, (on_database(database, "CONNECT", "CREATE"),)),
        commands.ChangePrivileges(PLACE, other, (on_database(database, "CONNECT"),)),
        commands.ChangePrivileges(PLACE, name, (on_database(database, "CREATE", grant=False),)),
        commands.ChangePrivileges(PLACE, name, (), AccountKind.SUPER),
        commands.ChangePrivileges(PLACE, name, (), AccountKind.SUPER),
        commands.ChangePrivileges(
            PLACE, name, (on_database(database, "TEMPORARY"),), AccountKind.NORMAL
        ),
        commands.ChangeDatabaseOwner(PLACE, database, name),
        commands.ChangeDatabaseOwner(PLACE, database, other),
        commands.ChangeDatabaseOwner(PLACE, database, "postgres"),
        commands.ChangePrivileges(PLACE, name, (on_database(database, "CONNECT"),)),
        role_commands.ChangeConnectionLimit(PLACE, name, 3),
        role_commands.ChangeConnectionLimit(PLACE, name, -1),
        role_commands.ChangeExpiry(PLACE, name, EXPIRY),
        commands.ResetPassword(PLACE, name, OTHER),
        role_commands.ChangeExpiry(PLACE, name, None),
        role_commands.ChangePublic(PLACE, database, ("CONNECT",), False),
        role_commands.ChangeDefaults(
            PLACE,
            DefaultPrivileges(database, f"{name}_n", name, ObjectType.TABLE, ("SELECT",)),
            True,
        ),
        role_commands.GrantMembership(PLACE, name, f"{name}_m"),
        role_commands.GrantMembership(PLACE, name, f"{name}_m", may_become=True),
        role_commands.RevokeMembership(PLACE, name, f"{name}_m"),
        commands.ChangePrivileges(PLACE, name, (), join=(f"{name}_m", "pg_monitor")),
        commands.ChangePrivileges(PLACE, name, (), leave=(f"{name}_m", "pg_monitor")),
        role_commands.GrantMembership(PLACE, name, other),
        commands.DeleteAccount(PLACE, other),
        create(other),
        commands.DeleteDatabase(PLACE, database),
        commands.CreateDatabase(PLACE, database, name, "", "", ""),
        commands.DeleteAccount(PLACE, other),
        create(other),
        commands.DeleteAccount(PLACE, name),
        create(name),
        commands.DeleteDatabase(PLACE, database),
    ]  # fmt: skip


def granted_changes(name: str, database: str) -> list[Command[Any]]:
    other, to_come = f"{name}_o", f"{database}_c"
    grant = (DatabaseGrant(database, READ),)
    return [
        commands.CreateDatabases(PLACE, (commands.DatabaseSpec(database),)),
        create(name, grants=grant),
        create(f"{name}_m", managed_password=True, password=None),
        create(f"{name}_s", kind=AccountKind.SUPER),
        create(f"{name}_n", password=None),
        create(f"{name}_e", everywhere=True),
        commands.CreateAccountsLater(
            PLACE,
            (commands.AccountSpec(other, "", PASSWORD, (DatabaseGrant(to_come, WRITE),)),),
            allow_missing=True,
        ),
        commands.CreateDatabases(PLACE, (commands.DatabaseSpec(to_come),)),
        commands.ChangeRemark(PLACE, name, "remark"),
        commands.ResetPassword(PLACE, name, OTHER, old_password=PASSWORD),
        commands.ResetPasswords(PLACE, (commands.AccountSpec(name, "", PASSWORD),)),
        commands.LockAccount(PLACE, name),
        commands.UnlockAccount(PLACE, name),
        commands.OpenManagedPassword(PLACE, name),
        commands.RefreshManagedPassword(PLACE, name),
        commands.CloseManagedPassword(PLACE, name, PASSWORD),
        commands.ChangeGrants(PLACE, name, "", (DatabaseGrant(database, WRITE), DatabaseGrant(to_come, READ))),
        commands.ChangeGrants(PLACE, name, "", (), (to_come,)),
        commands.ChangeGrants(PLACE, name, "", (DatabaseGrant(database, Access.DDL_ONLY),), (database,)),
        commands.MoveAccount(PLACE, name, "", f"{name}_2", None, None),
        commands.MoveAccount(PLACE, f"{name}_2", "", name, "10.0.0.1", OTHER),
        commands.MoveAccount(PLACE, name, "10.0.0.1", None, "%", None),
        commands.ChangePrivileges(PLACE, name, (), AccountKind.SUPER),
        commands.ChangePrivileges(PLACE, name, (), AccountKind.NORMAL),
        commands.ChangePrivileges(PLACE, name, (), AccountKind.NORMAL),
        commands.ChangeGrants(PLACE, name, "", grant),
        commands.DeleteDatabase(PLACE, database),
        commands.CreateDatabase(PLACE, database, "", "", "", ""),
        commands.DeleteAccount(PLACE, other),
        create(other),
        commands.DeleteAccount(PLACE, name),
        create(name, grants=grant),
        commands.DeleteDatabase(PLACE, database),
        commands.DeleteDatabase(PLACE, to_come),
    ]  # fmt: skip


CHANGES: Mapping[str, Callable[[str, str], list[Command[Any]]]] = {
    "owning": owned_changes,
    "granting": granted_changes,
}


def test_every_command_that_changes_accounts_is_tried() -> None:
    """A new one has to be added above, and to feed the recorded state."""
    everything = {
        kind
        for kind in (*vars(commands).values(), *vars(role_commands).values())
        if isinstance(kind, type) and issubclass(kind, Command) and kind is not Command
    }
    tried = {type(command) for changes in CHANGES.values() for command in changes("n", "d")}
    assert tried == everything - NOT_CHANGING


async def test_no_change_by_rolecall_is_drift(served: Domain, unique: Callable[[str], str]) -> None:
    name, database = unique("drift"), unique("d")
    names = [name + suffix for suffix in ("", "_o", "_m", "_s", "_n", "_e", "_2")]
    for command in CHANGES["owning" if served.connected.engine.objects else "granting"](name, database):
        await served.do(command)
        await served.settled()
        assert await served.drifts(*names) == [], command


POSTGRES_SQL = {
    "ALTER ROLE \"{name}\" PASSWORD 'by-sql'": ("password", ""),
    'ALTER ROLE "{name}" PASSWORD NULL': ("password", ""),
    'ALTER ROLE "{name}" NOLOGIN': ("login", ""),
    'ALTER ROLE "{name}" CONNECTION LIMIT 3': ("connection_limit", ""),
    "ALTER ROLE \"{name}\" VALID UNTIL '2030-01-02 03:04:05+00'": ("valid_until", ""),
    'ALTER ROLE "{name}" CREATEDB': ("attributes", ""),
    'GRANT "{name}_g" TO "{name}"': ("memberships", "{name}_g"),
    'GRANT TEMPORARY ON DATABASE "{database}" TO "{name}"': ("grants", "TEMPORARY on {database}"),
    'REVOKE CONNECT ON DATABASE "{database}" FROM "{name}"': ("grants", "CONNECT on {database}"),
}
"""What is run, and what differs then: field and subject."""


@pytest.mark.parametrize("reassert", [False, True], ids=["adopt", "reassert"])
async def test_what_sql_changes_on_postgresql_is_found_and_resolved(
    owning: Domain, unique: Callable[[str], str], reassert: bool
) -> None:
    name, database = unique("drift"), unique("d")
    group = f"{name}_g"
    await owning.do(commands.CreateDatabase(PLACE, database, "postgres", "", "", ""))
    await owning.do(create(name))
    await owning.do(commands.ChangePrivileges(PLACE, name, (on_database(database, "CONNECT"),)))
    await owning.harness.sql(f'CREATE ROLE "{group}" NOLOGIN')
    for statement, difference in POSTGRES_SQL.items():
        expected = tuple(part.format(name=name, database=database) for part in difference)
        await owning.harness.sql(statement.format(name=name, database=database))
        assert set(await owning.found(name)) == {expected}, statement
        await resolved(owning, name, expected, reassert=reassert)
    await owning.harness.sql(f'DROP ROLE "{group}"')
    await owning.do(commands.DeleteDatabase(PLACE, database))


MARIADB_SQL = {
    "ALTER USER '{name}'@'%' IDENTIFIED BY 'by-sql'": ("password", ""),
    "ALTER USER '{name}'@'%' ACCOUNT LOCK": ("login", ""),
    "ALTER USER '{name}'@'%' WITH MAX_USER_CONNECTIONS 3": ("connection_limit", ""),
    "ALTER USER '{name}'@'%' REQUIRE SSL": ("attributes", ""),
    "GRANT `{name}_g` TO '{name}'@'%'": ("memberships", "{name}_g"),
    "GRANT INSERT ON `{database}`.* TO '{name}'@'%'": ("grants", "{database}"),
    "REVOKE SELECT ON `{database}`.* FROM '{name}'@'%'": ("grants", "{database}"),
    "GRANT SELECT ON `{database}x%`.* TO '{name}'@'%'": ("grants", "LIKE {database}x%"),
    "GRANT SELECT ON `{database}_b`.* TO '{name}'@'%'": ("grants", "{database}_b"),
}


@pytest.mark.parametrize("reassert", [False, True], ids=["adopt", "reassert"])
async def test_what_sql_changes_on_mariadb_is_found_and_resolved(
    granting: Domain, unique: Callable[[str], str], reassert: bool
) -> None:
    name, database = unique("drift"), unique("d").replace("_", "")
    await granting.do(commands.CreateDatabases(PLACE, (commands.DatabaseSpec(database),)))
    await granting.do(create(name, grants=(DatabaseGrant(database, READ),)))
    await granting.harness.sql(f"CREATE ROLE `{name}_g`")
    for statement, difference in MARIADB_SQL.items():
        expected = tuple(part.format(name=name, database=database) for part in difference)
        await granting.harness.sql(statement.format(name=name, database=database))
        assert set(await granting.found(name)) == {expected}, statement
        await resolved(granting, name, expected, reassert=reassert)
    await granting.harness.sql(f"DROP ROLE `{name}_g`")
    await granting.do(commands.DeleteDatabase(PLACE, database))


async def resolved(served: Domain, name: str, difference: tuple[str, ...], *, reassert: bool) -> None:
    """A dry run says what would be done and changes nothing. What cannot be put back is adopted."""
    before = await served.found(name)
    operations = len(served.replica.operations.rows.operations)
    dry = await served.do(drift_commands.AdoptAccount(PLACE, name, dry_run=True))
    assert [(one.field, one.subject) for one in dry.differences] == [difference]
    assert await served.found(name) == before
    is_restored = difference[0] in served.connected.engine.states.restores
    planned = await served.do(drift_commands.ReassertAccount(PLACE, name, dry_run=True))
    assert bool(planned.done) == is_restored
    assert bool(planned.left) != is_restored
    assert await served.found(name) == before
    assert len(served.replica.operations.rows.operations) == operations
    if reassert and not is_restored:
        with pytest.raises(Refused) as refused:
            await served.do(drift_commands.ReassertAccount(PLACE, name))
        assert refused.value.reason is Reason.ENGINE_UNSUITED
        assert await served.found(name) == before
    if reassert and is_restored:
        await served.do(drift_commands.ReassertAccount(PLACE, name))
    else:
        await served.do(drift_commands.AdoptAccount(PLACE, name))
    assert await served.drifts(name) == []
    assert (await served.do(drift_commands.CompareAccount(PLACE, name))).standing is DriftStanding.IN_SYNC


async def test_an_account_that_sql_made_dropped_or_made_again_is_told_apart(
    owning: Domain, unique: Callable[[str], str]
) -> None:
    names = [unique(prefix) for prefix in ("foreign", "missing", "changed")]
    foreign, missing, changed = names
    for name in (missing, changed):
        await owning.do(create(name))
        await owning.harness.sql(f'DROP ROLE "{name}"')
    for name in (foreign, changed):
        await owning.harness.sql(f'CREATE ROLE "{name}" LOGIN')
    found = {drift.name: drift.standing for drift in await owning.drifts(*names)}
    assert found == {
        foreign: DriftStanding.FOREIGN,
        missing: DriftStanding.MISSING,
        changed: DriftStanding.CHANGED,
    }
    for name in (missing, changed):
        for command in (drift_commands.AdoptAccount, drift_commands.ReassertAccount):
            with pytest.raises(Refused) as refused:
                await owning.do(command(PLACE, name))
            assert refused.value.reason is Reason.ACCOUNT_MISSING
    await owning.do(drift_commands.AdoptAccount(PLACE, foreign))
    await owning.do(drift_commands.AdoptAccount(PLACE, changed, recreated=True))
    assert [drift.name for drift in await owning.drifts(*names)] == [missing]
    shown = await owning.do(commands.ShowAccount(PLACE, foreign, ""))
    assert shown.standing == "managed"
    await owning.harness.sql(f'DROP ROLE "{foreign}", "{changed}"')


async def test_a_change_that_slips_in_keeps_drift_from_being_adopted_or_put_back(
    owning: Domain, unique: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    name = unique("drift")
    await owning.do(create(name))
    await owning.harness.sql(f'ALTER ROLE "{name}" CONNECTION LIMIT 3')
    settled = owning.check.settled

    async def slipping(*arguments: Any) -> Any:
        found = await settled(*arguments)
        await owning.do(commands.ChangeRemark(PLACE, name, "meanwhile"))
        return found

    monkeypatch.setattr(owning.check, "settled", slipping)
    for command in (drift_commands.AdoptAccount, drift_commands.ReassertAccount):
        with pytest.raises(Refused) as refused:
            await owning.do(command(PLACE, name))
        assert refused.value.reason is Reason.ENGINE_BUSY
    monkeypatch.undo()
    assert await owning.found(name) == {("connection_limit", ""): ("no limit", "3")}


async def test_an_open_change_is_not_drift(owning: Domain, unique: Callable[[str], str]) -> None:
    """Locking takes the login away before it marks the account; then its process dies."""
    name = unique("drift")
    await owning.do(create(name))
    target = Target(owning.connected, name, "")
    facts = await owning.connected.engine.account(name)
    assert facts is not None
    operation = uuid4()
    intent = target.intent(Change.ACCOUNT_LOCK, owning.origin, expected=facts.expected)
    await owning.replica.operations.accept(operation, owning.connected.instance.id, intent)
    await owning.harness.sql(f'ALTER ROLE "{name}" NOLOGIN')
    assert await owning.drifts(name) == []
    await owning.replica.operations.close(operation, State.REFUSED, "engine-refused", "")
    assert await owning.found(name) == {("login", ""): ("allowed", "not allowed")}


async def test_what_was_never_recorded_is_told_and_recorded_by_the_next_changes(
    owning: Domain, unique: Callable[[str], str]
) -> None:
    """As an earlier release left it."""
    name, key = unique("drift"), (owning.connected.instance.id,)
    await owning.do(create(name))
    rows = owning.replica.operations.rows.accounts
    rows[(*key, name, "")] = structs.replace(rows[(*key, name, "")], state=None)
    (drift,) = await owning.drifts(name)
    assert (drift.standing, drift.is_drift) == (DriftStanding.UNRECORDED, False)
    await owning.do(commands.LockAccount(PLACE, name))
    (drift,) = await owning.drifts(name)
    assert "login" not in drift.unrecorded
    assert "password" in drift.unrecorded
    await owning.harness.sql(f'ALTER ROLE "{name}" LOGIN')
    assert await owning.found(name) == {("login", ""): ("not allowed", "allowed")}
    await owning.do(drift_commands.AdoptAccount(PLACE, name))
    assert await owning.drifts(name) == []
