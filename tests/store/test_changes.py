"""Changes of one owner that come at once, at several replicas: what they share, and what they must not."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Sequence
from typing import Any

import psycopg
import pytest
from psycopg.rows import scalar_row

from rolecall.domain.access.keys import MintedKey, Owner
from rolecall.domain.iam.groups import GroupQuotas
from rolecall.domain.iam.sub_users import Draft, Quotas, Revision
from rolecall.domain.operations.model import Change
from rolecall.domain.operations.records import Record
from rolecall.domain.reasons import Reason, Refused
from rolecall.store import Store
from rolecall.values import Caller, Origin, Secret


@pytest.fixture
async def replicas(dsn: Secret, serving: Secret) -> AsyncIterator[Sequence[Store]]:
    stores = [Store(serving, migration=dsn, pool_size=4) for _ in range(3)]
    for store in stores:
        await store.open()
    yield stores
    for store in stores:
        await store.close()


@pytest.fixture
async def owner(replicas: Sequence[Store]) -> Owner:
    return await replicas[0].keys.add_owner(100_000_000_001, 1_250_000_001)


def origin(owner: Owner) -> Origin:
    caller = Caller(owner.id, owner.number, owner.app_id, owner.number, "AKIDowner")
    return Origin(caller, "d", "A", "r")


async def add(store: Store, owner: Owner, name: str = "", quota: int = 1000, remark: str = "") -> Any:
    name = name or secrets.token_hex(6)
    draft = Draft(name, remark, False, None, False, "", "", "")
    record = Record(Change.SUB_USER_CREATE, name, origin(owner))
    return await store.sub_users.add(owner.id, draft, None, Quotas(quota, None), record)


def reasons(done: Sequence[Any]) -> list[Reason | None]:
    """None for what was done."""
    assert all(isinstance(one, Refused) or not isinstance(one, BaseException) for one in done), done
    return [one.reason if isinstance(one, Refused) else None for one in done]


async def test_a_quota_holds_for_all_who_come_at_once_at_three_replicas(
    replicas: Sequence[Store], owner: Owner
) -> None:
    done = await asyncio.gather(
        *(add(store, owner, quota=7) for store in replicas for _ in range(8)), return_exceptions=True
    )
    assert sorted(reasons(done), key=str) == [None] * 7 + [Reason.SUB_USER_QUOTA] * 17
    assert (await replicas[0].sub_users.census(owner.id)).sub_users == 7


async def test_a_quota_is_of_an_owner_and_of_those_that_are_there(
    replicas: Sequence[Store], owner: Owner
) -> None:
    """Whatever all owners ever had, which spares the count where that is less than the quota."""
    other = await replicas[0].keys.add_owner(100_000_000_002, 1_250_000_002)
    for _ in range(4):
        await add(replicas[0], other)
    user = await add(replicas[0], owner, quota=2)
    await replicas[0].sub_users.delete(
        user.number, ("s", "p"), Record(Change.SUB_USER_DELETE, "x", origin(owner)), keys_too=False
    )
    for _ in range(2):
        await add(replicas[0], owner, quota=2)
    with pytest.raises(Refused, match="sub-user-quota"):
        await add(replicas[0], owner, quota=2)
    with pytest.raises(Refused, match="sub-user-quota"):
        await add(replicas[0], other, quota=0)


async def test_of_all_who_want_a_name_at_three_replicas_one_gets_it(
    replicas: Sequence[Store], owner: Owner
) -> None:
    names = ("one", "two", "three")
    done = await asyncio.gather(
        *(add(store, owner, name) for store in replicas for name in names for _ in range(3)),
        return_exceptions=True,
    )
    assert reasons(done).count(None) == len(names)
    assert reasons(done).count(Reason.SUB_USER_TAKEN) == len(done) - len(names)


async def test_a_refusal_leaves_the_others_of_its_batch_acknowledged(
    replicas: Sequence[Store], owner: Owner
) -> None:
    store = replicas[0]
    await add(store, owner, "taken")
    names = ["first", "taken", "second", "taken", "third"]
    done = await asyncio.gather(*(add(store, owner, name) for name in names), return_exceptions=True)
    assert reasons(done) == [None, Reason.SUB_USER_TAKEN, None, Reason.SUB_USER_TAKEN, None]
    recorded = await store._durable.rows(scalar_row, "select target from operations order by target")
    assert recorded == ["first", "second", "taken", "third"]


async def test_those_who_come_while_a_batch_is_under_way_share_a_commit(
    replicas: Sequence[Store], owner: Owner
) -> None:
    await asyncio.gather(*(add(replicas[0], owner) for _ in range(20)))
    commits = await replicas[0]._durable.value("select count(distinct xmin::text) from sub_users")
    assert commits <= 2


async def test_an_error_of_one_leaves_the_others_of_its_batch_acknowledged(
    replicas: Sequence[Store], owner: Owner
) -> None:
    store = replicas[0]
    for _ in range(3):  # what was prepared in a failed batch is not taken for prepared afterwards
        marked = asyncio.gather(
            *(add(store, owner, remark=remark) for remark in ("", "", "x\0", "", "")), return_exceptions=True
        )
        done = await marked
        assert [isinstance(one, psycopg.DataError) for one in done] == [False, False, True, False, False]
    assert (await store.sub_users.census(owner.id)).sub_users == 12


async def test_a_principal_has_no_more_keys_than_that_at_three_replicas(
    replicas: Sequence[Store], owner: Owner
) -> None:
    record = Record(Change.KEY_CREATE, "key", origin(owner))

    async def key(store: Store) -> Any:
        minted = MintedKey(f"AKID{secrets.token_hex(8)}", Secret("x"), b"sealed")
        return await store.principal_keys.add_principal_key(owner.id, owner.number, minted, "", 2, record)

    done = await asyncio.gather(*(key(store) for store in replicas for _ in range(4)), return_exceptions=True)
    assert sorted(reasons(done), key=str) == [None] * 2 + [Reason.KEY_QUOTA] * 10
    assert len(await replicas[0].principal_keys.principal_keys(owner.id, owner.number)) == 2


async def test_a_group_has_no_more_members_than_that_at_three_replicas(
    replicas: Sequence[Store], owner: Owner
) -> None:
    record = Record(Change.GROUP_JOIN, "group", origin(owner))
    group = await replicas[0].groups.add_group(owner.id, "group", "", 10, record)
    users = [(await add(replicas[0], owner)).number for _ in range(6)]
    quotas = GroupQuotas(members=3)
    done = await asyncio.gather(
        *(
            store.groups.join(owner.id, [(group, number)], quotas, [record])
            for store in replicas
            for number in users
        ),
        return_exceptions=True,
    )
    members = {user.number for user in (await replicas[0].groups.members(group, 0, 10)).items}
    assert len(members) == 3
    assert reasons(done) == [
        None if number in members else Reason.GROUP_FULL for _ in replicas for number in users
    ]


async def test_changes_of_several_kinds_at_three_replicas_wait_for_one_another(
    replicas: Sequence[Store], owner: Owner
) -> None:
    """Each holds the owner's lock first, so none of them can wait for another in a circle."""
    numbers = [(await add(replicas[0], owner)).number for _ in range(6)]
    record = Record(Change.SUB_USER_UPDATE, "x", origin(owner))

    async def change(store: Store, turn: int) -> None:
        order = numbers if turn % 2 else numbers[::-1]
        await asyncio.gather(
            *(store.sub_users.change(one, Revision(remark=str(turn)), record) for one in order)
        )

    await asyncio.gather(*(change(store, turn) for turn, store in enumerate(replicas * 3)))
    written = await replicas[0]._durable.value(
        "select count(*) from operations where kind = 'sub-user.update'"
    )
    assert written == 9 * len(numbers)


