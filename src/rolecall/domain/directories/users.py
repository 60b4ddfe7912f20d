"""Users of a store: made, shown, changed, linked and deleted."""

from __future__ import annotations

import string
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeVar
from uuid import UUID

from rolecall import ambient
from rolecall.domain.directories import commands
from rolecall.domain.directories.access import StoreAccess, dry_run, require_owned
from rolecall.domain.directories.commands import Attributes
from rolecall.domain.directories.masking import MASK, masked_mail, masked_phone
from rolecall.domain.directories.model import User, UserStatus
from rolecall.domain.directories.ports import UserRepository
from rolecall.domain.directories.repeats import SECONDS, Repeats
from rolecall.domain.directories.views import Look, UserPage, UserView
from rolecall.domain.messages import Handlers, Page
from rolecall.domain.operations.model import Change
from rolecall.domain.operations.records import Record
from rolecall.domain.reasons import Reason, Refused
from rolecall.domain.secrets.passwords import Passwords
from rolecall.values import Origin, Secret

T = TypeVar("T")

_TRIES = 3
"""How often a change is tried that another one crossed."""

_SYMBOLS = "!@#$%^&*-_"
_GENERATED = 16


class Users:
    """`quota` is how many users a store may have, 0 any number."""

    def __init__(
        self,
        repository: UserRepository,
        access: StoreAccess,
        passwords: Passwords,
        repeats: Repeats,
        quota: int,
    ) -> None:
        self._repository = repository
        self._access = access
        self._passwords = passwords
        self._repeats = repeats
        self._quota = quota
        self.handlers: Handlers = (
            commands.CreateUser.handled_by(self.create),
            commands.ShowUser.handled_by(self.show),
            commands.FindUsers.handled_by(self.find),
            commands.PageUsers.handled_by(self.page),
            commands.ChangeUser.handled_by(self.change),
            commands.SetUserStatus.handled_by(self.set_status),
            commands.SetUserPassword.handled_by(self.set_password),
            commands.ResetUserPassword.handled_by(self.reset_password),
            commands.DeleteUsers.handled_by(self.delete),
            commands.LinkUsers.handled_by(self.link),
        )

    async def create(self, command: commands.CreateUser, origin: Origin) -> UserView:
        """The statement that adds the user decides whether anything prevents it; only then is it looked what that was.

        What `_check` says; HASHING_BUSY, PASSWORD_LENGTH, REQUEST_REPEATED, DRY_RUN.
        """
        digest = self._repeats.digest(command, origin)
        if command.dry:
            await self._check(_new(command, None), digest, origin)
            dry_run()
        await self._access.count(origin)
        with self._repeats.one_at_a_time(digest):
            user = _new(command, await self._passwords.hash(command.password))
            record = _record(Change.USER_CREATE, user.store_id, user.id, origin, {"name": user.name})
            for _ in range(_TRIES):
                made = await self._repository.add(origin.caller.owner_id, user, self._quota, digest, record)
                if made is not None:
                    return made
                await self._check(user, digest, origin)
        raise Refused(Reason.ENGINE_BUSY, note="others came between every time")

    async def _check(self, user: User, digest: str, origin: Origin) -> None:
        """Return if nothing stands in the way of this new user.

        DIRECTORIES_INACTIVE, STORE_MISSING, TENANT_FOREIGN, USER_GROUP_MISSING, USER_NAME_TAKEN, USER_PHONE_TAKEN,
        USER_EMAIL_TAKEN, REQUEST_REPEATED, USER_QUOTA.
        """
        owner_id = origin.caller.owner_id
        look = await self._repository.look(owner_id, user)
        require_owned(look.standing, owner_id, user.store_id)
        _require_groups(look, user)
        if (taken := _taken(look, user)) is not None:
            if await self._repository.made_lately(user, digest, SECONDS):
                raise Refused(Reason.REQUEST_REPEATED)
            raise taken
        if self._quota and look.users >= self._quota:
            raise Refused(Reason.USER_QUOTA, facts={"limit": self._quota})

    async def show(self, command: commands.ShowUser, origin: Origin) -> UserView | None:
        found = None
        if command.user is not None:
            found = await self._repository.shown(origin.caller.owner_id, command.store, command.user)
        if found is None:
            await self._access.require_access(origin, command.store)
        return found

    async def find(self, command: commands.FindUsers, origin: Origin) -> Page[UserView]:
        found = await self._repository.find(origin.caller, command)
        if found is None:
            await self._access.require_access(origin, command.store)
            return Page((), 0)
        return found

    async def page(self, command: commands.PageUsers, origin: Origin) -> UserPage:
        found = await self._repository.page(origin.caller, command)
        if found is None:
            await self._access.require_access(origin, command.store)
            return UserPage((), None, None, False, False, 0)
        return found

    async def change(self, command: commands.ChangeUser, origin: Origin) -> UserView:
        """USER_MISSING, ATTRIBUTE_MALFORMED (a masked value that is not the present one's), and what a new user's
        attributes may be refused with."""
        owner_id = origin.caller.owner_id
        record = _record(Change.USER_UPDATE, command.store, command.user, origin)
        if not command.dry:
            await self._access.count(origin)
        for _ in range(_TRIES):
            before = (await self._existing(command.store, command.user, origin)).user
            after = _changed(before, command.attributes)
            if command.dry:
                look = await self._repository.look(owner_id, after)
                _require_groups(look, after)
                if (taken := _taken(look, after)) is not None:
                    raise taken
                dry_run()
            view = await self._repository.change(owner_id, before, after, record)
            if view is not None:
                return view
        raise Refused(Reason.ENGINE_BUSY, note="others came between every time")

    async def set_status(self, command: commands.SetUserStatus, origin: Origin) -> None:
        """USER_MISSING."""
        if command.dry:
            await self._existing(command.store, command.user, origin)
            dry_run()
        await self._access.count(origin)
        detail = {"status": command.status.value}
        record = _record(Change.USER_STATUS, command.store, command.user, origin, detail)
        owner_id = origin.caller.owner_id
        if not await self._repository.set_status(
            owner_id, command.store, command.user, command.status, record
        ):
            await self._access.require_access(origin, command.store)
            raise _missing(command.user)

    async def set_password(self, command: commands.SetUserPassword, origin: Origin) -> None:
        """USER_MISSING, USER_FROZEN, HASHING_BUSY, PASSWORD_LENGTH."""
        await self._replace_password(command.store, command.user, command.password, origin, dry=command.dry)

    async def reset_password(self, command: commands.ResetUserPassword, origin: Origin) -> Secret:
        """USER_MISSING, USER_FROZEN, HASHING_BUSY."""
        fresh = new_password()
        await self._replace_password(command.store, command.user, fresh, origin, dry=command.dry)
        return fresh

    async def _replace_password(
        self, store: UUID, user: UUID, password: Secret, origin: Origin, *, dry: bool
    ) -> None:
        if dry:
            _require_thawed(await self._existing(store, user, origin))
            dry_run()
        await self._access.count(origin)
        password_hash = await self._passwords.hash(password)
        record = _record(Change.USER_PASSWORD, store, user, origin)
        owner_id = origin.caller.owner_id
        if not await self._repository.replace_password(owner_id, store, user, password_hash, record):
            _require_thawed(await self._existing(store, user, origin))
            raise _missing(user)

    async def delete(self, command: commands.DeleteUsers, origin: Origin) -> None:
        if command.dry or not command.users:
            await self._access.require_access(origin, command.store)
            if command.dry:
                dry_run()
            return
        await self._access.count(origin)
        detail = {"store": command.store.hex, "users": [user.hex for user in command.users]}
        record = Record(Change.USER_DELETE, command.users[0].hex, origin, detail)
        if not await self._repository.delete(origin.caller.owner_id, command.store, command.users, record):
            await self._access.require_access(origin, command.store)

    async def link(self, command: commands.LinkUsers, origin: Origin) -> None:
        """LINK_PRIMARY_MISSING, LINK_SECONDARY_MISSING, LINKED_ALREADY."""
        owner_id, store = origin.caller.owner_id, command.store
        primary = await self._repository.shown(owner_id, store, command.primary)
        if primary is None:
            await self._access.require_access(origin, store)
            raise Refused(Reason.LINK_PRIMARY_MISSING, facts={"value": command.primary.hex})
        secondary = await self._repository.shown(owner_id, store, command.secondary)
        if secondary is None:
            raise Refused(Reason.LINK_SECONDARY_MISSING, facts={"value": command.secondary.hex})
        both = (primary.user, secondary.user)
        if command.primary == command.secondary or not all(user.is_primary for user in both):
            raise Refused(Reason.LINKED_ALREADY, facts={"value": command.secondary.hex})
        if command.dry:
            dry_run()
        await self._access.count(origin)
        detail = {"primary": command.primary.hex, "on": command.on}
        record = _record(Change.USER_LINK, store, command.secondary, origin, detail)
        if not await self._repository.link(
            owner_id, store, command.primary, command.secondary, command.on, record
        ):
            raise Refused(Reason.LINKED_ALREADY, facts={"value": command.secondary.hex})

    async def _existing(self, store: UUID, user: UUID, origin: Origin) -> UserView:
        """USER_MISSING, or why the store is not the caller's."""
        found = await self._repository.shown(origin.caller.owner_id, store, user)
        if found is None:
            await self._access.require_access(origin, store)
            raise _missing(user)
        return found


