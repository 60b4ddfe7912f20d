"""The journal by itself: what becomes of an operation by what the server answers, and of what is recorded late."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import pytest
from tests.simulation.schedules import once

from rolecall.domain.access.keys import Owner
from rolecall.domain.engine import Access, AccountFacts, AccountKind, DatabaseGrant
from rolecall.domain.engine.identity import NO_ACCOUNT, AppliedBefore, Expected, superseded_account
from rolecall.domain.engine.roles import MembershipChange
from rolecall.domain.engine.states import AccountState, new_state
from rolecall.domain.instances.lanes import Lane, LaneLimits
from rolecall.domain.operations import details
from rolecall.domain.operations.effects import AccountEffect, effect_of
from rolecall.domain.operations.journal import Journal, record
from rolecall.domain.operations.model import (
    Change,
    Holder,
    Intent,
    Operation,
    Promised,
    State,
    StillUnknown,
    TakenOver,
)
from rolecall.domain.reasons import OutcomeUnknown, Reason, Refused
from rolecall.store.memory import MemoryStore
from rolecall.values import Caller, Origin

FACTS = AccountFacts(7, "ada", AccountKind.NORMAL, True, True, None, identity="7")


@dataclass
class Server:
    """A server with at most one account, ``ada``. With `refusal` it does not say which."""

    found: AccountFacts | None = FACTS
    refusal: Exception | None = None
    id: int = 1
    lane: Lane = field(default_factory=lambda: Lane(LaneLimits()))

    @property
    def engine(self) -> Any:
        return self

    async def account(self, name: str, host: str) -> AccountFacts | None:
        assert (name, host) == ("ada", "")
        if self.refusal is not None:
            raise self.refusal
        return self.found


@dataclass
class Bench:
    store: MemoryStore = field(default_factory=MemoryStore)
    server: Server = field(default_factory=Server)

    def __post_init__(self) -> None:
        self.ledger: Any = self.store.replica().operations
        self.steps: list[str] = []
        self.journal = Journal(self.ledger, self.steps.append)

    def intent(self, change: Change, expected: Expected | None = None) -> Intent:
        owner = Owner(1, 2, 3)
        origin = Origin(Caller(owner.id, owner.number, owner.app_id, 1, "AKIDx"), "red", "A", "r")
        return Intent(change, "ada", origin, {"remark": ""}, expected=expected)

    def operation(self) -> Operation:
        (kept,) = self.store.rows.operations.values()
        return kept.operation


def answers(*given: AccountFacts | Exception | None) -> Callable[[UUID], Awaitable[AccountFacts | None]]:
    """An engine's part of a change, try after try."""
    left = list(given)

    async def apply(operation: UUID) -> AccountFacts | None:
        answer = left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return apply


UNKNOWN, UNREACHABLE = OutcomeUnknown("lost"), Refused(Reason.ENGINE_UNREACHABLE)
TAKEN = Refused(Reason.ACCOUNT_TAKEN, note="it is there")


@pytest.mark.parametrize(
    ("given", "is_closed", "state"),
    [
        ((FACTS,), True, State.RECORDED),
        ((TAKEN,), True, State.REFUSED),
        ((UNREACHABLE,), False, State.ACCEPTED),
        ((StillUnknown("no"),), False, State.ACCEPTED),
        ((TakenOver(),), True, State.ACCEPTED),
        ((AppliedBefore(),), True, State.RECORDED),
        ((UNKNOWN, FACTS), True, State.RECORDED),
        ((UNKNOWN, UNKNOWN), False, State.ACCEPTED),
        ((UNKNOWN, UNREACHABLE), False, State.ACCEPTED),
        ((UNKNOWN, TakenOver()), True, State.ACCEPTED),
        ((UNKNOWN, AppliedBefore()), True, State.RECORDED),
        ((UNKNOWN, TAKEN), True, State.REFUSED),
    ],
)
def test_a_promise_is_kept_closed_or_left_for_another_time(
    given: Sequence[Any], *, is_closed: bool, state: State
) -> None:
    async def play() -> None:
        bench = Bench()
        promised = Promised(uuid4(), bench.intent(Change.ACCOUNT_CREATE))
        await bench.ledger.promise(1, [promised])
        apply, under_way = answers(*given), []

        async def watched(operation: UUID) -> AccountFacts | None:
            under_way.append(promised.id in bench.journal.under_way)
            return await apply(operation)

        assert await bench.journal.complete(bench.server, promised, watched) is is_closed
        assert bench.operation().state is state
        assert (under_way, bench.journal.under_way) == ([True] * len(given), set())

    once(play)


