"""Database accounts: making, deleting, showing and remarking them."""

from __future__ import annotations

from uuid import UUID

from msgspec.structs import replace

from rolecall import ambient
from rolecall.domain.accounts import commands
from rolecall.domain.accounts.context import AccountContext, AccountRow, Target
from rolecall.domain.accounts.credentials import new_managed_password
from rolecall.domain.accounts.deferred import DeferredCreates
from rolecall.domain.accounts.listing import failed_view, view
from rolecall.domain.accounts.quotas import has_room
from rolecall.domain.accounts.views import AccountView
from rolecall.domain.engine import (
    Access,
    AccountChange,
    AccountFacts,
    DatabaseGrant,
    NewAccount,
)
from rolecall.domain.engine.capabilities import required
from rolecall.domain.engine.identity import Expected
from rolecall.domain.instances.registry import ConnectedInstance
from rolecall.domain.messages import Handlers
from rolecall.domain.operations import details
from rolecall.domain.operations.claims import Claim, Claimed
from rolecall.domain.operations.client_tokens import ClientTokens
from rolecall.domain.operations.model import Change, Ledger, Operation, State
from rolecall.domain.reasons import Reason, Refused
from rolecall.values import Origin

_NO_SUCH_ACCOUNT = (Reason.ACCOUNT_MISSING, Reason.PARAMETER_VALUE)
"""Why there is no account of a name and host: none has it, or none can have that host."""


