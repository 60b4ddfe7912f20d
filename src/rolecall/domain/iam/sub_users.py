"""Sub-users: made, looked at, changed and deleted, each change with its record."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

from rolecall.domain.access.keys import MintedKey, mint
from rolecall.domain.iam import commands
from rolecall.domain.iam.model import SubUser
from rolecall.domain.iam.password_rules import (
    EarlierPasswords,
    PasswordRules,
    RuledPasswords,
    generated_password,
)
from rolecall.domain.iam.views import AddedSubUser, Census, KeyShown, RulesView
from rolecall.domain.messages import Handlers
from rolecall.domain.operations.model import Change
from rolecall.domain.operations.records import Record
from rolecall.domain.policy.requests import Permissions
from rolecall.domain.reasons import Reason, Refused
from rolecall.domain.secrets.sealing import Sealer
from rolecall.values import Caller, Origin

T = TypeVar("T")

NAME = r"[A-Za-z0-9+=,.@_-]{1,64}"
"""What a sub-user may be called: nothing in it has a meaning in a policy or before a token."""


@dataclass(frozen=True, slots=True)
class Quotas:
    """The most that an owner may have: of sub-users, and of sub-users made within a minute. None: no such limit."""

    sub_users: int = 1000
    made_in_a_minute: int | None = 600


@dataclass(frozen=True, slots=True)
class Draft:
    """A sub-user to be. It can sign in at the console if it has a password."""

    name: str
    remark: str
    console_login: bool
    password_hash: str | None
    must_reset_password: bool
    phone: str
    country_code: str
    email: str


@dataclass(frozen=True, slots=True)
class Revision:
    """What is to become of a sub-user; None leaves it."""

    remark: str | None = None
    console_login: bool | None = None
    password_hash: str | None = None
    must_reset_password: bool | None = None
    phone: str | None = None
    country_code: str | None = None
    email: str | None = None


class SubUserRepository(EarlierPasswords, Protocol):
    """Where sub-users are kept. What changes something writes its record too, or neither."""

    async def named(self, owner_id: int, name: str) -> SubUser | None: ...
    async def numbered(self, owner_id: int, numbers: Sequence[int]) -> Sequence[SubUser]: ...
    async def all(self, owner_id: int) -> Sequence[SubUser]: ...
    async def after(self, owner_id: int, number: int, limit: int) -> Sequence[SubUser]: ...

    async def with_rules(self, owner_id: int, name: str) -> tuple[SubUser, PasswordRules] | None: ...
    async def with_keys(self, owner_id: int, name: str) -> tuple[SubUser, bool] | None:
        """Also whether it has any."""

    async def rules_for_new(self, owner_id: int, name: str, quotas: Quotas) -> PasswordRules:
        """Which its password has to keep. SUB_USER_TAKEN, SUB_USER_QUOTA, SUB_USER_RATE."""

    async def add(
        self, owner_id: int, draft: Draft, key: MintedKey | None, quotas: Quotas, record: Record
    ) -> SubUser:
        """SUB_USER_TAKEN, SUB_USER_QUOTA, SUB_USER_RATE."""

    async def change(self, number: int, revision: Revision, record: Record) -> None:
        """SUB_USER_MISSING."""

    async def delete(self, number: int, tagged: tuple[str, str], record: Record, *, keys_too: bool) -> None:
        """SUB_USER_MISSING, SUB_USER_HAS_KEYS."""

    async def census(self, owner_id: int) -> Census: ...
    async def rules(self, owner_id: int) -> PasswordRules:
        """The owner's, or the defaults."""

    async def rules_view(self, owner_id: int) -> RulesView: ...
    async def set_rules(self, owner_id: int, rules: PasswordRules, record: Record) -> None: ...


