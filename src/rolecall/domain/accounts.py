"""Database accounts: each command becomes an operation on the engine, or a reading of it."""

from __future__ import annotations

import asyncio
import secrets
import string
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol
from uuid import UUID

from rolecall.domain import commands
from rolecall.domain.encoding import encode_changes
from rolecall.domain.engine import AccountChange, AccountFacts, AccountKind, NewAccount
from rolecall.domain.instances import Attached, Reach
from rolecall.domain.operations import Change, Intent, Journal
from rolecall.domain.reasons import Reason, Refused
from rolecall.domain.sealing import Sealer
from rolecall.domain.views import AccountView, Page
from rolecall.values import Origin, Secret

_MANAGED_PASSWORD_CHARACTERS = 32
_MANAGED_PASSWORD_SYMBOLS = "!#%^*-+=_"
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class AccountRow:
    """What the store holds about an account. `created_at` None: made behind our back."""

    name: str
    oid: int
    remark: str
    created_at: datetime | None
    updated_at: datetime
    password_updated_at: datetime | None
    sealed_password: bytes | None


class AccountBook(Protocol):
    """Where what an engine cannot hold is kept."""

    async def account(self, instance_id: int, name: str) -> AccountRow | None: ...
    async def accounts(self, instance_id: int) -> Sequence[AccountRow]: ...


