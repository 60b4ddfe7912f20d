"""A sealed administrator's password opens for its own instance at its own address, and for nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from tests.store.test_ledger import SEALER, new_instance

from rolecall.domain.access.keys import Owner
from rolecall.domain.instances.registry import (
    Instance,
    moved,
    older_password_purpose,
    open_password,
    register,
)
from rolecall.domain.maintenance.resealing import bind_passwords, reseal
from rolecall.domain.secrets.sealing import SealBroken, Sealer
from rolecall.store import Store
from rolecall.values import Secret


@pytest.fixture
async def store(dsn: Secret) -> AsyncIterator[Store]:
    one = Store(dsn)
    await one.open()
    yield one
    await one.close()


@pytest.fixture
async def owner(store: Store) -> Owner:
    return await store.keys.add_owner(100, 200)


async def again(store: Store, instance: Instance) -> Instance:
    found = await store.instances.instance_by_id(instance.id)
    assert found is not None
    return found


async def test_it_opens_for_nothing_but_its_row(store: Store, owner: Owner) -> None:
    one = await register(store.instances, SEALER, new_instance(owner, "red-1"))
    other = await register(store.instances, SEALER, new_instance(owner, "red-2"))
    assert open_password(SEALER, one) == new_instance(owner).password
    for stolen in (
        replace(other, sealed_password=one.sealed_password),
        replace(one, owner_id=one.owner_id + 1),
        replace(one, administrator="other"),
        replace(one, host="attacker.example"),
        replace(one, port=one.port + 1),
    ):
        with pytest.raises(SealBroken):
            open_password(SEALER, stolen)


async def test_an_instance_that_moves_takes_it_along(store: Store, owner: Owner) -> None:
    one = await register(store.instances, SEALER, new_instance(owner))
    await store.instances.change_instance(one.id, **moved(SEALER, one, "new.example", 6543))
    there = await again(store, one)
    assert (there.host, there.port) == ("new.example", 6543)
    assert open_password(SEALER, there) == new_instance(owner).password
    with pytest.raises(SealBroken):
        open_password(SEALER, replace(there, host=one.host, port=one.port))


async def test_one_that_was_sealed_for_a_name_is_sealed_for_its_row_once(store: Store, owner: Owner) -> None:
    one = await register(store.instances, SEALER, new_instance(owner, "red-1"))
    other = await register(store.instances, SEALER, new_instance(owner, "red-2"))
    older = SEALER.seal(Secret("kept"), older_password_purpose(one.administrator))
    await store.instances.change_instance(one.id, sealed_password=older)
    await store.instances.change_instance(other.id, sealed_password=b"damaged")
    assert await bind_passwords(store.sealed, SEALER) == 1
    assert open_password(SEALER, await again(store, one)) == Secret("kept")
    assert (await again(store, other)).sealed_password == b"damaged"
    assert await bind_passwords(store.sealed, SEALER) == 0


async def test_a_new_master_key_keeps_it_bound(store: Store, owner: Owner) -> None:
    old, new = bytes(32), bytes([1] * 32)
    one = await register(store.instances, Sealer([old]), new_instance(owner))
    assert await reseal(store.sealed, Sealer([new, old])) == 1
    assert open_password(Sealer([new]), await again(store, one)) == new_instance(owner).password
