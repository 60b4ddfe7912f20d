"""Making users: hashed once, added by one statement, and looked at only where that statement adds nothing."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any
from unittest.mock import AsyncMock
from uuid import UUID, uuid4

import pytest

from rolecall.admission import Admission
from rolecall.domain.directories.access import StoreAccess
from rolecall.domain.directories.commands import Attributes, ChangeUser, CreateUser, SetUserPassword
from rolecall.domain.directories.model import User, UserStatus
from rolecall.domain.directories.repeats import Repeats
from rolecall.domain.directories.users import Users, new_password
from rolecall.domain.directories.views import Look, Standing, UserView
from rolecall.domain.reasons import Reason, Refused
from rolecall.values import Caller, Origin, Secret

ORIGIN = Origin(Caller(1, 10, 20, 10, "AKIDx"), "d", "A", "r")
STORE = uuid4()
CREATE = CreateUser(STORE, Attributes(name="ada", phone="13800138000", email="a@b.cd"), Secret("word"))


class Hashing:
    """Stands for the pool: says when a hash was begun, and waits."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.go = asyncio.Event()
        self.count = 0

    async def hash(self, _password: Secret) -> str:
        self.count += 1
        self.begun.set()
        await self.go.wait()
        return "$hash"


def clear(**changes: Any) -> Look:
    return replace(Look(Standing(True, 1), {}, False, False, False, 0), **changes)


class Room:
    """`prevented`: the statement that adds a user adds none."""

    def __init__(
        self, look: Look, *, quota: int = 0, pace: int = 0, lately: bool = False, prevented: bool = False
    ) -> None:
        self.hashing = Hashing()
        self.repository = AsyncMock()
        self.repository.look.return_value = look
        self.repository.made_lately.return_value = lately
        self.repository.add.side_effect = lambda _owner, user, *_: UserView(user)
        if prevented:
            self.repository.add.side_effect = lambda *_: None
            self.hashing.go.set()
        access = StoreAccess(self.repository, Admission(None), pace)
        self.users = Users(self.repository, access, self.hashing, Repeats(Secret("key")), quota)  # type: ignore[arg-type]

    async def refused(self, command: CreateUser = CREATE) -> Reason:
        with pytest.raises(Refused) as refusal:
            await self.users.create(command, ORIGIN)
        return refusal.value.reason


async def test_a_user_is_hashed_and_added_and_nothing_is_looked_up() -> None:
    room = Room(clear())
    making = asyncio.create_task(room.users.create(CREATE, ORIGIN))
    await room.hashing.begun.wait()
    room.repository.add.assert_not_called()
    room.hashing.go.set()
    view = await making
    (kept,) = (call.args[1] for call in room.repository.add.call_args_list)
    assert (kept.password_hash, kept.name) == ("$hash", "ada")
    assert view == UserView(kept)
    room.repository.look.assert_not_called()


@pytest.mark.parametrize(
    ("look", "reason"),
    [
        (clear(standing=Standing(False, 1)), Reason.DIRECTORIES_INACTIVE),
        (clear(standing=Standing(True, None)), Reason.STORE_MISSING),
        (clear(standing=Standing(True, 2)), Reason.TENANT_FOREIGN),
        (clear(name_taken=True, phone_taken=True), Reason.USER_NAME_TAKEN),
        (clear(phone_taken=True, email_taken=True), Reason.USER_PHONE_TAKEN),
        (clear(email_taken=True), Reason.USER_EMAIL_TAKEN),
        (clear(users=7), Reason.USER_QUOTA),
    ],
)
async def test_what_prevented_a_user_is_looked_up_afterwards(look: Look, reason: Reason) -> None:
    room = Room(look, quota=7, prevented=True)
    assert await room.refused() is reason
    assert room.hashing.count == 1
    assert await room.refused(replace(CREATE, dry=True)) is reason
    assert room.hashing.count == 1


async def test_a_missing_group_is_refused() -> None:
    group = uuid4()
    attributes = replace(CREATE.attributes, groups=(group,))
    room = Room(clear(), prevented=True)
    assert await room.refused(replace(CREATE, attributes=attributes)) is Reason.USER_GROUP_MISSING


async def test_a_dry_run_hashes_and_keeps_nothing() -> None:
    room = Room(clear())
    assert await room.refused(replace(CREATE, dry=True)) is Reason.DRY_RUN
    assert room.hashing.count == 0
    room.repository.add.assert_not_called()