def new_password() -> Secret:
    """Of all four kinds of characters."""
    kinds = (string.ascii_lowercase, string.ascii_uppercase, string.digits, _SYMBOLS)
    picked = [ambient.draws().choice(kind) for kind in kinds]
    picked += [ambient.draws().choice("".join(kinds)) for _ in range(_GENERATED - len(kinds))]
    ambient.draws().shuffle(picked)
    return Secret("".join(picked))


def _new(command: commands.CreateUser, password_hash: str | None) -> User:
    given, now = command.attributes, ambient.now()
    return User(
        id=ambient.new_id(),
        store_id=command.store,
        name=given.name,
        phone=given.phone,
        email=given.email,
        password_hash=password_hash,
        must_reset=False,
        status=UserStatus.NORMAL,
        source="admin",
        nickname=given.nickname,
        address=given.address,
        birthdate=given.birthdate,
        custom=given.custom or (),
        indexed=given.indexed,
        profile={},
        is_primary=True,
        groups=tuple(dict.fromkeys(given.groups or ())),
        last_sign_in_at=None,
        signed_in_before=False,
        failed_sign_ins=0,
        locked_until=None,
        locked_at=None,
        version=0,
        created_at=now,
        modified_at=now,
    )


def _changed(user: User, given: Attributes) -> User:
    """The user with what was given in place of what is there. ATTRIBUTE_MALFORMED."""
    return replace(
        user,
        name=_given(given.name, user.name),
        phone=_unmasked(given.phone, user.phone, masked_phone, "phone"),
        email=_unmasked(given.email, user.email, masked_mail, "email"),
        nickname=_given(given.nickname, user.nickname),
        address=_given(given.address, user.address),
        birthdate=_given(given.birthdate, user.birthdate),
        custom=_given(given.custom, user.custom),
        indexed=tuple(_given(new, old) for new, old in zip(given.indexed, user.indexed, strict=True)),
        groups=tuple(dict.fromkeys(_given(given.groups, user.groups))),
    )


