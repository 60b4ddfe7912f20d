"""The audit trail: a record for every closing, only ever added to, and a chain that shows what was done to it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import psycopg
import pytest
from tests.store.test_store import store

from rolecall.domain.operations.audit import ChainBroken, Entry, Link, Outcome, Wanted
from rolecall.domain.operations.audit_chain import Auditing
from rolecall.domain.operations.effects import AccountEffect
from rolecall.domain.operations.model import Change, Intent, State
from rolecall.domain.operations.records import Record
from rolecall.domain.reasons import Reason
from rolecall.domain.secrets.sealing import Sealer, new_master_key, parse_master_keys
from rolecall.store import Store
from rolecall.store.queries import load
from rolecall.store.records import record_values
from rolecall.values import Caller, Origin, Secret

__all__ = ["store"]

CALLER = Caller(7, 100_000_000_001, 1, 100_000_000_002, "AKIDx")
ORIGIN = Origin(CALLER, "tests", "CreateAccount", "request-1", client="192.0.2.1")
SEALER = Sealer(parse_master_keys(new_master_key()))


def auditing(store: Store, retention: int = 0) -> Auditing:
    return Auditing(store.audit, SEALER, retention, Secret("the chain's key"))


async def accepted(store: Store, **changes: object) -> Intent:
    return Intent(Change.ACCOUNT_CREATE, "ann", ORIGIN, {"type": "normal"}, **changes)  # type: ignore[arg-type]


async def note(store: Store, *targets: str) -> None:
    for target in targets:
        await store.audit.note(Entry("cli", "key create", Outcome.DONE, target))


def alter(dsn: Secret, statement: str) -> None:
    """As the owner of the tables could."""
    with psycopg.connect(dsn.reveal(), options="-c search_path=rolecall", autocommit=True) as connection:
        connection.execute(statement.encode())


@pytest.mark.parametrize("state", [State.REFUSED, State.UNDONE, State.SUPERSEDED])
async def test_a_closed_operation_leaves_one_record_however_often_it_is_closed(
    store: Store, state: State
) -> None:
    operation = uuid4()
    await store.operations.accept(operation, 3, await accepted(store))
    assert await store.audit.recent(Wanted(), 10) == []
    for _ in range(2):
        await store.operations.close(operation, state, "account-taken", "why")
    (row,) = await store.audit.recent(Wanted(), 10)
    assert (row.operation, row.outcome, row.reason) == (operation, state.value, "account-taken")
    assert (row.owner_id, row.principal, row.access_key_id) == (7, CALLER.principal, "AKIDx")
    assert (row.dialect, row.action, row.target, row.request_id, row.client) == (
        "tests", "CreateAccount", "ann", "request-1", "192.0.2.1",
    )  # fmt: skip
    assert row.fields()["detail"] == {
        "type": "normal", "change": "account.create", "instance": 3, "note": "why",
    }  # fmt: skip


async def test_what_was_undone_and_recorded_later_has_two_records_and_nothing_sealed(store: Store) -> None:
    operation = uuid4()
    await store.operations.accept(operation, 3, await accepted(store, sealed=b"sealed"))
    await store.operations.close(operation, State.UNDONE, Reason.INTERRUPTED.value, "")
    for _ in range(2):
        await store.operations.record(operation, 3, None)
    rows = await store.audit.recent(Wanted(), 10)
    assert [row.outcome for row in rows] == ["undone", "recorded"]
    assert "sealed" not in rows[0].detail


async def test_a_change_and_the_record_of_its_operation_are_one_commit(store: Store, dsn: Secret) -> None:
    """Recorded with an effect that fails: neither is there."""
    operation = uuid4()
    await store.operations.accept(operation, 999, await accepted(store))
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        await store.operations.record(operation, 999, AccountEffect("ann", identity="1", created=True))
    assert await store.audit.recent(Wanted(), 10) == []


async def test_a_change_of_the_stores_own_is_recorded_too(store: Store, dsn: Secret) -> None:
    record = Record(Change.SUB_USER_CREATE, "bob", ORIGIN)
    with psycopg.connect(dsn.reveal(), options="-c search_path=rolecall") as connection:
        connection.execute(load("records")["write"], record_values(record))
    (row,) = await store.audit.recent(Wanted(), 10)
    assert (row.target, row.outcome) == ("bob", "recorded")


async def test_records_are_found_by_each_of_their_columns(store: Store) -> None:
    await note(store, "first", "second")
    await store.audit.note_quickly(
        Entry("tests", "sign-in", Outcome.FAILED, "third\0", principal=5, request_id="r")
    )

    async def found(wanted: Wanted) -> list[str]:
        return [row.target for row in await store.audit.recent(wanted, 10)]

    assert await found(Wanted()) == ["first", "second", "third"]
    assert await found(Wanted(principal=5)) == ["third"]
    assert await found(Wanted(action="key create")) == ["first", "second"]
    assert await found(Wanted(target="eco")) == ["second"]
    assert await found(Wanted(outcome="failed")) == ["third"]
    assert await found(Wanted(request_id="r")) == ["third"]
    now = datetime.now(UTC)
    assert await found(Wanted(since=now + timedelta(hours=1))) == []
    assert len(await found(Wanted(since=now - timedelta(hours=1), until=now + timedelta(hours=1)))) == 3


def targets(links: Sequence[Link]) -> list[str]:
    return [link.row.target for link in links if link.row]


async def test_chained_records_are_read_from_any_place_on(store: Store) -> None:
    assert (await store.audit.end(), await store.audit.after(Wanted(), 0, 10)) == (0, None)
    await note(store, "first", "second", "third")
    assert await store.audit.after(Wanted(), 0, 10) is None  # nothing is chained yet
    await auditing(store).chain()
    assert await store.audit.end() == 3
    assert targets(await store.audit.recent_links(Wanted(), 3, 2)) == ["second", "third"]
    assert targets(await store.audit.recent_links(Wanted(target="s"), 2, 10)) == ["first", "second"]
    page = await store.audit.after(Wanted(), 1, 10)
    assert page is not None
    assert (page.first, page.last, targets(page.links)) == (2, 3, ["second", "third"])
    page = await store.audit.after(Wanted(target="third"), 0, 2)  # its end is known though none is wanted
    assert page is not None
    assert (page.first, page.last, targets(page.links)) == (1, 2, [])


async def test_an_untouched_trail_verifies_and_tells_what_is_not_chained_yet(store: Store) -> None:
    mine = auditing(store)
    assert (await mine.verify()).broken == ""
    await note(store, "one", "two")
    await mine.chain()
    await note(store, "three")
    found = await mine.verify()
    assert (found.broken, found.records, found.unchained, found.head.position) == ("", 2, 1, 2)
    await mine.chain()
    await mine.chain()
    found = await auditing(store).verify()
    assert (found.broken, found.records, found.unchained) == ("", 3, 0)


async def chained(store: Store) -> tuple[Auditing, list[int]]:
    mine = auditing(store)
    await note(store, "one", "two", "three", "four")
    await mine.chain()
    assert (await mine.verify()).broken == ""
    return mine, [row.id for row in await store.audit.recent(Wanted(), 10)]


@pytest.mark.parametrize(
    "change",
    ["at = at + interval '1 microsecond'", "owner_id = 1", "principal = 1", "access_key_id = 'x'", "dialect = 'x'",
     "action = 'x'", "target = 'x'", "outcome = 'x'", "reason = 'x'", "request_id = 'x'", "client = 'x'",
     "operation = gen_random_uuid()", "detail = '{\"a\": 1}'"],
)  # fmt: skip
async def test_the_first_changed_record_is_named_whatever_was_changed(
    store: Store, dsn: Secret, change: str
) -> None:
    mine, ids = await chained(store)
    alter(dsn, f"update audit set {change} where id >= {ids[1]}")
    found = await mine.verify()
    assert found.broken == f"record {ids[1]}, place 2 of the chain, was changed or inserted"
    assert found.records == 1


async def test_a_removed_record_is_named_also_with_its_place(store: Store, dsn: Secret) -> None:
    mine, ids = await chained(store)
    alter(dsn, f"delete from audit where id = {ids[1]}")
    assert (await mine.verify()).broken == f"record {ids[1]}, place 2 of the chain, was removed"
    alter(dsn, f"delete from audit_chain where audit_id = {ids[1]}")
    assert "no place 2" in (await mine.verify()).broken


async def test_the_removed_end_is_noticed_and_the_chain_goes_on_only_as_it_was(
    store: Store, dsn: Secret
) -> None:
    """Or the records behind it could be changed, and chained again as if they were new."""
    mine, ids = await chained(store)
    alter(dsn, "delete from audit_chain where position > 2")
    alter(dsn, f"update audit set target = 'x' where id = {ids[3]}")
    for one in (mine, auditing(store)):  # who chained it, and who starts only now
        assert "had 4" in (await one.verify()).broken
        with pytest.raises(ChainBroken):
            await one.chain()
    alter(dsn, "delete from facts where name = 'audit chain head'")
    for one in (mine, auditing(store)):
        with pytest.raises(ChainBroken):
            await one.chain()
    alter(dsn, "delete from audit_chain")
    with pytest.raises(ChainBroken, match="before"):  # a process that runs remembers it
        await mine.chain()


async def test_an_inserted_record_is_named_and_never_chained(store: Store, dsn: Secret) -> None:
    mine, _ = await chained(store)
    alter(
        dsn,
        "insert into audit (id, at, dialect, action, outcome) overriding system value"
        " values (-5, now() - interval '1 day', 'cli', 'x', 'done')",
    )
    await note(store, "five")
    await mine.chain()
    found = await mine.verify()
    assert (found.records, found.unchained) == (5, 1)
    assert found.broken.startswith("record -5 was inserted")


async def test_a_record_that_took_minutes_to_commit_is_found_by_the_next_thorough_look(
    store: Store, dsn: Secret, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, _ = await chained(store)
    alter(
        dsn,
        "insert into audit (at, dialect, action, outcome)"
        " values (now() - interval '30 minutes', 'cli', 'x', 'done')",
    )
    await mine.chain()
    assert (await mine.verify()).unchained == 1
    monkeypatch.setattr(store.audit, "_thorough_at", 0.0)
    await mine.chain()
    found = await mine.verify()
    assert (found.broken, found.unchained) == ("", 0)


async def test_a_record_that_commits_after_later_ones_is_chained_after_them(
    store: Store, dsn: Secret
) -> None:
    mine = auditing(store)
    with psycopg.connect(dsn.reveal(), options="-c search_path=rolecall") as slow:
        slow.execute("insert into audit (dialect, action, outcome) values ('cli', 'slow', 'done')")
        await note(store, "quick")
        await mine.chain()
        early = await store.audit.after(Wanted(), 0, 10)
    await mine.chain()
    found = await mine.verify()
    assert (found.broken, found.records) == ("", 2)
    assert early is not None
    late = await store.audit.after(Wanted(), early.last, 10)
    assert late is not None
    (quick,), (slow_link,) = early.links, late.links
    assert (
        slow_link.audit_id < quick.audit_id
    )  # a reader that goes on behind the greatest id would have missed it
    assert [link.row.action async for page in store.audit.links(0) for link in page if link.row] == [
        "key create",
        "slow",
    ]


async def test_what_is_pruned_leaves_a_checkpoint_from_which_the_rest_verifies(
    store: Store, dsn: Secret
) -> None:
    mine = auditing(store, 10)
    alter(
        dsn,
        "insert into audit (at, dialect, action, outcome)"
        " select now() - make_interval(days => day), 'cli', 'old', 'done' from unnest(array[30, 20, 9]) day",
    )
    await note(store, "new")
    await mine.chain()
    assert await mine.prune(10) == 2
    await mine.chain()
    page = await store.audit.after(Wanted(), 1, 10)
    assert page is not None
    assert (page.first, page.last) == (3, 5)  # and so a reader sees that it missed one
    found = await mine.verify()
    assert (found.broken, found.records, found.head.position) == ("", 3, 5)
    pruned = (await store.audit.recent(Wanted(action="audit prune"), 10))[0]
    assert pruned.fields()["detail"]["rows"] == 2  # type: ignore[index]
    assert await mine.prune(10) == 0
    alter(dsn, "update audit set target = 'x' where target = 'new'")
    assert "changed" in (await mine.verify()).broken


async def test_all_may_be_pruned_and_the_chain_goes_on(store: Store, dsn: Secret) -> None:
    mine = auditing(store)
    alter(
        dsn,
        "insert into audit (at, dialect, action, outcome) values (now() - interval '30 days', 'cli', 'old', 'done')",
    )
    await mine.chain()
    assert await mine.prune(10) == 1
    for _ in range(2):
        found = await mine.verify()
        assert (found.broken, found.head.position) == ("", found.records + 1)
        await mine.chain()


async def test_nothing_younger_than_seven_days_is_pruned(store: Store) -> None:
    await chained(store)
    for days in (0, 6):
        with pytest.raises(psycopg.errors.CheckViolation):
            await store.audit.prune(datetime.now(UTC) - timedelta(days=days))


async def test_several_at_once_chain_each_record_once(store: Store, dsn: Secret) -> None:
    other = Store(dsn, pool_size=2)
    await other.open()
    try:
        await note(store, *(str(number) for number in range(20)))
        with psycopg.connect(dsn.reveal()) as holder:
            holder.execute("select pg_advisory_xact_lock(1919904869, -2)")
            assert await other.audit.chain(Secret("k"), auditing(other)._seal, auditing(other)._known) is None
        await auditing(store).chain()
        await auditing(other).chain()
        assert (await auditing(other).verify()).records == 20
    finally:
        await other.close()