async def test_the_same_request_is_refused_while_the_first_is_under_way_and_another_is_not() -> None:
    room = Room(clear())
    making = asyncio.create_task(room.users.create(CREATE, ORIGIN))
    await room.hashing.begun.wait()
    assert await room.refused() is Reason.REQUEST_REPEATED
    other = asyncio.create_task(room.users.create(replace(CREATE, password=Secret("other")), ORIGIN))
    room.hashing.go.set()
    await asyncio.gather(making, other)
    assert await asyncio.gather(room.users.create(CREATE, ORIGIN))  # it has ended


async def test_who_meets_its_own_earlier_request_is_told_so() -> None:
    room = Room(clear(name_taken=True), lately=True, prevented=True)
    assert await room.refused() is Reason.REQUEST_REPEATED


async def test_a_user_that_was_added_meanwhile_is_found_at_the_next_try() -> None:
    room = Room(clear(), prevented=True)
    room.repository.look.side_effect = [clear(), clear(name_taken=True)]
    assert await room.refused() is Reason.USER_NAME_TAKEN
    assert room.hashing.count == 1


async def test_what_is_prevented_every_time_is_busy() -> None:
    room = Room(clear(), prevented=True)
    assert await room.refused() is Reason.ENGINE_BUSY


async def test_changes_of_a_minute_are_counted_for_the_owner() -> None:
    room = Room(clear(), pace=2)
    room.hashing.go.set()
    for name in ("a", "b"):
        attributes = replace(CREATE.attributes, name=name)
        await room.users.create(replace(CREATE, attributes=attributes), ORIGIN)
    assert await room.refused() is Reason.REQUESTS_TOO_FREQUENT
    assert await room.refused(replace(CREATE, dry=True)) is Reason.DRY_RUN
    assert room.hashing.count == 2


async def test_a_failing_hash_is_told_and_leaves_nothing() -> None:
    room = Room(clear())
    room.hashing.hash = AsyncMock(side_effect=Refused(Reason.HASHING_BUSY))  # type: ignore[method-assign]
    assert await room.refused() is Reason.HASHING_BUSY
    room.repository.add.assert_not_called()


def existing(room: Room, **changes: Any) -> User:
    user = User(
        id=uuid4(), store_id=STORE, name="ada", phone="+86-13812345678", email="lovelace@b.cd", password_hash="$old",
        must_reset=False, status=UserStatus.NORMAL, source="admin", nickname="n", address=None, birthdate=1,
        custom=(), indexed=("a", None, None, None, None), profile={}, is_primary=True, groups=(), last_sign_in_at=None,
        signed_in_before=False, failed_sign_ins=0, locked_until=None, locked_at=None, version=3,
        created_at=None, modified_at=None,  # type: ignore[arg-type]
    )  # fmt: skip
    user = replace(user, **changes)
    room.repository.shown.return_value = UserView(user)
    room.repository.change.side_effect = lambda _owner, _before, after, _record: UserView(after)
    return user


async def changed(room: Room, user: UUID, **given: Any) -> User:
    return (await room.users.change(ChangeUser(STORE, user, Attributes(**given)), ORIGIN)).user


async def test_what_is_not_given_stays() -> None:
    room = Room(clear())
    user = existing(room)
    assert await changed(room, user.id) == user
    assert await changed(room, user.id, nickname="", indexed=(None, "b", None, None, None)) == replace(
        user, nickname="", indexed=("a", "b", None, None, None)
    )


async def test_a_masked_value_is_the_one_it_masks_or_none() -> None:
    room = Room(clear())
    user = existing(room)
    assert await changed(room, user.id, phone="+86-138****5678", email="lov****@b.cd") == user
    for given in ({"phone": "+86-138****5679"}, {"email": "abc****@b.cd"}):
        with pytest.raises(Refused) as refusal:
            await changed(room, user.id, **given)
        assert refusal.value.reason is Reason.ATTRIBUTE_MALFORMED


async def test_a_masked_value_that_was_kept_so_stays() -> None:
    room = Room(clear())
    user = existing(room, phone="132****0000")
    assert (await changed(room, user.id, phone="132****0000")).phone == "132****0000"


async def test_a_frozen_users_password_is_not_replaced() -> None:
    room = Room(clear())
    room.hashing.go.set()
    room.repository.replace_password.return_value = False
    user = existing(room, status=UserStatus.FROZEN)
    for dry in (True, False):
        with pytest.raises(Refused) as refusal:
            await room.users.set_password(SetUserPassword(STORE, user.id, Secret("x"), dry=dry), ORIGIN)
        assert refusal.value.reason is Reason.USER_FROZEN


def test_generated_passwords_differ_and_have_all_four_kinds() -> None:
    made = {new_password().reveal() for _ in range(200)}
    assert len(made) == 200
    for password in made:
        assert len(password) == 16
        for kind in (str.islower, str.isupper, str.isdigit, lambda c: not c.isalnum()):
            assert any(map(kind, password))