@pytest.mark.parametrize(
    ("change", "given", "state", "told"),
    [
        (Change.ACCOUNT_LOCK, (UNREACHABLE,), State.REFUSED, UNREACHABLE),
        (Change.ACCOUNT_LOCK, (superseded_account("ada"),), State.SUPERSEDED, Reason.ACCOUNT_MISSING),
        (Change.ACCOUNT_DELETE, (superseded_account("ada"),), State.SUPERSEDED, Reason.ACCOUNT_MISSING),
        (Change.ACCOUNT_LOCK, (UNKNOWN, superseded_account("ada")), State.SUPERSEDED, Reason.ACCOUNT_MISSING),
        (Change.ACCOUNT_DELETE, (UNKNOWN, superseded_account("ada")), State.RECORDED, None),
        (Change.ACCOUNT_LOCK, (UNKNOWN, TAKEN), State.REFUSED, Reason.ACCOUNT_TAKEN),
        (Change.ACCOUNT_LOCK, (UNKNOWN, UNKNOWN), State.ACCEPTED, Reason.ENGINE_UNREACHABLE),
    ],
)
def test_what_the_server_says_closes_the_operation_and_is_told(
    change: Change, given: Sequence[Any], state: State, told: Any
) -> None:
    async def play() -> None:
        bench = Bench()
        work = bench.journal.run(bench.server, bench.intent(change, FACTS.expected), answers(*given))
        if told is None:
            assert await work is None
        else:
            with pytest.raises(Refused) as caught:
                await work
            assert told in (caught.value, caught.value.reason)
        operation = bench.operation()
        assert operation.state is state
        if state is State.REFUSED:
            assert (operation.reason, operation.note) == (given[-1].reason.value, given[-1].note)

    once(play)


def test_a_second_try_that_is_refused_was_applied_if_that_was_written_down() -> None:
    """Its account was deleted by others between the two."""

    async def play() -> None:
        bench = Bench()
        lost, refused = answers(UNKNOWN), answers(Refused(Reason.ACCOUNT_MISSING))
        tries: list[UUID] = []

        async def apply(operation: UUID) -> AccountFacts | None:
            tries.append(operation)
            if len(tries) == 1:
                await bench.ledger.witness([operation])
                return await lost(operation)
            return await refused(operation)

        intent = bench.intent(Change.ACCOUNT_LOCK, FACTS.expected)
        assert await bench.journal.run(bench.server, intent, apply) is None
        assert bench.operation().state is State.RECORDED
        assert bench.steps == ["accepted", "unknown", "applied", "recorded"]

    once(play)


def test_only_a_second_try_has_a_fence_unless_it_always_has() -> None:
    async def play() -> None:
        bench = Bench()
        fences = []

        async def apply(operation: UUID) -> AccountFacts | None:
            fences.append(bench.journal.fence(operation))
            assert bench.journal.fence(operation, always=True) is not None
            if len(fences) == 1:
                raise OutcomeUnknown("lost")
            return FACTS

        await bench.journal.run(bench.server, bench.intent(Change.ACCOUNT_CREATE), apply)
        first, second = fences
        assert first is None
        assert second is not None
        assert bench.journal.fence(bench.operation().id) is None

    once(play)


@pytest.mark.parametrize("found", ["own", "applied", "taken over", "out of reach"])
def test_a_fence_says_why_nothing_is_made(found: str) -> None:
    async def play() -> None:
        bench, operation = Bench(), uuid4()
        await bench.ledger.accept(operation, 1, bench.intent(Change.ACCOUNT_CREATE))
        fence = bench.journal.fence(operation, always=True)
        assert fence is not None
        if found == "own":
            await fence()
            assert bench.steps == ["asked"]
            return
        if found == "applied":
            await bench.ledger.witness([operation])
        elif found == "taken over":
            await bench.store.replica().operations.take_over(operation)
        else:

            async def lost(_: UUID) -> Any:
                raise OSError("the store is away")

            bench.ledger.standing = lost
        with pytest.raises(Refused) as caught:
            await fence()
        kinds = {"applied": AppliedBefore, "taken over": TakenOver}
        assert type(caught.value) is kinds.get(found, Refused)
        if found == "out of reach":
            assert (caught.value.reason, caught.value.note) == (
                Reason.ENGINE_BUSY,
                "the ledger cannot be asked",
            )
        assert bench.steps == []

    once(play)


