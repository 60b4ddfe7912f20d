"""The ledger and the repositories beside it: one suite for the store's tables and for the store in memory."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from uuid import UUID, uuid4

import psycopg
import pytest
from msgspec import structs
from tests.waiting import reached

from rolecall.ambient import Ambient, entered
from rolecall.domain.access.keys import Keys, Owner
from rolecall.domain.accounts.context import AccountRow
from rolecall.domain.engine.identity import NO_ACCOUNT, Expected
from rolecall.domain.engine.states import AccountState, new_state
from rolecall.domain.instances.examination import Examiner, Finding
from rolecall.domain.instances.registrations import ChangeRefused, Registrations, Wanted
from rolecall.domain.instances.registry import FaceTaken, Instance, NewInstance, Provision, register
from rolecall.domain.operations import details
from rolecall.domain.operations.effects import AccountEffect, DatabaseEffect
from rolecall.domain.operations.model import (
    LOOKED_FOR_SECONDS,
    Change,
    Intent,
    Operation,
    Promised,
    Runner,
    Standing,
    State,
    Unresolved,
)
from rolecall.domain.reasons import Reason, Refused
from rolecall.domain.secrets.sealing import Sealer, new_master_key, parse_master_keys
from rolecall.store import Store
from rolecall.store.memory import MemoryReplica, MemoryStore
from rolecall.values import Caller, Origin, Secret

SEALER = Sealer(parse_master_keys(new_master_key()))


@dataclass
class Bench:
    """Two replicas of one store, with an owner and an instance."""

    store: Store | MemoryReplica
    other: Store | MemoryReplica
    owner: Owner
    instance: Instance

    def intent(
        self,
        target: str = "acc",
        change: Change = Change.ACCOUNT_CREATE,
        sealed: bytes | None = None,
        runner: Runner = Runner.CALL,
        **detail: object,
    ) -> Intent:
        origin = Origin(Caller(self.owner.id, 1, 1, 1, "AKIDx"), "d", "A", "r")
        return Intent(change, target, origin, {"remark": "", **detail}, sealed, runner=runner)

    async def accepted(
        self,
        target: str = "acc",
        change: Change = Change.ACCOUNT_CREATE,
        sealed: bytes | None = None,
        runner: Runner = Runner.CALL,
        **detail: object,
    ) -> UUID:
        operation = uuid4()
        await self.store.operations.accept(
            operation, self.instance.id, self.intent(target, change, sealed, runner, **detail)
        )
        return operation

    async def carried_out(
        self, effect: AccountEffect, change: Change = Change.ACCOUNT_CREATE, sealed: bytes | None = None
    ) -> UUID:
        operation = await self.accepted(effect.name, change, sealed)
        await self.store.operations.record(operation, self.instance.id, effect)
        return operation

    async def row(self, name: str = "acc") -> AccountRow:
        row = await self.store.operations.account(self.instance.id, name, "")
        assert row is not None
        return row

    async def operation(self, wanted: UUID) -> Operation:
        there = await self.store.operations.operations(limit=50)
        (found,) = [one for one in there if one.id == wanted]
        return found


def new_instance(owner: Owner, public_id: str = "red-1", provision: Provision | None = None) -> NewInstance:
    return NewInstance(
        owner.id, "postgresql", "one", "127.0.0.1", 5432, "postgres", Secret("x"), "postgres", {"a": "b"},
        "here", "here-1", {"red": public_id, "blue": f"blue-{public_id}"}, provision=provision,
    )  # fmt: skip


@pytest.fixture(params=["memory", "postgres"])
async def bench(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    stores: list[Store | MemoryReplica]
    if request.param == "memory":
        shared = MemoryStore()
        stores = [shared.replica(), shared.replica()]
    else:
        dsn = request.getfixturevalue("dsn")
        postgres = [Store(dsn, pool_size=2), Store(dsn, pool_size=2)]
        for one in postgres:
            await one.open()
        stores = [*postgres]
    owner = await stores[0].keys.add_owner(100, 200)
    instance = await register(stores[0].instances, SEALER, new_instance(owner))
    yield Bench(stores[0], stores[1], owner, instance)
    for one in stores:
        await one.close()


async def test_recording_twice_keeps_what_the_first_time_wrote(bench: Bench) -> None:
    operation = await bench.accepted(sealed=b"sealed")
    effect = AccountEffect("acc", "", 7, created=True, remark="r", manages=True, sealed=b"sealed")
    for _ in range(2):
        await bench.store.operations.record(operation, bench.instance.id, effect)
    (account,) = await bench.store.operations.accounts(bench.instance.id)
    assert (account.oid, account.remark, account.sealed_password) == (7, "r", b"sealed")
    recorded = await bench.operation(operation)
    assert (recorded.state, recorded.sealed) == (State.RECORDED, None)
    assert account.created_at == recorded.accepted_at
    assert account.password_updated_at is None
    await bench.store.operations.close(operation, State.REFUSED, "late", "")
    assert (await bench.operation(operation)).state is State.RECORDED


async def test_what_was_closed_is_closed_with_its_reason_and_holds_no_secret(bench: Bench) -> None:
    operation = await bench.accepted(sealed=b"sealed")
    await bench.store.operations.close(operation, State.REFUSED, "account-taken", "why")
    await bench.store.operations.record(
        operation, bench.instance.id, AccountEffect("acc", "", 7, created=True)
    )
    closed = await bench.operation(operation)
    assert (closed.state, closed.reason, closed.note) == (State.REFUSED, "account-taken", "why")
    assert closed.sealed is None
    assert closed.closed_at is not None
    assert await bench.store.operations.accounts(bench.instance.id) == []


@pytest.mark.parametrize("state", [State.UNDONE, State.SUPERSEDED])
async def test_what_was_closed_too_early_may_be_recorded(bench: Bench, state: State) -> None:
    operation = await bench.accepted()
    await bench.store.operations.close(operation, state, "interrupted", "x")
    await bench.store.operations.record(
        operation, bench.instance.id, AccountEffect("acc", "", 7, created=True)
    )
    assert (await bench.operation(operation)).state is State.RECORDED
    assert (await bench.row()).oid == 7


@pytest.mark.parametrize("state", [State.UNDONE, State.SUPERSEDED])
async def test_what_was_interrupted_is_looked_for_for_an_hour_and_keeps_what_it_sealed_so_long(
    bench: Bench, request: pytest.FixtureRequest, state: State
) -> None:
    ledger = bench.store.operations
    operation, refused = await bench.accepted(sealed=b"sealed"), await bench.accepted("other", sealed=b"x")
    await ledger.close(operation, state, "interrupted", "nothing shows it")
    await ledger.close(refused, State.SUPERSEDED, "account-missing", "another account has its name")
    assert [(one.id, one.sealed) for one in await bench.other.operations.interrupted()] == [
        (operation, b"sealed")
    ]
    assert await ledger.are_unrecorded([operation])
    assert not await ledger.are_unrecorded([refused])
    kind = (await bench.operation(operation)).change
    assert await ledger.are_unrecorded([operation], kind)
    assert not await ledger.are_unrecorded([operation], Change.ACCOUNT_MOVE)
    later = Ambient(unix=lambda: time.time() + LOOKED_FOR_SECONDS + 1)
    if isinstance(bench.store, Store):
        with psycopg.connect(request.getfixturevalue("dsn").reveal()) as connection:
            connection.execute(
                "update rolecall.operations set closed_at = closed_at - interval '3601 seconds'"
            )
    with entered(later):
        assert await ledger.interrupted() == []
        assert not await ledger.are_unrecorded([operation])
    assert (await bench.operation(operation)).sealed is None
    effect = AccountEffect("acc", "", 7, created=True)
    assert await ledger.record(operation, bench.instance.id, effect)
    assert (await bench.operation(operation)).state is State.RECORDED
    assert (await bench.row()).oid == 7


async def test_a_change_keeps_what_it_does_not_speak_of(bench: Bench) -> None:
    await bench.carried_out(
        AccountEffect("acc", "", 7, created=True, remark="r", manages=True, sealed=b"one"), sealed=b"one"
    )
    made = await bench.row()
    await bench.carried_out(AccountEffect("acc", "", 7), Change.ACCOUNT_LOCK)
    locked = await bench.row()
    assert structs.replace(locked, updated_at=made.updated_at) == made
    await bench.carried_out(AccountEffect("acc", "", 7, remark=""), Change.ACCOUNT_REMARK)
    assert (await bench.row()).remark == ""
    effect = AccountEffect("acc", "", 7, password_changed=True, manages=False)
    await bench.carried_out(effect, Change.ACCOUNT_UNMANAGE)
    unmanaged = await bench.row()
    assert unmanaged.sealed_password is None
    assert unmanaged.password_updated_at is not None


async def test_a_deletion_takes_the_row_away(bench: Bench) -> None:
    await bench.carried_out(AccountEffect("acc", "", 7, created=True))
    await bench.carried_out(AccountEffect("acc", "", 7, deleted=True), Change.ACCOUNT_DELETE)
    assert await bench.store.operations.account(bench.instance.id, "acc", "") is None


async def test_a_row_moves_with_its_account(bench: Bench) -> None:
    await bench.carried_out(AccountEffect("acc", "", 0, created=True, remark="r"))
    effect = AccountEffect("new", "", 0, password_changed=True, moved_from=("acc", ""))
    await bench.carried_out(effect, Change.ACCOUNT_MOVE)
    (row,) = await bench.store.operations.accounts(bench.instance.id)
    assert (row.name, row.remark) == ("new", "r")
    assert row.password_updated_at is not None


async def test_an_account_is_promised_once_until_the_promise_is_closed(bench: Bench) -> None:
    def promised(*targets: str) -> list[Promised]:
        return [Promised(uuid4(), bench.intent(target, runner=Runner.DEFERRED)) for target in targets]

    table, other, instance = bench.store.operations, bench.other.operations, bench.instance.id
    both = await asyncio.gather(
        table.promise(instance, promised("u@%")),
        other.promise(instance, promised("u@%")),
        return_exceptions=True,
    )
    (refusal,) = [one for one in both if one is not None]
    assert isinstance(refusal, Refused)
    assert (refusal.reason, refusal.facts) == (Reason.ACCOUNT_TAKEN, {"value": "u@%"})
    with pytest.raises(Refused):
        await table.promise(instance, promised("new@%", "u@%"))
    assert [one.target for one in await table.promised(instance)] == ["u@%"]
    await table.promise(instance + 1, promised("u@%"))  # another instance
    for one in await table.promised(instance):
        await table.close(one.id, State.REFUSED, "engine-refused", "")
    await table.promise(instance, promised("u@%", "new@%"))
    assert {one.target for one in await table.promised(instance)} == {"u@%", "new@%"}


async def test_a_promise_that_was_not_kept_is_found_until_something_else_is_accepted(bench: Bench) -> None:
    table, other, instance = bench.store.operations, bench.other.operations, bench.instance.id
    one, two = [Promised(uuid4(), bench.intent(target, runner=Runner.DEFERRED)) for target in ("u@%", "v@%")]
    await table.promise(instance, [one, two])
    assert await other.failed(instance) == []
    await table.close(one.id, State.REFUSED, "engine-refused", "")
    await table.close(two.id, State.UNDONE, "interrupted", "")
    assert {each.id for each in await other.failed(instance)} == {one.id, two.id}
    assert await other.failed(instance + 1) == []
    assert (await other.still_open()).failed == 2
    await bench.accepted("v@%", Change.ACCOUNT_DELETE)
    again = Promised(uuid4(), bench.intent("u@%", runner=Runner.DEFERRED))
    await table.promise(instance, [again])
    assert await other.failed(instance) == []
    await table.close(again.id, State.REFUSED, "engine-refused", "")
    assert [each.id for each in await other.failed(instance)] == [again.id]
    plain = await bench.accepted("w@%")
    await table.close(plain, State.REFUSED, "engine-refused", "")
    assert [each.id for each in await other.failed(instance)] == [again.id]


async def test_changes_of_a_server_are_found_until_they_are_closed(bench: Bench) -> None:
    operation = await bench.accepted("red-1", Change.INSTANCE_RESTART, runner=Runner.PROVISIONING)
    await bench.accepted()
    assert [one.id for one in await bench.other.operations.provisioning(bench.instance.id)] == [operation]
    await bench.store.operations.record(operation, bench.instance.id, None)
    assert await bench.other.operations.provisioning(bench.instance.id) == []


async def test_the_operations_of_a_replica_are_others_once_it_is_gone(bench: Bench) -> None:
    await bench.store.join()
    operation = await bench.accepted()
    mine, other = bench.store.operations, bench.other.operations
    assert [one.id for one in await mine.unresolved([mine.replica])] == [operation]
    assert await other.unresolved([other.replica]) == []
    assert await other.dead_replicas() == []
    assert await mine.dead_replicas() == []
    number = mine.replica
    await bench.store.close()

    async def is_dead() -> bool:
        return await other.dead_replicas() == [number]

    await reached(is_dead)
    assert [one.id for one in await other.unresolved([number])] == [operation]


async def test_an_operation_that_was_taken_over_is_no_longer_its_former_process_s(bench: Bench) -> None:
    operation = await bench.accepted()
    mine, others = bench.store.operations, bench.other.operations
    assert await mine.standing(operation) is Standing.OWN
    assert await others.standing(operation) is Standing.TAKEN_OVER
    assert not await others.take_over(operation)
    assert await mine.standing(operation) is Standing.TAKEN_OVER
    assert await others.standing(operation) is Standing.OWN
    assert [one.id for one in await others.unresolved([others.replica])] == [operation]
    await others.close(operation, State.REFUSED, "account-taken", "")
    assert await others.standing(operation) is Standing.TAKEN_OVER


@pytest.mark.parametrize("closed", [True, False])
async def test_what_was_recorded_or_witnessed_is_known_as_applied(bench: Bench, *, closed: bool) -> None:
    operation, ledger = await bench.accepted(), bench.store.operations
    assert not await ledger.witnessed(operation)
    if closed:
        await ledger.record(operation, bench.instance.id, None)
    else:
        await ledger.witness([])
        await ledger.witness([operation, uuid4()])
        assert await ledger.witnessed(operation)
    assert await ledger.standing(operation) is Standing.APPLIED
    assert await bench.other.operations.standing(operation) is Standing.APPLIED


async def test_a_deletion_is_begun_by_the_process_that_has_it_and_then_by_any(bench: Bench) -> None:
    made, deletion = await bench.accepted(), await bench.accepted(change=Change.ACCOUNT_DELETE)
    mine, others = bench.store.operations, bench.other.operations
    assert not await others.begin(deletion, [])
    assert not await others.take_over(deletion)
    assert not await mine.begin(deletion, [made])
    assert await mine.witnessed(made)  # what was seen is true all the same
    assert await others.begin(deletion, [])
    assert await mine.begin(deletion, [made])
    assert await mine.take_over(deletion)
    await mine.close(deletion, State.UNDONE, "interrupted", "")
    assert await others.begin(deletion, [])


async def test_a_deletion_that_was_closed_before_it_was_begun_is_not_begun(bench: Bench) -> None:
    deletion = await bench.accepted(change=Change.ACCOUNT_DELETE)
    await bench.other.operations.close(deletion, State.SUPERSEDED, "interrupted", "")
    assert not await bench.store.operations.begin(deletion, [])


async def test_what_is_open_is_told_with_its_age_and_its_attempts(bench: Bench) -> None:
    table = bench.store.operations
    assert await table.still_open() == Unresolved()
    first, second = await bench.accepted("a"), await bench.accepted("b")
    for one in (first, first, first, second):
        await table.tried(one, 0.0)
    found = await bench.other.operations.still_open()
    assert (found.number, found.attempts) == (2, 3)
    assert found.oldest > 0
    await table.close(first, State.REFUSED, "x", "")
    found = await bench.other.operations.still_open()
    assert (found.number, found.attempts) == (1, 1)


async def test_an_operation_that_was_tried_is_due_again_after_the_pause(bench: Bench) -> None:
    soon, later = await bench.accepted("a"), await bench.accepted("b")
    await bench.store.operations.tried(soon, 0.0)
    for _ in range(2):
        await bench.store.operations.tried(later, 3600.0)
    others, mine = bench.other.operations, bench.store.operations
    found = {one.id: one for one in await others.unresolved([mine.replica])}
    assert (found[soon].is_due, found[soon].attempts) == (True, 1)
    assert (found[later].is_due, found[later].attempts) == (False, 2)


async def test_operations_are_told_the_newest_first(bench: Bench) -> None:
    first, second = await bench.accepted("a"), await bench.accepted("b")
    await bench.store.operations.close(first, State.REFUSED, "x", "")
    table = bench.other.operations
    assert [one.id for one in await table.operations(limit=5)] == [second, first]
    assert [one.id for one in await table.operations(limit=1)] == [second]
    assert [one.id for one in await table.operations(limit=5, state="refused")] == [first]
    assert await table.operations(limit=5, instance_id=bench.instance.id + 1) == []


async def test_managed_passwords_are_due_by_their_age_for_one_replica_at_a_time(bench: Bench) -> None:
    await bench.carried_out(AccountEffect("b", "", 8, created=True, manages=True, sealed=b"b"), sealed=b"b")
    await bench.carried_out(AccountEffect("a", "", 7, created=True, manages=True, sealed=b"a"), sealed=b"a")
    await bench.carried_out(AccountEffect("c", "", 9, created=True))
    repository = bench.other.rotation
    assert [due.name for due in await repository.due(0)] == ["b", "a"]
    assert await repository.due(3600) == []
    async with bench.store.rotation.turn() as mine, repository.turn() as others:
        assert (mine, others) == (True, False)
    async with repository.turn() as mine:
        assert mine
    assert (await repository.last_rotation(bench.instance.id, "a")).succeeded
    failed = await bench.accepted("a", Change.ACCOUNT_MANAGE)
    await bench.store.operations.close(failed, State.REFUSED, "engine-refused", "")
    last = await repository.last_rotation(bench.instance.id, "a")
    assert (last.succeeded, last.reason) == (False, "engine-refused")


async def test_instances_are_found_by_their_faces_and_forgotten_with_their_accounts(bench: Bench) -> None:
    repository, instance = bench.other.instances, bench.instance
    for found in (await repository.instance("red", "red-1"), await repository.instance_by_id(instance.id)):
        assert found == instance
    assert await repository.instance("blue", "red-1") is None
    assert await repository.instances(bench.owner.id) == [instance]
    with pytest.raises(FaceTaken):
        await register(repository, SEALER, new_instance(bench.owner))
    await repository.change_instance(instance.id, port=1, isolated=True)
    changed = await repository.instance_by_id(instance.id)
    assert changed == replace(instance, port=1, isolated=True, revision=2)
    with pytest.raises(ValueError, match="no such columns"):
        await repository.change_instance(instance.id, owner_id=1)
    registrations = Registrations(repository, SEALER, Examiner(unasked, SEALER))
    for wanted in (Wanted(name="mine"), Wanted(options={"account_quota": "3"})):
        with pytest.raises(ChangeRefused, match="at the same time"):
            await registrations.change(instance, wanted)
        assert await repository.instance_by_id(instance.id) == changed
    await registrations.change(changed, Wanted(name="mine"))
    renamed = await repository.instance_by_id(instance.id)
    assert renamed == replace(changed, name="mine", revision=3)
    await bench.carried_out(AccountEffect("acc", "", 7, created=True))
    await bench.store.instances.remove_instance(instance.id)
    assert await repository.instances() == []
    assert await bench.store.operations.accounts(instance.id) == []


async def test_a_key_that_another_replica_disables_is_seen_so(bench: Bench) -> None:
    await bench.store.join()
    keys = Keys(bench.store.keys, SEALER)
    key_id, _ = await keys.create(bench.owner)
    assert await bench.store.keys.key(key_id) is not None
    assert [key.id for key in await bench.other.keys.keys()] == [key_id]
    assert await bench.other.keys.set_key_active(key_id, active=False)

    async def known() -> bool:
        key = await bench.store.keys.key(key_id)
        return key is not None and not key.active

    await reached(known)
    assert not await bench.other.keys.set_key_active("AKIDnone", active=False)
    assert await bench.store.keys.key("AKIDnone") is None


async def test_a_crash_of_the_store_in_memory_loses_quick_commits_and_presence() -> None:
    shared = MemoryStore()
    replica = shared.replica()
    await replica.join()
    owner = await replica.keys.add_owner(1, 2)
    instance = await register(replica.instances, SEALER, new_instance(owner))
    bench = Bench(replica, replica, owner, instance)
    first, second = await bench.accepted("a"), await bench.accepted("b")
    await replica.operations.record(first, instance.id, AccountEffect("a", "", 1, created=True))
    await replica.operations.record(second, instance.id, AccountEffect("b", "", 2, created=True))
    assert shared.rows.unflushed == 2
    shared.crash(1)
    assert [row.name for row in await replica.operations.accounts(instance.id)] == ["a"]
    assert (await bench.operation(second)).state is State.ACCEPTED
    assert not replica.listening
    await replica.operations.record(second, instance.id, AccountEffect("b", "", 2, created=True))
    await bench.accepted("c")
    shared.crash()
    assert (await bench.operation(second)).state is State.RECORDED


async def test_an_account_that_a_restored_server_has_again_has_its_row_again(bench: Bench) -> None:
    """What is late of before the deletion has a lower number, and changes nothing."""
    made = AccountEffect("acc", "", 7, "7", 5, created=True, remark="r", manages=True, sealed=b"one")
    await bench.carried_out(made)
    await bench.carried_out(AccountEffect("acc", identity="7", order=20, deleted=True), Change.ACCOUNT_DELETE)
    late = structs.replace(made, order=19, created=False)
    operation = await bench.accepted("acc", Change.ACCOUNT_MANAGE)
    assert not await bench.store.operations.record(operation, bench.instance.id, late)
    assert await bench.store.operations.accounts(bench.instance.id) == []
    await bench.carried_out(
        structs.replace(late, order=21, remark=None, sealed=b"two"), Change.ACCOUNT_MANAGE
    )
    row = await bench.row()
    assert (row.identity, row.remark, row.sealed_password, row.applied_order) == ("7", "", b"two", 21)


async def test_an_identity_that_is_given_out_again_is_of_a_new_account(bench: Bench) -> None:
    made = AccountEffect("acc", "", 7, "7", created=True, remark="r", manages=True, sealed=b"one")
    new = AccountEffect("acc", "", 7, "7", created=True, remark="", manages=False)
    await bench.carried_out(made)
    await bench.carried_out(new)
    assert ((await bench.row()).remark, (await bench.row()).sealed_password) == ("", None)
    late = await bench.accepted("acc")
    await bench.carried_out(AccountEffect("acc", identity="7", order=20, deleted=True), Change.ACCOUNT_DELETE)
    assert not await bench.store.operations.record(late, bench.instance.id, made)
    await bench.carried_out(new)
    assert (await bench.row()).created_at is not None


async def test_a_row_is_replaced_only_as_it_was_when_its_holder_was_read(bench: Bench) -> None:
    """An account that was moved away and came back has a row with a greater order."""
    ledger, instance = bench.store.operations, bench.instance.id
    await bench.carried_out(AccountEffect("acc", "", 1, "1", 1, created=True, remark="old"))
    earlier = await ledger.holder(instance, "acc", "")
    await bench.carried_out(AccountEffect("acc", "", 1, "1", 5), Change.ACCOUNT_LOCK)
    made = AccountEffect("acc", "", 2, "2", created=True, remark="new")
    deleted = AccountEffect("acc", identity="2", order=9, deleted=True)
    for effect, change in ((made, Change.ACCOUNT_CREATE), (deleted, Change.ACCOUNT_DELETE)):
        late = await bench.accepted("acc", change)
        assert not await ledger.record(late, instance, effect, earlier)
    assert (await bench.row()).identity == "1"
    late = await bench.accepted("acc")
    assert await ledger.record(late, instance, made, await ledger.holder(instance, "acc", ""))
    assert (await bench.row()).identity == "2"


async def test_what_follows_an_operation_is_known(bench: Bench) -> None:
    first = await bench.accepted("shop", Change.DATABASE_OWNER)
    other = await bench.accepted("other", Change.DATABASE_OWNER)
    second = await bench.accepted("shop", Change.DATABASE_OWNER)
    await bench.store.operations.record(other, bench.instance.id, None)
    assert not await bench.store.operations.is_followed(first)
    await bench.store.operations.record(second, bench.instance.id, None)
    assert await bench.store.operations.is_followed(first)


async def unasked(_address: object) -> list[Finding]:
    raise AssertionError("the server was asked")


async def test_states_are_kept_by_the_order_of_changes(bench: Bench) -> None:
    """Whatever the order of recording; a change of a release without states makes what was recorded before void."""
    made = AccountEffect(
        "acc", "", 7, "7", 0, created=True, state=new_state("normal", {"shop": "all"}, (), "p")
    )
    unlocked = AccountEffect("acc", "", 7, "7", 6, state=AccountState(login=True))
    late = AccountEffect("acc", "", 7, "7", 5, state=AccountState(login=False, grants={"shop": None}))
    await bench.carried_out(made)
    await bench.carried_out(unlocked, Change.ACCOUNT_UNLOCK)
    await bench.carried_out(late, Change.ACCOUNT_LOCK)
    (row,) = await bench.store.states.states_at(bench.instance.id, [("acc", ""), ("other", "")])
    assert (row.place, row.identity, row.applied_order) == (("acc", ""), "7", 6)
    assert row.created_at is not None
    known = {key: tuple(value) for key, value in row.current.items()}
    assert known["login"] == (True, 6)
    assert known["grant:shop"] == (None, 5)
    assert known["password"] == ("p", 0)
    assert known["of"] == ("7", 6)
    assert await bench.store.states.recorded_places(bench.instance.id, None, 9) == [("acc", "")]
    assert await bench.store.states.recorded_places(bench.instance.id, ("acc", ""), 9) == []
    moved = AccountEffect("new", "", 7, "7", 8, moved_from=("acc", ""), state=AccountState(password="q"))
    await bench.carried_out(moved, Change.ACCOUNT_MOVE)
    (row,) = await bench.store.states.states_at(bench.instance.id, [("acc", ""), ("new", "")])
    assert {key: tuple(value) for key, value in row.current.items()} == {
        **known, "password": ("q", 8), "of": ("7", 8)
    }  # fmt: skip
    adopted = AccountEffect("foreign", "", 8, "8", 9, adopted=True, state=AccountState(login=True))
    operation = await bench.carried_out(adopted, Change.ACCOUNT_ADOPT)
    (row,) = await bench.store.states.states_at(bench.instance.id, [("foreign", "")])
    assert row.created_at == (await bench.operation(operation)).accepted_at


async def test_deletions_of_roles_are_known_by_the_identities_that_went(bench: Bench) -> None:
    for change, expected in (
        (Change.ACCOUNT_CREATE, None), (Change.ACCOUNT_DELETE, Expected("7")), (Change.ACCOUNT_DELETE, NO_ACCOUNT)
    ):  # fmt: skip
        operation, intent = uuid4(), structs.replace(bench.intent("role", change), expected=expected)
        await bench.store.operations.accept(operation, bench.instance.id, intent)
        await bench.store.operations.record(operation, bench.instance.id, None)
    found = await bench.store.states.role_changes(bench.instance.id, ["role", "other"])
    assert sorted((each.database, each.identity) for each in found) == [
        ("member:role", ""), ("member:role", "7")
    ]  # fmt: skip


async def test_changes_of_databases_are_kept_with_the_time_of_their_acceptance(bench: Bench) -> None:
    for effect in (DatabaseEffect("shop"), DatabaseEffect("shop", ("ann", "bob"), awaited=False)):
        operation = await bench.accepted("shop", change=Change.DATABASE_DELETE)
        under_way = await bench.store.states.open_changes(bench.instance.id)
        assert [(one.id, one.kind, one.target, one.is_open) for one in under_way] == [
            (operation, "database.delete", "shop", True)
        ]
        await bench.store.operations.record(operation, bench.instance.id, effect)
    found = await bench.store.states.database_changes(bench.instance.id)
    assert {(one.database, one.account, one.awaited) for one in found} == {
        ("shop", "", True), ("shop", "ann", False), ("shop", "bob", False)
    }  # fmt: skip
    last = (await bench.operation(operation)).accepted_at
    assert {one.changed_at for one in found if one.account} == {last}
    assert await bench.store.states.open_changes(bench.instance.id) == []


async def test_deletions_of_one_database_are_one_from_the_first_acceptance_to_the_last_record(
    bench: Bench,
) -> None:
    instance, operations = bench.instance.id, []
    owner = details.ChangeDatabaseOwner(owner="bob", former="ann").encode()
    for change, identity, detail in (
        (Change.DATABASE_DELETE, "7", {}), (Change.DATABASE_DELETE, "8", {}), (Change.DATABASE_DELETE, "7", {}),
        (Change.DATABASE_DELETE, "-", {}), (Change.DATABASE_DELETE, "-", {}), (Change.DATABASE_CREATE, None, {}),
        (Change.DATABASE_OWNER, "8", owner),
    ):  # fmt: skip
        expected = None if identity is None else Expected(identity)
        intent = structs.replace(bench.intent("shop", change), expected=expected, detail=detail)
        operations.append(uuid4())
        await bench.store.operations.accept(operations[-1], instance, intent)
    for operation in reversed(operations):
        await bench.store.operations.record(operation, instance, None)
    first, other, second, none, again, creation, given = [
        await bench.operation(operation) for operation in operations
    ]
    spans = await bench.store.states.spans(instance, ["shop", "other"])
    assert {(each.account, each.awaited, each.changed_at, each.until) for each in spans} == {
        ("", True, first.accepted_at, max(each.closed_at for each in (first, second) if each.closed_at)),
        *(("", True, each.accepted_at, each.closed_at) for each in (other, none, again)),
        ("", False, creation.accepted_at, creation.closed_at),
        *((account, True, given.accepted_at, given.closed_at) for account in ("ann", "bob")),
    }
    assert second.accepted_at > first.accepted_at
