"""User stores in the store's own tables: what sign-in asks of users, and users made at the same moment."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from rolecall.domain.directories.model import User, UserGroup, UserStatus, UserStore
from rolecall.domain.directories.stores import new_store
from rolecall.domain.operations.model import Change
from rolecall.domain.operations.records import Record
from rolecall.domain.reasons import Reason, Refused
from rolecall.store import Store
from rolecall.values import Caller, Origin, Secret

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture
async def store(dsn: Secret) -> AsyncIterator[Store]:
    """On a database of its own."""
    one = Store(dsn, pool_size=4)
    await one.open()
    yield one
    await one.close()


@pytest.fixture
async def owner(store: Store) -> int:
    return (await store.keys.add_owner(100000000001, 1250000001)).id


@pytest.fixture
async def directory(store: Store, owner: int) -> UserStore:
    return await store.directories.add_store(new_store(owner, "one", is_default=True), None)


def record(owner: int, change: Change = Change.USER_CREATE) -> Record:
    caller = Caller(owner, 100000000001, 1250000001, 100000000001, "AKIDx")
    return Record(change, "target", Origin(caller, "d", "A", "r", client="10.0.0.1"))


def user_of(store_id: UUID, **attributes: Any) -> User:
    number = secrets.randbelow(10**9)
    plain = User(
        id=uuid4(), store_id=store_id, name=f"user{number}", phone=f"13{number:09}", email=f"{number}@example.com",
        password_hash="$hash", must_reset=False, status=UserStatus.NORMAL, source="admin", nickname=None,
        address=None, birthdate=None, custom=(), indexed=(None,) * 5, profile={}, is_primary=True, groups=(),
        last_sign_in_at=None, signed_in_before=False, failed_sign_ins=0, locked_until=None, locked_at=None,
        version=0, created_at=NOW, modified_at=NOW,
    )  # fmt: skip
    return replace(plain, **attributes)


async def made(store: Store, owner: int, user: User, digest: str = "") -> User:
    found = await store.users.add(owner, user, 0, digest, record(owner))
    assert found is not None
    return found.user


async def count(store: Store, owner: int, store_id: UUID) -> int:
    return (await store.users.look(owner, user_of(store_id))).users


async def test_users_made_at_the_same_moment_share_no_name_and_are_counted(
    store: Store, owner: int, directory: UserStore
) -> None:
    same = [user_of(directory.id, name="ada") for _ in range(5)]
    others = [user_of(directory.id) for _ in range(20)]
    answers = await asyncio.gather(
        *(store.users.add(owner, one, 0, "", record(owner)) for one in same + others)
    )
    assert sum(answer is not None for answer in answers[:5]) == 1
    assert all(answer is not None for answer in answers[5:])
    assert await count(store, owner, directory.id) == 21
    await store.users.delete(owner, directory.id, [one.id for one in others], record(owner))
    assert await count(store, owner, directory.id) == 1


async def test_a_quota_is_kept_by_users_made_at_the_same_moment(
    store: Store, owner: int, directory: UserStore
) -> None:
    users = [user_of(directory.id) for _ in range(20)]
    answers = await asyncio.gather(*(store.users.add(owner, one, 7, "", record(owner)) for one in users))
    assert sum(answer is not None for answer in answers) == 7
    assert await count(store, owner, directory.id) == 7


async def test_a_user_is_made_in_a_store_of_its_owner_with_groups_that_are_there(
    store: Store, owner: int, directory: UserStore
) -> None:
    group = UserGroup(uuid4(), directory.id, "g", "", NOW, NOW)
    other = UserGroup(uuid4(), directory.id, "other", "", NOW, NOW)
    for one in (group, other):
        assert await store.directories.add_group(owner, one, 0, record(owner)) is not None
    stranger = (await store.keys.add_owner(100000000002, 1250000002)).id
    assert (
        await store.users.add(owner, user_of(directory.id, groups=(uuid4(),)), 0, "", record(owner)) is None
    )
    assert await store.users.add(stranger, user_of(directory.id), 0, "", record(stranger)) is None
    assert await store.users.add(owner, user_of(uuid4()), 0, "", record(owner)) is None
    added = await store.users.add(
        owner, user_of(directory.id, groups=(other.id, group.id)), 0, "", record(owner)
    )
    assert added is not None
    assert added.group_names == ("other", "g")
    kept = added.user
    assert await store.directories.groups_of(kept.id) != []
    await store.directories.activate(owner, active=False)
    assert await store.users.add(owner, user_of(directory.id), 0, "", record(owner)) is None
    assert await store.users.shown(owner, directory.id, kept.id) is None
    assert (await store.users.standing(owner, directory.id)).active is False


async def test_a_login_is_a_name_before_it_is_a_number_or_an_address(
    store: Store, owner: int, directory: UserStore
) -> None:
    first = await made(store, owner, user_of(directory.id, name="13800138000", phone="1", email="a@x.yz"))
    second = await made(
        store, owner, user_of(directory.id, name="b@x.yz", phone="13800138000", email="c@x.yz")
    )
    third = await made(store, owner, user_of(directory.id, name="c", phone="3", email="b@x.yz"))

    async def login(text: str) -> UUID | None:
        found = await store.directories.user_by_login(directory.id, text)
        return found and found.id

    assert await login("13800138000") == first.id
    assert await login("b@x.yz") == second.id
    assert await login("c@x.yz") == second.id
    assert await login("3") == third.id
    assert await login("A@X.YZ") is None
    assert await login("nobody\0") is None
    assert await store.directories.user_by_login(uuid4(), "c") is None


async def test_signing_in_is_noted_with_an_event_and_forgets_failures(
    store: Store, owner: int, directory: UserStore
) -> None:
    user = await made(store, owner, user_of(directory.id))
    repository = store.directories
    for _ in range(2):
        await repository.sign_in_failed(user.id, NOW, 3, 60)
    failed = await repository.user(directory.id, user.id)
    assert failed is not None
    assert (failed.failed_sign_ins, failed.locked_until) == (2, None)
    await repository.signed_in(user.id, NOW, "$hash", "$renewed", "10.0.0.9")
    signed = await repository.user(directory.id, user.id)
    assert signed is not None
    assert (signed.last_sign_in_at, signed.signed_in_before) == (NOW, True)
    assert (signed.failed_sign_ins, signed.password_hash, signed.version) == (0, "$renewed", 0)
    await repository.signed_in(user.id, NOW + timedelta(1), "$renewed", None, "10.0.0.9")
    await repository.signed_in(user.id, NOW + timedelta(1), "$hash", "$stale", "10.0.0.9")
    again = await repository.user(directory.id, user.id)
    assert again is not None
    assert again.password_hash == "$renewed"


async def test_an_own_password_takes_the_place_of_the_one_that_was_shown_with_an_event_and_a_record(
    store: Store, owner: int, directory: UserStore
) -> None:
    user = await made(store, owner, user_of(directory.id))
    repository, own = store.directories, record(owner, Change.USER_PASSWORD)
    assert not await repository.set_password(user.id, "$other", "$own", own)
    assert await repository.set_password(user.id, "$hash", "$own", own)
    changed = await repository.user(directory.id, user.id)
    assert changed is not None
    assert (changed.password_hash, changed.must_reset, changed.version) == ("$own", False, 1)
    await store.users.set_status(owner, directory.id, user.id, UserStatus.FROZEN, record(owner))
    assert not await repository.set_password(user.id, "$own", "$more", own)
    async with store.directories._pool.connection() as connection:
        kept = await (
            await connection.execute("select count(*) from operations where kind = 'user.password'")
        ).fetchone()
        told = await (
            await connection.execute(
                "select count(*) from directory_events where kind = 'user.update' and user_id = %s",
                (user.id,),
            )
        ).fetchone()
    assert kept == (1,)
    assert told == (2,)  # this, and being frozen


async def test_who_is_locked_or_frozen_meanwhile_is_not_signed_in_and_stays_so(
    store: Store, owner: int, directory: UserStore
) -> None:
    user = await made(store, owner, user_of(directory.id))
    repository = store.directories
    for at in (NOW, NOW, NOW + timedelta(seconds=30)):  # the last was under way when the lock fell
        await repository.sign_in_failed(user.id, at, 2, 60)
    assert not await repository.signed_in(user.id, NOW + timedelta(seconds=59), "$hash", None, "10.0.0.9")
    locked = await repository.user(directory.id, user.id)
    assert locked is not None
    assert (locked.locked_until, locked.signed_in_before) == (NOW + timedelta(seconds=60), False)
    assert await repository.signed_in(user.id, NOW + timedelta(seconds=60), "$hash", None, "10.0.0.9")
    await store.users.set_status(owner, directory.id, user.id, UserStatus.FROZEN, record(owner))
    assert not await repository.signed_in(user.id, NOW + timedelta(seconds=61), "$hash", None, "10.0.0.9")


async def test_too_many_failures_lock_for_a_while_and_then_count_anew(
    store: Store, owner: int, directory: UserStore
) -> None:
    user = await made(store, owner, user_of(directory.id))
    repository = store.directories

    async def fail(at: datetime) -> User:
        await repository.sign_in_failed(user.id, at, 3, 60)
        found = await repository.user(directory.id, user.id)
        assert found is not None
        return found

    await fail(NOW)
    await fail(NOW)
    locked = await fail(NOW)
    assert (locked.locked_until, locked.locked_at) == (NOW + timedelta(seconds=60), NOW)
    assert locked.status is UserStatus.NORMAL
    later = await fail(NOW + timedelta(seconds=61))
    assert (later.failed_sign_ins, later.locked_until, later.locked_at) == (1, None, None)


async def test_what_an_administrator_locked_stays_so_whoever_tries(
    store: Store, owner: int, directory: UserStore
) -> None:
    user = await made(store, owner, user_of(directory.id))
    await store.users.set_status(owner, directory.id, user.id, UserStatus.LOCKED, record(owner))
    before = await store.directories.user(directory.id, user.id)
    await store.directories.sign_in_failed(user.id, NOW, 1, 60)
    after = await store.directories.user(directory.id, user.id)
    assert before is not None
    assert after is not None
    assert (after.status, after.locked_at) == (UserStatus.LOCKED, before.locked_at)


async def test_a_change_of_a_user_that_was_changed_meanwhile_is_not_made(
    store: Store, owner: int, directory: UserStore
) -> None:
    before = await made(store, owner, user_of(directory.id))
    first = await store.users.change(owner, before, replace(before, nickname="a"), record(owner))
    assert first is not None
    assert first.user.version == 1
    assert await store.users.change(owner, before, replace(before, nickname="b"), record(owner)) is None
    there = await made(store, owner, user_of(directory.id))
    with pytest.raises(Refused) as refused:
        await store.users.change(owner, first.user, replace(first.user, email=there.email), record(owner))
    assert refused.value.reason is Reason.USER_EMAIL_TAKEN


async def test_a_deleted_store_takes_everything_along(store: Store, owner: int, directory: UserStore) -> None:
    group = UserGroup(uuid4(), directory.id, "g", "", NOW, NOW)
    await store.directories.add_group(owner, group, 0, record(owner))
    await made(store, owner, user_of(directory.id, groups=(group.id,)))
    assert await store.directories.delete_store(owner, directory.id, record(owner, Change.STORE_DELETE))
    assert await store.directories.store(directory.id) is None
    assert await store.directories.stores(owner) == []
    assert (await store.users.look(owner, user_of(directory.id))).standing.holder is None