def _effect(identity: str, order: int = 5, **more: Any) -> AccountEffect:
    return AccountEffect("ada", "", int(identity), identity, order, **more)


@pytest.mark.parametrize(
    ("row", "there", "effect", "left"),
    [
        ("1", "2", _effect("2", created=True, remark="new"), "2"),
        ("2", "2", _effect("1", created=True, remark="new"), "2"),
        ("2", "2", AccountEffect("ada", identity="1", order=5, deleted=True), "2"),
        ("1", None, AccountEffect("ada", identity="1", order=5, deleted=True), None),
        ("1", None, AccountEffect("ada", identity="", order=5, deleted=True), None),
        ("1", "1", AccountEffect("ada", identity="", order=5, deleted=True), "1"),
        ("1", "2", AccountEffect("ada", identity="", order=5, deleted=True), None),
        ("1", "2", AccountEffect("ada", identity="3", order=5, deleted=True), None),
        (None, None, AccountEffect("ada", identity="", order=5, deleted=True), None),
        ("2", None, _effect("1", remark="new"), "2"),
    ],
)
def test_a_late_record_leaves_the_row_of_the_account_that_is_there(
    row: str | None, there: str | None, effect: AccountEffect, left: str | None
) -> None:
    async def play() -> None:
        bench = Bench()
        if row is not None:
            made = uuid4()
            await bench.ledger.accept(made, 1, bench.intent(Change.ACCOUNT_CREATE))
            assert await bench.ledger.record(made, 1, _effect(row, 1, created=True, remark="old"))
        bench.server.found = None if there is None else AccountFacts(
            int(there), "ada", AccountKind.NORMAL, True, True, None, identity=there
        )  # fmt: skip
        late = uuid4()
        await bench.ledger.accept(late, 1, bench.intent(Change.ACCOUNT_CREATE))
        await record(bench.ledger, bench.server, late, effect)
        assert bench.store.rows.operations[late].operation.state is State.RECORDED
        found = await bench.ledger.account(1, "ada", "")
        assert (None if found is None else found.identity) == left
        if found is not None:
            assert found.remark == ("new" if effect.identity == left and effect.created else "old")

    once(play)


@pytest.mark.parametrize("refusal", [UNREACHABLE, UNKNOWN])
def test_what_cannot_be_recorded_because_the_server_cannot_be_asked_stays_open(refusal: Exception) -> None:
    async def play() -> None:
        bench = Bench(server=Server(refusal=refusal))
        for identity in ("1", "2"):
            operation = uuid4()
            await bench.ledger.accept(operation, 1, bench.intent(Change.ACCOUNT_CREATE))
            effect = _effect(identity, created=True, remark="")
            if identity == "1":
                await record(bench.ledger, bench.server, operation, effect)
                continue
            with pytest.raises(StillUnknown, match="cannot be recorded now"):
                await record(bench.ledger, bench.server, operation, effect)
            assert bench.store.rows.operations[operation].operation.state is State.ACCEPTED

    once(play)


@pytest.mark.parametrize("ends", [True, False])
def test_the_row_of_an_account_that_is_being_moved_is_waited_for(*, ends: bool) -> None:
    async def play() -> None:
        bench, moving, late = Bench(), uuid4(), uuid4()
        made = uuid4()
        await bench.ledger.accept(made, 1, bench.intent(Change.ACCOUNT_CREATE))
        await bench.ledger.record(made, 1, _effect("1", 1, created=True, remark=""))
        await bench.ledger.accept(moving, 1, bench.intent(Change.ACCOUNT_MOVE, Expected("1")))
        await bench.ledger.accept(late, 1, bench.intent(Change.ACCOUNT_CREATE))
        bench.server.found = AccountFacts(2, "ada", AccountKind.NORMAL, True, True, None, identity="2")
        effect = _effect("2", created=True, remark="")
        recording = asyncio.ensure_future(record(bench.ledger, bench.server, late, effect))
        await asyncio.sleep(1.9)
        assert not recording.done()
        if ends:
            await bench.ledger.close(moving, State.REFUSED, "", "")
            await recording
            row = await bench.ledger.account(1, "ada", "")
            assert row.identity == "2"
            return
        with pytest.raises(StillUnknown, match="recorded after another one"):
            await recording

    once(play)


