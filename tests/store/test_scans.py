"""Scans of whole user stores hold up nobody who looks up a key (A14)."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from uuid import uuid4

import pytest
from tests.store.test_store import keys, store
from tests.waiting import reached

from rolecall.domain.access.keys import Keys
from rolecall.domain.directories.commands import FindUsers
from rolecall.domain.reasons import Reason, Refused
from rolecall.store import Store
from rolecall.store.scans import _OF_OWNER, _QUEUE, SCAN_CONNECTIONS
from rolecall.values import Caller

__all__ = ["keys", "store"]


def caller(owner: int, principal: int = 1) -> Caller:
    return Caller(owner, owner, owner, principal, "")


async def test_a_key_is_found_while_all_connections_for_scans_are_in_use(store: Store, keys: Keys) -> None:
    key_id, _ = await keys.create(await keys.create_owner())
    scans = store.users._scans
    async with AsyncExitStack() as held:
        for owner in range(SCAN_CONNECTIONS):
            await held.enter_async_context(scans.connection(caller(owner)))
        scan = asyncio.create_task(store.users.find(caller(99), FindUsers(uuid4(), (), None, 0, 10)))
        for _ in range(20):  # more than any pool has
            found = await store.keys.key(key_id)
            assert found is not None
        assert not scan.done()
    await scan


async def test_an_owner_has_not_all_of_them_and_what_waits_is_bounded(store: Store) -> None:
    scans = store.users._scans
    assert _OF_OWNER < SCAN_CONNECTIONS
    free = asyncio.Event()

    async def scan(principal: int) -> None:
        async with scans.connection(caller(1, principal)):
            await free.wait()

    mine = [asyncio.create_task(scan(number)) for number in range(_OF_OWNER + _QUEUE)]
    turns = scans._turns
    await reached(lambda: (1,) in turns and turns[1,].waiting == _QUEUE)
    with pytest.raises(Refused) as refused:
        await scan(99)
    assert refused.value.reason is Reason.RATE_EXCEEDED
    async with scans.connection(caller(2)):  # another owner's is served at once
        pass
    free.set()
    await asyncio.gather(*mine)
    async with scans.connection(caller(1)):
        pass


async def test_a_sub_user_leaves_a_turn_to_others_of_its_owner(store: Store) -> None:
    scans = store.users._scans
    busy, other = caller(1, 7), caller(1, 8)
    async with AsyncExitStack() as held:
        await held.enter_async_context(scans.connection(busy))
        waiting = asyncio.create_task(store.users.find(busy, FindUsers(uuid4(), (), None, 0, 10)))
        await reached(lambda: scans._turns[1, 7].waiting == 1)
        await held.enter_async_context(scans.connection(other))
        assert not waiting.done()
    await waiting