class Accounts:
    """`hashing` is a bounded pool for verifiers, which are computed off the event loop."""

    def __init__(
        self, reach: Reach, book: AccountBook, journal: Journal, sealer: Sealer, hashing: Executor
    ) -> None:
        self._reach = reach
        self._book = book
        self._journal = journal
        self._sealer = sealer
        self._hashing = hashing

    async def create(self, command: commands.CreateAccount, origin: Origin) -> AccountView:
        attached = await self._reach.attach(command.instance, origin.caller)
        password = new_managed_password() if command.managed_password else command.password
        # Computed while the intent is written down; whoever applies the change waits for it.
        verifier = None if password is None else self._verifier(attached, command.name, password)
        intent = Intent(
            Change.ACCOUNT_CREATE,
            command.name,
            origin,
            detail={
                "remark": command.remark,
                "kind": command.kind.value,
                "managed": command.managed_password,
            },
            sealed=self._seal(attached, command.name, password) if command.managed_password else None,
        )

        async def apply(operation: UUID) -> AccountFacts:
            ready = None if verifier is None else await verifier
            return await attached.engine.create_account(
                NewAccount(command.name, command.kind, ready, operation)
            )

        facts = await self._journal.run(attached, intent, apply)
        assert facts is not None  # noqa: S101 - apply returns facts
        now = datetime.now(UTC)
        row = AccountRow(command.name, facts.oid, command.remark, now, now, None, intent.sealed)
        return view(facts, row)

    async def delete(self, command: commands.DeleteAccount, origin: Origin) -> None:
        """Deleting an account that is not there succeeds."""
        attached = await self._reach.attach(command.instance, origin.caller)

        async def apply(operation: UUID) -> None:
            await attached.engine.drop_account(command.name, operation)

        await self._journal.run(attached, Intent(Change.ACCOUNT_DELETE, command.name, origin), apply)

    async def page(self, command: commands.ListAccounts, origin: Origin) -> Page[AccountView]:
        attached = await self._reach.attach(command.instance, origin.caller)
        views = [view for view in await self.views(attached) if view.standing != "missing"]
        views.sort(key=_ORDERS[command.order], reverse=command.descending)
        return Page(tuple(views[command.offset : command.offset + command.limit]), len(views))

    async def views(self, attached: Attached) -> list[AccountView]:
        """Every account of an instance: the engine's, and those of ours that the engine no longer has."""
        rows = {row.name: row for row in await self._book.accounts(attached.instance.id)}
        views = [view(facts, rows.pop(facts.name, None)) for facts in await attached.engine.accounts()]
        views.extend(missing(row) for row in rows.values())
        return views

    async def reset_password(self, command: commands.ResetPassword, origin: Origin) -> None:
        """PASSWORD_MANAGED while Rolecall manages the account's password."""
        attached = await self._reach.attach(command.instance, origin.caller)
        await self._expect_managed(attached, command.name, managed=False)
        intent = Intent(Change.ACCOUNT_PASSWORD, command.name, origin)
        await self._set_password(attached, intent, command.password)

    async def open_managed_password(self, command: commands.OpenManagedPassword, origin: Origin) -> None:
        attached = await self._reach.attach(command.instance, origin.caller)
        await self._expect_managed(attached, command.name, managed=False)
        await self._renew_managed(attached, command.name, origin)

    async def refresh_managed_password(
        self, command: commands.RefreshManagedPassword, origin: Origin
    ) -> None:
        attached = await self._reach.attach(command.instance, origin.caller)
        await self._expect_managed(attached, command.name, managed=True)
        await self._renew_managed(attached, command.name, origin)

    async def close_managed_password(self, command: commands.CloseManagedPassword, origin: Origin) -> None:
        attached = await self._reach.attach(command.instance, origin.caller)
        await self._expect_managed(attached, command.name, managed=True)
        await self._set_password(
            attached, Intent(Change.ACCOUNT_UNMANAGE, command.name, origin), command.password
        )

    async def managed_password(self, attached: Attached, name: str) -> Secret:
        """The current password of an account that Rolecall manages. PASSWORD_NOT_MANAGED."""
        row = await self._book.account(attached.instance.id, name)
        if row is None or row.sealed_password is None:
            raise Refused(Reason.PASSWORD_NOT_MANAGED, facts={"value": name})
        return self._sealer.open(row.sealed_password, password_purpose(attached.instance.id, name))

    async def change_remark(self, command: commands.ChangeRemark, origin: Origin) -> None:
        attached = await self._reach.attach(command.instance, origin.caller)
        intent = Intent(Change.ACCOUNT_REMARK, command.name, origin, detail={"remark": command.remark})

        async def apply(_operation: UUID) -> AccountFacts:
            return await self._existing(attached, command.name)

        await self._journal.run(attached, intent, apply)

    async def lock(self, command: commands.LockAccount, origin: Origin) -> None:
        """No new sessions, and the open ones end."""
        await self._set_login(command.instance, command.name, origin, allowed=False)

    async def unlock(self, command: commands.UnlockAccount, origin: Origin) -> None:
        await self._set_login(command.instance, command.name, origin, allowed=True)

    async def show_privileges(
        self, command: commands.ShowPrivileges, origin: Origin
    ) -> tuple[tuple[str, ...] | AccountKind, ...]:
        """One answer per object asked, in order; the account itself is answered by its kind."""
        attached = await self._reach.attach(command.instance, origin.caller)
        asked = [object_ for object_ in command.objects if object_ is not None]
        account = await self._existing(attached, command.name)
        found = iter(await attached.engine.privileges(command.name, asked))
        return tuple(account.kind if object_ is None else next(found) for object_ in command.objects)

    async def change_privileges(self, command: commands.ChangePrivileges, origin: Origin) -> None:
        attached = await self._reach.attach(command.instance, origin.caller)
        intent = Intent(
            Change.PRIVILEGES,
            command.name,
            origin,
            detail={
                "changes": encode_changes(command.changes),
                "kind": None if command.kind is None else command.kind.value,
            },
        )

        async def apply(operation: UUID) -> AccountFacts:
            return await apply_privileges(attached, command, operation)

        await self._journal.run(attached, intent, apply)

    async def _renew_managed(self, attached: Attached, name: str, origin: Origin) -> None:
        password = new_managed_password()
        sealed = self._seal(attached, name, password)
        await self._set_password(
            attached, Intent(Change.ACCOUNT_MANAGE, name, origin, sealed=sealed), password
        )

    async def _set_password(self, attached: Attached, intent: Intent, password: Secret) -> None:
        verifier = self._verifier(attached, intent.target, password)

        async def apply(operation: UUID) -> AccountFacts:
            return await attached.engine.change_account(
                AccountChange(intent.target, operation, verifier=await verifier)
            )

        await self._journal.run(attached, intent, apply)

    async def _set_login(
        self, instance: commands.InstanceName, name: str, origin: Origin, *, allowed: bool
    ) -> None:
        attached = await self._reach.attach(instance, origin.caller)
        change = Change.ACCOUNT_UNLOCK if allowed else Change.ACCOUNT_LOCK

        async def apply(operation: UUID) -> AccountFacts:
            return await attached.engine.change_account(
                AccountChange(name, operation, may_log_in=allowed, end_sessions=not allowed)
            )

        await self._journal.run(attached, Intent(change, name, origin), apply)

    async def _existing(self, attached: Attached, name: str) -> AccountFacts:
        facts = await attached.engine.account(name)
        if facts is None:
            raise Refused(Reason.ACCOUNT_MISSING, facts={"value": name})
        return facts

    async def _expect_managed(self, attached: Attached, name: str, *, managed: bool) -> None:
        facts = await self._existing(attached, name)
        row = await self._book.account(attached.instance.id, name)
        is_managed = row is not None and row.oid == facts.oid and row.sealed_password is not None
        if is_managed != managed:
            reason = Reason.PASSWORD_MANAGED if is_managed else Reason.PASSWORD_NOT_MANAGED
            raise Refused(reason, facts={"value": name})

    def _verifier(self, attached: Attached, name: str, password: Secret) -> asyncio.Future[Secret]:
        loop = asyncio.get_running_loop()
        return loop.run_in_executor(self._hashing, attached.engine.verifier, name, password)

    def _seal(self, attached: Attached, name: str, password: Secret | None) -> bytes | None:
        return (
            None
            if password is None
            else self._sealer.seal(password, password_purpose(attached.instance.id, name))
        )