async def test_another_owner_is_not_delayed_by_one_that_is_locked(
    replicas: Sequence[Store], owner: Owner
) -> None:
    store = replicas[0]
    other = await store.keys.add_owner(100_000_000_002, 1_250_000_002)
    async with store._durable.connection() as blocking, blocking.transaction():
        await blocking.execute("select from owners where id = %s for update", (owner.id,))
        waiting = asyncio.create_task(add(store, owner))
        await add(store, other)
        assert not waiting.done()
    await waiting


async def test_a_statement_that_fails_undoes_its_message_and_spoils_no_later_one(
    replicas: Sequence[Store],
) -> None:
    insert = "insert into facts (name, value) values (%s, '') returning name"
    async with replicas[0]._durable.connection() as connection:
        for turn in range(12):
            with pytest.raises(psycopg.errors.DivisionByZero):
                await connection.results((insert, (f"a{turn}",)), ("select 1 / %s", (0,)), (insert, ("b",)))
            done = await connection.results((insert, (f"c{turn}",)), (insert, (f"d{turn}",)))
            rows = [connection.prepared.row(result, scalar_row) for result in done]
            assert rows == [f"c{turn}", f"d{turn}"]
    names = await replicas[0]._durable.rows(scalar_row, "select name from facts where name ~ '^[a-d][0-9]*$'")
    assert sorted(names) == sorted(f"{letter}{turn}" for letter in "cd" for turn in range(12))