SEALED = b"sealed"
CHANGED = AccountFacts(
    7, "ada", AccountKind.NORMAL, True, True, UUID(int=1), identity="7", orders=(30,),
    password="fingerprint",
)  # fmt: skip
NEW_PASSWORD = AccountState(password="fingerprint")


@pytest.mark.parametrize(
    ("change", "detail", "expected", "effect"),
    [
        (
            Change.ACCOUNT_CREATE,
            {"remark": "r"},
            None,
            AccountEffect(
                "ada",
                "",
                7,
                "7",
                30,
                created=True,
                remark="r",
                manages=False,
                state=new_state("normal", {}, (), "fingerprint"),
            ),
        ),
        (
            Change.ACCOUNT_CREATE,
            {"remark": "r", "managed": True},
            None,
            AccountEffect(
                "ada",
                "",
                7,
                "7",
                30,
                created=True,
                remark="r",
                manages=True,
                sealed=SEALED,
                state=new_state("normal", {}, (), "fingerprint"),
            ),
        ),
        (
            Change.ACCOUNT_LIMIT,
            {"connection_limit": 3},
            Expected("7"),
            AccountEffect("ada", "", 7, "7", 30, state=AccountState(connection_limit=3)),
        ),
        (
            Change.ACCOUNT_EXPIRY,
            {"valid_until": "2027-01-31T12:00:00Z"},
            Expected("7"),
            AccountEffect(
                "ada", "", 7, "7", 30, state=AccountState(valid_until="2027-01-31T12:00:00.000000+00:00")
            ),
        ),
        (
            Change.ACCOUNT_EXPIRY,
            {"valid_until": None},
            Expected("7"),
            AccountEffect("ada", "", 7, "7", 30, state=AccountState(valid_until="")),
        ),
        (
            Change.MEMBERSHIP,
            details.ChangeMembership(change=MembershipChange("crew", "8", True, True, True)).encode(),
            Expected("7"),
            AccountEffect(
                "ada",
                "",
                7,
                "7",
                30,
                state=AccountState(memberships={"crew": "inherit, set"}, roles={"crew": "8"}),
            ),
        ),
        (
            Change.MEMBERSHIP,
            details.ChangeMembership(change=MembershipChange("crew", "8", False)).encode(),
            Expected("7"),
            AccountEffect(
                "ada", "", 7, "7", 30, state=AccountState(memberships={"crew": None}, roles={"crew": "8"})
            ),
        ),
        (
            Change.PRIVILEGES,
            details.ChangePrivileges(changes=(), memberships=(MembershipChange("crew", "8", True),)).encode(),
            Expected("7"),
            AccountEffect(
                "ada",
                "",
                7,
                "7",
                30,
                state=AccountState(memberships={"crew": "inherit"}, roles={"crew": "8"}),
            ),
        ),
        (
            Change.ACCOUNT_REMARK,
            {"remark": "r"},
            Expected("7"),
            AccountEffect("ada", "", 7, "7", 30, remark="r"),
        ),
        (
            Change.ACCOUNT_PASSWORD,
            {},
            Expected("7"),
            AccountEffect("ada", "", 7, "7", 30, password_changed=True, state=NEW_PASSWORD, manages=False),
        ),
        (
            Change.ACCOUNT_MANAGE,
            {},
            Expected("7"),
            AccountEffect(
                "ada", "", 7, "7", 30, password_changed=True, state=NEW_PASSWORD, manages=True, sealed=SEALED
            ),
        ),
        (
            Change.ACCOUNT_LOCK,
            {},
            Expected("7"),
            AccountEffect("ada", "", 7, "7", 30, state=AccountState(login=False)),
        ),
        (
            Change.ACCOUNT_UNLOCK,
            {},
            Expected("7"),
            AccountEffect("ada", "", 7, "7", 30, state=AccountState(login=True)),
        ),
        (
            Change.GRANTS,
            {"grant": [{"database": "shop", "access": "read-only"}], "revoke": ["old"]},
            Expected("7"),
            AccountEffect(
                "ada", "", 7, "7", 30, state=AccountState(grants={"old": None, "shop": "read-only"})
            ),
        ),
        (
            Change.PRIVILEGES,
            {
                "changes": [
                    {
                        "object": {"type": "database", "name": "shop"},
                        "privileges": ["CONNECT"],
                        "grant": False,
                    },
                    {"object": {"type": "table", "name": "t"}, "privileges": ["SELECT"], "grant": True},
                ],
                "kind": "super",
                "former_kind": "normal",
            },
            Expected("7"),
            AccountEffect(
                "ada",
                "",
                7,
                "7",
                30,
                state=AccountState(kind="super", attributes="", privileges={"shop": {"CONNECT": False}}),
            ),
        ),
        (
            Change.ACCOUNT_MOVE,
            {"name": "bob", "host": "%"},
            Expected("7"),
            AccountEffect("ada", "", 7, "7", 30, moved_from=("bob", "%")),
        ),
        (
            Change.ACCOUNT_MOVE,
            {"password_changed": True},
            Expected("7"),
            AccountEffect("ada", "", 7, "7", 30, password_changed=True, state=NEW_PASSWORD, manages=False),
        ),
    ],
)
def test_what_a_change_means_for_the_row(
    change: Change, detail: dict[str, object], expected: Expected | None, effect: AccountEffect
) -> None:
    intent = Intent(change, "ada", None, detail, SEALED, expected=expected)
    assert effect_of(intent, UUID(int=1), CHANGED) == effect
    assert effect_of(intent, UUID(int=1), None) is None