def _given(new: T | None, old: T) -> T:
    return old if new is None else new


def _unmasked(new: str | None, old: str | None, mask: Callable[[str], str], kind: str) -> str | None:
    """A value that is read masked and written back is unchanged; another masked value is refused."""
    if new is None or MASK not in new or new == old:
        return _given(new, old)
    if old is not None and new == mask(old):
        return old
    raise Refused(Reason.ATTRIBUTE_MALFORMED, facts={"value": new}, note=f"a masked {kind} of no user")


def _require_groups(look: Look, user: User) -> None:
    """USER_GROUP_MISSING."""
    for group in user.groups:
        if group not in look.groups:
            raise Refused(Reason.USER_GROUP_MISSING, facts={"value": group.hex})


def _taken(look: Look, user: User) -> Refused | None:
    if look.name_taken:
        return Refused(Reason.USER_NAME_TAKEN, facts={"value": user.name})
    if look.phone_taken:
        return Refused(Reason.USER_PHONE_TAKEN)
    if look.email_taken:
        return Refused(Reason.USER_EMAIL_TAKEN)
    return None


def _require_thawed(view: UserView) -> None:
    """USER_FROZEN."""
    if view.user.status is UserStatus.FROZEN:
        raise Refused(Reason.USER_FROZEN, facts={"value": view.user.id.hex})


def _missing(user: UUID) -> Refused:
    return Refused(Reason.USER_MISSING, facts={"value": user.hex})


def _record(
    change: Change, store: UUID, user: UUID, origin: Origin, detail: Mapping[str, object] | None = None
) -> Record:
    return Record(change, user.hex, origin, {"store": store.hex, **(detail or {})})
