"""What recovery makes of one operation that its process left: what the server has afterwards, and how it is closed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
from tests.simulation import scenarios
from tests.simulation.estates import DATABASE
from tests.simulation.scenarios import Act, Run, call, prepared
from tests.simulation.schedules import once
from tests.simulation.world import GrantingServer, Hazards, OwningServer

from rolecall.domain.engine import (
    Access,
    AccountChange,
    AccountFacts,
    AccountKind,
    DatabaseGrant,
    DatabaseObject,
    NewAccount,
    NewDatabase,
    ObjectType,
    PrivilegeChange,
)
from rolecall.domain.engine.identity import ChangedMeanwhile, Expected
from rolecall.domain.engine.roles import DefaultPrivileges, MembershipChange
from rolecall.domain.operations import details
from rolecall.domain.operations.model import Change, Intent, Operation, State

OTHER = Expected("another account")


@dataclass
class Bench:
    """One process, an account ``ada``, and one operation of it that is accepted and not begun."""

    run: Run
    operation: UUID

    async def accept(
        self,
        change: Change,
        detail: Mapping[str, object] | None = None,
        expected: Expected | None = None,
        target: str = "ada",
    ) -> None:
        intent = Intent(change, target, self.run.origin("x"), detail or {}, expected=expected)
        await self.run.slots[0].replica.operations.accept(self.operation, self.run.instance.id, intent)

    async def recover(self) -> Operation:
        await self.run.slots[0].recovery.round()
        return self.run.world.store.rows.operations[self.operation].operation

    @property
    def server(self) -> Any:
        return self.run.server

    async def ada(self) -> AccountFacts:
        (facts,) = [one for one in await self.server.accounts() if one.name == "ada"]
        return facts  # type: ignore[no-any-return]

    async def remark(self) -> None:
        assert (await call(self.run, self.run.slots[0], 0, scenarios.remark, "ada")).kind == "ok"


Play = Callable[[Bench], Awaitable[None]]


def on(make: Callable[[], Any], engine: str, play: Play, before: Sequence[Act] = (scenarios.create,)) -> None:
    async def scenario() -> None:
        run = await prepared(make(), engine, Hazards())
        run.world.stormy = False
        with run.world.entered():
            await run.start(1)
            for act in before:
                assert (await call(run, run.slots[0], 0, act, "ada")).kind == "ok"
            await play(Bench(run, uuid4()))

    once(scenario)


def on_postgresql(play: Play, before: Sequence[Act] = (scenarios.create,)) -> None:
    on(OwningServer, "postgresql", play, before)


def on_mariadb(play: Play) -> None:
    on(GrantingServer, "mysql", play)


PLACE = {"name": "ada", "host": "%"}
DETAILS = {
    "remark": "new", "connection_limit": 3, "valid_until": None,
    "change": msgspec.to_builtins(MembershipChange("bob", "7", grant=True)),
}  # fmt: skip
"""What each kind of change has in its detail."""
READ, WRITE = DatabaseGrant("shop", Access.READ_ONLY), DatabaseGrant("old", Access.READ_WRITE)
GRANTS = {**PLACE, "grant": msgspec.to_builtins((READ,)), "revoke": ["old"]}


@pytest.mark.parametrize(
    ("allow_missing", "found", "state"),
    [
        (True, "same", State.RECORDED),
        (False, "same", State.UNDONE),
        (True, "changed", State.SUPERSEDED),
        (True, "another", State.SUPERSEDED),
        (True, "marked", State.RECORDED),
        (True, "an earlier release", State.UNDONE),
        (True, "an earlier release, marked", State.RECORDED),
    ],
)
def test_grants_are_repeated_on_the_account_that_nothing_else_has_changed(
    *, allow_missing: bool, found: str, state: State
) -> None:
    async def play(bench: Bench) -> None:
        ada = await bench.ada()
        await bench.server.change_grants("ada", "%", (WRITE,), (), uuid4(), allow_missing=True)
        facts = await bench.ada()
        expected = {"another": OTHER, "changed": ada.expected}.get(found, facts.expected)
        is_old = found.startswith("an earlier release")
        await bench.accept(
            Change.GRANTS,
            {**GRANTS, "to_come": allow_missing},
            None if is_old else expected,
            "ada@%",
        )
        if found.endswith("marked"):
            await bench.server.change_account(AccountChange("ada", bench.operation))
            facts = await bench.ada()
        assert (await bench.recover()).state is state
        after = await bench.ada()
        if found != "same" or state is not State.RECORDED:
            assert after == facts
            return
        assert (after.marker, after.grants) == (bench.operation, (READ,))
        assert bench.server._awaited == {("shop", ("ada", "%"))}

    on_mariadb(play)


@pytest.mark.parametrize(
    ("found", "state"),
    [
        ("same", State.UNDONE),
        ("gone", State.UNDONE),
        ("another", State.SUPERSEDED),
        ("marked", State.RECORDED),
        ("marked, and another", State.RECORDED),
        ("an earlier release", State.UNDONE),
    ],
)
@pytest.mark.parametrize(
    "change",
    [
        Change.ACCOUNT_PASSWORD, Change.ACCOUNT_UNLOCK, Change.ACCOUNT_REMARK, Change.ACCOUNT_UNMANAGE,
        Change.ACCOUNT_LIMIT, Change.ACCOUNT_EXPIRY, Change.MEMBERSHIP,
    ],
)  # fmt: skip
def test_a_change_goes_by_its_mark_and_else_by_the_account(change: Change, found: str, state: State) -> None:
    async def play(bench: Bench) -> None:
        facts = await bench.ada()
        expected = OTHER if found.endswith("another") else facts.expected
        is_old = found == "an earlier release"
        await bench.accept(change, DETAILS, None if is_old else expected)
        if found.startswith("marked"):
            await bench.server.change_account(AccountChange("ada", bench.operation))
        elif found == "gone":
            await bench.server.drop_account("ada", uuid4())
        operation = await bench.recover()
        assert operation.state is state
        if found != "gone":
            row = await bench.run.slots[0].replica.operations.account(bench.run.instance.id, "ada", "")
            is_remarked = state is State.RECORDED and change is Change.ACCOUNT_REMARK
            assert row is not None
            assert row.remark == ("new" if is_remarked else "")
        if state is not State.RECORDED:
            assert (operation.reason, bool(operation.note)) == ("interrupted", True)

    on_postgresql(play)


@pytest.mark.parametrize("is_marked", [False, True])
def test_a_lock_that_was_begun_is_finished_at_its_host_with_its_sessions(*, is_marked: bool) -> None:
    async def play(bench: Bench) -> None:
        server = bench.server
        made = await server.create_account(
            NewAccount("bob", AccountKind.NORMAL, None, uuid4(), "10.0.0.1", (WRITE,), allow_missing=True)
        )
        detail = {"name": "bob", "host": "10.0.0.1"}
        await bench.accept(Change.ACCOUNT_LOCK, detail, made.expected, "bob@10.0.0.1")
        begun = replace(made.changed_by(bench.operation) if is_marked else made, may_log_in=False)
        server._accounts["bob", "10.0.0.1"] = begun
        server.sessions[:] = [("bob", made.identity), ("ada", "1")]
        assert (await bench.recover()).state is State.RECORDED
        after = await server.account("bob", "10.0.0.1")
        assert (after.may_log_in, after.marker, after.grants) == (False, bench.operation, (WRITE,))
        assert server.sessions == [("ada", "1")]

    on_mariadb(play)


def test_a_lock_that_meets_another_change_is_left_for_the_next_round() -> None:
    async def play(bench: Bench) -> None:
        facts = await bench.ada()
        await bench.accept(Change.ACCOUNT_LOCK, None, facts.expected)
        bench.server._accounts["ada"] = replace(facts, may_log_in=False)
        change = bench.server.change_account

        async def meet(given: AccountChange) -> AccountFacts:
            bench.server.change_account = change
            raise ChangedMeanwhile("ada")

        bench.server.change_account = meet
        assert (await bench.recover()).state is State.ACCEPTED
        assert (await bench.recover()).state is State.RECORDED

    on_postgresql(play)


@pytest.mark.parametrize("change", [Change.ACCOUNT_MOVE, Change.ACCOUNT_REMARK])
@pytest.mark.parametrize("is_witnessed", [False, True])
def test_what_was_applied_before_its_account_went_is_recorded(change: Change, *, is_witnessed: bool) -> None:
    """Of a moved account the row at the old place goes, too: nothing else tells that the account has left it."""

    async def play(bench: Bench) -> None:
        facts = await bench.ada()
        await bench.accept(change, {**PLACE, "remark": "new"}, facts.expected, "ada@%")
        if is_witnessed:
            await bench.run.slots[0].replica.operations.witness([bench.operation])
        bench.server._accounts.clear()
        operation = await bench.recover()
        row = bench.run.world.store.rows.accounts[bench.run.instance.id, "ada", "%"]
        assert row.is_deleted == (is_witnessed and change is Change.ACCOUNT_MOVE)
        if is_witnessed:
            assert (operation.state, operation.reason, operation.note) == (State.RECORDED, "", "")
        else:
            assert (operation.state, operation.reason) == (State.UNDONE, "interrupted")

    on_mariadb(play)


@pytest.mark.parametrize(
    ("found", "state", "owner"),
    [
        ("same", State.RECORDED, "bob"),
        ("given already", State.RECORDED, "bob"),
        ("another database", State.SUPERSEDED, "ada"),
        ("given to somebody else", State.SUPERSEDED, "eve"),
        ("followed", State.SUPERSEDED, "ada"),
        ("another heir of the name", State.SUPERSEDED, "ada"),
        ("not said whose", State.RECORDED, "bob"),
        ("gone", State.UNDONE, None),
    ],
)
def test_a_change_of_owner_is_repeated_while_nobody_else_has_made_one(
    found: str, state: State, owner: str | None
) -> None:
    async def play(bench: Bench) -> None:
        server = bench.server
        for name in ("bob", "eve"):
            await server.create_account(NewAccount(name, AccountKind.NORMAL, None, uuid4()))
        bob = await server.account("bob")
        await server.create_database(NewDatabase(DATABASE, "ada", uuid4()))
        (database,) = [one for one in await server.databases() if one.name == DATABASE]
        identity = "other" if found == "another database" else database.identity
        owned_by = {"another heir of the name": "other", "not said whose": None}.get(found, bob.identity)
        detail = {"owner": "bob", "from": "ada", "owned_by": owned_by}
        await bench.accept(Change.DATABASE_OWNER, detail, Expected(identity), DATABASE)
        given = {"given already": "bob", "given to somebody else": "eve"}.get(found)
        if given is not None:
            await server.change_database_owner(DATABASE, given, uuid4())
        if found == "followed":
            later = Bench(bench.run, uuid4())
            await later.accept(Change.DATABASE_OWNER, detail, Expected(identity), DATABASE)
            await bench.run.slots[0].replica.operations.record(later.operation, bench.run.instance.id, None)
        if found == "gone":
            await server.drop_database(DATABASE)
        assert (await bench.recover()).state is state
        owners = [one.owner for one in await server.databases() if one.name == DATABASE]
        assert owners == ([] if owner is None else [owner])

    on_postgresql(play)


CHANGES = (PrivilegeChange(DatabaseObject(ObjectType.DATABASE, DATABASE), ("CREATE",), grant=True),)


@pytest.mark.parametrize(
    ("found", "kind", "state"),
    [
        ("same", None, State.RECORDED),
        ("same", "super", State.RECORDED),
        ("changed", None, State.SUPERSEDED),
        ("another", None, State.SUPERSEDED),
        ("marked", "super", State.RECORDED),
        ("an earlier release", None, State.UNDONE),
        ("an earlier release, marked", None, State.RECORDED),
    ],
)
@pytest.mark.parametrize("changes", [CHANGES, ()])
def test_privileges_are_repeated_on_the_account_that_nothing_else_has_changed(
    changes: Sequence[PrivilegeChange], found: str, kind: str | None, state: State
) -> None:
    async def play(bench: Bench) -> None:
        server, facts = bench.server, await bench.ada()
        await server.create_database(NewDatabase(DATABASE, "postgres", uuid4()))
        expected = OTHER if found == "another" else facts.expected
        is_old = found.startswith("an earlier release")
        detail = {"changes": msgspec.to_builtins(changes), "kind": kind}
        await bench.accept(Change.PRIVILEGES, detail, None if is_old else expected)
        if found.endswith("marked"):
            await server.change_account(AccountChange("ada", bench.operation))
        if found == "changed":
            await bench.remark()
        assert (await bench.recover()).state is state
        after, is_repeated = await bench.ada(), found == "same"
        assert after.kind.value == (kind if is_repeated and kind else "normal")
        assert (after.marker == bench.operation) == (state is State.RECORDED)
        assert server.estate(DATABASE) == (
            "postgres",
            frozenset({"ada"}) if is_repeated and changes else frozenset(),
        )

    on_postgresql(play)


@pytest.mark.parametrize(
    ("found", "state"),
    [
        ("same", State.RECORDED),
        ("marked", State.RECORDED),
        ("changed", State.SUPERSEDED),
        ("another", State.SUPERSEDED),
        ("another owner", State.SUPERSEDED),
    ],
)
def test_default_privileges_are_repeated_on_the_account_that_nothing_else_has_changed(
    found: str, state: State
) -> None:
    async def play(bench: Bench) -> None:
        server, facts = bench.server, await bench.ada()
        bob = await server.create_account(NewAccount("bob", AccountKind.NORMAL, None, uuid4()))
        await server.create_database(NewDatabase(DATABASE, "bob", uuid4()))
        defaults = DefaultPrivileges(DATABASE, "bob", "ada", ObjectType.TABLE, ("SELECT",))
        detail = details.ChangeDefaults(
            defaults=defaults, owned_by="1" if found == "another owner" else bob.identity, grant=True
        )
        expected = OTHER if found == "another" else facts.expected
        await bench.accept(Change.DEFAULT_PRIVILEGES, detail.encode(), expected)
        if found == "marked":
            await server.change_account(AccountChange("ada", bench.operation))
        if found == "changed":
            await bench.remark()
        assert (await bench.recover()).state is state
        held = await server.default_privileges(DATABASE)
        assert list(held) == ([defaults] if found == "same" else [])

    on_postgresql(play)


@pytest.mark.parametrize(
    ("found", "state"),
    [
        ("applied", State.RECORDED),
        ("not applied", State.UNDONE),
        ("another database", State.SUPERSEDED),
        ("gone", State.UNDONE),
    ],
)
@pytest.mark.parametrize("grant", [False, True])
def test_what_everyone_may_do_is_as_the_database_shows_it(found: str, state: State, *, grant: bool) -> None:
    async def play(bench: Bench) -> None:
        server, word = bench.server, "CREATE" if grant else "CONNECT"
        await server.create_database(NewDatabase(DATABASE, "ada", uuid4()))
        identity = (await server.public_privileges(DATABASE)).identity
        expected = OTHER if found == "another database" else Expected(identity)
        detail = details.ChangePublic(privileges=(word,), grant=grant)
        await bench.accept(Change.DATABASE_PUBLIC, detail.encode(), expected, DATABASE)
        if found == "applied":
            await server.change_public_privileges(DATABASE, (word,), grant=grant)
        if found == "gone":
            await server.drop_database(DATABASE)
        assert (await bench.recover()).state is state

    on_postgresql(play)


@pytest.mark.parametrize(
    ("found", "state"),
    [
        ("ours", State.RECORDED),
        ("others", State.SUPERSEDED),
        ("without a mark, the owner's", State.RECORDED),
        ("without a mark", State.SUPERSEDED),
        ("gone", State.UNDONE),
    ],
)
def test_a_database_goes_by_its_mark_and_without_one_by_its_owner(found: str, state: State) -> None:
    async def play(bench: Bench) -> None:
        server = bench.server
        await bench.accept(Change.DATABASE_CREATE, {"owner": "ada"}, None, DATABASE)
        if found != "gone":
            owner = "postgres" if found in ("ours", "without a mark") else "ada"
            made_by = bench.operation if found == "ours" else uuid4()
            await server.create_database(NewDatabase(DATABASE, owner, made_by))
        if found.startswith("without"):
            server._databases[DATABASE] = replace(server._databases[DATABASE], operations=())
        assert (await bench.recover()).state is state

    on_postgresql(play)


@pytest.mark.parametrize("change", [Change.SUPERUSER_ENABLE, Change.SUPERUSER_DISABLE])
@pytest.mark.parametrize("found", ["none", "ours", "others", "the one it meant"])
def test_the_superuser_goes_by_its_mark_and_is_disabled_if_it_is_the_one_that_was_meant(
    change: Change, found: str
) -> None:
    async def play(bench: Bench) -> None:
        server = bench.server
        expected, verifier = OTHER, server.verifier("root", scenarios.Secret("x"))
        if found != "none":
            made = await server.superuser.enable(verifier, bench.operation if found == "ours" else uuid4())
            expected = made.expected if found == "the one it meant" else OTHER
        await bench.accept(change, None, None if change is Change.SUPERUSER_ENABLE else expected, "root@%")
        operation, after = await bench.recover(), await server.superuser.find()
        if change is Change.SUPERUSER_ENABLE:
            assert operation.state is (State.RECORDED if found == "ours" else State.UNDONE)
            assert (after is None) == (found == "none")
        else:
            assert operation.state is State.RECORDED
            assert (after is None) == (found != "others")

    on_mariadb(play)


@pytest.mark.parametrize(
    ("found", "is_left"), [("same", False), ("another", True), ("gone", False), ("an earlier release", True)]
)
def test_a_deletion_of_a_database_is_repeated_on_that_very_one(found: str, *, is_left: bool) -> None:
    async def play(bench: Bench) -> None:
        server, made = bench.server, uuid4()
        await server.create_database(NewDatabase(DATABASE, "ada", made))
        (database,) = [one for one in await server.databases() if one.name == DATABASE]
        identity = "other" if found == "another" else database.identity
        expected = None if found == "an earlier release" else Expected(identity)
        await bench.accept(Change.DATABASE_DELETE, None, expected, DATABASE)
        if found == "gone":
            await server.drop_database(DATABASE)
        operation = await bench.recover()
        assert operation.state is (State.UNDONE if expected is None else State.RECORDED)
        assert (DATABASE in [one.name for one in await server.databases()]) == is_left

    on_postgresql(play)


@pytest.mark.parametrize(
    ("change", "found", "state"),
    [
        (Change.ACCOUNT_DELETE, "gone", State.RECORDED),
        (Change.ACCOUNT_DELETE, "gone, and another", State.RECORDED),
        (Change.ACCOUNT_DELETE, "gone, and recorded", State.UNDONE),
        (Change.ACCOUNT_DELETE, "there", State.UNDONE),
        (Change.ACCOUNT_DELETE, "marked", State.RECORDED),
        (Change.ACCOUNT_DELETE, "meant for nobody", State.UNDONE),
        (Change.ACCOUNT_LOCK, "there", State.UNDONE),
        (Change.ACCOUNT_LOCK, "locked", State.RECORDED),
        (Change.ACCOUNT_LOCK, "locked by another", State.UNDONE),
        (Change.ACCOUNT_LOCK, "gone", State.UNDONE),
        (Change.ACCOUNT_REMARK, "locked", State.UNDONE),
        (Change.ACCOUNT_REMARK, "marked", State.RECORDED),
        (Change.ACCOUNT_REMARK, "there", State.UNDONE),
        (Change.DATABASE_OWNER, "marked", State.UNDONE),
    ],
)
def test_what_was_called_undone_is_looked_for_again(change: Change, found: str, state: State) -> None:
    """A process that was held up may have applied it, and ended."""

    async def play(bench: Bench) -> None:
        server, ledger = bench.server, bench.run.slots[0].replica.operations
        ada = await bench.ada()
        expected = Expected("") if found == "meant for nobody" else ada.expected
        await bench.accept(change, {"remark": "new"}, expected)
        if change is Change.ACCOUNT_DELETE and found == "marked":
            assert await ledger.begin(bench.operation, [])
        await ledger.close(bench.operation, State.UNDONE, "interrupted", "the engine holds no mark of it")
        if found.startswith("gone"):
            del server._accounts["ada"]
        if found == "gone, and another":
            await server.create_account(NewAccount("ada", AccountKind.NORMAL, None, uuid4()))
        elif found == "gone, and recorded":
            assert (await call(bench.run, bench.run.slots[0], 0, scenarios.create, "ada")).kind == "ok"
        elif found == "locked":
            server._accounts["ada"] = replace(ada, may_log_in=False)
        elif found == "locked by another":
            await server.change_account(AccountChange("ada", uuid4(), may_log_in=False))
        elif found == "marked":
            await server.change_account(AccountChange("ada", bench.operation))
        assert (await bench.recover()).state is state
        there = server._accounts.get("ada")
        if change is Change.ACCOUNT_DELETE:
            assert (there is None) == (found in ("gone", "marked"))
        if change is Change.ACCOUNT_LOCK and state is State.RECORDED:
            assert there.marker == bench.operation

    on_postgresql(play)


def test_a_lock_is_not_finished_on_another_account_that_came_between() -> None:
    async def play(bench: Bench) -> None:
        facts, server = await bench.ada(), bench.server
        await bench.accept(Change.ACCOUNT_LOCK, None, facts.expected)
        server._accounts["ada"] = replace(facts, may_log_in=False)
        account = server.account

        async def late(name: str, host: str = "") -> AccountFacts | None:
            server.account = account
            found = await account(name, host)
            server._accounts["ada"] = replace(facts, identity="another", may_log_in=True)
            return found  # type: ignore[no-any-return]

        server.account = late
        assert (await bench.recover()).state is State.SUPERSEDED
        assert (await bench.ada()).may_log_in

    on_postgresql(play)