@pytest.mark.parametrize(
    ("given", "shown", "recorded"),
    [
        (Access.READ_ONLY, Access.READ_WRITE, Access.READ_ONLY),
        (Access.READ_WRITE, Access.ALL, Access.READ_WRITE),
        (Access.ALL, Access.READ_ONLY, Access.ALL),
        (Access.ALL, Access.READ_WRITE, Access.READ_WRITE),  # the same on MySQL
    ],
)
def test_what_sql_granted_before_a_grant_is_recorded_is_not_recorded_as_it(
    given: Access, shown: Access, recorded: Access
) -> None:
    """Found in `granted drifting`: recovery recorded what SQL had made of it."""
    detail = details.ChangeGrants(grant=(DatabaseGrant("shop", given),), revoke=())
    intent = Intent(Change.GRANTS, "ada", None, detail.encode(), expected=Expected("7"))
    facts = dataclasses.replace(CHANGED, grants=(DatabaseGrant("shop", shown),))
    effect = effect_of(intent, UUID(int=1), facts)
    assert isinstance(effect, AccountEffect)
    assert effect.state == AccountState(grants={"shop": recorded.value})


def test_what_a_deletion_means_for_the_row() -> None:
    """Its order is above that of the change that was seen last."""
    for expected, identity in ((Expected("7", 3), "7"), (NO_ACCOUNT, ""), (None, "")):
        intent = Intent(Change.ACCOUNT_DELETE, "ada", None, expected=expected)
        gone = AccountEffect("ada", "", identity=identity, order=0, deleted=True)
        assert effect_of(intent, UUID(int=1), None) == gone
        dropped = effect_of(intent, UUID(int=1), CHANGED)
        assert dropped is not None
        assert (dropped.identity, dropped.deleted) == (identity, True)
        assert dropped.order > CHANGED.order