class Accounts:
    def __init__(
        self, context: AccountContext, ledger: Ledger, deferred: DeferredCreates, tokens: ClientTokens
    ) -> None:
        self._context = context
        self._ledger = ledger
        self._deferred = deferred
        self._tokens = tokens
        self.handlers: Handlers = (
            commands.CreateAccount.handled_by(self.create),
            commands.DeleteAccount.handled_by(self.delete),
            commands.ShowAccount.handled_by(self.show),
            commands.ChangeRemark.handled_by(self.change_remark),
        )

    async def create(self, command: commands.CreateAccount, origin: Origin) -> AccountView:
        """ACCOUNT_TAKEN, ACCOUNT_QUOTA, DATABASE_MISSING, CLIENT_TOKEN_MISMATCH, CLIENT_TOKEN_BUSY.

        And what the engine refuses.
        """
        target = await self._context.new_target(command.instance, origin, command.name, command.host)
        if command.token is None:
            return await self._create(target, command, origin, None)
        return await self._tokens.once(
            origin.caller.owner_id,
            command.token,
            lambda claim: self._create(target, command, origin, claim),
            lambda kept: self._made_before(target, kept),
        )

    async def _create(
        self, target: Target, command: commands.CreateAccount, origin: Origin, claim: Claim | None
    ) -> AccountView:
        if command.grants or command.everywhere:
            required(target.connected.engine.grants)
        grants = await self._grants(target.connected, command)
        context = self._context
        password = new_managed_password() if command.managed_password else command.password
        verifier = None if password is None else context.verifier(target, password)
        detail = details.CreateAccount(
            remark=command.remark, kind=command.kind, managed=command.managed_password, grants=grants
        )
        sealed = None
        if command.managed_password and password is not None:
            sealed = context.sealer.seal(password, target.purpose)
        quota = _quota(target, command)
        intent = target.intent(Change.ACCOUNT_CREATE, origin, detail, sealed)
        # Once it is called undone, a repetition makes the account, or another has its place in the quota.
        is_relied_on = claim is not None or quota is not None
        if is_relied_on:
            intent = replace(intent, claim=claim, counted=quota is not None)

        async def apply(operation: UUID) -> AccountFacts:
            if quota is not None:
                await self._require_room(target, quota, operation)
            ready = None if verifier is None else await verifier
            fence = context.fence(operation, always=is_relied_on)
            made = await target.connected.engine.create_account(
                NewAccount(target.name, command.kind, ready, operation, target.host, grants, fence=fence)
            )
            return context.with_password(target.connected, made, ready)

        facts = await context.change(target, intent, apply)
        now = ambient.now()
        row = AccountRow(
            target.name, target.host, facts.oid, command.remark, now, now, None, sealed, facts.identity
        )
        return view(facts, row)

    async def _require_room(self, target: Target, quota: int, operation: UUID) -> None:
        """ACCOUNT_QUOTA, but not for a name that the server has: the engine refuses that. One that is only being made
        may be refused in the end, and leave the name to this operation.

        What was accepted before this operation is still open, or closed and then on the server, which is asked later.
        """
        ahead = await self._ledger.ahead(operation)
        if not await has_room(target.connected.engine.listing, ahead, (target.name, target.host), quota):
            raise Refused(Reason.ACCOUNT_QUOTA, facts={"limit": quota})

    async def _made_before(self, target: Target, kept: Claimed) -> AccountView | None:
        """The account, if an earlier call with the same client token has made it."""
        if kept.state is not State.RECORDED:
            return None
        try:
            found = await self._show(target)
        except Refused as refusal:
            if refusal.reason is not Reason.ACCOUNT_MISSING:
                raise
            return None
        return found if found.standing == "managed" else None

    async def _grants(
        self, connected: ConnectedInstance, command: commands.CreateAccount
    ) -> tuple[DatabaseGrant, ...]:
        """Whether databases that are named are there, the engine sees for itself."""
        if not command.everywhere:
            return command.grants
        there = await connected.engine.databases()
        return tuple(DatabaseGrant(database.name, Access.READ_WRITE) for database in there)

    async def delete(self, command: commands.DeleteAccount, origin: Origin) -> None:
        """ACCOUNT_MISSING only where the command wants it to exist."""
        target = await self._context.target(command.instance, origin, command.name, command.host)
        facts = await self._context.identified(target)
        if facts is None and command.must_exist and await self._failed(target) is None:
            raise target.missing()
        await self._context.remove(target, origin, facts)

    async def change_remark(self, command: commands.ChangeRemark, origin: Origin) -> None:
        target = await self._context.target(command.instance, origin, command.name, command.host)
        facts = await self._context.changeable(target)
        detail = details.ChangeRemark(remark=command.remark)
        intent = target.intent(Change.ACCOUNT_REMARK, origin, detail, expected=facts.expected)

        async def apply(operation: UUID) -> AccountFacts:
            """Nothing but the mark: it is what puts this change in order with others of the account."""
            change = AccountChange(
                target.name, operation, host=target.host, expected=Expected(facts.identity)
            )
            return await target.connected.engine.change_account(change)

        await self._context.change(target, intent, apply)

    async def show(self, command: commands.ShowAccount, origin: Origin) -> AccountView:
        """ACCOUNT_MISSING."""
        connected = await self._context.resolver.connect(command.instance, origin.caller)
        try:
            return await self._show(await self._context.find(connected, command.name, command.host))
        except Refused as refusal:
            if refusal.reason not in _NO_SUCH_ACCOUNT or command.otherwise is None:
                raise
        return await self._show(await self._context.find(connected, *command.otherwise))

    async def _show(self, target: Target) -> AccountView:
        place = (target.name, target.host)
        pending = await self._deferred.pending(target.connected)
        promised = next((facts for facts in pending if (facts.name, facts.host) == place), None)
        facts = promised or await target.connected.engine.account(*place)
        if facts is None:
            if (failed := await self._failed(target)) is None:
                raise target.missing()
            return failed_view(failed)
        return view(
            facts,
            await self._context.repository.account(target.connected.instance.id, target.name, target.host),
        )

    async def _failed(self, target: Target) -> Operation | None:
        """The promise of an account that could not be kept."""
        failed = await self._deferred.failed(target.connected)
        return next(
            (operation for operation in failed if operation.account == (target.name, target.host)), None
        )


def _quota(target: Target, command: commands.CreateAccount) -> int | None:
    """The vendor's, or the instance's option ``account_quota`` in its place, where 0 is none."""
    if own := target.connected.instance.options.get("account_quota"):
        return int(own) or None
    return command.quota