async def apply_privileges(
    attached: Attached, command: commands.ChangePrivileges, operation: UUID
) -> AccountFacts:
    """The engine's part of a change of privileges; recovery repeats it, which changes nothing twice."""
    if command.changes:
        await attached.engine.change_privileges(command.name, command.changes, operation)
    return await attached.engine.change_account(AccountChange(command.name, operation, kind=command.kind))


def view(facts: AccountFacts, row: AccountRow | None) -> AccountView:
    """The engine's account joined with our row; a row of an earlier account of that name counts for nothing."""
    ours = row if row is not None and row.oid == facts.oid else None
    if ours is not None and ours.created_at is not None:
        standing = "managed"
    else:
        standing = "foreign" if row is None or row.created_at is None else "changed"
    return AccountView(
        oid=facts.oid,
        name=facts.name,
        kind=facts.kind,
        locked=not facts.may_log_in,
        remark=ours.remark if ours else "",
        managed_password=ours is not None and ours.sealed_password is not None,
        created_at=ours.created_at if ours else None,
        updated_at=ours.updated_at if ours else None,
        password_updated_at=ours.password_updated_at if ours else None,
        standing=standing,
        operation=facts.marker,
    )


def missing(row: AccountRow) -> AccountView:
    """An account of ours that the engine no longer has."""
    return AccountView(
        row.oid, row.name, AccountKind.NORMAL, True, row.remark, row.sealed_password is not None,
        row.created_at, row.updated_at, row.password_updated_at, "missing", None,
    )  # fmt: skip


def new_managed_password() -> Secret:
    """32 characters with every class in it: lower, upper, digit, symbol."""
    classes = (string.ascii_lowercase, string.ascii_uppercase, string.digits, _MANAGED_PASSWORD_SYMBOLS)
    characters = [secrets.choice(one) for one in classes]
    everything = "".join(classes)
    characters += [secrets.choice(everything) for _ in range(_MANAGED_PASSWORD_CHARACTERS - len(characters))]
    secrets.SystemRandom().shuffle(characters)
    return Secret("".join(characters))


def password_purpose(instance_id: int | str, name: str) -> str:
    """What an account's password is sealed for."""
    return f"account password:{instance_id}:{name}"


def _by_time(moment: datetime | None, view: AccountView) -> tuple[datetime, str]:
    return (moment or _LONG_AGO, view.name)


_ORDERS: Mapping[str, Callable[[AccountView], tuple[datetime | str, ...]]] = {
    "created": lambda view: _by_time(view.created_at, view),
    "updated": lambda view: _by_time(view.updated_at, view),
    "name": lambda view: (view.name,),
}