def test_a_late_record_of_a_move_takes_the_row_that_was_left_and_writes_none() -> None:
    """The account was deleted at its new place, where another is now."""

    async def play() -> None:
        bench = Bench(
            server=Server(AccountFacts(2, "ada", AccountKind.NORMAL, True, True, None, identity="2"))
        )
        rows = {("bob", "h"): "1", ("ada", ""): "2"}
        for (name, host), identity in rows.items():
            made = uuid4()
            await bench.ledger.accept(made, 1, bench.intent(Change.ACCOUNT_CREATE))
            effect = AccountEffect(name, host, 0, identity, 1, created=True, remark="")
            assert await bench.ledger.record(made, 1, effect)
        late = uuid4()
        await bench.ledger.accept(late, 1, bench.intent(Change.ACCOUNT_MOVE, Expected("1")))
        await record(bench.ledger, bench.server, late, _effect("1", moved_from=("bob", "h")))
        assert bench.store.rows.operations[late].operation.state is State.RECORDED
        holders = {place: await bench.ledger.holder(1, *place) for place in rows}
        assert holders == {
            ("bob", "h"): Holder("1", is_deleted=True, order=0),
            ("ada", ""): Holder("2", is_deleted=False, order=1),
        }

    once(play)


def test_a_late_record_leaves_the_row_of_an_account_that_was_moved_away_and_came_back() -> None:
    """Found in `granting`: the account that is recorded late was there while the other one was away."""

    async def play() -> None:
        bench = Bench(
            server=Server(AccountFacts(2, "ada", AccountKind.NORMAL, True, True, None, identity="2"))
        )
        made, away, late, back = (uuid4() for _ in range(4))
        await bench.ledger.accept(made, 1, bench.intent(Change.ACCOUNT_CREATE))
        await bench.ledger.record(made, 1, _effect("1", 1, created=True, remark="old"))
        await bench.ledger.accept(away, 1, bench.intent(Change.ACCOUNT_MOVE, Expected("1")))
        await bench.ledger.accept(late, 1, bench.intent(Change.ACCOUNT_CREATE))
        recording = asyncio.ensure_future(
            record(bench.ledger, bench.server, late, _effect("2", created=True, remark="new"))
        )
        await asyncio.sleep(0.01)  # of virtual time: it has asked the server, and waits for the move
        moved = AccountEffect("bob", "", 0, "1", 2, moved_from=("ada", ""))
        assert await bench.ledger.record(away, 1, moved)
        await bench.ledger.accept(back, 1, bench.intent(Change.ACCOUNT_MOVE, Expected("1", 2)))
        bench.server.found = AccountFacts(1, "ada", AccountKind.NORMAL, True, True, None, identity="1")
        assert await bench.ledger.record(back, 1, AccountEffect("ada", "", 0, "1", 3, moved_from=("bob", "")))
        await recording
        row = await bench.ledger.account(1, "ada", "")
        assert (row.identity, row.remark) == ("1", "old")
        assert bench.store.rows.operations[late].operation.state is State.RECORDED

    once(play)


def test_a_deletion_leaves_the_row_of_an_account_whose_move_is_recorded_later() -> None:
    """Found in `granting`: the account that was moved lost its remark, and when it was created."""

    async def play() -> None:
        bench = Bench(server=Server(None))
        made, moving, late = (uuid4() for _ in range(3))
        await bench.ledger.accept(made, 1, bench.intent(Change.ACCOUNT_CREATE))
        await bench.ledger.record(made, 1, _effect("1", 1, created=True, remark="old"))
        await bench.ledger.accept(moving, 1, bench.intent(Change.ACCOUNT_MOVE, Expected("1")))
        await bench.ledger.accept(late, 1, bench.intent(Change.ACCOUNT_DELETE, Expected("2")))
        gone = AccountEffect("ada", identity="2", order=5, deleted=True)
        recording = asyncio.ensure_future(record(bench.ledger, bench.server, late, gone))
        await asyncio.sleep(0.01)  # of virtual time
        moved = AccountEffect("bob", "", 0, "1", 2, moved_from=("ada", ""))
        assert await bench.ledger.record(moving, 1, moved)
        await recording
        assert (await bench.ledger.account(1, "bob", "")).remark == "old"

    once(play)


def test_what_a_call_carries_out_is_under_way_and_no_longer_than_that() -> None:
    async def play() -> None:
        bench = Bench()

        async def apply(operation: UUID) -> AccountFacts | None:
            assert bench.journal.under_way == {operation}
            return FACTS

        await bench.journal.run(bench.server, bench.intent(Change.ACCOUNT_LOCK, FACTS.expected), apply)
        assert bench.journal.under_way == set()

    once(play)
