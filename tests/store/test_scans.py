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
from rolecall.store.scans import _EACH, _QUEUE, SCAN_CONNECTIONS

__all__ = ["keys", "store"]


async def test_a_key_is_found_while_all_connections_for_scans_are_in_use(store: Store, keys: Keys) -> None:
    key_id, _ = await keys.create(await keys.create_owner())
    scans = store.users._scans
    async with AsyncExitStack() as held:
        for owner in range(SCAN_CONNECTIONS):
            await held.enter_async_context(scans.connection(owner))
        scan = asyncio.create_task(store.users.find(99, FindUsers(uuid4(), (), None, 0, 10)))
        for _ in range(20):  # more than any pool has
            found = await store.keys.key(key_id)
            assert found is not None
        assert not scan.done()
    await scan


async def test_an_owner_has_not_all_of_them_and_what_waits_is_bounded(store: Store) -> None:
    scans = store.users._scans
    assert _EACH < SCAN_CONNECTIONS
    free = asyncio.Event()

    async def scan() -> None:
        async with scans.connection(1):
            await free.wait()

    mine = [asyncio.create_task(scan()) for _ in range(_EACH + _QUEUE)]
    turns = scans._turns
    await reached(lambda: 1 in turns and turns[1].waiting == _QUEUE)
    with pytest.raises(Refused) as refused:
        await scan()
    assert refused.value.reason is Reason.RATE_EXCEEDED
    async with scans.connection(2):  # another owner's is served at once
        pass
    free.set()
    await asyncio.gather(*mine)
    async with scans.connection(1):
        pass