class SubUsers:
    def __init__(
        self,
        repository: SubUserRepository,
        passwords: RuledPasswords,
        sealer: Sealer,
        permissions: Permissions,
        quotas: Quotas,
    ) -> None:
        self._repository = repository
        self._passwords = passwords
        self._sealer = sealer
        self._permissions = permissions
        self._quotas = quotas
        self.handlers: Handlers = (
            commands.AddSubUser.handled_by(self.add),
            commands.ShowSubUser.handled_by(self.show),
            commands.ListSubUsers.handled_by(self.all),
            commands.PageSubUsers.handled_by(self.page),
            commands.FindSubUsers.handled_by(self.find),
            commands.ChangeSubUser.handled_by(self.change),
            commands.DeleteSubUser.handled_by(self.delete),
            commands.CountPeople.handled_by(self.count),
            commands.ShowPasswordRules.handled_by(self.rules),
            commands.ChangePasswordRules.handled_by(self.change_rules),
        )

    async def add(self, command: commands.AddSubUser, origin: Origin) -> AddedSubUser:
        owner_id = origin.caller.owner_id
        if re.fullmatch(NAME, command.name) is None:
            raise Refused(Reason.SUB_USER_NAME_MALFORMED, facts={"value": command.name})
        password, hashed = None, None
        if command.console_login:
            # What will be refused is refused before the password is hashed, which costs the most.
            rules = await self._repository.rules_for_new(owner_id, command.name, self._quotas)
            password = command.password or generated_password()
            hashed = await self._passwords.hashed(rules, password)
        draft = Draft(
            command.name,
            command.remark,
            command.console_login,
            hashed,
            command.console_login and command.must_reset_password,
            command.phone,
            command.country_code,
            command.email,
        )
        key = mint(self._sealer) if command.mint_key else None
        detail = {"console_login": command.console_login} | ({} if key is None else {"access_key": key.id})
        record = Record(Change.SUB_USER_CREATE, command.name, origin, detail)
        user = await self._repository.add(owner_id, draft, key, self._quotas, record)
        shown = None if key is None else KeyShown(key.id, key.secret, user.created_at)
        return AddedSubUser(user, password, shown)

    async def show(self, command: commands.ShowSubUser, origin: Origin) -> SubUser:
        return await self._existing(origin.caller, command.name)

    async def all(self, _command: commands.ListSubUsers, origin: Origin) -> tuple[SubUser, ...]:
        return tuple(await self._repository.all(origin.caller.owner_id))

    async def page(self, command: commands.PageSubUsers, origin: Origin) -> tuple[SubUser, ...]:
        return tuple(await self._repository.after(origin.caller.owner_id, command.after, command.limit))

    async def find(self, command: commands.FindSubUsers, origin: Origin) -> tuple[SubUser, ...]:
        return tuple(await self._repository.numbered(origin.caller.owner_id, command.numbers))

    async def change(self, command: commands.ChangeSubUser, origin: Origin) -> None:
        user, rules = await self._with_rules(command, origin.caller)
        console_login = user.console_login if command.console_login is None else command.console_login
        hashed = None
        if console_login and rules is not None and command.password is not None:
            hashed = await self._passwords.hashed(rules, command.password, user)
        must_reset = command.must_reset_password
        revision = Revision(
            command.remark,
            command.console_login,
            hashed,
            None if must_reset is None else must_reset and console_login,
            command.phone,
            command.country_code,
            command.email,
        )
        detail: dict[str, object] = {"password": hashed is not None}
        if command.console_login is not None:
            detail["console_login"] = command.console_login
        record = Record(Change.SUB_USER_UPDATE, user.name, origin, detail)
        await self._repository.change(user.number, revision, record)

    async def _with_rules(
        self, command: commands.ChangeSubUser, caller: Caller
    ) -> tuple[SubUser, PasswordRules | None]:
        """Rules only for a new password."""
        if command.password is None:
            return await self._existing(caller, command.name), None
        return _found(await self._repository.with_rules(caller.owner_id, command.name), command.name)

    async def delete(self, command: commands.DeleteSubUser, origin: Origin) -> None:
        user, has_keys = _found(
            await self._repository.with_keys(origin.caller.owner_id, command.name), command.name
        )
        keys_too = command.keys_too is not None and has_keys
        if keys_too and command.keys_too is not None:
            try:
                await self._permissions.permit(origin.caller, command.keys_too)
            except Refused as refusal:
                raise Refused(Reason.SUB_USER_KEYS_KEPT, facts=refusal.facts) from None
        record = Record(Change.SUB_USER_DELETE, user.name, origin, {"number": user.number})
        await self._repository.delete(user.number, command.tagged, record, keys_too=keys_too)

    async def count(self, _command: commands.CountPeople, origin: Origin) -> Census:
        return await self._repository.census(origin.caller.owner_id)

    async def rules(self, _command: commands.ShowPasswordRules, origin: Origin) -> RulesView:
        return await self._repository.rules_view(origin.caller.owner_id)

    async def change_rules(self, command: commands.ChangePasswordRules, origin: Origin) -> None:
        owner_id = origin.caller.owner_id
        wanted = {
            "minimum_length": command.minimum_length,
            "must_contain": command.must_contain,
            "change_every_days": command.change_every_days,
            "reuse_limit": command.reuse_limit,
            "retry_limit": command.retry_limit,
            "expired_is_locked": command.expired_is_locked,
        }
        changes = {name: value for name, value in wanted.items() if value is not None}
        rules = replace(await self._repository.rules(owner_id), **changes)  # type: ignore[arg-type]
        record = Record(Change.PASSWORD_RULES, str(origin.caller.owner_number), origin)
        await self._repository.set_rules(owner_id, rules, record)

    async def _existing(self, caller: Caller, name: str) -> SubUser:
        return _found(await self._repository.named(caller.owner_id, name), name)


def _found(there: T | None, name: str) -> T:
    """SUB_USER_MISSING."""
    if there is None:
        raise Refused(Reason.SUB_USER_MISSING, facts={"value": name})
    return there
