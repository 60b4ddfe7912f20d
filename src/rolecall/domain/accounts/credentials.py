"""How accounts log in: passwords, passwords that Rolecall manages, locks."""

from __future__ import annotations

import string
from uuid import UUID

from rolecall import ambient
from rolecall.domain.accounts import commands
from rolecall.domain.accounts.context import AccountContext, AccountRow, Target
from rolecall.domain.engine import AccountChange, AccountFacts
from rolecall.domain.engine.capabilities import required
from rolecall.domain.engine.identity import ChangedMeanwhile, Expected
from rolecall.domain.instances.registry import ConnectedInstance
from rolecall.domain.messages import Handlers
from rolecall.domain.operations import details
from rolecall.domain.operations.model import OUT_OF_REACH, Change, Intent
from rolecall.domain.reasons import Reason, Refused
from rolecall.values import Origin, Secret

_MANAGED_PASSWORD_CHARACTERS = 32
_MANAGED_PASSWORD_SYMBOLS = "!%^*-+=_"  # those that every dialect accepts at any place of a password


class Credentials:
    def __init__(self, context: AccountContext) -> None:
        self._context = context
        self.handlers: Handlers = (
            commands.ResetPassword.handled_by(self.reset_password),
            commands.ResetPasswords.handled_by(self.reset_passwords),
            commands.MoveAccount.handled_by(self.move),
            commands.LockAccount.handled_by(self.lock),
            commands.UnlockAccount.handled_by(self.unlock),
            commands.OpenManagedPassword.handled_by(self.open_managed_password),
            commands.CloseManagedPassword.handled_by(self.close_managed_password),
            commands.RefreshManagedPassword.handled_by(self.refresh_managed_password),
        )

    async def reset_password(self, command: commands.ResetPassword, origin: Origin) -> None:
        """PASSWORD_MANAGED while Rolecall manages it; PASSWORD_WRONG if an old password is given and is not the one."""
        target = await self._context.target(command.instance, origin, command.name, command.host)
        facts = await self._require_managed(target, managed=False)
        if command.old_password is not None:
            await self._require_password(target, command.old_password)
        intent = target.intent(Change.ACCOUNT_PASSWORD, origin, expected=facts.expected)
        await self._set_password(target, intent, command.password)

    async def reset_passwords(self, command: commands.ResetPasswords, origin: Origin) -> None:
        """If one account is missing, none is changed."""
        targets = [
            await self._context.target(command.instance, origin, spec.name, spec.host)
            for spec in command.accounts
        ]
        found = [await self._require_managed(target, managed=False) for target in targets]
        for target, facts, one in zip(targets, found, command.accounts, strict=True):
            intent = target.intent(Change.ACCOUNT_PASSWORD, origin, expected=facts.expected)
            await self._set_password(target, intent, one.password)

    async def move(self, command: commands.MoveAccount, origin: Origin) -> None:
        """A new name, host or password. ACCOUNT_MISSING, ACCOUNT_TAKEN."""
        target = await self._context.target(command.instance, origin, command.name, command.host)
        facts = await self._context.changeable(target)
        engine = target.connected.engine
        if command.new_name not in (None, target.name):
            if not engine.traits.renames_accounts:
                raise Refused(Reason.ENGINE_UNSUITED, note="accounts keep their names on this kind of server")
            engine.require_new_name(command.new_name)
        host = target.host if command.new_host is None else engine.canonical_host(command.new_host)
        moved = Target(target.connected, command.new_name or target.name, host)
        if moved != target and await engine.account(moved.name, moved.host) is not None:
            raise Refused(Reason.ACCOUNT_TAKEN, facts={"value": moved.name})
        verifier = None if command.password is None else self._context.verifier(moved, command.password)
        detail = details.MoveAccount(
            new_name=moved.name, new_host=moved.host, password_changed=verifier is not None
        )

        async def apply(operation: UUID) -> AccountFacts:
            expected = Expected(facts.identity)
            if moved != target:
                expected = await self._context.leave(target, operation, expected)
            ready = None if verifier is None else await verifier
            after = await target.connected.engine.change_account(
                AccountChange(
                    target.name,
                    operation,
                    verifier=ready,
                    host=target.host,
                    new_name=None if moved.name == target.name else moved.name,
                    new_host=None if moved.host == target.host else moved.host,
                    expected=expected,
                )
            )
            return self._context.with_password(target.connected, after, ready)

        intent = target.intent(Change.ACCOUNT_MOVE, origin, detail, expected=facts.expected)
        await self._context.change(target, intent, apply)

    async def open_managed_password(self, command: commands.OpenManagedPassword, origin: Origin) -> None:
        target = await self._context.target(command.instance, origin, command.name)
        facts = await self._require_managed(target, managed=False)
        await self._renew_managed(target, origin, facts.expected)

    async def refresh_managed_password(
        self, command: commands.RefreshManagedPassword, origin: Origin
    ) -> None:
        target = await self._context.target(command.instance, origin, command.name)
        facts = await self._require_managed(target, managed=True)
        await self._renew_managed(target, origin, facts.expected)

    async def close_managed_password(self, command: commands.CloseManagedPassword, origin: Origin) -> None:
        target = await self._context.target(command.instance, origin, command.name)
        facts = await self._require_managed(target, managed=True)
        intent = target.intent(Change.ACCOUNT_UNMANAGE, origin, expected=facts.expected)
        await self._set_password(target, intent, command.password)

    async def managed_password(self, connected: ConnectedInstance, name: str) -> Secret:
        """The current password of an account that Rolecall manages. PASSWORD_NOT_MANAGED."""
        target = self._context.at(connected, name)
        row = await self._row(target)
        if row is None or row.sealed_password is None:
            raise Refused(Reason.PASSWORD_NOT_MANAGED, facts={"value": name})
        return self._context.sealer.open(row.sealed_password, target.purpose)

    async def current_password(self, target: Target) -> Secret:
        """As `managed_password`, and the account is asked for: ACCOUNT_MISSING, or another one of the same name."""
        await self._require_managed(target, managed=True)
        return await self.managed_password(target.connected, target.name)

    async def rotate(self, target: Target, origin: Origin) -> None:
        """Replace the managed password. ACCOUNT_MISSING, PASSWORD_NOT_MANAGED.

        No call asked for it, so it gives way to a change that a call asks for: ENGINE_BUSY if one is applied that the
        row does not show yet. It may be that the password is no longer managed.

        An attempt at a server that is out of reach is recorded like any other, as callers ask whether it failed
        (`password_tokens`).
        """
        row = await self._row(target)
        if row is None or row.sealed_password is None:
            raise Refused(Reason.PASSWORD_NOT_MANAGED, facts={"value": target.name})
        expected = Expected(row.identity, row.applied_order)
        try:
            facts = await self._require_managed(target, managed=True)
        except Refused as refusal:
            if refusal.reason not in OUT_OF_REACH:
                raise
        else:
            if await self._context.are_unrecorded(facts.operations):
                raise ChangedMeanwhile(target.name)
            expected = facts.expected
        await self._renew_managed(target, origin, expected, alone=True)

    async def lock(self, command: commands.LockAccount, origin: Origin) -> None:
        """No new sessions, and the open ones end."""
        target = await self._context.target(command.instance, origin, command.name, command.host)
        await self._set_login(target, origin, allowed=False)

    async def unlock(self, command: commands.UnlockAccount, origin: Origin) -> None:
        target = await self._context.target(command.instance, origin, command.name, command.host)
        await self._set_login(target, origin, allowed=True)

    async def _renew_managed(
        self, target: Target, origin: Origin, expected: Expected, *, alone: bool = False
    ) -> None:
        password = new_managed_password()
        sealed = self._context.sealer.seal(password, target.purpose)
        intent = target.intent(Change.ACCOUNT_MANAGE, origin, sealed=sealed, expected=expected)
        await self._set_password(target, intent, password, alone=alone)

    async def _set_password(
        self, target: Target, intent: Intent, password: Secret, *, alone: bool = False
    ) -> None:
        """`alone`: only if no other change has been applied since."""
        verifier = self._context.verifier(target, password)
        accepted = intent.expected
        assert accepted is not None  # noqa: S101 - a change of a password is of some account's
        expected = accepted if alone else Expected(accepted.identity)

        async def apply(operation: UUID) -> AccountFacts:
            ready = await verifier
            change = AccountChange(
                target.name, operation, verifier=ready, host=target.host, expected=expected
            )
            facts = await target.connected.engine.change_account(change)
            return self._context.with_password(target.connected, facts, ready)

        await self._context.change(target, intent, apply)

    async def _set_login(self, target: Target, origin: Origin, *, allowed: bool) -> None:
        change = Change.ACCOUNT_UNLOCK if allowed else Change.ACCOUNT_LOCK
        facts = await self._context.changeable(target)

        async def apply(operation: UUID) -> AccountFacts:
            return await target.connected.engine.change_account(
                AccountChange(
                    target.name,
                    operation,
                    may_log_in=allowed,
                    end_sessions=not allowed,
                    host=target.host,
                    expected=Expected(facts.identity),
                )
            )

        await self._context.change(target, target.intent(change, origin, expected=facts.expected), apply)

    async def _require_password(self, target: Target, password: Secret) -> None:
        check = required(target.connected.engine.password_check)
        if not await check.has_password(target.name, target.host, password):
            raise Refused(Reason.PASSWORD_WRONG, facts={"value": target.name})

    async def _require_managed(self, target: Target, *, managed: bool) -> AccountFacts:
        facts = await self._context.changeable(target)
        row = await self._row(target)
        is_managed = row is not None and row.is_of(facts) and row.sealed_password is not None
        if is_managed != managed:
            reason = Reason.PASSWORD_MANAGED if is_managed else Reason.PASSWORD_NOT_MANAGED
            raise Refused(reason, facts={"value": target.name})
        return facts

    async def _row(self, target: Target) -> AccountRow | None:
        return await self._context.repository.account(target.connected.instance.id, target.name, target.host)


def new_managed_password() -> Secret:
    """32 characters with every class in it: lower, upper, digit, symbol."""
    classes = (string.ascii_lowercase, string.ascii_uppercase, string.digits, _MANAGED_PASSWORD_SYMBOLS)
    characters = [ambient.draws().choice(alphabet) for alphabet in classes]
    everything = "".join(classes)
    characters += [
        ambient.draws().choice(everything) for _ in range(_MANAGED_PASSWORD_CHARACTERS - len(characters))
    ]
    ambient.draws().shuffle(characters)
    return Secret("".join(characters))
